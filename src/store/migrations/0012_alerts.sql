-- An alert opens once, goes on, and closes once.

CREATE TABLE alert (
    alert_no   INTEGER PRIMARY KEY,
    -- The rule's id, and what it is about: silent/meta-lead-ads.
    key        TEXT NOT NULL,
    rule       TEXT NOT NULL,
    -- What was found last.
    message    TEXT NOT NULL,
    opened_run INTEGER NOT NULL,
    opened_ms  INTEGER NOT NULL,
    -- When somebody was told last.
    told_ms    INTEGER NOT NULL,
    closed_run INTEGER,
    closed_ms  INTEGER
) STRICT;
CREATE UNIQUE INDEX alert_open ON alert (key) WHERE closed_ms IS NULL;

CREATE VIEW alerts AS
SELECT a.key, a.rule, a.message,
       strftime('%Y-%m-%dT%H:%M:%SZ', a.opened_ms / 1000, 'unixepoch') AS opened_at, o.id AS opened_by,
       strftime('%Y-%m-%dT%H:%M:%SZ', a.closed_ms / 1000, 'unixepoch') AS closed_at, c.id AS closed_by
FROM alert AS a
LEFT JOIN run AS o ON o.run_no = a.opened_run
LEFT JOIN run AS c ON c.run_no = a.closed_run;
