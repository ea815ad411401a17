-- People can be erased. What stays of them knows nobody without the key, which lies in a file of its own.

-- SQLite cannot change a CHECK: a column that knows the new kind takes the place of the old one.
DROP VIEW runs;
ALTER TABLE run ADD COLUMN kind_of_run TEXT NOT NULL DEFAULT 'import'
    CHECK (kind_of_run IN ('import', 'undo', 'rebuild', 'verdict', 'model', 'rescore', 'tick', 'erasure'));
UPDATE run SET kind_of_run = kind;
ALTER TABLE run DROP COLUMN kind;
ALTER TABLE run RENAME COLUMN kind_of_run TO kind;
CREATE VIEW runs AS
SELECT r.run_no, r.id, r.kind, r.state, r.version, r.rules_hash,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of_ms / 1000, 'unixepoch') AS as_of,
       t.id AS undoes, b.id AS undone_by
FROM run AS r
LEFT JOIN run AS t ON t.run_no = r.undoes
LEFT JOIN run AS b ON b.run_no = r.undone_by;

-- A run that erased people: why, and under which key they are known now. traces is what names them in files that
-- are out; it is there only until these are rewritten. is_scrubbed: whether the store's file was looked through
-- afterwards for what deleting leaves behind.
CREATE TABLE erasure (
    run_no      INTEGER PRIMARY KEY REFERENCES run,
    key_id      TEXT NOT NULL,
    because     TEXT NOT NULL,
    traces      TEXT,
    is_scrubbed INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Whom not to take in again: HMAC-SHA256 of what they are recognized by. Rows that are newer than since_ms are
-- taken, and all of them once somebody has said why they may be (allowed_because).
CREATE TABLE suppression (
    hash            BLOB PRIMARY KEY CHECK (length(hash) = 32),
    run_no          INTEGER NOT NULL REFERENCES erasure,
    since_ms        INTEGER NOT NULL,
    allowed_ms      INTEGER,
    allowed_because TEXT,
    CHECK ((allowed_ms IS NULL) = (allowed_because IS NULL))
) STRICT, WITHOUT ROWID;

-- Where rows stood that are erased: an input still adds up. kind as in seen.
CREATE TABLE erased_row (
    input_no INTEGER NOT NULL REFERENCES input,
    record   INTEGER NOT NULL,
    line     INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    run_no   INTEGER NOT NULL REFERENCES run,
    PRIMARY KEY (input_no, record, kind)
) STRICT, WITHOUT ROWID;

-- Turns and leads that owners got of somebody who is erased: facts, for nobody else's turn changes by it. by_time:
-- whether only time made the run look, which says in what order turns were taken.
CREATE TABLE erased_turn (
    lead_no INTEGER NOT NULL,
    run_no  INTEGER NOT NULL,
    queue   TEXT NOT NULL,
    owner   TEXT NOT NULL,
    turn    INTEGER NOT NULL,
    pool_no INTEGER NOT NULL,
    by_time INTEGER NOT NULL,
    PRIMARY KEY (lead_no, run_no)
) STRICT, WITHOUT ROWID;
CREATE TABLE erased_load (
    lead_no INTEGER NOT NULL,
    run_no  INTEGER NOT NULL,
    queue   TEXT NOT NULL,
    owner   TEXT NOT NULL,
    by_time INTEGER NOT NULL,
    PRIMARY KEY (lead_no, run_no)
) STRICT, WITHOUT ROWID;

-- Every turn that was taken. Within a run turns are taken in the order of the leads' numbers, but last by those at
-- which only time made it look: 1 for these, and 0 for the others, also where a rescore took a turn and left the
-- decision as it was.
CREATE VIEW turn_taken AS
SELECT t.lead_no, t.run_no, t.queue, t.owner, t.turn, t.pool_no,
       EXISTS (SELECT 1 FROM decision AS d
               WHERE d.lead_no = t.lead_no AND d.run_no = t.run_no AND d.steps & 16 <> 0) AS by_time
FROM turn AS t
UNION ALL
SELECT lead_no, run_no, queue, owner, turn, pool_no, by_time FROM erased_turn;

-- When people were erased, and why.
CREATE VIEW erasures AS
SELECT r.id AS run, strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of_ms / 1000, 'unixepoch') AS as_of, e.because,
       (SELECT json_group_array(w.id) FROM withdrawal AS w WHERE w.run_no = e.run_no) AS leads,
       e.traces IS NULL AS files_are_rewritten
FROM erasure AS e JOIN run AS r USING (run_no);
