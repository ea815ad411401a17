//! A workspace beside a model of it that fits a page: people with one address each, rows that are theirs, and what was
//! said and done about them. Whatever sequence of nights, verdicts, undos, erasures, changes of rules and kills is
//! played, the workspace has the leads that the model has, every row has one outcome, nobody who was erased is back,
//! what is derived follows from what was received, and the ledger of consents is whole. `LEADMILL_CASES=200` plays
//! more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Stdio;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;

use super::small_world::runner;
use super::traced;
use super::undo::assert_rebuild_changes_nothing;
use super::workspace::{Workspace, package};

/// People; each has a name, a company and an address that nobody else has, so rows are one lead by address alone.
const PEOPLE: [(&str, &str); 6] = [
    ("Anna Wzorcowa", "Kopernik Optyka"),
    ("Jan Testowski", "Meble Lipa"),
    ("Olgierd Pliszka", "Drukarnia Grot"),
    ("Barbara Zych", "Serwis Wodny"),
    ("Cezary Ul", "Pasieka Lipowa"),
    ("Halina Kot", "Tartak Nowy"),
];
/// Rows that each of them may have sent.
const ROWS: usize = 3;

/// What somebody does next.
#[derive(Debug, Clone)]
enum Deed {
    /// A night takes rows of people in, some broken rows, and is killed first after so many milliseconds.
    Night { rows: Vec<(usize, usize)>, broken: usize, killed_after_ms: Option<u64> },
    /// Two people's leads are one.
    Merge([Index; 2]),
    /// One person's rows are taken out of the lead that they share with others.
    Split(Index),
    /// Whoever has a lead with this person is erased.
    Erase(Index),
    /// Other points, for everybody.
    Rules { points: u32 },
    /// The latest run that can be taken back is.
    Undo,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let rows = prop::collection::vec((0..PEOPLE.len(), 0..ROWS), 1..7);
    let night =
        || {
            let kill = prop::option::weighted(0.3, 5..150_u64);
            (rows.clone(), 0..2_usize, kill).prop_map(|(rows, broken, killed_after_ms)| {
                Deed::Night { rows, broken, killed_after_ms }
            })
        };
    let others = prop_oneof![
        5 => night(),
        3 => [any::<Index>(), any::<Index>()].prop_map(Deed::Merge),
        2 => any::<Index>().prop_map(Deed::Split),
        2 => any::<Index>().prop_map(Deed::Erase),
        1 => (5..30_u32).prop_map(|points| Deed::Rules { points }),
        3 => Just(Deed::Undo),
    ];
    (night(), prop::collection::vec(others, 5..9))
        .prop_map(|(first, others)| [vec![first], others].concat())
}

/// What was done, as far as it stands.
#[derive(Debug, Clone)]
enum Fact {
    Night(Vec<(usize, usize)>),
    Merged(usize, usize),
    Split(usize),
    /// Cannot be taken back.
    Erased(BTreeSet<usize>),
    Rescored,
}

/// The model: a fold over the facts that stand.
#[derive(Debug, Default)]
struct Model {
    facts: Vec<(String, Fact)>,
}

#[derive(Debug, Default)]
struct Standing {
    /// Rows that are there, by person.
    rows: BTreeMap<usize, BTreeSet<usize>>,
    /// Which people share a lead: the group of each.
    group: [usize; PEOPLE.len()],
    erased: BTreeSet<usize>,
}

impl Model {
    fn standing(&self) -> Standing {
        let mut now =
            Standing { group: std::array::from_fn(|person| person), ..Standing::default() };
        for (_, fact) in &self.facts {
            match fact {
                Fact::Night(rows) => {
                    for (person, row) in
                        rows.iter().filter(|(person, _)| !now.erased.contains(person))
                    {
                        now.rows.entry(*person).or_default().insert(*row);
                    }
                }
                Fact::Merged(a, b) => {
                    let (from, to) = (now.group[*b], now.group[*a]);
                    now.group
                        .iter_mut()
                        .filter(|group| **group == from)
                        .for_each(|group| *group = to);
                }
                Fact::Split(person) => {
                    // A name that no group has.
                    now.group[*person] = PEOPLE.len() + now.group.iter().max().unwrap();
                }
                Fact::Erased(people) => {
                    now.rows.retain(|person, _| !people.contains(person));
                    now.erased.extend(people);
                }
                Fact::Rescored => {}
            }
        }
        now
    }
}

impl Standing {
    /// People who have rows, by the lead that they share.
    fn leads(&self) -> BTreeMap<usize, BTreeSet<usize>> {
        let mut leads: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for person in self.rows.keys() {
            leads.entry(self.group[*person]).or_default().insert(*person);
        }
        leads
    }

    fn people(&self) -> Vec<usize> {
        self.rows.keys().copied().collect()
    }
}

fn address(person: usize) -> String {
    format!("osoba{person}@firma{person}.example")
}

fn row_text(person: usize, row: usize) -> String {
    let (name, company) = PEOPLE[person];
    let consent = ["yes", "no", ""][row % 3];
    format!(
        "p{person}-{row},2026-11-1{row}T{:02}:00:00Z,{name},{},,{company},PL,Prosze o wycene {row},{consent}",
        8 + person,
        address(person)
    )
}

/// The workspace, the model beside it, and how far the clock has come.
struct World {
    workspace: Workspace,
    model: Model,
    steps: usize,
}

impl World {
    fn new() -> Self {
        Self { workspace: traced::workspace(), model: Model::default(), steps: 0 }
    }

    fn at(&self) -> String {
        format!("2026-11-{:02}T21:00:00Z", 14 + self.steps)
    }

    /// Runs a command that is a run of its own; returns what it says.
    #[track_caller]
    fn say(&self, args: &[&str]) -> serde_json::Value {
        let outcome = self.workspace.done(&[args, &["--json", "--as-of", &self.at()]].concat());
        outcome.json()
    }

    fn play(&mut self, deed: &Deed) {
        self.steps += 1;
        match deed {
            Deed::Night { rows, broken, killed_after_ms } => {
                self.night(rows, *broken, *killed_after_ms);
            }
            Deed::Merge(pair) => self.merge(pair),
            Deed::Split(which) => self.split(*which),
            Deed::Erase(which) => self.erase(*which),
            Deed::Rules { points } => self.change_rules(*points),
            Deed::Undo => self.undo(),
        }
    }

    fn night(&mut self, rows: &[(usize, usize)], broken: usize, killed_after_ms: Option<u64>) {
        let step = self.steps;
        let texts = rows.iter().map(|(person, row)| row_text(*person, *row));
        let bad = (0..broken).map(|number| {
            format!("b{step}-{number},2026-11-14T08:00:00Z,Zly Adres,zly(at)x,,,PL,,")
        });
        let texts: Vec<String> = texts.chain(bad).collect();
        self.workspace.clear_or_make_inbox();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        self.workspace.table(&format!("night-{step}.csv"), &texts);
        let before = self.model.standing();
        let runs_before = self.runs().len();
        if let Some(killed_after_ms) = killed_after_ms {
            self.kill_a_run(killed_after_ms);
        }
        let said = self.say(&["run"]);
        let run = said["run"].as_str().unwrap().to_owned();
        let count = |name: &str| said["rows"][name].as_u64().unwrap();
        if said["inputs"][0]["status"] == "imported" {
            let outcomes =
                ["created", "merged", "repeated", "quarantined", "held", "touches", "skipped"];
            assert_eq!(count("read"), texts.len() as u64, "{said}");
            assert_eq!(outcomes.map(count).iter().sum::<u64>(), count("read"), "{said}");
            assert_eq!(count("quarantined"), broken as u64, "{said}");
            let fresh: BTreeSet<&(usize, usize)> = rows
                .iter()
                .filter(|(person, row)| {
                    let known = before.rows.get(person).is_some_and(|rows| rows.contains(row));
                    !known && !before.erased.contains(person)
                })
                .collect();
            assert_eq!(count("created") + count("merged"), fresh.len() as u64, "{said}");
        }
        // A run that was over before it was killed is one of its own, and the next brings nothing.
        match &self.runs()[runs_before..] {
            [first, second] => {
                assert_eq!(*second, run);
                self.model.facts.push((first.clone(), Fact::Night(rows.to_vec())));
                self.model.facts.push((run, Fact::Night(Vec::new())));
            }
            [only] if *only == run => self.model.facts.push((run, Fact::Night(rows.to_vec()))),
            others => panic!("{others:?} for one night, told of {run}"),
        }
    }

    /// Every run that there ever was.
    fn runs(&self) -> Vec<String> {
        if !self.workspace.path("leadmill.db").exists() {
            return Vec::new();
        }
        self.workspace.sql("SELECT id FROM run ORDER BY run_no").concat()
    }

    fn kill_a_run(&self, after_ms: u64) {
        let mut child = self
            .workspace
            .command(&["run", "--quiet", "--as-of", &self.at()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(after_ms));
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn merge(&mut self, pair: &[Index; 2]) {
        let now = self.model.standing();
        let people = now.people();
        if people.is_empty() {
            return;
        }
        let [a, b] = pair.each_ref().map(|which| people[which.index(people.len())]);
        if now.group[a] == now.group[b] {
            return;
        }
        let said = self.say(&["merge", &address(a), &address(b)]);
        self.note(&said, Fact::Merged(a, b));
    }

    fn split(&mut self, which: Index) {
        let now = self.model.standing();
        let shared: Vec<usize> =
            now.leads().into_values().filter(|people| people.len() > 1).flatten().collect();
        if shared.is_empty() {
            return;
        }
        let person = shared[which.index(shared.len())];
        let rows = format!(
            "SELECT s.submission_no FROM submissions AS s WHERE json_extract(s.fields, '$.email') = '{}' ORDER BY 1",
            address(person)
        );
        let rows = self.workspace.sql(&rows).concat().join(",");
        let said = self.say(&["split", &address(person), "--rows", &rows]);
        self.note(&said, Fact::Split(person));
    }

    fn erase(&mut self, which: Index) {
        let now = self.model.standing();
        let people = now.people();
        // Somebody must be left, else nothing could go wrong any more.
        if people.len() < 3 {
            return;
        }
        let person = people[which.index(people.len())];
        let gone = now.leads().remove(&now.group[person]).unwrap();
        let said = self.say(&["subject", "forget", &address(person)]);
        self.note(&said, Fact::Erased(gone));
    }

    fn change_rules(&mut self, points: u32) {
        let shipped = fs::read_to_string(package().join("rules/scoring.toml")).unwrap();
        let rule = format!(
            "\n[[score]]\nid = \"of-the-day\"\ngroup = \"fit\"\npoints = {points}\nbecause = \"a test\"\n\
             when = {{ field = \"country\", is = \"PL\" }}\n"
        );
        self.workspace.file("rules/scoring.toml", shipped + &rule);
        if self.workspace.path("leadmill.db").exists() {
            let said = self.say(&["rescore"]);
            self.note(&said, Fact::Rescored);
        }
    }

    fn undo(&mut self) {
        let latest =
            self.model.facts.iter().rposition(|(_, fact)| !matches!(fact, Fact::Erased(_)));
        let Some(latest) = latest else { return };
        let (run, _) = self.model.facts.remove(latest);
        self.say(&["undo", &run]);
    }

    fn note(&mut self, said: &serde_json::Value, fact: Fact) {
        self.model.facts.push((said["run"].as_str().unwrap().to_owned(), fact));
    }

    /// What must hold whatever was done.
    fn check(&self, deed: &Deed) {
        let now = self.model.standing();
        let leads: BTreeSet<BTreeSet<String>> = now
            .leads()
            .into_values()
            .map(|people| people.into_iter().map(address).collect())
            .collect();
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let rows = "SELECT lead_no, json_extract(fields, '$.email') FROM submissions";
        let rows = self.workspace.sql(rows);
        let expected: usize = now.rows.values().map(BTreeSet::len).sum();
        assert_eq!(rows.len(), expected, "rows after {deed:?}");
        for row in rows {
            found.entry(row[0].clone()).or_default().insert(row[1].clone());
        }
        let found: BTreeSet<BTreeSet<String>> = found.into_values().collect();
        assert_eq!(found, leads, "leads after {deed:?}");
        assert_eq!(self.workspace.number("SELECT count(*) FROM leads"), leads.len() as i64);
        for person in &now.erased {
            let known = format!(
                "SELECT (SELECT count(*) FROM submissions WHERE raw LIKE '%{0}%') +
                        (SELECT count(*) FROM identifiers WHERE value = '{0}')",
                address(*person)
            );
            assert_eq!(
                self.workspace.number(&known),
                0,
                "{} is back after {deed:?}",
                address(*person)
            );
        }
        assert_rebuild_changes_nothing(&self.workspace);
        let verified = self.workspace.run(&["consent", "verify"]);
        assert_eq!(verified.code, 0, "after {deed:?}: {}{}", verified.stdout, verified.stderr);
    }
}

#[test]
fn whatever_is_done_in_whatever_order_the_workspace_is_what_the_model_says() {
    let outcome = runner(2).run(&deeds(), |deeds| {
        let mut world = World::new();
        for deed in &deeds {
            world.play(deed);
            world.check(deed);
        }
        Ok(())
    });
    outcome.unwrap();
}
