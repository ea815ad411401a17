use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::strategy::Strategy as Strategy_;

use super::*;
use crate::model::decision::Assignment;
use crate::model::field::FieldNo;
use crate::routing::tests::{Given, given, policy};
use crate::routing::{Claims, Desk, LoadEntry, RotationEntry, assign_again, choose};
use crate::rules::routing::Period;

/// A team of which anna, jan and ewa serve the queue `q`, and zofia the queue `rest`.
fn team(owners: &str, queue: &str, routes: &str) -> RoutingPolicy {
    policy(&format!(
        "triage = 'triage'\n{owners}\n\
         [[queue]]\nid = 'q'\nbecause = 'b'\n{queue}\n\
         [[queue]]\nid = 'rest'\npool = [{{ owner = 'zofia' }}]\nbecause = 'b'\n\
         [[queue]]\nid = 'triage'\nbecause = 'b'\n\
         [[owner]]\nid = 'zofia'\n{routes}"
    ))
}

const THREE: &str = "[[owner]]\nid = 'anna'\nskills = ['AI', 'cloud']\nlanguages = ['pl', 'de']\n\
    [[owner]]\nid = 'jan'\nskills = ['cloud']\nlanguages = ['pl', 'en']\nhours = 'Mo-Fr 12:00-20:00; PH off'\n\
    [[owner]]\nid = 'ewa'\nlanguages = ['en']\nhours = 'Mo-Fr 06:00-10:00; PH off'";
const POOL: &str = "pool = [{ owner = 'anna' }, { owner = 'jan' }, { owner = 'ewa' }]";
const TO_Q: &str = "[[route]]\nid = 'q'\nqueue = 'q'\nbecause = 'b'\n\
    when = { field = 'country', exists = true }\n\
    [[route]]\nid = 'rest'\nqueue = 'rest'\nbecause = 'b'";

/// Deals leads like `lead` and returns who got them, by first letters; `-` where nobody did.
fn deal(policy: &RoutingPolicy, lead: &Given, desk: &mut Desk, times: usize) -> String {
    let owners = (0..times).map(|_| lead.assign(policy, None, None, desk).owner);
    owners.map(|owner| owner.map_or('-', |owner| owner.chars().next().unwrap())).collect()
}

#[track_caller]
fn check(owners: &str, queue: &str, fields: &[(FieldNo, &str)], expected: &str) {
    let policy = team(owners, &format!("{POOL}\n{queue}"), TO_Q);
    let mut lead = given(&[(field::COUNTRY, "PL")]);
    for (field, value) in fields {
        lead.values.set(*field, *value);
    }
    let mut desk = Desk::new(&policy, lead.as_of);
    assert_eq!(deal(&policy, &lead, &mut desk, expected.chars().count()), expected, "{queue}");
}

#[test]
fn strategies_share_the_leads() {
    check(THREE, "", &[], "ajeaje");
    check(THREE, "strategy = 'rotation'", &[], "ajeaje");
    // Nobody has a lead yet; then each has one.
    check(THREE, "strategy = 'least-loaded'\nper = 'day'", &[], "ajeaje");
}

fn load(desk: &mut Desk, owner: &str, hours_ago: i64, leads: i64, lead: &Given) {
    let at_ms = lead.as_of.timestamp_millis() - hours_ago * 3_600_000;
    desk.add(&LoadEntry { queue: "other".into(), owner: owner.into(), at_ms, leads });
}

#[test]
fn who_has_the_fewest_leads_of_the_period_comes_first() {
    let lead = given(&[(field::COUNTRY, "PL")]);
    for (queue, expected) in [
        // Ten hours ago was this morning, twelve were yesterday, and Monday was this week.
        ("pool = [{ owner = 'anna' }, { owner = 'jan' }]\nper = 'day'", "jjjaj"),
        ("pool = [{ owner = 'anna' }, { owner = 'jan' }]\nper = 'week'", "aajaj"),
        ("pool = [{ owner = 'anna' }, { owner = 'jan' }]\nper = 'month'", "ajaja"),
        // Twice the weight carries twice the leads.
        ("pool = [{ owner = 'anna', weight = 2 }, { owner = 'jan' }]\nper = 'day'", "jjaaj"),
    ] {
        let policy = team(THREE, &format!("strategy = 'least-loaded'\n{queue}"), TO_Q);
        let mut desk = Desk::new(&policy, lead.as_of);
        load(&mut desk, "anna", 10, 3, &lead);
        load(&mut desk, "jan", 40, 5, &lead);
        load(&mut desk, "anna", 24 * 10, 2, &lead);
        assert_eq!(deal(&policy, &lead, &mut desk, 5), expected, "{queue}");
    }
}

#[test]
fn who_has_most_of_their_capacity_left_comes_first() {
    let caps = "[[owner]]\nid = 'anna'\ncap = { leads = 4, per = 'day' }\n\
        [[owner]]\nid = 'jan'\ncap = [{ leads = 2, per = 'day' }, { leads = 40, per = '7d' }]\n\
        [[owner]]\nid = 'ewa'\ncap = { leads = 1, per = 'month' }";
    // In the end everybody is full, and the rest waits.
    check(caps, "strategy = 'capacity-left'", &[], "ajeajaa--");
}

#[test]
fn nobody_gets_more_than_they_take() {
    let capped = THREE.replace("id = 'anna'", "id = 'anna'\ncap = { leads = 2, per = '24h' }");
    check(&capped, "", &[], "ajeajejejeje");
    // A cap in one queue leaves the others alone, and the tighter one counts.
    let policy = team(
        &capped,
        "pool = [{ owner = 'anna', cap = { leads = 1, per = 'week' } }, { owner = 'jan', cap = { leads = 1, per = 'day' } }]",
        TO_Q,
    );
    let lead = given(&[(field::COUNTRY, "PL")]);
    let mut desk = Desk::new(&policy, lead.as_of);
    assert_eq!(deal(&policy, &lead, &mut desk, 3), "aj-");
    let nobody = &desk.take_dealt().nobody[0];
    let why: Vec<String> =
        nobody.passed.iter().map(|one| format!("{} {}", one.owner, one.words())).collect();
    assert_eq!(why, ["anna cap of 1 a week reached", "jan cap of 1 a day reached"]);
}

#[test]
fn a_rolling_cap_forgets_what_is_too_old() {
    let capped = THREE.replace("id = 'anna'", "id = 'anna'\ncap = { leads = 5, per = '24h' }");
    let policy = team(&capped, "pool = [{ owner = 'anna' }]", TO_Q);
    let lead = given(&[(field::COUNTRY, "PL")]);
    for (hours_ago, expected) in [(23, "a---"), (24, "aaaa")] {
        let mut desk = Desk::new(&policy, lead.as_of);
        load(&mut desk, "anna", hours_ago, 4, &lead);
        assert_eq!(deal(&policy, &lead, &mut desk, 4), expected, "{hours_ago}");
    }
}

#[test]
fn a_lead_that_somebody_claims_is_counted_and_never_refused() {
    let capped = THREE.replace("id = 'anna'", "id = 'anna'\ncap = { leads = 1, per = 'day' }");
    let policy = team(&capped, POOL, TO_Q);
    let lead = given(&[(field::COUNTRY, "PL")]);
    let mut desk = Desk::new(&policy, lead.as_of);
    let owner = |claims: (Option<&str>, Option<&str>), desk: &mut Desk| {
        lead.assign(&policy, claims.0, claims.1, desk).owner.unwrap()
    };
    assert_eq!(owner((None, Some("anna")), &mut desk), "anna");
    assert_eq!(
        owner((None, Some("anna")), &mut desk),
        "anna",
        "the CRM's owner is no matter of caps"
    );
    assert_eq!(desk.loads().leads("anna", Period::Day), 2);
    assert_eq!(owner((Some("anna"), None), &mut desk), "anna");
    assert_eq!(desk.loads().leads("anna", Period::Day), 2, "hers already");
    assert_eq!(owner((None, None), &mut desk), "jan", "her turn, but she is full");
}

#[test]
fn skills_and_languages_are_preferred_or_required() {
    let ai = [(field::PRODUCT, "AI"), (field::LANGUAGE, "en")];
    check(THREE, "needs-skill = 'Cloud'", &[], "ajaj");
    check(THREE, "needs-skill = ['cloud', 'ai']", &[], "aaa");
    check(THREE, "match-skill = 'product'", &ai, "aaa");
    check(THREE, "match-skill = 'product'", &[(field::PRODUCT, "ERP")], "aje");
    check(THREE, "match-skill = 'product'\nrequire = 'skill'", &[(field::PRODUCT, "ERP")], "--");
    check(THREE, "match-skill = 'product'\nrequire = 'skill'", &[], "aje");
    check(THREE, "match-language = true", &ai, "jeje");
    check(THREE, "match-language = true", &[(field::LANGUAGE, "uk")], "aje");
    check(THREE, "match-language = true\nrequire = 'language'", &[(field::LANGUAGE, "uk")], "--");
    // The language comes before the skill, for without it nobody understands the other.
    check(THREE, "match-language = true\nmatch-skill = 'product'", &ai, "jeje");
}

/// Who gets three leads at this instant.
#[track_caller]
fn check_hours(queue: &str, at: &str, expected: &str) {
    let policy = team(THREE, &format!("{POOL}\n{queue}"), TO_Q);
    let mut lead = given(&[(field::COUNTRY, "PL")]);
    lead.as_of = DateTime::parse_from_str(at, "%Y-%m-%d %H:%M %z").unwrap().to_utc();
    let mut desk = Desk::new(&policy, lead.as_of);
    assert_eq!(deal(&policy, &lead, &mut desk, 3), expected, "{queue} at {at}");
}

#[test]
fn who_works_comes_first_or_who_starts_first() {
    // anna works from 9 to 17, jan from 12 to 20, ewa from 6 to 10.
    for (at, preferred, required) in [
        ("2026-11-18 09:30 +0100", "aea", "aea"),
        ("2026-11-18 18:00 +0100", "jjj", "jjj"),
        ("2026-11-18 23:00 +0100", "eee", "---"),
        // A Saturday, and the holidays that begin on a Wednesday evening.
        ("2026-11-21 13:00 +0100", "eee", "---"),
        ("2025-12-23 20:30 +0100", "eee", "---"),
        // Christmas Eve is a holiday since 2025; the year before it was a working day.
        ("2024-12-24 13:00 +0100", "aja", "aja"),
        ("2025-12-24 13:00 +0100", "eee", "---"),
        // The nights on which clocks change, and the morning after.
        ("2026-03-29 02:30 +0100", "eee", "---"),
        ("2026-03-30 09:30 +0200", "aea", "aea"),
        ("2026-10-25 02:30 +0100", "eee", "---"),
        ("2026-10-26 09:30 +0100", "aea", "aea"),
        ("2028-02-29 09:30 +0100", "aea", "aea"),
    ] {
        check_hours("match-hours = true", at, preferred);
        check_hours("match-hours = true\nrequire = 'hours'", at, required);
        check_hours("", at, "aje");
    }
}

#[test]
fn hours_absences_and_holidays_are_each_owners_own() {
    // At 16:30 in Berlin it is 15:30 in London; 2025-10-03 is German Unity Day.
    let abroad = "[[owner]]\nid = 'anna'\nzone = 'Europe/London'\ncountry = 'GB'\n\
        [[owner]]\nid = 'jan'\nzone = 'Europe/Berlin'\ncountry = 'DE'\n\
        [[owner]]\nid = 'ewa'\nzone = 'America/New_York'\ncountry = 'US'\n\
        absent = [{ from = '2026-07-06', to = '2026-07-07' }]";
    for (at, expected) in [
        ("2026-11-18T08:30:00Z", "jjj"),
        ("2026-11-18T15:30:00Z", "aje"),
        ("2026-11-18T16:30:00Z", "aea"),
        ("2026-11-18T19:30:00Z", "eee"),
        ("2025-10-03T14:30:00Z", "aea"),
        // Whit Monday, the spring bank holiday and Memorial Day are one day; then Thanksgiving.
        ("2026-05-25T14:30:00Z", "---"),
        ("2026-11-26T15:30:00Z", "aja"),
        // For three weeks in March New York is an hour closer.
        ("2026-03-02T13:30:00Z", "aja"),
        ("2026-03-16T13:30:00Z", "aje"),
        // ewa is back on the 8th, as her clock says.
        ("2026-07-07T14:30:00Z", "aja"),
        ("2026-07-08T03:30:00Z", "---"),
        ("2026-07-08T20:30:00Z", "eee"),
    ] {
        let policy = team(abroad, &format!("{POOL}\nmatch-hours = true\nrequire = 'hours'"), TO_Q);
        let mut lead = given(&[(field::COUNTRY, "PL")]);
        lead.as_of = DateTime::parse_from_rfc3339(at).unwrap().to_utc();
        let mut desk = Desk::new(&policy, lead.as_of);
        assert_eq!(deal(&policy, &lead, &mut desk, 3), expected, "{at}");
    }
}

#[test]
fn when_nobody_may_take_it_the_lead_waits_or_goes_on() {
    let one = "pool = [{ owner = 'anna', cap = { leads = 1, per = 'day' } }]";
    let lead = given(&[(field::COUNTRY, "PL")]);
    let nowhere = "[[route]]\nid = 'q'\nqueue = 'q'\nbecause = 'b'\nwhen-nobody = 'next'";
    for (queue, routes, expected) in [
        ("", TO_Q, "rule=q; country=PL; score=82; queue=q; because=nobody is available"),
        (
            "when-nobody = 'next'",
            TO_Q,
            "rule=rest; score=82; queue=rest; owner=zofia; turn=1/1; passed=q",
        ),
        ("", nowhere, "rule=triage; score=82; queue=triage; passed=q; because=nobody is available"),
    ] {
        let policy = team(THREE, &format!("{one}\n{queue}"), routes);
        let mut desk = Desk::new(&policy, lead.as_of);
        desk.arrive("q", "anna");
        let found = lead.assign(&policy, None, None, &mut desk);
        assert_eq!(found.reason, expected);
        assert_eq!(desk.take_dealt().nobody.len(), 1);
    }
}

#[test]
fn there_is_room_with_whoever_may_take_a_lead_though_others_come_first() {
    let capped = THREE.replace("id = 'ewa'", "id = 'ewa'\ncap = { leads = 3, per = 'day' }");
    for (queue, without, expected) in [
        // At 10:15 anna works; jan begins at noon, and ewa not before tomorrow.
        ("match-hours = true", vec!["anna", "jan"], Some(3)),
        ("match-hours = true", vec!["anna"], None),
        ("match-hours = true\nrequire = 'hours'", vec!["anna"], Some(0)),
        ("match-language = true", vec!["anna", "jan"], Some(3)),
        // Of a skill that every lead of the queue needs, only anna and jan know anything.
        ("needs-skill = 'cloud'", vec!["anna", "jan"], Some(0)),
    ] {
        let policy = team(&capped, &format!("{POOL}\n{queue}"), TO_Q);
        let as_of = given(&[]).as_of;
        let desk = Desk::new(&policy, as_of);
        let can_take = |owner: &str| !without.contains(&owner);
        let room = desk.room_in(&policy, policy.queue("q").unwrap(), as_of, can_take);
        assert_eq!(room, expected, "{queue} without {without:?}");
    }
}

#[test]
fn next_is_somebody_with_the_skills_that_the_queue_needs() {
    let policy = team(THREE, &format!("{POOL}\nneeds-skill = 'ai'"), TO_Q);
    let as_of = given(&[]).as_of;
    let lead = given(&[(field::COUNTRY, "PL")]);
    let mut desk = Desk::new(&policy, as_of);
    desk = desk.with_rotation([RotationEntry {
        queue: "q".into(),
        owner: "ewa".into(),
        current: 2,
        assigned: 0,
    }]);
    let (next, passed) = desk.next_of(&policy, policy.queue("q").unwrap(), as_of);
    assert_eq!(next, lead.assign(&policy, None, None, &mut desk).owner);
    let why: Vec<String> =
        passed.iter().map(|one| format!("{} {}", one.owner, one.words())).collect();
    assert_eq!(why, ["jan lacks skill ai", "ewa lacks skill ai"]);
}

#[test]
fn a_lead_moves_from_its_owner_only_where_the_queue_would_bar_them() {
    for (queue, expected) in [
        // anna speaks German and knows the product, jan neither; he begins at noon.
        ("match-skill = 'product'", "jan"),
        ("match-skill = 'product'\nrequire = 'skill'", "anna"),
        ("match-language = true\nmatch-skill = 'product'", "jan"),
        ("match-hours = true\nrequire = 'hours'", "jan"),
        ("needs-skill = 'ai'", "anna"),
    ] {
        let policy = team(THREE, &format!("{POOL}\n{queue}"), TO_Q);
        let lead =
            given(&[(field::COUNTRY, "PL"), (field::PRODUCT, "AI"), (field::LANGUAGE, "de")]);
        let last = Assignment {
            route: "q".into(),
            owner: Some("jan".into()),
            queue: "q".into(),
            reason: "rule=q".into(),
        };
        let mut desk = Desk::new(&policy, lead.as_of);
        let (subject, route) = (lead.subject(), choose(&lead.subject(), &policy));
        let claims = Claims { owner: Some("jan"), ..Claims::default() };
        let found = assign_again(route, &subject, &policy, &last, claims, true, &mut desk);
        assert_eq!(found.owner.as_deref(), Some(expected), "{queue}");
    }
}

#[test]
fn a_lead_is_dealt_again_as_it_was_whatever_came_since() {
    let policy = team(
        THREE,
        "pool = [{ owner = 'anna', cap = { leads = 1, per = 'day' } }]\nwhen-nobody = 'next'",
        TO_Q,
    );
    let lead = given(&[(field::COUNTRY, "PL")]);
    let mut desk = Desk::new(&policy, lead.as_of);
    let mut first = Vec::new();
    for _ in 0..3 {
        let assignment = lead.assign(&policy, None, None, &mut desk);
        first.push((assignment, desk.take_dealt()));
    }
    let rotation = desk.rotation_entries();
    // Nobody has any lead now, and still each lead goes where it went.
    let mut again = Desk::new(&policy, lead.as_of).with_rotation(rotation.clone());
    for (assignment, dealt) in first.iter().rev() {
        again.expect(dealt.clone());
        assert_eq!(lead.assign(&policy, None, None, &mut again), *assignment);
        assert_eq!(again.take_dealt(), *dealt);
    }
    assert_eq!(again.rotation_entries(), rotation);
}

/// Somebody's weight, cap, whether they are away, and whether they have the skill.
type Member = (i64, Option<(i64, &'static str)>, bool, bool);

/// A team with weights, caps, an absence and skills, and how its queue shares the leads.
#[derive(Debug, Clone)]
struct World {
    owners: Vec<Member>,
    strategy: &'static str,
    matching: &'static str,
    goes_on: bool,
}

fn world() -> impl Strategy_<Value = World> {
    let cap = prop::option::of((1..6_i64, prop::sample::select(vec!["day", "week", "24h", "3d"])));
    let owner = (1..5_i64, cap, prop::bool::weighted(0.2), any::<bool>());
    (
        prop::collection::vec(owner, 1..5),
        prop::sample::select(vec![
            "strategy = 'weighted'",
            "strategy = 'least-loaded'\nper = 'day'",
            "strategy = 'least-loaded'\nper = 'week'",
        ]),
        prop::sample::select(vec![
            "",
            "match-skill = 'product'",
            "match-skill = 'product'\nrequire = 'skill'",
        ]),
        any::<bool>(),
    )
        .prop_map(|(owners, strategy, matching, goes_on)| World {
            owners,
            strategy,
            matching,
            goes_on,
        })
}

impl World {
    fn policy(&self) -> RoutingPolicy {
        let (mut owners, mut pool) = (String::new(), Vec::new());
        for (number, (weight, cap, is_away, has_skill)) in self.owners.iter().enumerate() {
            writeln!(owners, "[[owner]]\nid = 'o{number}'").unwrap();
            if let Some((leads, per)) = cap {
                writeln!(owners, "cap = {{ leads = {leads}, per = '{per}' }}").unwrap();
            }
            if *is_away {
                owners += "absent = [{ from = '2026-11-10', to = '2026-11-30' }]\n";
            }
            owners += if *has_skill { "skills = ['ai']\n" } else { "" };
            pool.push(format!("{{ owner = 'o{number}', weight = {weight} }}"));
        }
        let goes_on = if self.goes_on { "when-nobody = 'next'" } else { "" };
        let queue = format!(
            "pool = [{}]\n{}\n{}\n{goes_on}",
            pool.join(", "),
            self.strategy,
            self.matching
        );
        team(&owners, &queue, TO_Q)
    }
}

/// A lead: whether it names a skill, comes from a country with a route, and has an owner already.
type Drawn = (bool, bool, Option<usize>);

/// Deals `leads` in runs of these lengths, each from what the ones before left in the store.
fn deal_in_runs(policy: &RoutingPolicy, leads: &[Drawn], lengths: &[usize]) -> (Vec<String>, Desk) {
    let as_of = given(&[]).as_of;
    let (mut told, mut rotation, mut loads) = (Vec::new(), Vec::new(), Vec::<LoadEntry>::new());
    let mut left = leads;
    let mut desk = Desk::new(policy, as_of);
    for length in lengths.iter().copied().chain([leads.len()]) {
        let (run, rest) = left.split_at(length.min(left.len()));
        left = rest;
        desk = Desk::new(policy, as_of).with_rotation(rotation);
        for entry in &loads {
            desk.add(entry);
        }
        for (names_skill, has_route, claim) in run {
            let mut lead = given(&[]);
            if *names_skill {
                lead.values.set(field::PRODUCT, "AI");
            }
            if *has_route {
                lead.values.set(field::COUNTRY, "PL");
            }
            let claim = claim.map(|number| format!("o{number}"));
            let found = lead.assign(policy, None, claim.as_deref(), &mut desk);
            assert!(!found.queue.is_empty());
            if let Some(owner) = &found.owner {
                let (queue, owner) = (found.queue.clone(), owner.clone());
                loads.push(LoadEntry { queue, owner, at_ms: as_of.timestamp_millis(), leads: 1 });
            }
            told.push(found.reason);
        }
        rotation = desk.rotation_entries();
    }
    (told, desk)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn however_leads_are_split_into_runs_they_are_dealt_alike(
        world in world(),
        leads in prop::collection::vec((any::<bool>(), prop::bool::weighted(0.8), prop::option::weighted(0.15, 0..4_usize)), 1..40),
        lengths in prop::collection::vec(0..9_usize, 0..6),
    ) {
        let policy = world.policy();
        let (batch, at_once) = deal_in_runs(&policy, &leads, &[]);
        let (split, in_parts) = deal_in_runs(&policy, &leads, &lengths);
        prop_assert_eq!(batch, split);
        prop_assert_eq!(at_once.rotation_entries(), in_parts.rotation_entries());
    }

    #[test]
    fn turns_alone_never_pass_a_cap_and_nobody_away_takes_one(
        world in world(),
        leads in prop::collection::vec((any::<bool>(), Just(true), Just(None)), 1..40),
    ) {
        let policy = world.policy();
        let (_, desk) = deal_in_runs(&policy, &leads, &[]);
        let queue = policy.queue("q").unwrap();
        for member in &queue.pool {
            let owner = policy.owner(&member.owner).unwrap();
            for (cap, came) in desk.loads().caps(owner, "q", member) {
                prop_assert!(came <= cap.leads, "{} has {came} of {}", owner.id, cap.leads);
            }
            if !owner.absent.is_empty() {
                prop_assert_eq!(desk.loads().leads(&owner.id, Period::Month), 0);
            }
        }
    }

    #[test]
    fn without_caps_weights_are_met_to_the_turn(weights in prop::collection::vec(1..9_i64, 1..6), rounds in 1..5_i64) {
        let owners = weights.iter().map(|weight| (*weight, None, false, true)).collect();
        let policy = World { owners, strategy: "", matching: "", goes_on: false }.policy();
        let queue = policy.queue("q").unwrap();
        let turns = (queue.turns() * rounds) as usize;
        let (_, desk) = deal_in_runs(&policy, &vec![(false, true, None); turns], &[turns / 3]);
        for member in &queue.pool {
            prop_assert_eq!(desk.loads().leads(&member.owner, Period::Day), member.weight * rounds);
        }
    }
}

#[test]
fn two_to_one_over_three_hundred_leads_are_two_hundred_and_one_hundred() {
    let owners = vec![(2, None, false, true), (1, None, false, true)];
    let policy = World { owners, strategy: "", matching: "", goes_on: false }.policy();
    let (_, desk) = deal_in_runs(&policy, &vec![(false, true, None); 300], &[77, 1, 140]);
    let leads = |owner| desk.loads().leads(owner, Period::Day);
    assert_eq!((leads("o0"), leads("o1")), (200, 100));
}
