-- What metrics are made of.

-- What the sales side did, found without reading every page view. The kinds are those of `ACTIVITY` in
-- store/metrics.rs, where a test holds both against each other.
CREATE INDEX IF NOT EXISTS touch_of_sales ON touch (touch_no)
    WHERE kind IN ('call', 'contacted', 'meeting-booked', 'meeting-held', 'no-show', 'won', 'lost');

-- Whether somebody asked for something, or a list only says that they are there. Whether the row said when it was
-- sent: `instant`, `day` (noon stands in) or `unknown` (the time of receipt does).
DROP VIEW IF EXISTS submissions;
CREATE VIEW submissions AS
SELECT s.submission_no, i.name AS input, s.record, s.line, i.source,
       strftime('%Y-%m-%dT%H:%M:%SZ', s.submitted_ms / 1000, 'unixepoch') AS submitted_at,
       m.lead_no, s.fields, s.notices, s.raw,
       CASE s.certainty WHEN 2 THEN 'day' WHEN 3 THEN 'unknown' ELSE 'instant' END AS time_known,
       i.tells_contacts = 0 AS is_enquiry,
       json_extract(s.fields, '$.campaign') AS campaign,
       coalesce(json_extract(s.fields, '$."form-name"'), json_extract(s.fields, '$."form-id"')) AS form
FROM submission AS s
JOIN input AS i USING (input_no)
LEFT JOIN membership AS m USING (submission_no);

-- Rows of submissions that had been received before.
DROP VIEW IF EXISTS resubmissions;
CREATE VIEW resubmissions AS
SELECT p.no AS submission_no, i.name AS input, p.record, p.line, i.source, r.id AS run
FROM repeat AS p
JOIN input AS i USING (input_no)
JOIN run AS r USING (run_no)
WHERE p.kind = 's';
