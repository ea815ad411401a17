//! What must hold for any bytes. One text for two hunters: the fuzzers in `fuzz_targets/`, which need a nightly
//! compiler, and the suite (`tests/suite/mutated.rs`), which changes the kept corpus at random on any compiler.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeZone as _, Utc};
use leadmill::intake::{self, Caps, InputPath, PlainTable};
use leadmill::model::moment::DateOrder;
use leadmill::normalization::date_order::{DateHabits, DateOrders};
use leadmill::normalization::moment::{self, TimeStyle};
use leadmill::normalization::phone::PhoneFault;
use leadmill::normalization::{email, phone};
use leadmill::pipeline::sniff::judge;
use leadmill::receiving::kept_lines;
use leadmill::rules::RuleSet;
use leadmill::rules::diagnostics::RuleText;
use leadmill::rules::embedded;

/// A target by the name of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const ALL: &[Target] = &[
    ("sniffing", sniffing),
    ("csv", csv),
    ("json", json),
    ("rules", rules),
    ("dates", dates),
    ("phones", phones),
    ("emails", emails),
    ("receive", receive),
];

/// Small, so that small inputs come up against them.
const CAPS: Caps = Caps {
    record_bytes: 4_000,
    field_bytes: 1_000,
    fields: 40,
    input_bytes: 1 << 20,
    ratio: 200,
    writer_wait: Duration::ZERO,
};

/// Countries by whose habits numbers are read.
const COUNTRIES: &[&str] = &["PL", "DE", "GB", "US", "ZZ", ""];

/// Files of rules that a text may take the place of; the first byte says which.
const RULES: &[&str] = &[
    "rules/alerts.toml",
    "rules/consent.toml",
    "rules/fields.toml",
    "rules/followup.toml",
    "rules/identity.toml",
    "rules/outbox.toml",
    "rules/receive.toml",
    "rules/retention.toml",
    "rules/routing.toml",
    "rules/scoring.toml",
    "rules/workspace.toml",
    "rules/sources/generic-csv.toml",
    "rules/targets/leads.toml",
    "rules/requests/webhook.toml",
];

/// A file of its own, which goes away with it: intake reads paths.
struct Scratch(PathBuf);

impl Scratch {
    fn holding(bytes: &[u8], name: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let path = folder.join(format!("leadmill-fuzz-{}-{number}-{name}", std::process::id()));
        std::fs::write(&path, bytes).expect("the temporary folder takes files");
        Self(path)
    }

    fn input(&self) -> InputPath {
        InputPath::named(&self.0, "x")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn texts() -> Vec<RuleText> {
    let files = embedded::FILES.iter();
    files.map(|(path, text)| RuleText { path: (*path).into(), text: (*text).into() }).collect()
}

fn shipped() -> &'static RuleSet {
    static SHIPPED: OnceLock<RuleSet> = OnceLock::new();
    SHIPPED.get_or_init(|| RuleSet::parse(&texts()).expect("the shipped rules are sound").0)
}

fn now() -> DateTime<Utc> {
    Utc.timestamp_opt(1_795_201_200, 0).single().expect("an instant")
}

/// Any file is refused with a way out, or every row of it is judged.
pub fn sniffing(bytes: &[u8]) {
    sniff_as(bytes, None, "x.csv");
}

/// Any table is read row by row: as it stands, and as an export.
pub fn csv(bytes: &[u8]) {
    sniff_as(bytes, Some("generic-csv"), "x.csv");
    let scratch = Scratch::holding(bytes, "x.csv");
    let Ok(table) = PlainTable::open(&scratch.input(), &CAPS, |_| false) else { return };
    let mut last_line = 0;
    let read = table.read(|line, cells| {
        assert!(line > last_line, "line {line} after line {last_line}");
        assert!(cells.len() <= CAPS.fields, "{} cells", cells.len());
        last_line = line;
        Ok(())
    });
    if let Err(refusal) = read {
        assert!(!refusal.hint.is_empty(), "{}", refusal.message);
    }
}

/// Any JSON is read record by record.
pub fn json(bytes: &[u8]) {
    sniff_as(bytes, Some("generic-json"), "x.json");
}

fn sniff_as(bytes: &[u8], source: Option<&str>, name: &str) {
    let rules = shipped();
    let scratch = Scratch::holding(bytes, name);
    let judged = intake::open(&scratch.input(), &rules.sources, &CAPS, source)
        .and_then(|input| judge(input, rules, now()));
    match judged {
        Ok(findings) => {
            for rejection in findings.rejected.iter().map(|(_, rejection)| rejection) {
                assert!(!rejection.message.is_empty(), "a row is refused without a reason");
            }
        }
        Err(refusal) => {
            assert!(!refusal.message.is_empty() && !refusal.hint.is_empty(), "{refusal:?}");
        }
    }
}

/// Any text in the place of a file of rules is compiled, or its mistakes are shown where they are.
pub fn rules(bytes: &[u8]) {
    let Some((which, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let path = RULES[usize::from(*which) % RULES.len()];
    let mut texts = texts();
    let replaced = texts.iter_mut().find(|one| &*one.path == path);
    replaced.expect("the file is shipped").text = text.into();
    match RuleSet::parse(&texts) {
        Ok((rules, _)) => assert!(!rules.hash.is_empty()),
        Err(mistakes) => {
            assert!(mistakes.has_errors());
            for mistake in mistakes.iter() {
                assert!(mistake.place.line() >= 1);
            }
            assert!(mistakes.render(false, 80).contains("error"));
        }
    }
}

/// Any text is an instant that comes back from its own spelling, or none.
pub fn dates(bytes: &[u8]) {
    let Some((which, text)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let order = [DateOrder::Dmy, DateOrder::Mdy, DateOrder::Unknown][usize::from(*which) % 3];
    let habits = DateHabits { order, formats: &[], country: "PL" };
    let style = TimeStyle {
        zone: shipped().workspace.zone,
        formats: &[],
        orders: DateOrders::of_source(habits).of(""),
        counts_from_1904: which & 8 != 0,
    };
    let Ok((moment, _)) = moment::parse(&text, style) else { return };
    let spelled = moment.utc().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let (again, _) = moment::parse(&spelled, style).expect("an instant is read back");
    assert_eq!(again.epoch_ms, moment.epoch_ms, "{text:?} as {spelled}");
}

/// Any text is a number that can be dialled and comes back from its own spelling, or none.
pub fn phones(bytes: &[u8]) {
    let Some((which, text)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let country = COUNTRIES[usize::from(*which) % COUNTRIES.len()];
    let Ok(found) = phone::parse(&text, country, &shipped().tables) else { return };
    for number in std::iter::once(&found.e164).chain(&found.others) {
        let digits = number.strip_prefix('+').expect("a number in E.164");
        assert!((4..=15).contains(&digits.len()), "{number}");
        assert!(digits.bytes().all(|byte| byte.is_ascii_digit()), "{number}");
        let again = phone::parse(number, "", &shipped().tables).map(|again| again.e164);
        // With an extension behind it 12 345 67 89 is a switchboard, alone it is made up.
        let is_made_up = again == Err(PhoneFault::Placeholder) && !found.extension.is_empty();
        assert!(is_made_up || again.as_ref() == Ok(number), "{text:?} in {country}: {again:?}");
    }
    assert!(found.extension.bytes().all(|byte| byte.is_ascii_digit()), "{}", found.extension);
}

/// Any text is an address that comes back from its own spelling, or none; none carries a line of its own.
pub fn emails(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(found) = email::parse(&text, &shipped().tables) else { return };
    for address in std::iter::once(&found.address).chain(&found.others) {
        assert!(!address.contains(char::is_control), "{address:?}");
        assert!(address.contains('@'), "{address:?}");
        let again = email::parse(address, &shipped().tables).map(|again| again.address);
        assert_eq!(again.as_ref(), Ok(address), "{text:?}");
    }
}

/// Any body is refused, or kept in lines of JSON that a run reads one by one.
pub fn receive(bytes: &[u8]) {
    const KINDS: &[&str] = &[
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=q",
        "",
    ];
    let Some((which, body)) = bytes.split_first() else { return };
    let kind = KINDS[usize::from(*which) % KINDS.len()];
    let Some(lines) = kept_lines("contact", kind, body, 1_795_201_200_000) else { return };
    assert!(!lines.is_empty());
    for line in &lines {
        let text = std::str::from_utf8(line).expect("what is kept is text");
        let bare = text.strip_suffix('\n').expect("what is kept ends its line");
        assert!(!bare.contains(['\n', '\r']), "{text:?}");
        let read: serde_json::Value = serde_json::from_str(bare).expect("what is kept is JSON");
        assert!(read.is_object(), "{text:?}");
    }
    assert_eq!(kept_lines("contact", kind, body, 1_795_201_200_000).as_ref(), Some(&lines));
}
