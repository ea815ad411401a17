-- Every e-mail address, phone number and record id that a lead was ever given, with when and where from,
-- whichever of them it shows.
CREATE VIEW identifiers AS
WITH named AS (
    SELECT s.submission_no, s.submitted_ms, s.input_no, p.kind,
           json_extract(s.fields, p.path) AS value, p.is_list
    FROM submission AS s
    CROSS JOIN (SELECT 'email' AS kind, '$.email' AS path, 0 AS is_list
                UNION ALL SELECT 'email', '$."other-emails"', 1
                UNION ALL SELECT 'phone', '$.phone', 0
                UNION ALL SELECT 'phone', '$."other-phones"', 1
                UNION ALL SELECT 'external-id', '$."external-id"', 0) AS p),
parted AS (
    SELECT submission_no, submitted_ms, input_no, kind, value FROM named
    WHERE value IS NOT NULL AND is_list = 0
    UNION ALL
    SELECT n.submission_no, n.submitted_ms, n.input_no, n.kind, one.value
    FROM named AS n, json_each('[' || replace(json_quote(n.value), '; ', '","') || ']') AS one
    WHERE n.value IS NOT NULL AND n.is_list = 1)
SELECT m.lead_no, l.id AS lead, v.kind, v.value,
       strftime('%Y-%m-%dT%H:%M:%SZ', min(v.submitted_ms) / 1000, 'unixepoch') AS first_seen,
       strftime('%Y-%m-%dT%H:%M:%SZ', max(v.submitted_ms) / 1000, 'unixepoch') AS last_seen,
       i.source
FROM parted AS v
JOIN input AS i USING (input_no)
JOIN membership AS m USING (submission_no)
JOIN lead AS l ON l.lead_no = m.lead_no
GROUP BY m.lead_no, v.kind, v.value, i.source;
