-- What is sent over the wire: facts, all of it. No run and no undo takes back what was sent, or what waits to be.

-- What is known of an endpoint from one `deliver` to the next; its id is in delivery_target.
CREATE TABLE endpoint (
    target_no     INTEGER PRIMARY KEY,
    -- Its circuit: faults in a row, the latest outcomes as bits, how often it opened, until when it is open.
    faults        INTEGER NOT NULL DEFAULT 0,
    recent        INTEGER NOT NULL DEFAULT 0,
    recent_count  INTEGER NOT NULL DEFAULT 0,
    opened        INTEGER NOT NULL DEFAULT 0,
    open_until_ms INTEGER,
    -- Until when it asked to be left alone.
    paused_until_ms INTEGER,
    -- What it was (a hash of its address) when it said that it is gone for good.
    gone_as       TEXT NOT NULL DEFAULT '',
    -- Since when nothing has got through, and why.
    failing_since_ms INTEGER,
    last_code     TEXT NOT NULL DEFAULT ''
) STRICT;

-- A request: these bytes, under this id, at every attempt. They go once it is over.
CREATE TABLE outbox_request (
    request_no INTEGER PRIMARY KEY,
    target_no  INTEGER NOT NULL,
    id         TEXT NOT NULL UNIQUE,
    body       BLOB NOT NULL,
    body_hash  BLOB NOT NULL,
    -- inflight: being sent, or the process died while it was; waiting: surely not taken; unknown: nobody knows.
    state      TEXT NOT NULL
        CHECK (state IN ('inflight', 'waiting', 'unknown', 'held', 'done', 'dead', 'dissolved')),
    attempts   INTEGER NOT NULL,
    -- How often nobody knew whether it was taken.
    unknowns   INTEGER NOT NULL DEFAULT 0,
    next_ms    INTEGER NOT NULL,
    begun_ms   INTEGER NOT NULL,
    first_failure_ms INTEGER,
    first_code TEXT NOT NULL DEFAULT '',
    last_code  TEXT NOT NULL DEFAULT '',
    closed_ms  INTEGER
) STRICT;
CREATE INDEX outbox_request_open ON outbox_request (target_no, next_ms)
    WHERE state IN ('inflight', 'waiting', 'unknown');

-- One thing to be delivered: a row of a target, an alert, a mail.
CREATE TABLE outbox (
    -- Never given out twice: ids of requests are made of them.
    outbox_no INTEGER PRIMARY KEY AUTOINCREMENT,
    target_no INTEGER NOT NULL,
    item      TEXT NOT NULL,
    -- Id of its lead, in whose order things are sent; empty where there is none.
    lead_id   TEXT NOT NULL,
    -- Its part of a request, rendered once; goes when it is over.
    part      BLOB NOT NULL,
    -- The address that a mail goes to; goes with the part.
    recipient TEXT NOT NULL,
    run_no    INTEGER NOT NULL,
    queued_ms INTEGER NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('pending', 'claimed', 'delivered', 'dead', 'held', 'superseded',
                                             'withdrawn', 'dropped')),
    request_no INTEGER,
    -- Its place in the request.
    place     INTEGER NOT NULL DEFAULT 0,
    -- Whether it goes in a request of its own, because one with others was refused.
    is_alone  INTEGER NOT NULL DEFAULT 0,
    code      TEXT NOT NULL DEFAULT '',
    because   TEXT NOT NULL DEFAULT '',
    closed_ms INTEGER,
    -- When the task that a mail did was said to be done.
    told_ms   INTEGER
) STRICT;
CREATE INDEX outbox_open ON outbox (target_no, outbox_no) WHERE state IN ('pending', 'claimed');
CREATE INDEX outbox_open_by_lead ON outbox (target_no, lead_id, outbox_no) WHERE state IN ('pending', 'claimed');
CREATE INDEX outbox_by_request ON outbox (request_no) WHERE request_no IS NOT NULL;
CREATE INDEX outbox_by_item ON outbox (target_no, item);
CREATE INDEX outbox_by_lead ON outbox (lead_id) WHERE lead_id <> '';

CREATE VIEW outbox_items AS
SELECT o.outbox_no, t.id AS endpoint, o.item, o.state, r.id AS request, r.state AS request_state, r.attempts,
       r.unknowns, lower(hex(r.body_hash)) AS body_sha256, o.code, o.because,
       strftime('%Y-%m-%dT%H:%M:%SZ', o.queued_ms / 1000, 'unixepoch') AS queued_at,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.first_failure_ms / 1000, 'unixepoch') AS failing_since,
       strftime('%Y-%m-%dT%H:%M:%SZ', o.closed_ms / 1000, 'unixepoch') AS closed_at
FROM outbox AS o
JOIN delivery_target AS t USING (target_no)
LEFT JOIN outbox_request AS r ON r.request_no = o.request_no;
