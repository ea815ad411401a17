-- What each target was given, what it refused, and what it calls it.

CREATE TABLE delivery_target (
    target_no INTEGER PRIMARY KEY,
    id        TEXT NOT NULL UNIQUE
) STRICT;

-- What the rows of the target's file followed from when it was written last, beside the leads. What an older leadmill
-- wrote is not known to have followed from anything else.
ALTER TABLE publication ADD COLUMN definition TEXT NOT NULL DEFAULT '';

-- A fact: the item was in a file of the target. item is the lead's id, the task's, or the conversion's.
CREATE TABLE delivered (
    target_no INTEGER NOT NULL,
    item      TEXT NOT NULL,
    -- The row as it was written last.
    row_hash  BLOB NOT NULL,
    run_no    INTEGER NOT NULL,
    -- The run that told the target to take it out again.
    withdrawn_run INTEGER,
    PRIMARY KEY (target_no, item)
) STRICT, WITHOUT ROWID;

-- What the target calls its record of an item, from its result files.
CREATE TABLE target_record (
    target_no INTEGER NOT NULL,
    item      TEXT NOT NULL,
    record_id TEXT NOT NULL,
    at_ms     INTEGER NOT NULL,
    PRIMARY KEY (target_no, item)
) STRICT, WITHOUT ROWID;

-- Rows that a target would not take, or did not: no values of the lead, only why. No run ever takes one back; it is
-- over once the row was written, the lead is gone, or somebody dropped it.
CREATE TABLE dead_letter (
    dead_letter_no INTEGER PRIMARY KEY,
    target_no   INTEGER NOT NULL,
    item        TEXT NOT NULL,
    code        TEXT NOT NULL,
    column_name TEXT NOT NULL,
    reason      TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('open', 'resolved', 'dropped')),
    first_run   INTEGER,
    first_ms    INTEGER NOT NULL,
    last_ms     INTEGER NOT NULL,
    -- When it was over, and why.
    closed_ms   INTEGER,
    because     TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX dead_letter_by_item ON dead_letter (target_no, item) WHERE state <> 'resolved';

CREATE VIEW deliveries AS
SELECT t.id AS target, d.item, r.id AS run, w.id AS withdrawn_by, k.record_id
FROM delivered AS d
JOIN delivery_target AS t USING (target_no)
JOIN run AS r USING (run_no)
LEFT JOIN run AS w ON w.run_no = d.withdrawn_run
LEFT JOIN target_record AS k ON k.target_no = d.target_no AND k.item = d.item;

CREATE VIEW dead_letters AS
SELECT d.dead_letter_no, t.id AS target, d.item, d.code, d.column_name, d.reason, d.state,
       strftime('%Y-%m-%dT%H:%M:%SZ', d.first_ms / 1000, 'unixepoch') AS first_at,
       strftime('%Y-%m-%dT%H:%M:%SZ', d.last_ms / 1000, 'unixepoch') AS last_at,
       d.because
FROM dead_letter AS d JOIN delivery_target AS t USING (target_no);
