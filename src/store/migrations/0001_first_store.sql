-- The first store. Migrations are append-only: a released file is never edited.
-- Times are milliseconds since 1970 UTC. Hashes are the first 16 bytes of a SHA-256.

CREATE TABLE run (
    run_no              INTEGER PRIMARY KEY,
    id                  TEXT NOT NULL UNIQUE,
    as_of_ms            INTEGER NOT NULL,
    rules_hash          TEXT NOT NULL,
    version             TEXT NOT NULL,
    state               TEXT NOT NULL CHECK (state IN ('ingesting', 'decided', 'published')),
    inputs_digest       TEXT NOT NULL,
    first_submission_no INTEGER NOT NULL,
    books               TEXT
) STRICT;

-- The routes of each rule set that decided, in order: which of them came before the one that matched.
CREATE TABLE rule_set (
    hash   TEXT PRIMARY KEY,
    routes TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE input (
    input_no INTEGER PRIMARY KEY,
    run_no   INTEGER NOT NULL REFERENCES run,
    sha256   BLOB NOT NULL UNIQUE,
    name     TEXT NOT NULL,
    source   TEXT NOT NULL,
    encoding TEXT NOT NULL,
    header   TEXT NOT NULL,
    bytes    INTEGER NOT NULL,
    rows_read INTEGER NOT NULL DEFAULT 0,
    accepted INTEGER NOT NULL DEFAULT 0,
    repeated INTEGER NOT NULL DEFAULT 0,
    quarantined INTEGER NOT NULL DEFAULT 0,
    held     INTEGER NOT NULL DEFAULT 0,
    touches  INTEGER NOT NULL DEFAULT 0,
    skipped  INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Ground state: written once, never edited.
CREATE TABLE submission (
    submission_no  INTEGER PRIMARY KEY,
    input_no       INTEGER NOT NULL REFERENCES input,
    record         INTEGER NOT NULL,
    line           INTEGER NOT NULL,
    fingerprint    BLOB NOT NULL,
    submitted_ms   INTEGER NOT NULL,
    -- When the source last changed its record; only contact lists say.
    modified_ms    INTEGER,
    offset_minutes INTEGER NOT NULL,
    certainty      INTEGER NOT NULL,
    fields         TEXT NOT NULL,
    consents       TEXT,
    notices        TEXT,
    raw            TEXT NOT NULL
) STRICT;

CREATE TABLE touch (
    touch_no INTEGER PRIMARY KEY,
    input_no INTEGER NOT NULL REFERENCES input,
    record   INTEGER NOT NULL,
    line     INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    detail   TEXT NOT NULL,
    key      BLOB NOT NULL
) STRICT;
CREATE INDEX touch_by_key ON touch (key, at_ms);

CREATE TABLE quarantine (
    quarantine_no INTEGER PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    input_no    INTEGER NOT NULL REFERENCES input,
    record      INTEGER NOT NULL,
    line        INTEGER NOT NULL,
    code        TEXT NOT NULL,
    column_name TEXT NOT NULL,
    value       TEXT NOT NULL,
    message     TEXT NOT NULL,
    raw         TEXT NOT NULL
) STRICT;

-- Which later row came back for a quarantined one: what it names is open no longer. The row was kept as
-- kind and no say, as in seen; q means that it was changed, but is not right yet.
CREATE TABLE mended (
    quarantine_no INTEGER PRIMARY KEY,
    input_no INTEGER NOT NULL REFERENCES input,
    record   INTEGER NOT NULL,
    line     INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    no       INTEGER NOT NULL
) STRICT;

CREATE TABLE held (
    held_no     INTEGER PRIMARY KEY,
    input_no    INTEGER NOT NULL REFERENCES input,
    record      INTEGER NOT NULL,
    line        INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    column_name TEXT NOT NULL,
    value       TEXT NOT NULL,
    message     TEXT NOT NULL,
    raw         TEXT NOT NULL
) STRICT;

-- What has been seen, and as what: s submission, t touch, q quarantine, h held.
CREATE TABLE seen (
    fingerprint BLOB PRIMARY KEY,
    kind        TEXT NOT NULL,
    no          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Rows that were seen before, and where the first one went.
CREATE TABLE repeat (
    input_no INTEGER NOT NULL REFERENCES input,
    record   INTEGER NOT NULL,
    line     INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    no       INTEGER NOT NULL,
    PRIMARY KEY (input_no, record)
) STRICT, WITHOUT ROWID;

-- holder: the folded name beside the key, by which the guard tells people apart.
CREATE TABLE match_key (
    key           BLOB NOT NULL,
    submission_no INTEGER NOT NULL,
    kind          INTEGER NOT NULL,
    holder        TEXT NOT NULL,
    PRIMARY KEY (key, submission_no)
) STRICT, WITHOUT ROWID;

-- Derived state: everything below can be rebuilt from the tables above. It names rows of other tables
-- without foreign keys: checking them cost a tenth of a run, and whoever writes here writes all of it.
CREATE TABLE lead (
    lead_no       INTEGER PRIMARY KEY,
    id            TEXT NOT NULL,
    merged_into   INTEGER,
    founder_no    INTEGER NOT NULL,
    founded_run   INTEGER NOT NULL,
    changed_run   INTEGER NOT NULL,
    n_submissions INTEGER NOT NULL,
    first_ms      INTEGER NOT NULL,
    last_ms       INTEGER NOT NULL,
    -- What lists show, beside the values that they are taken from.
    name          TEXT NOT NULL,
    email         TEXT,
    phone         TEXT,
    -- NULL: the values are those of the founder, the only submission there is.
    fields        TEXT,
    -- Which submission won which field; '*' names the winner of all others.
    provenance    TEXT,
    score         INTEGER NOT NULL,
    segment       TEXT NOT NULL,
    fit           INTEGER NOT NULL,
    intent        INTEGER NOT NULL,
    behavior      INTEGER NOT NULL,
    quality       INTEGER NOT NULL,
    owner         TEXT,
    queue         TEXT NOT NULL CHECK (queue <> ''),
    may_email     INTEGER NOT NULL,
    may_phone     INTEGER NOT NULL
) STRICT;
CREATE INDEX lead_by_change ON lead (changed_run);
CREATE INDEX lead_by_winner ON lead (merged_into) WHERE merged_into IS NOT NULL;

-- Every id ever given out, for ever.
CREATE TABLE lead_alias (
    id      TEXT PRIMARY KEY,
    lead_no INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE membership (
    submission_no INTEGER PRIMARY KEY,
    lead_no       INTEGER NOT NULL
) STRICT;
CREATE INDEX membership_by_lead ON membership (lead_no);

-- Why a submission joined: the key it shares with another submission of the same lead.
CREATE TABLE link (
    submission_no INTEGER PRIMARY KEY,
    with_no       INTEGER NOT NULL,
    kind          INTEGER NOT NULL
) STRICT;

-- One row per lead and run that decided about it: the history of scores and owners.
CREATE TABLE decision (
    lead_no       INTEGER NOT NULL,
    run_no        INTEGER NOT NULL,
    steps         INTEGER NOT NULL,
    score         INTEGER NOT NULL,
    segment       TEXT NOT NULL,
    contributions TEXT NOT NULL,
    owner         TEXT,
    queue         TEXT NOT NULL,
    route         TEXT NOT NULL,
    reason        TEXT NOT NULL,
    PRIMARY KEY (lead_no, run_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE rotation (
    queue    TEXT NOT NULL,
    owner    TEXT NOT NULL,
    current  INTEGER NOT NULL,
    assigned INTEGER NOT NULL,
    PRIMARY KEY (queue, owner)
) STRICT, WITHOUT ROWID;

-- The few sentences that say why a task is where it is.
CREATE TABLE because (
    because_no INTEGER PRIMARY KEY,
    text       TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE task (
    lead_no INTEGER NOT NULL,
    plan    TEXT NOT NULL,
    step    TEXT NOT NULL,
    channel TEXT NOT NULL,
    subject TEXT NOT NULL,
    due_ms  INTEGER NOT NULL,
    state   TEXT NOT NULL,
    because_no INTEGER NOT NULL,
    run_no  INTEGER NOT NULL,
    PRIMARY KEY (lead_no, plan, step)
) STRICT, WITHOUT ROWID;

-- Few mails are open at a time; each run looks for those that have gone stale.
CREATE INDEX task_open_mail ON task (due_ms) WHERE state = 'open' AND channel IN ('email', 'sms');

-- The ledger: who agreed to what. Appended to, never edited.
CREATE TABLE wording (
    wording_no INTEGER PRIMARY KEY,
    sha256     BLOB NOT NULL UNIQUE,
    text       TEXT NOT NULL
) STRICT;

CREATE TABLE consent_record (
    seq           INTEGER PRIMARY KEY,
    submission_no INTEGER NOT NULL REFERENCES submission,
    run_no        INTEGER NOT NULL REFERENCES run,
    purpose       TEXT NOT NULL,
    channel       TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('given', 'refused', 'withdrawn')),
    event_ms      INTEGER NOT NULL,
    wording_no    INTEGER NOT NULL REFERENCES wording,
    mechanism     TEXT NOT NULL
) STRICT;
CREATE INDEX consent_by_submission ON consent_record (submission_no);

CREATE TRIGGER consent_is_not_edited BEFORE UPDATE ON consent_record
BEGIN
    SELECT RAISE(ABORT, 'the consent ledger is append-only');
END;
CREATE TRIGGER consent_is_not_deleted BEFORE DELETE ON consent_record
BEGIN
    SELECT RAISE(ABORT, 'the consent ledger is append-only');
END;

-- Which run last wrote each target's file.
CREATE TABLE publication (
    target TEXT PRIMARY KEY,
    run_no INTEGER NOT NULL REFERENCES run
) STRICT, WITHOUT ROWID;

-- Documented views, for people with any SQLite tool.
CREATE VIEW leads AS
WITH golden AS (
    SELECT l.*, coalesce(l.fields, s.fields) AS golden_fields
    FROM lead AS l JOIN submission AS s ON s.submission_no = l.founder_no
    WHERE l.merged_into IS NULL)
SELECT l.lead_no, l.id,
       l.email, l.phone,
       json_extract(l.golden_fields, '$.first-name') AS first_name,
       json_extract(l.golden_fields, '$.last-name') AS last_name,
       json_extract(l.golden_fields, '$.company') AS company,
       json_extract(l.golden_fields, '$.country') AS country,
       json_extract(l.golden_fields, '$.source') AS source,
       json_extract(l.golden_fields, '$.campaign') AS campaign,
       l.score, l.segment, l.fit, l.intent, l.behavior, l.quality, l.owner, l.queue,
       (SELECT d.reason FROM decision AS d WHERE d.lead_no = l.lead_no
        ORDER BY d.run_no DESC LIMIT 1) AS routing_reason,
       l.n_submissions,
       strftime('%Y-%m-%dT%H:%M:%SZ', l.first_ms / 1000, 'unixepoch') AS first_submitted_at,
       strftime('%Y-%m-%dT%H:%M:%SZ', l.last_ms / 1000, 'unixepoch') AS last_submitted_at,
       l.golden_fields AS fields
FROM golden AS l;

CREATE VIEW submissions AS
SELECT s.submission_no, i.name AS input, s.record, s.line, i.source,
       strftime('%Y-%m-%dT%H:%M:%SZ', s.submitted_ms / 1000, 'unixepoch') AS submitted_at,
       m.lead_no, s.fields, s.notices, s.raw
FROM submission AS s
JOIN input AS i USING (input_no)
LEFT JOIN membership AS m USING (submission_no);

CREATE VIEW duplicates AS
SELECT m.lead_no, k.submission_no, k.with_no,
       CASE k.kind WHEN 0 THEN 'email' WHEN 1 THEN 'email and name' ELSE 'phone' END AS joined_by
FROM link AS k
JOIN membership AS m USING (submission_no);

CREATE VIEW tasks AS
SELECT t.lead_no, t.plan, t.step, t.channel, t.subject,
       strftime('%Y-%m-%dT%H:%M:%SZ', t.due_ms / 1000, 'unixepoch') AS due_at,
       t.state, b.text AS because, l.owner, l.queue, l.segment
FROM task AS t
JOIN because AS b USING (because_no)
JOIN lead AS l USING (lead_no)
WHERE l.merged_into IS NULL;

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
LEFT JOIN membership AS m USING (submission_no);

-- The event log. A decision carries the steps it took as bits; the view spells them out.
CREATE VIEW events AS
SELECT r.id || '/s' || s.submission_no || '/' || e.step AS event_id,
       r.id AS run, m.lead_no, s.submission_no, e.step, 'done' AS status
FROM submission AS s
JOIN input AS i USING (input_no)
JOIN run AS r USING (run_no)
LEFT JOIN membership AS m USING (submission_no)
CROSS JOIN (SELECT 'received' AS step UNION ALL SELECT 'validated' UNION ALL SELECT 'deduplicated') AS e
UNION ALL
SELECT r.id || '/l' || d.lead_no || '/' || e.step, r.id, d.lead_no, NULL, e.step,
       CASE WHEN e.step = 'sent' AND r.state <> 'published' THEN 'pending'
            ELSE 'done' END
FROM decision AS d
JOIN run AS r USING (run_no)
CROSS JOIN (SELECT 'scored' AS step, 1 AS bit UNION ALL SELECT 'routed', 2
            UNION ALL SELECT 'followup-scheduled', 4 UNION ALL SELECT 'sent', 8) AS e
WHERE d.steps & e.bit <> 0;
