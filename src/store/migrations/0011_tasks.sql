-- A lead that comes back after a long silence goes through its plans once more: its tasks are others than the first
-- time. What became due is handed out once.

-- A tick hands out what became due between two imports, and takes in what was said about tasks. SQLite cannot change a
-- CHECK: a column that knows the new kind takes the place of the old one.
DROP VIEW runs;
ALTER TABLE run ADD COLUMN kind_of_run TEXT NOT NULL DEFAULT 'import'
    CHECK (kind_of_run IN ('import', 'undo', 'rebuild', 'verdict', 'model', 'rescore', 'tick'));
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

DROP VIEW tasks;
DROP INDEX task_open_mail;
ALTER TABLE task RENAME TO earlier_task;
CREATE TABLE task (
    lead_no INTEGER NOT NULL,
    plan    TEXT NOT NULL,
    step    TEXT NOT NULL,
    cycle   INTEGER NOT NULL,
    channel TEXT NOT NULL,
    subject TEXT NOT NULL,
    due_ms  INTEGER NOT NULL,
    state   TEXT NOT NULL,
    because_no INTEGER NOT NULL,
    run_no  INTEGER NOT NULL,
    -- The run that found an open mail to be stale.
    expired_run INTEGER,
    -- The run that handed it out, once it was due.
    handed_run INTEGER,
    -- How many times it was put off: then it is handed out anew.
    put_off INTEGER NOT NULL,
    PRIMARY KEY (lead_no, plan, step, cycle)
) STRICT, WITHOUT ROWID;
-- What was due by the last run has been in its lists.
INSERT INTO task
SELECT lead_no, plan, step, 1, channel, subject, due_ms, state, because_no, run_no, expired_run,
       CASE WHEN state = 'open' AND due_ms <= (SELECT max(as_of_ms) FROM run)
            THEN (SELECT max(run_no) FROM run) END, 0
FROM earlier_task;
DROP TABLE earlier_task;

-- Few mails are open at a time; each run looks for those that have gone stale.
CREATE INDEX task_open_mail ON task (due_ms) WHERE state = 'open' AND channel IN ('email', 'sms');
CREATE INDEX task_to_hand_out ON task (due_ms) WHERE state = 'open' AND handed_run IS NULL;

-- What was handed out is a fact. It hangs on the fingerprint of the submission that founded the lead: leads merge and
-- split, and a row that comes back after an undo is still the one that was answered.
CREATE TABLE handed_out (
    founder BLOB NOT NULL,
    plan    TEXT NOT NULL,
    step    TEXT NOT NULL,
    cycle   INTEGER NOT NULL,
    put_off INTEGER NOT NULL,
    run_no  INTEGER NOT NULL,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (founder, plan, step, cycle, put_off)
) STRICT, WITHOUT ROWID;
CREATE INDEX handed_out_by_run ON handed_out (run_no);
INSERT OR IGNORE INTO handed_out
SELECT s.fingerprint, t.plan, t.step, t.cycle, 0, t.handed_run, t.due_ms
FROM task AS t JOIN lead AS l USING (lead_no) JOIN submission AS s ON s.submission_no = l.founder_no
WHERE t.handed_run IS NOT NULL;

-- Every task of every lead, with the run that handed it out.
CREATE VIEW tasks AS
SELECT t.lead_no, t.plan, t.step, t.cycle, t.channel, t.subject,
       strftime('%Y-%m-%dT%H:%M:%SZ', t.due_ms / 1000, 'unixepoch') AS due_at,
       t.state, b.text AS because, l.owner, l.queue, l.segment, r.id AS handed_out_by
FROM task AS t
JOIN because AS b USING (because_no)
JOIN lead AS l USING (lead_no)
LEFT JOIN run AS r ON r.run_no = t.handed_run
WHERE l.merged_into IS NULL;
