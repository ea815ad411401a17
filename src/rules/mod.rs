//! The policy: TOML as people write it, compiled into what the stages run.
//!
//! This room owns the rule files' syntax, their checks and their diagnostics. It is given texts and
//! never reads a disk; it decides nothing about a lead. Start at [`RuleSet::parse`]; every file of
//! `rules/` has a module of its own name here.

pub mod alerts;
pub mod condition;
pub mod consent;
pub mod decode;
pub mod diagnostics;
pub mod difference;
pub mod digest;
pub mod edit;
pub mod embedded;
pub mod field;
pub mod followup;
pub mod hours;
pub mod identity;
pub mod outbox;
mod pattern;
pub mod receive;
pub mod request;
pub mod retention;
pub mod routing;
pub mod schema;
mod schema_words;
pub mod scoring;
pub mod secret;
pub mod shape;
pub mod source;
pub mod survivorship;
pub mod tables;
pub mod target;
pub mod template;
pub mod test;
mod touch_kind;
pub mod wording;
pub mod workspace;

use std::collections::BTreeMap;

use chrono_tz::Tz;
use sha2::{Digest as _, Sha256};

use crate::model::ids::hex;
use alerts::AlertPolicy;
use condition::ConditionContext;
use consent::ConsentPolicy;
use decode::{Sink, Table, document};
use diagnostics::{Diagnostics, Place, RuleText, did_you_mean};
use field::FieldCatalog;
use followup::{FollowupPolicy, Office};
use identity::IdentityPolicy;
use outbox::{Endpoint, HttpEndpoint, OutboxPolicy};
use request::RequestCatalog;
use routing::{RESERVED_ROUTES, RoutingPolicy};
use scoring::ScoringPolicy;
use source::SourceCatalog;
use survivorship::Survivorship;
use tables::Tables;
use target::{ScoringPart, Target, TargetCatalog, TargetFormat};
use template::TemplateCatalog;
use test::RuleTest;
use wording::Wordings;
use workspace::Workspace;

/// The files that stand directly in the rules folder.
const ROOT_FILES: &[&str] = &[
    "alerts.toml",
    "consent.toml",
    "fields.toml",
    "followup.toml",
    "identity.toml",
    "outbox.toml",
    "receive.toml",
    "retention.toml",
    "routing.toml",
    "scoring.toml",
    "workspace.toml",
];

/// Bytes of the hash that stamps decisions.
const HASH_BYTES: usize = 8;

/// All rules of a workspace, compiled.
#[derive(Debug, Clone)]
pub struct RuleSet {
    /// Country, zone, limits and caps.
    pub workspace: Workspace,
    /// Fields.
    pub fields: FieldCatalog,
    /// Lists.
    pub tables: Tables,
    /// When a shared value stops identifying one person.
    pub identity: IdentityPolicy,
    /// Which submission wins which field of a lead.
    pub survivorship: Survivorship,
    /// Who may be contacted for what.
    pub consent: ConsentPolicy,
    /// How long data is kept.
    pub retention: retention::RetentionPolicy,
    /// Which forms are received.
    pub receive: receive::ReceivePolicy,
    /// Points.
    pub scoring: ScoringPolicy,
    /// Owners, queues, routes.
    pub routing: RoutingPolicy,
    /// Plans.
    pub followup: FollowupPolicy,
    /// What is written to people.
    pub templates: TemplateCatalog,
    /// Alerts.
    pub alerts: AlertPolicy,
    /// Where rows come from.
    pub sources: SourceCatalog,
    /// Where leads go.
    pub targets: TargetCatalog,
    /// Where it is sent.
    pub outbox: OutboxPolicy,
    /// The rules' own tests.
    pub tests: Vec<RuleTest>,
    /// Hash of all rule texts: stamps every decision.
    pub hash: String,
    /// The texts that decide about leads once they are read: all but receiving, retention, outbox, requests, sources
    /// with their wordings, targets and tests.
    pub deciding: Vec<RuleText>,
}

impl RuleSet {
    /// Compiles `texts`; a file of the workspace has replaced the shipped one of the same path already.
    ///
    /// The second value holds the warnings.
    ///
    /// # Errors
    /// All mistakes of all files at once, when there is one that makes the rules unusable.
    pub fn parse(texts: &[RuleText]) -> Result<(Self, Diagnostics), Diagnostics> {
        let sink = Sink::default();
        let rules = Self::read(texts, &sink);
        let found = Diagnostics::new(sink.take());
        if found.has_errors() { Err(found) } else { Ok((rules, found)) }
    }

    /// Reads `texts`; mistakes go to `sink`, and what had one is left out.
    fn read(texts: &[RuleText], sink: &Sink) -> Self {
        let files = Files::sort(texts, sink);
        let fields = files.with("fields.toml", sink, FieldCatalog::decode);
        let tables = Tables::decode(&files.tables, sink);
        let lists = files.lists();
        let context =
            ConditionContext { fields: &fields, lists: &lists, models: &[], has_matrix: false };
        let consent = files.with("consent.toml", sink, ConsentPolicy::decode);
        let scoring =
            files.with("scoring.toml", sink, |root| ScoringPolicy::decode(root, &context));
        // Whoever comes after scoring may ask what its models say.
        let models: Vec<&str> = scoring.models.iter().map(|model| &*model.id).collect();
        let context =
            ConditionContext { models: &models, has_matrix: scoring.matrix.is_some(), ..context };
        let routing =
            files.with("routing.toml", sink, |root| RoutingPolicy::decode(root, &context));
        let templates = TemplateCatalog::decode(&files.templates, &fields, sink);
        let zones: Vec<Tz> = routing.owners.iter().map(|owner| owner.hours.zone()).collect();
        let office = Office { calendar: &routing.calendar, zones: &zones, templates: &templates };
        let followup = files.with("followup.toml", sink, |root| {
            FollowupPolicy::decode(root, &context, office, &consent)
        });
        let takers = routing.owners.iter().filter(|owner| owner.active).map(|owner| &owner.hours);
        followup.lint_hours(&takers.collect::<Vec<_>>(), sink);
        let sources = SourceCatalog::decode(
            &files.sources,
            &fields,
            &Wordings::decode(&files.wordings, sink),
            sink,
        );
        let known: Vec<&str> = sources.iter().map(|preset| preset.id.as_str()).collect();
        let (identity, survivorship) = files.with("identity.toml", sink, |root| {
            let identity = IdentityPolicy::decode(root, &tables);
            (identity, Survivorship::decode(root, &context, &known))
        });
        let mut targets = TargetCatalog::decode(&files.targets, &fields, sink);
        targets.leave_out(|part| match part {
            ScoringPart::Matrix => scoring.matrix.is_some(),
            ScoringPart::Models => !scoring.models.is_empty(),
        });
        targets.check_purposes(&consent, sink);
        let workspace = files.with("workspace.toml", sink, Workspace::decode);
        // Rules that decide anew come without targets, for these decide nothing.
        if let Some(named) = workspace.targets.as_ref().filter(|_| !files.targets.is_empty()) {
            targets.switch_on(named, sink);
        }
        targets.check_formats(TargetFormat::is_built, sink);
        let requests = RequestCatalog::decode(&files.requests, sink);
        let outbox = files.with("outbox.toml", sink, |root| OutboxPolicy::decode(root, &requests));
        if !files.targets.is_empty() {
            outbox.check(&targets, &followup, sink);
        }
        let mut tests = Vec::new();
        for file in &files.tests {
            document(file, sink, |root| tests.extend(RuleTest::decode(root, &fields, &scoring)));
        }
        // A broken routing.toml has no queues; that tests miss them would be noise.
        if !sink.has_errors() {
            check_expectations(&tests, &routing, sink);
        }
        Self {
            alerts: files.with("alerts.toml", sink, AlertPolicy::decode),
            hash: hash(texts),
            deciding: texts.iter().filter(|text| decides(text)).cloned().collect(),
            fields: fields.clone(),
            tables,
            identity,
            survivorship,
            retention: files.with("retention.toml", sink, |root| {
                retention::RetentionPolicy::decode(root, &consent)
            }),
            consent: ConsentPolicy { zone: workspace.zone, ..consent },
            receive: files
                .with("receive.toml", sink, |root| receive::ReceivePolicy::decode(root, &known)),
            scoring,
            routing,
            followup: FollowupPolicy { zone: workspace.zone, ..followup },
            workspace,
            templates,
            sources,
            targets,
            outbox,
            tests,
        }
    }

    /// Iterates over the endpoints that rows are sent to, each with the target that they are of.
    pub fn endpoints_of_rows(&self) -> impl Iterator<Item = (&Endpoint, &HttpEndpoint, &Target)> {
        self.outbox.on().filter_map(|endpoint| {
            let http = endpoint.http()?;
            Some((endpoint, http, self.targets.get(http.target.as_deref()?)?))
        })
    }
}

/// The texts by what they are.
#[derive(Default)]
struct Files<'a> {
    roots: BTreeMap<&'static str, &'a RuleText>,
    requests: Vec<&'a RuleText>,
    sources: Vec<&'a RuleText>,
    targets: Vec<RuleText>,
    tables: Vec<&'a RuleText>,
    templates: Vec<&'a RuleText>,
    tests: Vec<&'a RuleText>,
    wordings: Vec<&'a RuleText>,
}

impl<'a> Files<'a> {
    fn sort(texts: &'a [RuleText], sink: &Sink) -> Self {
        let mut files = Self::default();
        let mut texts: Vec<&RuleText> = texts.iter().collect();
        texts.sort_by(|a, b| a.path.cmp(&b.path));
        for text in texts {
            let inside = text.path.split_once('/').map_or(&*text.path, |(_, inside)| inside);
            match inside.split_once('/') {
                Some(("requests", _)) => files.requests.push(text),
                Some(("sources", _)) => files.sources.push(text),
                Some(("targets", _)) => files.targets.push(text.clone()),
                Some(("tables", _)) => files.tables.push(text),
                Some(("templates", _)) => files.templates.push(text),
                Some(("tests", _)) => files.tests.push(text),
                Some(("wordings", _)) => files.wordings.push(text),
                None => match ROOT_FILES.iter().find(|known| **known == inside) {
                    Some(known) => drop(files.roots.insert(known, text)),
                    None => unknown(text, inside, sink),
                },
                Some(_) => unknown(text, inside, sink),
            }
        }
        files
    }

    /// Reads one root file; one that is missing or broken is read as if it said nothing.
    fn with<T>(&self, name: &str, sink: &Sink, read: impl Fn(Option<&Table<'_>>) -> T) -> T {
        let Some(file) = self.roots.get(name) else { return read(None) };
        let mut result = None;
        document(file, sink, |root| result = Some(read(Some(root))));
        result.unwrap_or_else(|| read(None))
    }

    /// Text tables that no stage reads are lists for conditions (`one-of-list = "target-accounts"`).
    fn lists(&self) -> BTreeMap<String, Vec<String>> {
        self.tables
            .iter()
            .filter_map(|file| {
                let name = file.path.rsplit('/').next()?.strip_suffix(".txt")?;
                let entries = file
                    .text
                    .lines()
                    .map(|line| line.split('#').next().unwrap_or_default().trim().to_owned())
                    .filter(|line| !line.is_empty())
                    .collect();
                Some((name.to_owned(), entries))
            })
            .collect()
    }
}

fn unknown(text: &RuleText, inside: &str, sink: &Sink) {
    let hint = did_you_mean(inside, ROOT_FILES.iter().copied()).map_or_else(
        || {
            format!(
                "known: {}, and the folders requests, sources, targets, tables, templates, tests, wordings",
                ROOT_FILES.join(", ")
            )
        },
        |near| format!("did you mean `{near}`?"),
    );
    let place = Place { file: text.clone(), span: 0..0 };
    sink.error(&place, format!("nothing reads the rule file `{inside}`"), Some(hint));
}

/// A test that expects a queue nobody has can never pass; say so where it is written.
fn check_expectations(tests: &[RuleTest], routing: &RoutingPolicy, sink: &Sink) {
    let queues: Vec<&str> = routing.queues.iter().map(|queue| queue.id.as_str()).collect();
    let owners: Vec<&str> = routing.owners.iter().map(|owner| owner.id.as_str()).collect();
    let owner_or_nobody: Vec<&str> = owners.iter().copied().chain([test::NOBODY]).collect();
    let own = routing.routes.iter().map(|route| route.id.as_str());
    let routes: Vec<&str> = own.chain(RESERVED_ROUTES.iter().copied()).collect();
    for test in tests {
        let check = |verb: &str, what: &str, id: &str, known: &[&str]| {
            if known.contains(&id) {
                return;
            }
            let near = did_you_mean(id, known.iter().copied());
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            let message = format!("test `{}` {verb} the unknown {what} `{id}`", test.name);
            sink.error(&test.place, message, hint);
        };
        let expect = &test.expect;
        expect.queue.iter().for_each(|id| check("expects", "queue", id, &queues));
        expect.owner.iter().for_each(|id| check("expects", "owner", id, &owner_or_nobody));
        expect.route.iter().for_each(|id| check("expects", "route", id, &routes));
        expect.passed.iter().flatten().for_each(|id| check("expects", "owner", id, &owners));
        test.owner_before.iter().for_each(|id| check("names", "owner", id, &owners));
        for load in &test.loads {
            check("names", "owner", &load.owner, &owners);
            load.queue.iter().for_each(|id| check("names", "queue", id, &queues));
        }
    }
}

fn decides(text: &RuleText) -> bool {
    let folder = |name: &str| text.path.split('/').rev().nth(1) == Some(name);
    let decides_nothing = ["/outbox.toml", "/receive.toml", "/retention.toml"];
    let beside = ["requests", "sources", "targets", "tests", "wordings"];
    !decides_nothing.iter().any(|name| text.path.ends_with(name)) && !beside.into_iter().any(folder)
}

fn hash(texts: &[RuleText]) -> String {
    let mut sorted: Vec<&RuleText> = texts.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let mut hasher = Sha256::new();
    for text in sorted {
        for part in [&*text.path, &*text.text] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    hex(&hasher.finalize()[..HASH_BYTES])
}
