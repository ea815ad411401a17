//! Sending: bytes go to a receiver, and what it answers is judged.
//!
//! This room owns the wire (HTTP, SMTP), where it may lead to, how long it may take, and what an answer means. It must
//! not know the store, nor read a clock or decide what is sent to whom: it is handed bytes with an id. Start at
//! [`wire::Wire`]; what follows from an answer is pure: [`outcome`], [`schedule`], [`circuit`], [`bucket`].

pub mod address;
pub mod authority;
pub mod bucket;
pub mod circuit;
pub mod clock;
pub mod http;
pub mod outcome;
pub mod results;
pub mod schedule;
pub mod secret;
pub mod signature;
pub mod smtp;
pub mod wire;
