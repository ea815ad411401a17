-- What every run and every page asks of all leads and tasks is kept up as these change, or found by an index: a nightly
-- run costs what came in, however much is there.

-- How many leads stand where. The owner is empty where nobody has them; spans of scores are tens, from 0 to 9.
CREATE TABLE lead_total (
    segment TEXT NOT NULL,
    queue   TEXT NOT NULL,
    owner   TEXT NOT NULL,
    tens    INTEGER NOT NULL,
    leads   INTEGER NOT NULL,
    PRIMARY KEY (segment, queue, owner, tens)
) STRICT, WITHOUT ROWID;

INSERT INTO lead_total
SELECT segment, queue, coalesce(owner, ''), min(max(score, 0) / 10, 9), count(*)
FROM lead WHERE merged_into IS NULL GROUP BY 1, 2, 3, 4;

CREATE TRIGGER lead_is_counted AFTER INSERT ON lead WHEN NEW.merged_into IS NULL
BEGIN
    INSERT INTO lead_total VALUES
        (NEW.segment, NEW.queue, coalesce(NEW.owner, ''), min(max(NEW.score, 0) / 10, 9), 1)
    ON CONFLICT DO UPDATE SET leads = leads + 1;
END;
CREATE TRIGGER lead_is_counted_no_more AFTER DELETE ON lead WHEN OLD.merged_into IS NULL
BEGIN
    UPDATE lead_total SET leads = leads - 1
    WHERE (segment, queue, owner, tens)
        = (OLD.segment, OLD.queue, coalesce(OLD.owner, ''), min(max(OLD.score, 0) / 10, 9));
    DELETE FROM lead_total
    WHERE (segment, queue, owner, tens)
        = (OLD.segment, OLD.queue, coalesce(OLD.owner, ''), min(max(OLD.score, 0) / 10, 9)) AND leads = 0;
END;
CREATE TRIGGER lead_is_counted_elsewhere AFTER UPDATE OF merged_into, segment, queue, owner, score ON lead
WHEN (OLD.merged_into IS NULL) <> (NEW.merged_into IS NULL) OR OLD.segment <> NEW.segment OR OLD.queue <> NEW.queue
    OR OLD.owner IS NOT NEW.owner OR OLD.score <> NEW.score
BEGIN
    UPDATE lead_total SET leads = leads - 1
    WHERE OLD.merged_into IS NULL AND (segment, queue, owner, tens)
        = (OLD.segment, OLD.queue, coalesce(OLD.owner, ''), min(max(OLD.score, 0) / 10, 9));
    DELETE FROM lead_total
    WHERE (segment, queue, owner, tens)
        = (OLD.segment, OLD.queue, coalesce(OLD.owner, ''), min(max(OLD.score, 0) / 10, 9)) AND leads = 0;
    INSERT INTO lead_total
    SELECT NEW.segment, NEW.queue, coalesce(NEW.owner, ''), min(max(NEW.score, 0) / 10, 9), 1
    WHERE NEW.merged_into IS NULL
    ON CONFLICT DO UPDATE SET leads = leads + 1;
END;

-- Reports look at the last weeks.
CREATE INDEX lead_by_first ON lead (first_ms) WHERE merged_into IS NULL;
CREATE INDEX lead_by_last ON lead (last_ms) WHERE merged_into IS NULL;
-- The best of the hot ones are on the page.
CREATE INDEX lead_hot ON lead (score DESC, id) WHERE segment = 'hot' AND merged_into IS NULL;
-- The next that is due, and how many are late.
CREATE INDEX task_open ON task (due_ms) WHERE state = 'open';
-- What a run hands out is listed by it.
CREATE INDEX task_handed ON task (handed_run) WHERE state = 'open' AND handed_run IS NOT NULL;
-- What targets have not been given yet.
CREATE INDEX task_by_run ON task (run_no);
