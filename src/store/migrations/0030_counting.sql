-- The trigger without functions and upserts, as that of new leads has been since step 27: SQLite takes a copy of every
-- page that a statement touches when something in its triggers may fail and be taken back alone.
DROP TRIGGER lead_is_counted_elsewhere;
CREATE TRIGGER lead_is_counted_elsewhere AFTER UPDATE OF merged_into, segment, queue, owner, score ON lead
WHEN (OLD.merged_into IS NULL) <> (NEW.merged_into IS NULL) OR OLD.segment <> NEW.segment OR OLD.queue <> NEW.queue
    OR OLD.owner IS NOT NEW.owner OR OLD.score <> NEW.score
BEGIN
    UPDATE lead_total SET leads = leads - 1
    WHERE OLD.merged_into IS NULL AND (segment, queue, owner, tens)
        = (OLD.segment, OLD.queue, ifnull(OLD.owner, ''),
           CASE WHEN OLD.score < 0 THEN 0 WHEN OLD.score > 99 THEN 9 ELSE OLD.score / 10 END);
    DELETE FROM lead_total
    WHERE (segment, queue, owner, tens)
        = (OLD.segment, OLD.queue, ifnull(OLD.owner, ''),
           CASE WHEN OLD.score < 0 THEN 0 WHEN OLD.score > 99 THEN 9 ELSE OLD.score / 10 END) AND leads = 0;
    INSERT INTO lead_total
    SELECT NEW.segment, NEW.queue, ifnull(NEW.owner, ''),
           CASE WHEN NEW.score < 0 THEN 0 WHEN NEW.score > 99 THEN 9 ELSE NEW.score / 10 END, 0
    WHERE NEW.merged_into IS NULL AND NOT EXISTS (SELECT 1 FROM lead_total WHERE (segment, queue, owner, tens)
        = (NEW.segment, NEW.queue, ifnull(NEW.owner, ''),
           CASE WHEN NEW.score < 0 THEN 0 WHEN NEW.score > 99 THEN 9 ELSE NEW.score / 10 END));
    UPDATE lead_total SET leads = leads + 1
    WHERE NEW.merged_into IS NULL AND (segment, queue, owner, tens)
        = (NEW.segment, NEW.queue, ifnull(NEW.owner, ''),
           CASE WHEN NEW.score < 0 THEN 0 WHEN NEW.score > 99 THEN 9 ELSE NEW.score / 10 END);
END;
