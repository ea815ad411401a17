//! A ledger in a store, and what is done to it.

use rusqlite::Connection;

use super::chain::Payload;
use super::verify::{Problem, Verified};
use super::*;
use crate::model::consent::{Channel, ConsentState, Purpose, Shown};

const RECORDS: i64 = 5;

fn claim(state: ConsentState, wording: &str) -> ConsentClaim {
    ConsentClaim {
        purpose: Purpose::new(Purpose::MARKETING),
        channel: Channel::Email,
        state,
        wording: wording.to_owned(),
        mechanism: "checkbox".to_owned(),
        shown: Shown::Text,
        answer: Some("tak".to_owned()),
        policy: Some("Polityka prywatności 3".to_owned()),
    }
}

/// A store whose ledger has [`RECORDS`] records of rows 1 to 5.
struct Kept {
    folder: tempfile::TempDir,
    store: Store,
}

impl Kept {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("leadmill.db")).unwrap();
        store
            .connection
            .execute_batch(
                "INSERT INTO run (run_no, id, as_of_ms, rules_hash, version, state, inputs_digest, first_submission_no)
                 VALUES (1, 'r1', 0, '', '', 'published', '', 1), (2, 'r2', 0, '', '', 'published', '', 1);",
            )
            .unwrap();
        let mut ledger = store.ledger(RunNo(1)).unwrap();
        for no in 1..=RECORDS {
            let address = format!("osoba{no}@przyklad.pl");
            let place = format!("zgody.csv:{}", no + 1);
            let entry = Entry {
                by: Teller::Submission(SubmissionNo(no)),
                claim: &claim(ConsentState::Given, "Wyrażam zgodę na informacje handlowe"),
                event_ms: 1_000 * no,
                is_dated: true,
                grade: Grade::B,
                payload: Payload {
                    address: Some(&address),
                    answer: Some("tak"),
                    place: &place,
                    ..Payload::default()
                },
            };
            ledger.append(&entry).unwrap();
        }
        drop(ledger);
        Self { folder, store }
    }

    fn verify(&self) -> Verified {
        self.store.verify_ledger(None).unwrap()
    }

    /// Changes the file as somebody would who has another program, and no triggers in the way.
    fn tamper(&self, sql: &str) {
        let other = Connection::open(self.folder.path().join("leadmill.db")).unwrap();
        other
            .execute_batch(
                "DROP TRIGGER consent_is_not_edited; DROP TRIGGER consent_is_not_deleted;
                 DROP TRIGGER consent_payload_is_not_edited; DROP TRIGGER consent_payload_is_not_deleted;
                 DROP TRIGGER wording_is_not_edited; DROP TRIGGER wording_is_not_deleted;
                 PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;",
            )
            .unwrap();
        other.execute_batch(sql).unwrap();
    }
}

#[track_caller]
fn check(sql: &str, expected: &[(i64, Problem)]) {
    let kept = Kept::new();
    kept.tamper(sql);
    assert_eq!(kept.verify().problems, expected, "{sql}");
}

#[test]
fn a_ledger_that_nobody_touched_is_whole() {
    let kept = Kept::new();
    let verified = kept.verify();
    assert_eq!(verified.problems, []);
    assert_eq!(
        (verified.records, verified.matching, verified.erased, verified.texts),
        (5, 5, 0, 2)
    );
    assert_eq!(verified.head, kept.store.ledger_head().unwrap());
    let anchored = kept.store.verify_ledger(Some(verified.head)).unwrap();
    assert!(anchored.is_anchored);
}

#[test]
fn what_was_done_to_a_record_is_found_at_the_record() {
    use Problem::{Chain, EndsNothing, Gap, Unreadable};
    check("UPDATE consent_record SET state = 'refused' WHERE seq = 3", &[(3, Chain)]);
    check("UPDATE consent_record SET event_ms = event_ms + 1 WHERE seq = 1", &[(1, Chain)]);
    check("UPDATE consent_record SET is_dated = 0 WHERE seq = 5", &[(5, Chain)]);
    check("UPDATE consent_record SET is_dated = 2 WHERE seq = 5", &[(5, Unreadable)]);
    check(
        "DELETE FROM consent_record WHERE seq = 3",
        &[(4, Gap { from: 3 }), (4, Chain), (3, Problem::PayloadAlone)],
    );
    check("UPDATE consent_record SET hash = zeroblob(32) WHERE seq = 2", &[(2, Chain), (3, Chain)]);
    check(
        "UPDATE consent_record SET supersedes = 9, state = 'undone' WHERE seq = 2",
        &[(2, Chain), (2, EndsNothing)],
    );
    // Two records change places.
    check(
        "UPDATE consent_record SET seq = -seq WHERE seq IN (2, 3);
         UPDATE consent_record SET seq = 5 + seq WHERE seq < 0;",
        &[(2, Chain), (2, Problem::Payload), (3, Chain), (3, Problem::Payload), (4, Chain)],
    );
    // Another one is put in at the end, with a hash that does not follow.
    check(
        "INSERT INTO consent_record SELECT 6, run_no, submission_no, touch_no, purpose, channel, state, event_ms,
             is_dated, wording_no, policy_no, mechanism, grade, supersedes, commitment, hash
         FROM consent_record WHERE seq = 5;",
        &[(6, Chain), (6, Problem::PayloadMissing)],
    );
}

#[test]
fn what_was_done_to_the_evidence_is_found_at_the_record() {
    use Problem::{Payload, PayloadAlone, PayloadMissing, Text, TextMissing};
    let forge = "UPDATE consent_payload SET payload = replace(payload, 'tak', 'nie') WHERE seq = 2";
    check("UPDATE consent_payload SET salt = zeroblob(32) WHERE seq = 4", &[(4, Payload)]);
    check("DELETE FROM consent_payload WHERE seq = 2", &[(2, PayloadMissing)]);
    check("UPDATE consent_payload SET payload = '{}' WHERE seq = 2", &[(2, Payload)]);
    check("INSERT INTO consent_payload VALUES (9, zeroblob(32), '{}')", &[(9, PayloadAlone)]);
    check("UPDATE wording SET text = 'Zgoda' WHERE wording_no = 2", &[(2, Text)]);
    check(
        "DELETE FROM wording WHERE wording_no = 2",
        &[1, 2, 3, 4, 5].map(|seq| (seq, TextMissing)),
    );
    check(forge, &[(2, Payload)]);
}

#[test]
fn the_end_of_a_ledger_is_missed_only_by_an_anchor() {
    let kept = Kept::new();
    let anchor = kept.store.ledger_head().unwrap();
    kept.tamper(
        "DELETE FROM consent_record WHERE seq = 5; DELETE FROM consent_payload WHERE seq = 5;",
    );
    assert_eq!(kept.verify().problems, []);
    let anchored = kept.store.verify_ledger(Some(anchor)).unwrap();
    assert_eq!(anchored.problems, [(4, Problem::Truncated { anchor: 5 })]);
    assert!(!anchored.is_anchored);
}

#[test]
fn a_ledger_written_anew_is_not_the_one_that_the_anchor_knows() {
    let (kept, other) = (Kept::new(), Kept::new());
    let anchor = kept.store.ledger_head().unwrap();
    // The salts are random, so two ledgers of the same consents are different ones.
    let anchored = other.store.verify_ledger(Some(anchor)).unwrap();
    assert_eq!(anchored.problems, [(5, Problem::Rewritten)]);
}

#[test]
fn what_is_erased_is_missed_by_nobody() {
    let kept = Kept::new();
    let anchor = kept.store.ledger_head().unwrap();
    let erased = kept.store.erase_consents_of_submission(SubmissionNo(2), RunNo(2), 9_000).unwrap();
    assert_eq!(erased, 1);
    let again = kept.store.erase_consents_of_submission(SubmissionNo(2), RunNo(2), 9_000).unwrap();
    assert_eq!(again, 0, "there is nothing left to erase");
    let verified = kept.store.verify_ledger(Some(anchor)).unwrap();
    assert_eq!(verified.problems, []);
    assert!(verified.is_anchored);
    assert_eq!((verified.records, verified.matching, verified.erased), (6, 4, 1));
    let left: i64 = kept
        .store
        .connection
        .query_row(
            "SELECT count(*) FROM consent_payload WHERE payload LIKE '%osoba2@%'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(left, 0);
}

#[test]
fn evidence_that_was_erased_does_not_come_back_unseen() {
    let kept = Kept::new();
    let row = |query: &str| -> (Vec<u8>, String) {
        let connection = &kept.store.connection;
        connection.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let (salt, payload) = row("SELECT salt, payload FROM consent_payload WHERE seq = 2");
    kept.store.erase_consents_of_submission(SubmissionNo(2), RunNo(2), 9_000).unwrap();
    let sql = "INSERT INTO consent_payload VALUES (2, ?1, ?2)";
    kept.store.connection.execute(sql, params![salt, payload]).unwrap();
    assert_eq!(kept.verify().problems, [(2, Problem::PayloadBack)]);
}

#[test]
fn nothing_in_the_ledger_is_edited_or_removed() {
    let kept = Kept::new();
    for sql in [
        "UPDATE consent_record SET state = 'given'",
        "DELETE FROM consent_record",
        "UPDATE consent_payload SET payload = '{}'",
        "DELETE FROM consent_payload",
        "UPDATE wording SET text = ''",
        "DELETE FROM wording",
    ] {
        let refused = kept.store.connection.execute(sql, []).unwrap_err().to_string();
        assert!(
            refused.contains("append-only") || refused.contains("are kept"),
            "{sql}: {refused}"
        );
    }
}

#[test]
fn a_text_goes_once_nobody_needs_it_as_proof() {
    let kept = Kept::new();
    for no in 1..=RECORDS {
        kept.store.erase_consents_of_submission(SubmissionNo(no), RunNo(2), 9_000).unwrap();
    }
    kept.store.connection.execute("DELETE FROM wording", []).unwrap();
    let verified = kept.verify();
    assert_eq!((verified.problems, verified.erased, verified.texts), (vec![], 5, 0));
}
