-- What people said about who is who, about rows and not about leads: it holds whatever leads come and go.
CREATE TABLE verdict (
    run_no  INTEGER NOT NULL REFERENCES run,
    a       BLOB NOT NULL,
    b       BLOB NOT NULL,
    is_same INTEGER NOT NULL,
    because TEXT NOT NULL,
    PRIMARY KEY (run_no, a, b),
    CHECK (a < b)
) STRICT, WITHOUT ROWID;
CREATE INDEX verdict_by_pair ON verdict (a, b);

-- The weights by which people are told alike, as somebody accepted them; without one leadmill's own.
CREATE TABLE pair_model (
    run_no INTEGER PRIMARY KEY REFERENCES run,
    body   TEXT NOT NULL
) STRICT;

DROP VIEW duplicates;
CREATE VIEW duplicates AS
SELECT m.lead_no, k.submission_no, k.with_no,
       CASE k.kind WHEN 0 THEN 'email' WHEN 1 THEN 'email and name' WHEN 2 THEN 'phone'
            WHEN 4 THEN 'likeness' ELSE 'verdict' END AS joined_by
FROM link AS k
JOIN membership AS m USING (submission_no);

CREATE VIEW verdicts AS
SELECT r.id AS run, CASE v.is_same WHEN 1 THEN 'same' ELSE 'different' END AS verdict,
       sa.no AS submission_no, sb.no AS other_no, v.because
FROM verdict AS v
JOIN run AS r USING (run_no)
LEFT JOIN seen AS sa ON sa.fingerprint = v.a AND sa.kind = 's'
LEFT JOIN seen AS sb ON sb.fingerprint = v.b AND sb.kind = 's'
WHERE r.undone_by IS NULL;
