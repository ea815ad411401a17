use std::collections::BTreeMap;

use super::*;
use crate::rules::decode::{Sink, document};
use crate::rules::diagnostics::RuleText;
use crate::rules::field::FieldCatalog;

pub(super) fn read(text: &str) -> (RoutingPolicy, Vec<String>) {
    let sink = Sink::default();
    let fields = FieldCatalog::decode(None);
    let lists = BTreeMap::new();
    let context =
        ConditionContext { fields: &fields, lists: &lists, models: &[], has_matrix: false };
    let file = RuleText { path: "rules/routing.toml".into(), text: text.into() };
    let mut policy = RoutingPolicy::decode(None, &context);
    document(&file, &sink, |root| policy = RoutingPolicy::decode(Some(root), &context));
    let found = sink.take();
    let lines = found.iter().map(|found| format!("{}: {}", found.place.line(), found.message));
    (policy, lines.collect())
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(read(text).1, expected);
}

const TEAM: &str = "[[owner]]\nid = 'anna'\n[[owner]]\nid = 'jan'\nactive = false\n\
    [[queue]]\nid = 'triage'\nbecause = 'b'\n\
    [[queue]]\nid = 'pl'\npool = [{ owner = 'anna' }]\nbecause = 'b'\n";

fn route(id: &str, rest: &str) -> String {
    format!("[[route]]\nid = '{id}'\nbecause = 'b'\n{rest}\n")
}

#[test]
fn the_shipped_routes_are_without_fault() {
    let (policy, found) = read(include_str!("../../../rules/routing.toml"));
    assert_eq!(found, Vec::<String>::new());
    assert!(policy.owners.len() >= 4);
    assert!(policy.owners.iter().all(|owner| owner.email.ends_with("@przyklad.pl")));
}

#[test]
fn an_unknown_name_is_an_error() {
    check(
        &(TEAM.to_owned() + &route("a", "queue = 'lp'")),
        &["16: there is no queue `lp`", "10: no route leads to queue `pl`"],
    );
    check(
        &(TEAM.to_owned() + &route("a", "owner = 'ana'\nqueue = 'pl'")),
        &["16: there is no owner `ana`"],
    );
    let pool = TEAM.replace("'anna' }", "'anan' }");
    check(
        &(pool + &route("a", "queue = 'pl'")),
        &["11: there is no owner `anan`", "10: nobody serves queue `pl`: its leads get no owner"],
    );
}

#[test]
fn a_route_below_a_catch_all_is_an_error() {
    let rest = route("rest", "queue = 'pl'");
    let dach = route("dach", "queue = 'pl'\nwhen = { field = 'country', is = 'DE' }");
    check(
        &format!("{TEAM}{rest}{dach}"),
        &["18: route `dach` can never match: the catch-all route `rest` (line 14) is above it"],
    );
    check(&format!("{TEAM}{dach}{rest}"), &[]);
}

#[test]
fn a_route_below_a_wider_one_is_an_error() {
    let wide = route("wide", "queue = 'pl'\nwhen = { field = 'country', one-of = ['DE', 'AT'] }");
    let narrow = route("narrow", "queue = 'pl'\nwhen = { field = 'country', is = 'DE' }");
    check(
        &format!("{TEAM}{wide}{narrow}"),
        &[
            "19: route `narrow` can never match: route `wide` (line 14) above it takes all its leads",
        ],
    );
    check(&format!("{TEAM}{narrow}{wide}"), &[]);
    // Below one that lets leads pass which nobody takes, it is a second chance.
    let passing = wide.replace("queue = 'pl'", "queue = 'pl'\nwhen-nobody = 'next'");
    check(&format!("{TEAM}{passing}{narrow}"), &[]);
}

#[test]
fn ids_are_not_used_twice() {
    let first = route("a", "queue = 'pl'\nwhen = { field = 'country', is = 'PL' }");
    let second = route("a", "queue = 'pl'\nwhen = { field = 'country', is = 'DE' }");
    check(&format!("{TEAM}{first}{second}"), &["19: route `a` exists already (line 14)"]);
    check(
        &(TEAM.to_owned() + &route("sticky", "queue = 'pl'")),
        &["14: a route cannot be called `sticky`"],
    );
}

#[test]
fn every_lead_needs_a_queue() {
    check(
        &(TEAM.to_owned() + &route("a", "")),
        &["14: route `a` leads nowhere", "10: no route leads to queue `pl`"],
    );
    check(
        &(TEAM.to_owned() + &route("a", "owner = 'jan'")),
        &[
            "14: route `a` names owner `jan`, who serves no queue",
            "10: no route leads to queue `pl`",
        ],
    );
    let (policy, found) = read(&(TEAM.to_owned() + &route("a", "owner = 'anna'")));
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(policy.routes[0].queue, "pl");
    check("triage = 'sorting'", &["1: there is no queue `sorting` for leads that no route takes"]);
}

#[test]
fn a_pool_that_cannot_serve_is_reported() {
    let to_pl = route("a", "queue = 'pl'");
    check(
        &(TEAM.replace("[{ owner = 'anna' }]", "[]") + &to_pl),
        &[
            "11: the pool of queue `pl` is empty",
            "10: nobody serves queue `pl`: its leads get no owner",
            "2: owner `anna` serves no queue and gets no new leads",
        ],
    );
    check(
        &(TEAM.replace("owner = 'anna' }", "owner = 'jan' }") + &to_pl),
        &[
            "11: owner `jan` in the pool of queue `pl` is not active",
            "10: nobody serves queue `pl`: its leads get no owner",
            "2: owner `anna` serves no queue and gets no new leads",
        ],
    );
    check(
        &(TEAM.replace("pool = [{ owner = 'anna' }]", "unattended = true") + &to_pl),
        &["2: owner `anna` serves no queue and gets no new leads"],
    );
    check(
        &(TEAM.replace("'anna' }", "'anna', weight = 0 }") + &to_pl),
        &["11: a weight of 0 makes no turns"],
    );
}

#[test]
fn an_owner_with_impossible_times_is_an_error() {
    check(
        "[[queue]]\nid = 'triage'\nbecause = 'b'\n[[owner]]\nid = 'a'\nzone = 'Europe/Warsav'\n\
           hours = '9-17'\nabsent = [{ from = '2026-02-30', to = '2026-03-01' }]",
        &[
            "6: unknown time zone `Europe/Warsav`",
            "8: `2026-02-30` is not a day",
            "7: `9-17` is not an opening-hours expression",
            "5: owner `a` serves no queue and gets no new leads",
        ],
    );
    check(
        "[[queue]]\nid = 'triage'\nbecause = 'b'\n[[owner]]\nid = 'a'\nhours = 'Mo off'",
        &["6: `Mo off` never opens", "5: owner `a` serves no queue and gets no new leads"],
    );
}

#[test]
fn weights_are_reduced() {
    let pool = "[{ owner = 'anna', weight = 200 }, { owner = 'jan', weight = 100 }]";
    let text = TEAM.replace("[{ owner = 'anna' }]", pool).replace("active = false\n", "");
    let (policy, found) = read(&(text + &route("a", "queue = 'pl'")));
    assert_eq!(found, Vec::<String>::new());
    let weights: Vec<i64> = policy.queues[1].pool.iter().map(|member| member.weight).collect();
    assert_eq!((weights, policy.queues[1].turns()), (vec![2, 1], 3));
}

#[test]
fn an_owner_is_found_however_the_crm_names_them() {
    let (policy, _) = read(
        "[[owner]]\nid = 'anna'\nname = 'Anna Łącka'\nemail = 'a@przyklad.pl'\ncrm-names = '0051'\n\
         [[owner]]\nid = 'jan'\n",
    );
    for text in ["anna", "Anna łącka ", "ANNA LACKA", "A@przyklad.pl", "0051"] {
        assert_eq!(policy.owner_named(text).map(|owner| owner.id.as_str()), Some("anna"), "{text}");
    }
    assert!(policy.owner_named("").is_none());
}

#[test]
fn caps_say_how_many_and_in_what_time() {
    let with = |cap: &str| {
        TEAM.replace("id = 'anna'\n", &format!("id = 'anna'\ncap = {cap}\n"))
            + &route("a", "queue = 'pl'")
    };
    check(&with("[{ leads = 20, per = 'day' }, { leads = 60, per = '7d' }]"), &[]);
    check(&with("{ leads = 0, per = 'day' }"), &["3: a cap of 0 takes no leads"]);
    check(
        &with("{ leads = 9, per = 'days' }"),
        &["3: `days` is no time in which leads are counted"],
    );
    check(&with("{ leads = 9 }"), &["3: `per` is missing"]);
    let (policy, _) = read(&with("[{ leads = 20, per = 'week' }, { leads = 60, per = '36h' }]"));
    let windows: Vec<String> = policy.owners[0]
        .caps
        .iter()
        .map(|cap| format!("{} {}", cap.leads, cap.window.words()))
        .collect();
    assert_eq!(windows, ["20 a week", "60 in 36h"]);
}

#[test]
fn a_strategy_gets_what_it_needs_and_nothing_else() {
    let with = |queue: &str| {
        TEAM.replace("pool = [{ owner = 'anna' }]", queue) + &route("a", "queue = 'pl'")
    };
    let pool = "pool = [{ owner = 'anna', weight = 2 }]";
    check(&with(&format!("{pool}\nstrategy = 'weighted'")), &[]);
    check(&with(&format!("{pool}\nstrategy = 'least-loaded'\nper = 'week'")), &[]);
    check(&with(&format!("{pool}\nstrategy = 'least-loaded'")), &["9: `per` is missing"]);
    check(
        &with(&format!("{pool}\nper = 'week'")),
        &["12: only `least-loaded` counts the leads of a period"],
    );
    check(
        &with(&format!("{pool}\nstrategy = 'rotation'")),
        &["11: queue `pl` goes by `rotation`, where weights do nothing"],
    );
    check(
        &with("pool = [{ owner = 'anna' }]\nstrategy = 'capacity-left'"),
        &["11: queue `pl` goes by `capacity-left`, but owner `anna` has no cap"],
    );
    check(
        &with("unattended = true\nwhen-nobody = 'next'"),
        &[
            "12: queue `pl` has no pool, so `when-nobody` says nothing",
            "2: owner `anna` serves no queue and gets no new leads",
        ],
    );
    check(&with(&format!("{pool}\nstrategy = 'weigted'")), &["12: `strategy` cannot be `weigted`"]);
}

#[test]
fn a_skill_that_nobody_has_is_reported() {
    let skilled = TEAM.replace("id = 'anna'\n", "id = 'anna'\nskills = ['AI', 'cloud']\n");
    let with = |queue: &str, rest: &str| {
        skilled.replace("'anna' }]", &format!("'anna' }}]\n{queue}"))
            + &route("a", &format!("queue = 'pl'\n{rest}"))
    };
    check(&with("needs-skill = ['ai', 'Cloud']", "needs-skill = 'AI'"), &[]);
    check(
        &with("needs-skill = 'erp'", ""),
        &["13: nobody in the pool of queue `pl` has skill `erp`: its leads get no owner"],
    );
    check(
        &with("", "needs-skill = ['ai', 'clod']"),
        &["19: nobody in the pool of queue `pl` has skill `clod`: its leads get no owner"],
    );
    check(&with("match-skill = 'prodct'", ""), &["13: unknown field `prodct`"]);
    check(
        &with("require = ['skill', 'hours']", ""),
        &[
            "13: `skill` is required, but nothing says that it is to match",
            "13: `hours` is required, but nothing says that it is to match",
        ],
    );
}

#[test]
fn a_rule_about_leads_left_lying_names_whom_there_is() {
    let team = TEAM
        .replace("active = false\n", "")
        .replace("{ owner = 'anna' }", "{ owner = 'anna' }, { owner = 'jan' }")
        + &route("a", "queue = 'pl'");
    let with = |rule: &str| format!("{team}[[reassign]]\nid = 'late'\nbecause = 'b'\n{rule}\n");
    check(&with("untouched-for = '4h'"), &[]);
    let (policy, _) = read(&with("untouched-for = '4h'"));
    let rule = &policy.reassign[0];
    assert_eq!((rule.remember, rule.time_in_words().as_str()), (3, "4 working hours"));
    assert!(rule.is_about(&policy, "pl") && !rule.is_about(&policy, "triage"));
    check(&with(""), &["16: `untouched-for` is missing"]);
    check(&with("untouched-for = '0m'"), &["19: nobody can be in contact at once"]);
    check(
        &with("untouched-for = '4h'\nqueues = ['lp', 'triage']\nescalate-to = 'ana'"),
        &["20: there is no queue `lp`", "21: there is no owner `ana`"],
    );
    check(
        &with("untouched-for = '4h'\nqueues = 'triage'"),
        &["20: queue `triage` has nobody who could take a lead over"],
    );
    check(
        &with("untouched-for = '4h'\nescalate-to-queue = 'triage'"),
        &["20: nobody serves queue `triage`, to which leads are escalated"],
    );
    check(
        &with("untouched-for = '4h'\nescalate-to = 'anna'\nescalate-to-queue = 'pl'"),
        &["21: a lead cannot be escalated to an owner and to a queue"],
    );
    check(
        &with("untouched-for = '4h'\nmax-age = '4h'\nremember = 0"),
        &[
            "21: a lead cannot remember 0 owners",
            "20: enquiries are too old for rule `late` before anybody's time is up",
        ],
    );
    let second = "[[reassign]]\nid = 'pl'\nbecause = 'b'\nuntouched-for = '1h'\nqueues = 'pl'";
    check(
        &with(&format!("untouched-for = '4h'\n{second}")),
        &["21: rule `pl` can never decide: rule `late` (line 17) above it is about all its leads"],
    );
}

#[test]
fn a_name_in_the_crm_is_one_persons() {
    let named = TEAM.replace("id = 'anna'", "id = 'anna'\ncrm-names = ['0051', 'Jan']")
        + &route("a", "queue = 'pl'");
    check(&named, &["5: owner `jan` can be called as owner `anna` is: a CRM may mean either"]);
}
