-- Runs can be taken back, and derived state computed again: what that needs to be exact.

-- An undo is a run in the books, too; so is a rebuild that found something to mend.
ALTER TABLE run ADD COLUMN kind TEXT NOT NULL DEFAULT 'import' CHECK (kind IN ('import', 'undo', 'rebuild'));
-- The run that this one took back.
ALTER TABLE run ADD COLUMN undoes INTEGER;
-- The run that took this one back.
ALTER TABLE run ADD COLUMN undone_by INTEGER;

-- The rules as they were when a run decided, so that it can decide again: the files that decide about
-- leads, each text once, deflated.
CREATE TABLE rule_text (
    sha256   BLOB PRIMARY KEY,
    deflated BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE rule_file (
    hash   TEXT NOT NULL,
    path   TEXT NOT NULL,
    sha256 BLOB NOT NULL REFERENCES rule_text,
    PRIMARY KEY (hash, path)
) STRICT, WITHOUT ROWID;

-- Numbers are not given out twice, though the rows that had them are gone.
CREATE TABLE last_number (
    table_name TEXT PRIMARY KEY,
    no         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Whose turn a lead took: a fact, like the promise that it is. A turn pays everybody in its pool their
-- weight and takes the sum from the owner, so the rotation is a sum over these rows, and a turn can be
-- given back whatever came after it.
CREATE TABLE turn_pool (
    pool_no INTEGER PRIMARY KEY,
    paid    TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE turn (
    lead_no INTEGER NOT NULL,
    run_no  INTEGER NOT NULL,
    queue   TEXT NOT NULL,
    owner   TEXT NOT NULL,
    turn    INTEGER NOT NULL,
    pool_no INTEGER NOT NULL,
    PRIMARY KEY (lead_no, run_no)
) STRICT, WITHOUT ROWID;

-- Leads that files show otherwise since an undo or a rebuild, and leads that are in no list since:
-- now_in are the
-- ids of the leads that have the rows which stayed. No names: what was taken back is gone.
CREATE TABLE correction (
    lead_no INTEGER NOT NULL,
    run_no  INTEGER NOT NULL,
    PRIMARY KEY (lead_no, run_no)
) STRICT, WITHOUT ROWID;
CREATE TABLE withdrawal (
    id     TEXT NOT NULL,
    run_no INTEGER NOT NULL,
    now_in TEXT NOT NULL,
    PRIMARY KEY (id, run_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX withdrawal_by_run ON withdrawal (run_no, id);

-- The run that found an open mail to be stale.
ALTER TABLE task ADD COLUMN expired_run INTEGER;

-- The ledger survives the rows that it is about: no foreign key to submissions, and a record may say
-- that an earlier one no longer counts because its row was taken back. evidence is where that row stood.
DROP VIEW consents;
CREATE TABLE consent_ledger (
    seq           INTEGER PRIMARY KEY,
    submission_no INTEGER NOT NULL,
    run_no        INTEGER NOT NULL REFERENCES run,
    purpose       TEXT NOT NULL,
    channel       TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('given', 'refused', 'withdrawn', 'undone')),
    event_ms      INTEGER NOT NULL,
    wording_no    INTEGER NOT NULL REFERENCES wording,
    mechanism     TEXT NOT NULL,
    supersedes    INTEGER REFERENCES consent_ledger,
    evidence      TEXT,
    CHECK ((state = 'undone') = (supersedes IS NOT NULL))
) STRICT;
INSERT INTO consent_ledger
SELECT seq, submission_no, run_no, purpose, channel, state, event_ms, wording_no, mechanism, NULL, NULL
FROM consent_record;
DROP TABLE consent_record;
ALTER TABLE consent_ledger RENAME TO consent_record;
CREATE INDEX consent_by_submission ON consent_record (submission_no);
CREATE INDEX consent_by_superseded ON consent_record (supersedes) WHERE supersedes IS NOT NULL;
CREATE TRIGGER consent_is_not_edited BEFORE UPDATE ON consent_record
BEGIN
    SELECT RAISE(ABORT, 'the consent ledger is append-only');
END;
CREATE TRIGGER consent_is_not_deleted BEFORE DELETE ON consent_record
BEGIN
    SELECT RAISE(ABORT, 'the consent ledger is append-only');
END;

-- The consents that count; the whole ledger, with what was taken back, is consent_record.
CREATE VIEW consents AS
SELECT c.seq, m.lead_no, c.purpose, c.channel, c.state,
       strftime('%Y-%m-%dT%H:%M:%SZ', c.event_ms / 1000, 'unixepoch') AS said_at,
       w.text AS wording, c.mechanism, i.name AS input, s.line,
       json_extract(s.fields, '$.ip') AS ip,
       json_extract(s.fields, '$.user-agent') AS user_agent
FROM consent_record AS c
JOIN wording AS w USING (wording_no)
JOIN submission AS s USING (submission_no)
JOIN input AS i USING (input_no)
LEFT JOIN membership AS m USING (submission_no)
WHERE c.state <> 'undone'
  AND NOT EXISTS (SELECT 1 FROM consent_record AS later WHERE later.supersedes = c.seq);

CREATE VIEW runs AS
SELECT r.run_no, r.id, r.kind, r.state, r.version, r.rules_hash,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of_ms / 1000, 'unixepoch') AS as_of,
       t.id AS undoes, b.id AS undone_by
FROM run AS r
LEFT JOIN run AS t ON t.run_no = r.undoes
LEFT JOIN run AS b ON b.run_no = r.undone_by;

CREATE VIEW withdrawn AS
SELECT w.id, w.now_in, r.id AS run, u.id AS undone_run
FROM withdrawal AS w
JOIN run AS r USING (run_no)
LEFT JOIN run AS u ON u.run_no = r.undoes;
