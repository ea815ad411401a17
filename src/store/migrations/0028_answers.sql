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
DROP INDEX task_by_run;
CREATE INDEX task_by_opening ON task (opened_run) WHERE opened_run IS NOT NULL;
