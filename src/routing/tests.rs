use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::*;
use crate::model::decision::{ModelScores, Segment};
use crate::model::field::{self, FieldNo, FieldValues};
use crate::model::subject::Facts;
use crate::rules::condition::ConditionContext;
use crate::rules::decode::{Sink, document};
use crate::rules::diagnostics::RuleText;
use crate::rules::field::FieldCatalog;

pub(super) fn policy(text: &str) -> RoutingPolicy {
    let sink = Sink::default();
    let fields = FieldCatalog::decode(None);
    let lists = BTreeMap::new();
    let context =
        ConditionContext { fields: &fields, lists: &lists, models: &[], has_matrix: false };
    let file = RuleText { path: "rules/routing.toml".into(), text: text.into() };
    let mut policy = RoutingPolicy::decode(None, &context);
    document(&file, &sink, |root| policy = RoutingPolicy::decode(Some(root), &context));
    assert!(!sink.has_errors(), "{:?}", sink.take());
    policy
}

fn shipped() -> RoutingPolicy {
    policy(include_str!("../../rules/routing.toml"))
}

fn team(when_away: &str) -> RoutingPolicy {
    let queue = |id: &str, pool: &str| format!("[[queue]]\nid = '{id}'\nbecause = 'b'\n{pool}\n");
    policy(&format!(
        "[returning]\nwhen-owner-away = '{when_away}'\n\
         [[owner]]\nid = 'anna'\n[[owner]]\nid = 'jan'\nemail = 'jan@przyklad.pl'\n\
         [[owner]]\nid = 'ewa'\nabsent = [{{ from = '2026-11-18', to = '2026-11-20' }}]\n{}{}{}{}",
        queue("q", "pool = [{ owner = 'anna', weight = 2 }, { owner = 'jan' }]"),
        queue("e", "pool = [{ owner = 'ewa' }]"),
        queue("triage", ""),
        "[[route]]\nid = 'pl'\nwhen = { field = 'country', is = 'PL' }\nqueue = 'q'\nbecause = 'b'\n\
         [[route]]\nid = 'de'\nwhen = { field = 'country', is = 'DE' }\nqueue = 'e'\nbecause = 'b'\n\
         [[route]]\nid = 'ewa'\nwhen = { field = 'country', is = 'AT' }\nowner = 'ewa'\nbecause = 'b'\n",
    ))
}

/// A reachable lead on Wednesday 2026-11-18, 10:15 in Warsaw.
pub(super) struct Given {
    pub(super) values: FieldValues,
    facts: Facts,
    pub(super) as_of: DateTime<Utc>,
}

pub(super) fn given(fields: &[(FieldNo, &str)]) -> Given {
    let as_of = DateTime::parse_from_rfc3339("2026-11-18T09:15:00Z").unwrap().to_utc();
    let mut values = FieldValues::default();
    values.set(field::EMAIL, "kowalska@example.com");
    for (field, value) in fields {
        values.set(*field, *value);
    }
    let facts = Facts {
        n_submissions: 1,
        n_sources: 1,
        first_submitted_at: as_of,
        last_submitted_at: as_of,
        marketing_email_allowed: false,
        marketing_phone_allowed: false,
        score: Some(82),
        segment: Some(Segment::Hot),
        grade: None,
        models: ModelScores::default(),
    };
    Given { values, facts, as_of }
}

impl Given {
    pub(super) fn assign(
        &self,
        policy: &RoutingPolicy,
        owner: Option<&str>,
        crm_owner: Option<&str>,
        desk: &mut Desk,
    ) -> Assignment {
        let subject = self.subject();
        let claims = Claims { owner, may_keep: true, crm_owner, ..Claims::default() };
        assign(choose(&subject, policy), &subject, policy, claims, desk)
    }

    pub(super) fn subject(&self) -> Subject<'_> {
        Subject { values: &self.values, facts: &self.facts, touches: &[], as_of: self.as_of }
    }
}

#[track_caller]
fn check(policy: &RoutingPolicy, given: &Given, previous: Option<&str>, expected: &str) {
    let found = given.assign(policy, previous, None, &mut Desk::default());
    assert_eq!(found.reason, expected);
    let says = |part: &str| found.reason.split("; ").any(|known| known == part);
    assert!(says(&format!("queue={}", found.queue)), "{found:?}");
    assert!(found.owner.is_none_or(|owner| says(&format!("owner={owner}"))));
}

#[test]
fn a_lead_stays_in_the_queue_in_which_its_owner_had_it() {
    #[track_caller]
    fn check(policy: &RoutingPolicy, country: &str, queue: Option<&str>, expected: &str) {
        let lead = given(&[(field::COUNTRY, country)]);
        let subject = lead.subject();
        let claims = Claims { owner: Some("jan"), queue, may_keep: true, ..Claims::default() };
        let found =
            assign(choose(&subject, policy), &subject, policy, claims, &mut Desk::default());
        assert_eq!((found.owner.as_deref(), found.queue.as_str()), (Some("jan"), expected));
    }
    let policy = policy(
        "[[owner]]\nid = 'jan'\n\
         [[queue]]\nid = 'large'\nbecause = 'b'\npool = [{ owner = 'jan' }]\n\
         [[queue]]\nid = 'small'\nbecause = 'b'\npool = [{ owner = 'jan' }]\n\
         [[queue]]\nid = 'cold'\nbecause = 'b'\n[[queue]]\nid = 'triage'\nbecause = 'b'\n\
         [[route]]\nid = 'cold'\nwhen = { field = 'country', is = 'PL' }\nqueue = 'cold'\nbecause = 'b'\n\
         [[route]]\nid = 'large'\nwhen = { field = 'country', is = 'DE' }\nqueue = 'large'\nbecause = 'b'\n",
    );
    check(&policy, "PL", Some("small"), "small");
    check(&policy, "DE", Some("small"), "large");
    check(&policy, "PL", Some("no longer there"), "large");
    check(&policy, "PL", None, "large");
}

#[test]
fn the_reason_is_one_line_with_what_was_looked_at() {
    let policy = shipped();
    let lead = given(&[(field::COUNTRY, "PL"), (field::PRODUCT, "AI")]);
    let mut desk = Desk::default();
    lead.assign(&policy, None, None, &mut desk);
    lead.assign(&policy, None, None, &mut desk);
    assert_eq!(
        lead.assign(&policy, None, None, &mut desk).reason,
        "rule=pl-ai; country=PL; product=AI; score=82; queue=enterprise-pl; owner=anna; turn=3/5"
    );
}

#[test]
fn the_shipped_routes_send_leads_where_they_belong() {
    let policy = shipped();
    let mut cold = given(&[(field::COUNTRY, "PL")]);
    cold.facts.segment = Some(Segment::Cold);
    let mut unreachable = given(&[(field::COUNTRY, "PL"), (field::PRODUCT, "AI")]);
    unreachable.values.set(field::EMAIL, "");
    for (given, route, queue) in [
        (
            given(&[(field::COUNTRY, "PL"), (field::EMPLOYEES, "250")]),
            "pl-enterprise",
            "enterprise-pl",
        ),
        (given(&[(field::COUNTRY, "PL"), (field::EMPLOYEES, "249")]), "pl-smb", "smb-pl"),
        (given(&[(field::LANGUAGE, "pl")]), "pl-smb", "smb-pl"),
        (given(&[(field::COUNTRY, "AT")]), "dach", "dach"),
        (given(&[(field::COUNTRY, "SE")]), "international", "international"),
        (given(&[]), "triage", "triage"),
        (cold, "cold", "nurture"),
        (unreachable, "cannot-be-reached", "triage"),
        (
            given(&[(field::COUNTRY, "PL"), (field::EMAIL_IS_DISPOSABLE, "true")]),
            "cannot-be-reached",
            "triage",
        ),
    ] {
        let found = given.assign(&policy, None, None, &mut Desk::default());
        assert_eq!((found.route.as_str(), found.queue.as_str()), (route, queue));
    }
}

#[test]
fn the_first_route_that_matches_takes_the_lead() {
    let policy = team("reassign");
    for (country, expected) in [("PL", Some(0)), ("DE", Some(1)), ("AT", Some(2)), ("FR", None)] {
        let lead = given(&[(field::COUNTRY, country)]);
        assert_eq!(choose(&lead.subject(), &policy), expected, "{country}");
    }
}

#[test]
fn a_lead_that_no_route_takes_goes_to_triage() {
    let expected = "rule=triage; score=82; queue=triage; because=no route matched";
    check(&team("reassign"), &given(&[]), None, expected);
}

#[test]
fn a_returning_lead_keeps_its_owner() {
    let policy = team("reassign");
    let pl = given(&[(field::COUNTRY, "PL")]);
    check(&policy, &pl, Some("jan"), "rule=sticky; owner=jan; because=returning lead; queue=q");
    let elsewhere = given(&[(field::COUNTRY, "DE")]);
    check(
        &policy,
        &elsewhere,
        Some("jan"),
        "rule=sticky; owner=jan; because=returning lead; queue=q",
    );
}

#[test]
fn the_owner_in_the_crm_counts_when_we_know_none() {
    let policy = team("reassign");
    let pl = given(&[(field::COUNTRY, "PL")]);
    for (previous, crm, owner, route) in [
        (None, Some("Jan@przyklad.pl"), "jan", "sticky"),
        (Some("anna"), Some("jan"), "anna", "sticky"),
        (None, Some("somebody@example.com"), "anna", "pl"),
    ] {
        let found = pl.assign(&policy, previous, crm, &mut Desk::default());
        assert_eq!((found.owner.as_deref(), found.route.as_str()), (Some(owner), route));
    }
}

#[test]
fn a_returning_lead_whose_owner_is_away_follows_the_policy() {
    let pl = given(&[(field::COUNTRY, "PL")]);
    for (when_away, expected) in [
        (
            "reassign",
            "rule=pl; country=PL; score=82; queue=q; owner=anna; turn=1/3; instead-of=ewa; because=away until 2026-11-20",
        ),
        (
            "keep",
            "rule=sticky; owner=ewa; because=returning lead, though away until 2026-11-20; queue=e",
        ),
        ("queue", "rule=sticky; because=owner ewa away until 2026-11-20; queue=e"),
    ] {
        check(&team(when_away), &pl, Some("ewa"), expected);
    }
    let expected = "rule=pl; country=PL; score=82; queue=q; owner=anna; turn=1/3; instead-of=zofia; because=no longer in the team";
    check(&team("keep"), &pl, Some("zofia"), expected);
}

#[test]
fn when_everybody_is_away_the_lead_waits_in_the_queue() {
    let policy = team("reassign");
    let mut de = given(&[(field::COUNTRY, "DE")]);
    let expected = "rule=de; country=DE; score=82; queue=e; because=nobody is available";
    check(&policy, &de, None, expected);
    // In Warsaw the 21st has begun an hour before midnight UTC.
    de.as_of = DateTime::parse_from_rfc3339("2026-11-20T23:00:00Z").unwrap().to_utc();
    check(&policy, &de, None, "rule=de; country=DE; score=82; queue=e; owner=ewa; turn=1/1");
}

#[test]
fn a_route_may_name_one_person() {
    let policy = team("reassign");
    let mut at = given(&[(field::COUNTRY, "AT")]);
    let expected = "rule=ewa; country=AT; score=82; queue=e; because=nobody is available";
    check(&policy, &at, None, expected);
    at.as_of = DateTime::parse_from_rfc3339("2026-11-23T10:00:00Z").unwrap().to_utc();
    check(&policy, &at, None, "rule=ewa; country=AT; score=82; queue=e; owner=ewa");
}

#[test]
fn a_batch_is_routed_like_one_lead_after_the_other() {
    let policy = team("reassign");
    let lead = given(&[(field::COUNTRY, "PL")]);
    let mut batch = Desk::default();
    let mut kept = Desk::default();
    let mut annas = 0;
    for _ in 0..300 {
        let in_batch = lead.assign(&policy, None, None, &mut batch);
        let alone = lead.assign(&policy, None, None, &mut kept);
        kept = Desk::default().with_rotation(kept.rotation_entries());
        assert_eq!(in_batch, alone);
        annas += usize::from(alone.owner.as_deref() == Some("anna"));
    }
    assert_eq!((annas, batch.rotation_entries()), (200, kept.rotation_entries()));
}

#[test]
fn those_who_speak_the_language_come_first() {
    let policy = shipped();
    for (language, owners) in
        [("de", ["jonas", "jonas", "jonas"]), ("en", ["emily", "jonas", "emily"])]
    {
        let lead = given(&[(field::COUNTRY, "SE"), (field::LANGUAGE, language)]);
        let mut desk = Desk::default();
        let found = [(); 3].map(|()| lead.assign(&policy, None, None, &mut desk).owner.unwrap());
        assert_eq!(found, owners);
    }
}

#[test]
fn a_value_cannot_forge_the_reason() {
    let forged = [("country", "PL; owner=mallory\nx")];
    assert_eq!(line(&forged), "country=PL  owner=mallory x");
}
