-- Whether the rows of an input say who is known, as the export of a CRM does, and are no enquiries: they open no
-- cycle and set nothing off. What was received before counts as it was decided.
ALTER TABLE input ADD COLUMN tells_contacts INTEGER NOT NULL DEFAULT 0;
