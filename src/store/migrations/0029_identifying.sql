-- What tells people and companies apart lies together: a night compares its rows with a good part of the store's, and
-- accounts are worked out from all leads. Both read whole rows for it, of which most is the row as received and values
-- that neither looks at.

-- The expressions are those of `IdentifyingColumns` in store/identifying.rs, letter by letter: only so is the index all
-- that is read.
CREATE INDEX submission_identifying ON submission
    (submission_no,
     json_extract(fields, '$."email"'),
     json_extract(fields, '$."phone"'),
     json_extract(fields, '$."first-name"'),
     json_extract(fields, '$."last-name"'),
     json_extract(fields, '$."company"'),
     json_extract(fields, '$."nip"'),
     json_extract(fields, '$."krs"'),
     json_extract(fields, '$."regon"'),
     json_extract(fields, '$."street"'),
     json_extract(fields, '$."postcode"'),
     json_extract(fields, '$."city"'),
     json_extract(fields, '$."country"'),
     json_extract(fields, '$."email-domain"'),
     json_extract(fields, '$."email-is-free"'),
     json_extract(fields, '$."email-is-role"'),
     json_extract(fields, '$."email-is-disposable"'),
     json_extract(fields, '$."email-suggestion"'),
     json_extract(fields, '$."company-domain"'));
