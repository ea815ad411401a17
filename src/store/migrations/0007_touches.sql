-- A touch carries several identities, and is found by each of them.

-- beside: how many other identities the touch carries with this one.
CREATE TABLE touch_key (
    key      BLOB NOT NULL,
    touch_no INTEGER NOT NULL,
    beside   INTEGER NOT NULL,
    PRIMARY KEY (key, touch_no)
) STRICT, WITHOUT ROWID;
INSERT INTO touch_key SELECT key, touch_no, 0 FROM touch ORDER BY key, touch_no;

-- What they are made of, the strongest first: ["email:anna@example.com", "visitor-id:v1"]. Of those received so
-- far only a hash was kept.
DROP INDEX touch_by_key;
ALTER TABLE touch ADD COLUMN identities TEXT NOT NULL DEFAULT '[]';
UPDATE touch SET identities = json_array('kept:' || lower(hex(key)));
ALTER TABLE touch DROP COLUMN key;
CREATE INDEX touch_by_input ON touch (input_no);

-- What people did, as it was received; whose it is follows from the identities, and `leadmill explain` tells it.
CREATE VIEW touches AS
SELECT t.touch_no, strftime('%Y-%m-%dT%H:%M:%SZ', t.at_ms / 1000, 'unixepoch') AS at,
       t.kind, t.detail, t.identities, i.name AS input, t.line, i.source
FROM touch AS t JOIN input AS i USING (input_no);
