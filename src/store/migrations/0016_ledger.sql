-- The ledger in two halves. A record is an envelope that names nobody: it is chained to the one before it by its
-- hash, and stays. What is about a person lies in a payload, which the envelope only commits to, with a random
-- salt beside it; the payload may be erased, and then nothing in the ledger leads back to anybody.
--
-- What is hashed, and how, is written in src/store/ledger/chain.rs. The rows of the table before are taken over by
-- src/store/ledger/upgrade.rs, which then drops it.

DROP VIEW consents;
DROP TRIGGER consent_is_not_edited;
DROP TRIGGER consent_is_not_deleted;
DROP INDEX consent_by_submission;
DROP INDEX consent_by_superseded;
ALTER TABLE consent_record RENAME TO consent_record_before;

-- submission_no and touch_no are numbers that were given out in turn and are never given out twice: they say who
-- only as long as that row is there.
CREATE TABLE consent_record (
    seq           INTEGER PRIMARY KEY,
    run_no        INTEGER NOT NULL REFERENCES run,
    submission_no INTEGER,
    touch_no      INTEGER,
    purpose       TEXT NOT NULL,
    channel       TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN
        ('given', 'doi-sent', 'doi-confirmed', 'imported-unproven', 'refused', 'withdrawn', 'objected',
         'undone', 'erased')),
    event_ms      INTEGER NOT NULL,
    -- Whether the source told when it was said; else the time of receipt stands in.
    is_dated      INTEGER NOT NULL,
    wording_no    INTEGER,
    policy_no     INTEGER,
    mechanism     TEXT NOT NULL,
    grade         TEXT NOT NULL CHECK (grade IN ('A', 'B', 'C', 'D')),
    -- The earlier record that no longer counts (undone), or whose payload is gone (erased, undone).
    supersedes    INTEGER REFERENCES consent_record,
    -- HMAC-SHA256 of the payload and the texts shown, keyed with the payload's salt; zeroes where there never was one.
    commitment    BLOB NOT NULL CHECK (length(commitment) = 32),
    -- SHA-256 of the hash before and the envelope.
    hash          BLOB NOT NULL CHECK (length(hash) = 32),
    CHECK ((state IN ('undone', 'erased')) = (supersedes IS NOT NULL))
) STRICT;
CREATE INDEX consent_by_submission ON consent_record (submission_no);
CREATE INDEX consent_by_touch ON consent_record (touch_no) WHERE touch_no IS NOT NULL;
CREATE INDEX consent_by_superseded ON consent_record (supersedes) WHERE supersedes IS NOT NULL;

-- payload: a JSON object with its keys in order: address (that the consent is for), answer (as received), form, ip,
-- page, place (file:line), user-agent; what is not known is left out.
CREATE TABLE consent_payload (
    seq     INTEGER PRIMARY KEY,
    salt    BLOB NOT NULL CHECK (length(salt) = 32),
    payload TEXT NOT NULL
) STRICT;

CREATE TRIGGER consent_is_not_edited BEFORE UPDATE ON consent_record
BEGIN
    SELECT RAISE(ABORT, 'the consent ledger is append-only');
END;
CREATE TRIGGER consent_is_not_deleted BEFORE DELETE ON consent_record
BEGIN
    SELECT RAISE(ABORT, 'the consent ledger is append-only');
END;
CREATE TRIGGER consent_payload_is_not_edited BEFORE UPDATE ON consent_payload
BEGIN
    SELECT RAISE(ABORT, 'the consent ledger is append-only');
END;
-- A payload goes only once the ledger says that it does.
CREATE TRIGGER consent_payload_is_not_deleted BEFORE DELETE ON consent_payload
WHEN NOT EXISTS (SELECT 1 FROM consent_record WHERE supersedes = OLD.seq)
BEGIN
    SELECT RAISE(ABORT, 'the consent ledger is append-only: append that the payload is erased first');
END;
-- Texts that were shown stay. One may hold somebody's own words (a form that writes its sentence into the cell): it
-- may go once the payloads of all records that name it are erased.
CREATE TRIGGER wording_is_not_edited BEFORE UPDATE ON wording
BEGIN
    SELECT RAISE(ABORT, 'the texts of the consent ledger are kept as they are');
END;
CREATE TRIGGER wording_is_not_deleted BEFORE DELETE ON wording
WHEN EXISTS (SELECT 1 FROM consent_record AS c JOIN consent_payload AS p USING (seq)
             WHERE c.wording_no = OLD.wording_no OR c.policy_no = OLD.wording_no)
BEGIN
    SELECT RAISE(ABORT, 'the texts of the consent ledger are kept as long as a record needs them');
END;

-- What took a consent back, by the mailbox, number or lead that it is about: everybody who shares that must be spared
-- as well. kind: s submission, t touch, as in seen. Ground state, written with the row.
CREATE TABLE consent_denial (
    key  BLOB NOT NULL,
    kind TEXT NOT NULL,
    no   INTEGER NOT NULL,
    PRIMARY KEY (key, kind, no)
) STRICT, WITHOUT ROWID;
INSERT INTO consent_denial
SELECT k.key, 's', k.submission_no
FROM submission AS s JOIN match_key AS k USING (submission_no)
-- Kinds of keys: 0 and 1 are mailboxes, 2 numbers (src/identity/keys.rs).
WHERE s.consents LIKE '%"withdrawn"%' AND k.kind IN (0, 1, 2);

-- The consents that count; the whole ledger, with what was taken back, is consent_record.
CREATE VIEW consents AS
SELECT c.seq, m.lead_no, c.purpose, c.channel, c.state,
       strftime('%Y-%m-%dT%H:%M:%SZ', c.event_ms / 1000, 'unixepoch') AS said_at,
       w.text AS wording, c.mechanism, i.name AS input, s.line,
       json_extract(p.payload, '$.ip') AS ip,
       json_extract(p.payload, '$.user-agent') AS user_agent,
       c.grade, json_extract(p.payload, '$.address') AS address,
       json_extract(p.payload, '$.answer') AS answer,
       json_extract(p.payload, '$.place') AS place
FROM consent_record AS c
LEFT JOIN wording AS w USING (wording_no)
LEFT JOIN consent_payload AS p USING (seq)
LEFT JOIN submission AS s USING (submission_no)
LEFT JOIN input AS i USING (input_no)
LEFT JOIN membership AS m USING (submission_no)
WHERE c.state NOT IN ('undone', 'erased')
  AND NOT EXISTS (SELECT 1 FROM consent_record AS later WHERE later.supersedes = c.seq);
