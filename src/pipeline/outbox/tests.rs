//! Delivering on a clock that goes on only when somebody waits.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::deliver::{Delivery, EndpointSummary, Way, deliver};
use crate::model::ids::RunNo;
use crate::rules::RuleSet;
use crate::rules::diagnostics::RuleText;
use crate::rules::embedded;
use crate::rules::outbox::Endpoint;
use crate::sending::clock::Clock;
use crate::sending::http::Outgoing;
use crate::sending::outcome::{Answer, Reply};
use crate::store::Store;
use crate::store::outbox::ToDeliver;

const BEGIN_MS: i64 = 1_790_000_000_000;
const MINUTE_MS: i64 = 60_000;

/// What was sent: when, counted from the beginning, under which id, and its bytes.
type Sent = (i64, String, Vec<u8>);

struct World {
    folder: tempfile::TempDir,
    rules: RuleSet,
    now_ms: AtomicI64,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl World {
    /// A store with so many alerts laid down for one endpoint, of which `more` says more.
    fn new(items: usize, more: &str) -> Self {
        let endpoint = format!(
            "[[endpoint]]\nid = \"chat\"\nkind = \"http\"\nrequest = \"slack-alert\"\nbecause = \"a test\"\n\
             url = \"http://localhost/hook\"\nconcurrency = 1\n{more}"
        );
        let mut texts = embedded::texts();
        texts.retain(|text| &*text.path != "rules/outbox.toml");
        texts.push(RuleText { path: "rules/outbox.toml".into(), text: endpoint.into() });
        let (rules, _) = RuleSet::parse(&texts).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("leadmill.db")).unwrap();
        let target = store.target_no("chat").unwrap();
        for item in 0..items {
            let item = format!("alert/{item}");
            let part = format!("{{\"text\":\"{item}\"}}");
            let one = ToDeliver {
                target,
                item: &item,
                lead_id: "",
                part: part.as_bytes(),
                recipient: "",
                run: RunNo(1),
                at_ms: BEGIN_MS,
            };
            store.lay_down(one).unwrap();
        }
        Self { folder, rules, now_ms: AtomicI64::new(BEGIN_MS), sent: Arc::default() }
    }

    /// Runs one `deliver` at that minute; `script` is told how many requests were made before.
    fn deliver_at(
        &self,
        minute: i64,
        script: impl Fn(usize) -> Reply + Send + Sync + 'static,
    ) -> EndpointSummary {
        let at_ms = BEGIN_MS + minute * MINUTE_MS;
        assert!(at_ms >= self.now_ms.load(Ordering::Relaxed), "the clock would go back");
        self.now_ms.store(at_ms, Ordering::Relaxed);
        let script = Arc::new(script);
        let open = |_: &Endpoint| -> Result<Way, String> {
            let (sent, script) = (Arc::clone(&self.sent), Arc::clone(&script));
            Ok(Box::new(move |outgoing: &Outgoing<'_>| {
                let mut sent = sent.lock().unwrap();
                let reply = script(sent.len());
                let at_ms = outgoing.at_ms - BEGIN_MS;
                sent.push((at_ms, outgoing.id.to_owned(), outgoing.body.to_vec()));
                reply
            }))
        };
        let summaries = deliver(&Delivery {
            rules: &self.rules,
            store: &self.folder.path().join("leadmill.db"),
            clock: Clock {
                now_ms: &|| self.now_ms.load(Ordering::Relaxed),
                sleep: &|time: Duration| {
                    self.now_ms.fetch_add(time.as_millis() as i64, Ordering::Relaxed);
                },
            },
            budget_ms: 10 * MINUTE_MS,
            only: None,
            interrupted: &AtomicBool::new(false),
            open: &open,
        });
        summaries.unwrap().remove(0)
    }

    fn sent_at_ms(&self) -> Vec<i64> {
        self.sent.lock().unwrap().iter().map(|(at_ms, ..)| *at_ms).collect()
    }
}

fn status(status: u16) -> Reply {
    Reply::Status(Answer { status, is_whole: true, ..Answer::default() })
}

fn busy(seconds: u32) -> Reply {
    let retry_after = Some(seconds.to_string());
    Reply::Status(Answer { status: 429, retry_after, is_whole: true, ..Answer::default() })
}

#[test]
fn the_rate_is_kept() {
    let world = World::new(100, "rate = 10\n");
    let summary = world.deliver_at(0, |_| status(200));
    assert_eq!(summary.figures.delivered, 100);
    let sent = world.sent_at_ms();
    for (at, sent_ms) in sent.iter().enumerate().skip(10) {
        let earliest_ms = (at as i64 - 9) * 100;
        assert!(*sent_ms >= earliest_ms, "number {at} after {sent_ms} ms");
    }
    assert!(sent[99] <= 10_000, "{sent:?}");
}

#[test]
fn an_attempt_follows_the_other_as_the_schedule_says() {
    let world = World::new(1, "");
    let mut minute = 0;
    while world.deliver_at(minute, |_| status(503)).waiting.is_some_and(|one| one.items > 0) {
        minute += 12;
        assert!(minute < 5 * 24 * 60, "never given up: {:?}", world.sent_at_ms());
    }
    let sent = world.sent_at_ms();
    assert_eq!(sent.len(), 12, "{sent:?}");
    // Twelve minutes are the grain of the commands; a fifth to either side is jitter.
    let bounds = [(4, 18), (24, 48), (96, 156), (240, 372), (480, 732), (672, 1_020), (960, 1_452)];
    for (pair, (least, most)) in sent[3..].windows(2).zip(bounds) {
        let minutes = (pair[1] - pair[0]) / MINUTE_MS;
        assert!((least..=most).contains(&minutes), "{minutes} minutes: {sent:?}");
    }
    let first_and_last = &world.sent.lock().unwrap();
    assert!(first_and_last.windows(2).all(|pair| pair[0].1 == pair[1].1 && pair[0].2 == pair[1].2));
}

#[test]
fn a_receiver_that_is_busy_is_left_alone_by_everything_that_waits_for_it() {
    let world = World::new(3, "");
    let summary = world.deliver_at(0, |_| busy(600));
    assert_eq!(world.sent_at_ms().len(), 1, "one was told to wait, and so were all");
    assert!(summary.stopped.is_some());
    world.deliver_at(9, |_| status(200));
    assert_eq!(world.sent_at_ms().len(), 1);
    world.deliver_at(11, |_| status(200));
    assert_eq!(world.sent_at_ms().len(), 4);
}

#[test]
fn a_short_wait_is_waited_for() {
    let world = World::new(1, "");
    let summary = world.deliver_at(0, |before| if before == 0 { busy(20) } else { status(200) });
    assert_eq!(summary.figures.delivered, 1);
    let sent = world.sent_at_ms();
    assert!((20_000..21_000).contains(&sent[1]), "{sent:?}");
}

#[test]
fn a_dead_receiver_is_left_alone_after_five_faults_and_asked_once_later() {
    let world = World::new(50, "");
    world.deliver_at(0, |_| Reply::NotSent("connect"));
    assert_eq!(world.sent_at_ms().len(), 5);
    world.deliver_at(0, |_| Reply::NotSent("connect"));
    assert_eq!(world.sent_at_ms().len(), 5, "the circuit is still open");
    world.deliver_at(3, |_| Reply::NotSent("connect"));
    assert_eq!(world.sent_at_ms().len(), 6, "one is tried");
    let summary = world.deliver_at(60, |_| status(200));
    assert_eq!(summary.figures.delivered, 50);
}

#[test]
fn the_first_failure_is_told_at_once_with_its_age() {
    let world = World::new(2, "");
    let first = world.deliver_at(0, |_| status(500));
    assert!(first.needs_a_look());
    let waiting = world.deliver_at(300, |_| Reply::NotSent("connect")).waiting.unwrap();
    assert_eq!(waiting.items, 2);
    assert_eq!((waiting.oldest.as_str(), waiting.failing.as_deref()), ("5 h", Some("5 h")));
}

#[test]
fn what_is_not_found_is_given_up_within_the_hour() {
    let world = World::new(1, "");
    world.deliver_at(0, |_| status(404));
    world.deliver_at(31, |_| status(404));
    let last = world.deliver_at(62, |_| status(404));
    assert_eq!(last.figures.dead, 1);
    assert_eq!(world.sent_at_ms().len(), 3);
}
