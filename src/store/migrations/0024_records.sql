-- The record that a request changes, as the receiver calls it; empty where the request makes one, or knows of none.
ALTER TABLE outbox_request ADD COLUMN record_id TEXT NOT NULL DEFAULT '';
