-- Whom the gate lets be contacted belongs to what files show of a lead, for every purpose and channel: whoever takes a
-- consent back has changed, and each target that rests on it is told.
ALTER TABLE lead ADD COLUMN answers TEXT;
-- Until now only marketing by e-mail and phone counted, and some targets were not told. Each is offered every lead once
-- more: what it has as it is does not stand in its file again.
UPDATE publication SET definition = 'from before answers were kept' WHERE definition <> '';

-- Whether a run writes every lead: whoever finishes it does so, too. Runs of an older leadmill do not say.
ALTER TABLE run ADD COLUMN is_full INTEGER;

-- A step may be planned long before it is open, when the number to call comes later: what CRMs are given of tasks is
-- told by the run in which each was open for the first time. Of older tasks nobody knows: the run that planned them
-- stands in.
ALTER TABLE task ADD COLUMN opened_run INTEGER;
UPDATE task SET opened_run = run_no WHERE state IN ('open', 'superseded', 'done') OR expired_run IS NOT NULL;
-- When it was done, or gave way to another plan; of older tasks nobody knows.
ALTER TABLE task ADD COLUMN ended_ms INTEGER;
DROP VIEW tasks;
CREATE VIEW tasks AS
SELECT t.lead_no, t.plan, t.step, t.cycle, t.channel, t.subject,
       strftime('%Y-%m-%dT%H:%M:%SZ', t.due_ms / 1000, 'unixepoch') AS due_at,
       t.state, b.text AS because, l.owner, l.queue, l.segment, r.id AS handed_out_by,
       strftime('%Y-%m-%dT%H:%M:%SZ', t.ended_ms / 1000, 'unixepoch') AS ended_at
FROM task AS t
JOIN because AS b USING (because_no)
JOIN lead AS l USING (lead_no)
LEFT JOIN run AS r ON r.run_no = t.handed_run
WHERE l.merged_into IS NULL;
DROP INDEX task_by_run;
CREATE INDEX task_by_opening ON task (opened_run) WHERE opened_run IS NOT NULL;

-- What is asked of all leads in their order, without reading the leads: they are wide.
CREATE INDEX lead_glance ON lead (lead_no, owner, queue, segment, id) WHERE merged_into IS NULL;
