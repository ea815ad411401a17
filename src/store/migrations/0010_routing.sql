-- Who was passed over when a lead was dealt, and why; and how many leads came to whom.

-- Everybody of a pool who did not get a lead, as a list of [owner, why, detail]; each list once.
CREATE TABLE turn_passed (
    passed_no INTEGER PRIMARY KEY,
    members   TEXT NOT NULL UNIQUE
) STRICT;
-- Who was passed over by a turn; NULL for nobody.
ALTER TABLE turn ADD COLUMN passed_no INTEGER;

-- Queues in which nobody could take a lead, in the order in which they were asked: a fact like a turn, for
-- it hangs on the leads that others had at the time.
CREATE TABLE no_taker (
    lead_no   INTEGER NOT NULL,
    run_no    INTEGER NOT NULL,
    place     INTEGER NOT NULL,
    queue     TEXT NOT NULL,
    passed_no INTEGER NOT NULL,
    PRIMARY KEY (lead_no, run_no, place)
) STRICT, WITHOUT ROWID;

-- Whether a run keeps in which queues nobody could take a lead: those of an older leadmill did not, and do not when they
-- decide anew.
ALTER TABLE run ADD COLUMN keeps_no_takers INTEGER NOT NULL DEFAULT 0;

-- Leads that came to each owner by run and queue: the sum of the decisions that gave a lead to somebody who
-- did not have it (bit 32 of their steps). Caps and loads are counted from it.
CREATE TABLE load (
    run_no INTEGER NOT NULL,
    queue  TEXT NOT NULL,
    owner  TEXT NOT NULL,
    leads  INTEGER NOT NULL,
    PRIMARY KEY (run_no, queue, owner)
) STRICT, WITHOUT ROWID;

-- A returning lead kept its owner, be it that of a lead that it took in: its line says so. Any other came to somebody
-- whenever that was not who had it before.
UPDATE decision SET steps = steps | 32
WHERE owner IS NOT NULL
  AND NOT (route = 'sticky' AND reason LIKE '%; because=returning lead%')
  AND owner IS NOT (SELECT b.owner FROM decision AS b
                    WHERE b.lead_no = decision.lead_no AND b.run_no < decision.run_no
                    ORDER BY b.run_no DESC LIMIT 1);
INSERT INTO load
SELECT run_no, queue, owner, count(*) FROM decision WHERE steps & 32 <> 0 GROUP BY run_no, queue, owner;
