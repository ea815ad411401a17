//! `cargo bench --bench ledger`: a ledger of a million records appended and verified, beside one SHA-256 over the same
//! bytes. `RECORDS=100000` makes it smaller.

use std::time::Instant;

use leadmill::model::consent::{Channel, ConsentClaim, ConsentState, Grade, Purpose, Shown};
use leadmill::model::ids::{RunNo, SubmissionNo};
use leadmill::store::Store;
use leadmill::store::ledger::chain::Payload;
use leadmill::store::ledger::{Entry, Teller};
use leadmill::store::runs::{RunKind, RunOpening};
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

/// Records erased and verified again.
const ERASED: i64 = 1_000;

fn main() {
    let records: i64 =
        std::env::var("RECORDS").map_or(1_000_000, |text| text.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("leadmill.db");
    let store = Store::open(&path).expect("a store");
    let opening = RunOpening {
        as_of_ms: 0,
        rules_hash: "",
        inputs_digest: "",
        kind: RunKind::Import,
        undoes: None,
        is_full: false,
    };
    let run = store.begin_run(opening).expect("a run").no;
    let began = Instant::now();
    append(&store, run, records);
    tell("append", began, records);

    let bytes = hashed_bytes(&path);
    let began = Instant::now();
    let digest = Sha256::digest(&bytes);
    let plain = began.elapsed();
    tell("SHA-256 over the same bytes (reference)", began, records);
    assert_ne!(digest[..], [0; 32]);

    let anchor = store.ledger_head().expect("a head");
    let began = Instant::now();
    let verified = store.verify_ledger(Some(anchor)).expect("readable");
    let took = began.elapsed();
    tell("verify", began, records);
    assert_eq!((verified.n_problems, verified.matching), (0, records as u64));
    let ratio = took.as_secs_f64() / plain.as_secs_f64();
    print(&format!("verify / reference: {ratio:.1}"));

    store.begin().expect("a transaction");
    for at in 0..ERASED {
        let no = SubmissionNo(1 + at * (records / ERASED).max(1));
        store.erase_consents_of_submission(no, run, 0).expect("erased");
    }
    store.commit().expect("kept");
    let verified = store.verify_ledger(Some(anchor)).expect("readable");
    assert_eq!((verified.n_problems, verified.erased), (0, ERASED as u64));
    print(&format!("after {ERASED} erasures: {} faults", verified.n_problems));
}

fn append(store: &Store, run: RunNo, records: i64) {
    let claim = ConsentClaim {
        purpose: Purpose::new(Purpose::MARKETING),
        channel: Channel::Email,
        state: ConsentState::Given,
        wording: "Wyrażam zgodę na przesyłanie informacji handlowych".to_owned(),
        mechanism: "checkbox".to_owned(),
        shown: Shown::Text,
        answer: Some("tak".to_owned()),
        policy: None,
        said_at_ms: None,
        ip: None,
    };
    store.begin().expect("a transaction");
    let mut ledger = store.ledger(run).expect("a ledger");
    for no in 1..=records {
        let (address, place) = (format!("osoba{no}@przyklad.pl"), format!("zgody.csv:{}", no + 1));
        let entry = Entry {
            by: Teller::Submission(SubmissionNo(no)),
            claim: &claim,
            event_ms: 1_700_000_000_000 + no,
            is_dated: true,
            grade: Grade::B,
            payload: Payload {
                address: Some(&address),
                answer: claim.answer.as_deref(),
                form: Some("kontakt"),
                ip: Some("203.0.113.7"),
                page: None,
                place: &place,
                user_agent: Some("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"),
            },
        };
        ledger.append(&entry).expect("appended");
    }
    store.commit().expect("kept");
}

/// Returns what verifying hashes, about: payloads, and envelopes of 300 bytes.
fn hashed_bytes(path: &std::path::Path) -> Vec<u8> {
    let connection = Connection::open(path).expect("a store");
    let mut read =
        connection.prepare("SELECT payload FROM consent_payload ORDER BY seq").expect("sql");
    let mut rows = read.query([]).expect("rows");
    let mut bytes = Vec::new();
    while let Some(row) = rows.next().expect("a row") {
        bytes.extend(row.get::<_, String>(0).expect("text").into_bytes());
        bytes.extend([b'x'; 300]);
    }
    bytes
}

fn tell(what: &str, began: Instant, records: i64) {
    let seconds = began.elapsed().as_secs_f64();
    print(&format!("{what}: {records} records in {seconds:.2} s"));
}

#[expect(clippy::print_stdout, reason = "the figures are what a benchmark is run for")]
fn print(text: &str) {
    println!("{text}");
}
