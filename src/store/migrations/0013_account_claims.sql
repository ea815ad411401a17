-- A lead that came to the owner of other leads of its company: a fact like a turn, for it hangs on whom those leads
-- had at the time. at is what told the company: a domain, or a number with its kind.
CREATE TABLE account_claim (
    lead_no INTEGER NOT NULL,
    run_no  INTEGER NOT NULL,
    owner   TEXT NOT NULL,
    at      TEXT NOT NULL,
    PRIMARY KEY (lead_no, run_no)
) STRICT, WITHOUT ROWID;
