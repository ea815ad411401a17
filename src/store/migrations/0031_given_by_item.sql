-- What targets were given lies by item: the rows of a lead and of its tasks, for whichever target, share a page. Ids are
-- hashes, so a run that gives few leads to many targets wrote to nearly all pages of the table before.
DROP VIEW deliveries;
ALTER TABLE delivered RENAME TO earlier_delivered;
CREATE TABLE delivered (
    target_no INTEGER NOT NULL,
    item      TEXT NOT NULL,
    -- The row as it was written last.
    row_hash  BLOB NOT NULL,
    run_no    INTEGER NOT NULL,
    -- The run that told the target to take it out again.
    withdrawn_run INTEGER,
    PRIMARY KEY (item, target_no)
) STRICT, WITHOUT ROWID;
INSERT INTO delivered SELECT * FROM earlier_delivered ORDER BY item, target_no;
DROP TABLE earlier_delivered;

CREATE VIEW deliveries AS
SELECT t.id AS target, d.item, r.id AS run, w.id AS withdrawn_by, k.record_id
FROM delivered AS d
JOIN delivery_target AS t USING (target_no)
JOIN run AS r USING (run_no)
LEFT JOIN run AS w ON w.run_no = d.withdrawn_run
LEFT JOIN target_record AS k ON k.target_no = d.target_no AND k.item = d.item;
