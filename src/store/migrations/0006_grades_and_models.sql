-- Where a lead stands in the matrix of fit and engagement, and what each scoring model says of it:
-- `[[id, total], …]`, the one that decided first. NULL where the rules have neither.
ALTER TABLE lead ADD COLUMN grade TEXT;
ALTER TABLE lead ADD COLUMN models TEXT;
ALTER TABLE decision ADD COLUMN grade TEXT;
ALTER TABLE decision ADD COLUMN models TEXT;

DROP VIEW leads;
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
       l.golden_fields AS fields,
       l.grade, l.models
FROM golden AS l;

-- How every score came about: which run decided, under which rules, as of when.
CREATE VIEW scores AS
SELECT d.lead_no, l.id AS lead_id, r.id AS run, r.rules_hash,
       strftime('%Y-%m-%dT%H:%M:%SZ', r.as_of_ms / 1000, 'unixepoch') AS as_of,
       d.score, d.segment, d.grade, d.models, d.contributions
FROM decision AS d JOIN run AS r USING (run_no) JOIN lead AS l USING (lead_no);
