-- A rescore decides anew about leads that are there, under the rules of today.

-- SQLite cannot change a CHECK: a column that knows the new kind takes the place of the old one.
DROP VIEW runs;
ALTER TABLE run ADD COLUMN kind_of_run TEXT NOT NULL DEFAULT 'import'
    CHECK (kind_of_run IN ('import', 'undo', 'rebuild', 'verdict', 'model', 'rescore'));
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

-- What was asked of a rescore, so that it can decide again: leads last heard of since then, and whether
-- routes count more than owners.
CREATE TABLE rescore (
    run_no   INTEGER PRIMARY KEY REFERENCES run,
    since_ms INTEGER,
    reroutes INTEGER NOT NULL
) STRICT;
