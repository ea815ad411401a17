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
        said_at_ms: None,
        ip: None,
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

/// Mutations of the sweep, unless `LEADMILL_MUTATIONS` says how many.
const MUTATIONS: u64 = 500;
/// Records of the ledger that the sweep works on.
const SWEPT: u64 = 60;

/// What is done to a ledger: SQL for the records ?1 and ?2, which are two.
const DEEDS: &[&str] = &[
    "UPDATE consent_record SET run_no = run_no + 1 WHERE seq = ?1",
    "UPDATE consent_record SET submission_no = coalesce(submission_no, 0) + 1 WHERE seq = ?1",
    "UPDATE consent_record SET touch_no = coalesce(touch_no, 0) + 1 WHERE seq = ?1",
    "UPDATE consent_record SET purpose = purpose || 'x' WHERE seq = ?1",
    "UPDATE consent_record SET channel = CASE channel WHEN 'sms' THEN 'email' ELSE 'sms' END WHERE seq = ?1",
    "UPDATE consent_record SET state = CASE state WHEN 'given' THEN 'refused' ELSE 'given' END WHERE seq = ?1",
    "UPDATE consent_record SET event_ms = event_ms - ?2 WHERE seq = ?1",
    "UPDATE consent_record SET is_dated = is_dated + 1 WHERE seq = ?1",
    "UPDATE consent_record SET wording_no = coalesce(wording_no, 0) + 1 WHERE seq = ?1",
    "UPDATE consent_record SET policy_no = CASE WHEN policy_no IS NULL THEN 1 END WHERE seq = ?1",
    "UPDATE consent_record SET mechanism = '' WHERE seq = ?1",
    "UPDATE consent_record SET grade = CASE grade WHEN 'A' THEN 'B' ELSE 'A' END WHERE seq = ?1",
    "UPDATE consent_record SET supersedes = coalesce(supersedes, 0) + ?2 WHERE seq = ?1",
    "UPDATE consent_record SET commitment = randomblob(32) WHERE seq = ?1",
    "UPDATE consent_record SET hash = randomblob(32) WHERE seq = ?1",
    "UPDATE consent_record SET seq = (SELECT max(seq) FROM consent_record) + ?2 WHERE seq = ?1",
    "DELETE FROM consent_record WHERE seq = ?1",
    "DELETE FROM consent_record WHERE seq BETWEEN min(?1, ?2) AND max(?1, ?2)",
    // The end is cut off, with its evidence.
    "DELETE FROM consent_record WHERE seq >= ?1",
    "INSERT INTO consent_record
     SELECT (SELECT max(seq) FROM consent_record) + 1, run_no, submission_no, touch_no, purpose, channel, state,
            event_ms, is_dated, wording_no, policy_no, mechanism, grade, supersedes, commitment, hash
     FROM consent_record WHERE seq = ?1",
    // One record stands in the place of another.
    "UPDATE consent_record SET (run_no, submission_no, purpose, channel, state, event_ms, is_dated, wording_no, policy_no,
            mechanism, grade, supersedes, commitment, hash) =
        (SELECT run_no, submission_no, purpose, channel, state, event_ms, is_dated, wording_no, policy_no, mechanism,
                grade, supersedes, commitment, hash FROM consent_record WHERE seq = ?2) WHERE seq = ?1",
    "UPDATE consent_payload SET payload = replace(payload, 'osoba', 'nikt')
     WHERE seq = (SELECT seq FROM consent_payload ORDER BY abs(seq - ?1), seq LIMIT 1)",
    "UPDATE consent_payload SET salt = randomblob(32)
     WHERE seq = (SELECT seq FROM consent_payload ORDER BY abs(seq - ?1), seq LIMIT 1)",
    "DELETE FROM consent_payload WHERE seq = (SELECT seq FROM consent_payload ORDER BY abs(seq - ?1), seq LIMIT 1)",
    "INSERT INTO consent_payload SELECT max(seq) + ?1, randomblob(32), '{}' FROM consent_record",
    "UPDATE wording SET text = text || ?1 WHERE wording_no = 1 + ?2 % 2",
    "DELETE FROM wording WHERE wording_no = 1 + ?1 % 2",
];

fn next_random(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// Writes the hashes anew from record `from` on, as somebody does who knows how they are made.
fn chain_anew(connection: &Connection, from: i64) {
    let head = |seq: i64| -> Hash {
        let sql = "SELECT hash FROM consent_record WHERE seq = ?1";
        connection.query_row(sql, [seq], |row| row.get(0)).unwrap_or(NOTHING)
    };
    let mut before = head(from - 1);
    let mut text = String::new();
    let mut read = connection
        .prepare(
            "SELECT seq, run_no, submission_no, touch_no, purpose, channel, state, event_ms, is_dated, wording_no,
                    policy_no, mechanism, grade, supersedes, commitment
             FROM consent_record WHERE seq >= ?1 ORDER BY seq",
        )
        .unwrap();
    let mut rows = read.query([from]).unwrap();
    let mut hashes = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let word = |at: usize| row.get::<_, String>(at).unwrap();
        let (purpose, channel, state) = (word(4), word(5), word(6));
        let (mechanism, grade) = (word(11), word(12));
        let envelope = Envelope {
            seq: row.get(0).unwrap(),
            run_no: row.get(1).unwrap(),
            submission_no: row.get(2).unwrap(),
            touch_no: row.get(3).unwrap(),
            purpose: &purpose,
            channel: &channel,
            state: &state,
            event_ms: row.get(7).unwrap(),
            is_dated: row.get(8).unwrap(),
            wording_no: row.get(9).unwrap(),
            policy_no: row.get(10).unwrap(),
            mechanism: &mechanism,
            grade: &grade,
            supersedes: row.get(13).unwrap(),
            commitment: row.get(14).unwrap(),
        };
        envelope.write(&mut text).unwrap();
        before = chained(&before, &text);
        hashes.push((envelope.seq, before));
    }
    for (seq, hash) in hashes {
        let sql = "UPDATE consent_record SET hash = ?2 WHERE seq = ?1";
        connection.execute(sql, params![seq, hash]).unwrap();
    }
}

/// `LEADMILL_MUTATIONS=10000 cargo test --lib every_mutation` is the whole sweep.
#[test]
fn every_mutation_of_an_anchored_ledger_is_found() {
    let mutations =
        std::env::var("LEADMILL_MUTATIONS").map_or(MUTATIONS, |text| text.parse().unwrap());
    let kept = Kept::new();
    let mut ledger = kept.store.ledger(RunNo(2)).unwrap();
    for no in RECORDS + 1..=SWEPT as i64 {
        let states = [ConsentState::Given, ConsentState::Refused, ConsentState::Withdrawn];
        let address = format!("osoba{no}@przyklad.pl");
        let entry = Entry {
            by: Teller::Submission(SubmissionNo(no)),
            claim: &claim(states[no as usize % 3], "Wyrażam zgodę na informacje handlowe"),
            event_ms: 1_000 * no,
            is_dated: no % 4 > 0,
            grade: Grade::B,
            payload: Payload {
                address: Some(&address),
                place: "zgody.csv:2",
                ..Payload::default()
            },
        };
        ledger.append(&entry).unwrap();
    }
    drop(ledger);
    for no in [3, 17, 40] {
        kept.store.erase_consents_of_submission(SubmissionNo(no), RunNo(2), 9_000).unwrap();
    }
    let anchor = kept.store.ledger_head().unwrap();
    kept.tamper("");
    let connection = &kept.store.connection;
    connection
        .execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;")
        .unwrap();
    let mut seed = 0x5eed_1e55_ca11_ab1e;
    let mut unseen = Vec::new();
    for _ in 0..mutations {
        let deed = next_random(&mut seed) as usize % DEEDS.len();
        let one = 1 + next_random(&mut seed) % SWEPT;
        let other = 1 + (one + next_random(&mut seed) % (SWEPT - 1)) % SWEPT;
        // Who writes the hashes anew undoes what was done to a hash.
        let is_chained_anew =
            next_random(&mut seed).is_multiple_of(4) && !DEEDS[deed].contains("SET hash");
        connection.execute_batch("BEGIN").unwrap();
        let needed = DEEDS[deed].matches("?2").count().min(1) + 1;
        let values = [one as i64, other as i64];
        let changed = connection
            .execute(DEEDS[deed], rusqlite::params_from_iter(&values[..needed]))
            .unwrap_or_else(|fault| panic!("{}: {fault}", DEEDS[deed]));
        assert!(changed > 0, "{} {values:?} does nothing", DEEDS[deed]);
        if is_chained_anew {
            chain_anew(connection, 1);
        }
        let verified = kept.store.verify_ledger(Some(anchor)).unwrap();
        // Records appended by the rules are no mutation: the chain goes on behind the anchor.
        let is_appended = is_chained_anew && DEEDS[deed].starts_with("INSERT INTO consent_record");
        if verified.n_problems == 0 && !is_appended {
            unseen.push((DEEDS[deed], values, is_chained_anew));
        }
        connection.execute_batch("ROLLBACK").unwrap();
    }
    assert_eq!(unseen, []);
    assert_eq!(kept.store.verify_ledger(Some(anchor)).unwrap().problems, []);
}
