-- The first instant at which time alone may change what was decided about a lead, milliseconds since 1970 UTC;
-- NULL: it never does. A lead that an older leadmill decided about is looked at in the first run from now on.
ALTER TABLE lead ADD COLUMN look_ms INTEGER;
UPDATE lead SET look_ms = 0 WHERE merged_into IS NULL;
CREATE INDEX lead_by_look ON lead (look_ms) WHERE look_ms IS NOT NULL;

-- Whether a run looks again at the leads whose instant has come: those of an older leadmill did not, and do not when they
-- decide once more.
ALTER TABLE run ADD COLUMN looks_by_time INTEGER NOT NULL DEFAULT 0;

-- Derived: leads that a run looked at and left as they were, but for that instant.
CREATE TABLE look (
    run_no  INTEGER NOT NULL,
    lead_no INTEGER NOT NULL,
    PRIMARY KEY (run_no, lead_no)
) STRICT, WITHOUT ROWID;
