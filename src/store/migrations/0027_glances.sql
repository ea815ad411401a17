-- What reports and alerts ask of every submission and lead lies together: rows as received and values are most of a
-- submission, and nobody who only counts reads them.

-- The expressions are those of `Key::sql` in store/metrics.rs, letter by letter: only so is the index all that is read.
CREATE INDEX submission_glance ON submission
    (submission_no, input_no, line, submitted_ms, certainty, fingerprint,
     json_extract(fields, '$.campaign'),
     coalesce(json_extract(fields, '$."form-name"'), json_extract(fields, '$."form-id"')),
     json_extract(fields, '$.source'),
     json_extract(fields, '$."is-customer"'),
     json_extract(fields, '$."crm-status"'));

-- The last weeks, with what leads are told apart by.
DROP INDEX lead_by_first;
CREATE INDEX lead_by_first ON lead (first_ms, founder_no, segment, may_email) WHERE merged_into IS NULL;
DROP INDEX lead_by_last;
CREATE INDEX lead_by_last ON lead (last_ms, owner, queue, segment, id) WHERE merged_into IS NULL;

-- The same trigger without functions and upserts. SQLite takes a copy of every page that a statement touches when
-- something in its triggers may fail and be taken back alone; a function may. New leads are most of what is written.
DROP TRIGGER lead_is_counted;
CREATE TRIGGER lead_is_counted AFTER INSERT ON lead WHEN NEW.merged_into IS NULL
BEGIN
    INSERT INTO lead_total
    SELECT NEW.segment, NEW.queue, ifnull(NEW.owner, ''),
           CASE WHEN NEW.score < 0 THEN 0 WHEN NEW.score > 99 THEN 9 ELSE NEW.score / 10 END, 0
    WHERE NOT EXISTS (SELECT 1 FROM lead_total WHERE (segment, queue, owner, tens)
        = (NEW.segment, NEW.queue, ifnull(NEW.owner, ''),
           CASE WHEN NEW.score < 0 THEN 0 WHEN NEW.score > 99 THEN 9 ELSE NEW.score / 10 END));
    UPDATE lead_total SET leads = leads + 1
    WHERE (segment, queue, owner, tens)
        = (NEW.segment, NEW.queue, ifnull(NEW.owner, ''),
           CASE WHEN NEW.score < 0 THEN 0 WHEN NEW.score > 99 THEN 9 ELSE NEW.score / 10 END);
END;
