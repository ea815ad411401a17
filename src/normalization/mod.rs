//! Placeholder opened by the first commit of this room.
