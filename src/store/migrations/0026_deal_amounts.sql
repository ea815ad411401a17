-- What a deal came to, as a number with a dot for decimals, and its currency, ISO 4217 or empty; neither where the row
-- says no amount. Deals of before have none: their rows are not kept.
ALTER TABLE touch ADD COLUMN amount TEXT;
ALTER TABLE touch ADD COLUMN currency TEXT;

DROP VIEW touches;
CREATE VIEW touches AS
SELECT t.touch_no, strftime('%Y-%m-%dT%H:%M:%SZ', t.at_ms / 1000, 'unixepoch') AS at,
       t.kind, t.detail, t.identities, i.name AS input, t.line, i.source, t.amount, t.currency
FROM touch AS t JOIN input AS i USING (input_no);
