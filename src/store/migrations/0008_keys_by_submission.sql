-- The keys of one submission: whoever is decided anew is known by the keys that were kept for it, whatever the
-- word lists that they are made with say since.
CREATE INDEX match_key_by_submission ON match_key (submission_no, kind);
