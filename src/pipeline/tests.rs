//! Runs in a store that may not grow any more.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::{Job, run_in};
use crate::intake::InputPath;
use crate::rules::{RuleSet, embedded};
use crate::store::runs::RunKind;
use crate::store::{Store, is_damage, way_out_of_full_disk};

fn shipped_rules() -> RuleSet {
    let Ok((rules, _)) = RuleSet::parse(&embedded::texts()) else {
        panic!("the shipped rules have mistakes")
    };
    rules
}

/// Writes an export of many people into `folder`.
fn export(folder: &Path) -> InputPath {
    let header = "id,created_at,full_name,email,phone,company,country,message".to_owned();
    let row = |number: u32| {
        format!(
            "{number},2026-11-18T09:00:00Z,Osoba Numer{number},osoba{number}@przyklad.pl,+486000{number:05},Firma,PL,\
             Prosze o wycene {number}"
        )
    };
    let lines: Vec<String> = std::iter::once(header).chain((0..400).map(row)).collect();
    let text = lines.join("\n") + "\n";
    let path = folder.join("leads.csv");
    fs::write(&path, text).unwrap();
    InputPath::named(path, "leads.csv")
}

/// Calls `work` with a job whose store and outputs lie in a folder of their own.
fn with_job<T>(rules: &RuleSet, work: impl FnOnce(&Job<'_>, &Path) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let inputs = [export(folder.path())];
    let paths = ["leadmill.db", "leadmill.key", "out"].map(|name| folder.path().join(name));
    let job = Job {
        rules,
        store: &paths[0],
        key: &paths[1],
        out: &paths[2],
        inputs: &inputs,
        forced_source: None,
        as_of: "2026-11-20T19:00:00Z".parse().unwrap(),
        threads: 1,
        full: false,
        interrupted: &Arc::default(),
    };
    work(&job, folder.path())
}

fn leads_of(folder: &Path) -> String {
    fs::read_to_string(folder.join("out/latest/crm/leads.csv")).unwrap()
}

#[test]
fn a_run_in_a_store_that_may_not_grow_fails_and_goes_once_it_may() {
    let rules = shipped_rules();
    let run =
        |store: &Store, job: &Job<'_>| run_in(store, job, RunKind::Import, |_| Ok(()), &mut |_| {});
    let (whole, pages) = with_job(&rules, |job, folder| {
        let store = Store::open(job.store).unwrap();
        let before = store.pages().unwrap();
        run(&store, job).unwrap();
        (leads_of(folder), store.pages().unwrap() - before)
    });
    assert!(pages > 50, "the store grew by {pages} pages: the test is blind");
    // While it takes rows in, while it decides, and just before its end.
    for percent in [0, 5, 30, 60, 90, 99] {
        with_job(&rules, |job, folder| {
            let store = Store::open(job.store).unwrap();
            let most = store.pages().unwrap() + pages * percent / 100;
            store.grow_to_at_most(most).unwrap();
            let fault = run(&store, job).unwrap_err();
            assert!(way_out_of_full_disk(&fault).is_some(), "{percent}: {fault:#}");
            assert!(!is_damage(&fault), "{percent}: {fault:#}");
            assert!(!folder.join("out/latest").exists(), "{percent}");
            store.grow_to_at_most(u32::MAX).unwrap();
            run(&store, job).unwrap();
            assert_eq!(leads_of(folder), whole, "{percent}");
            assert_eq!(store.integrity().unwrap(), Vec::<String>::new(), "{percent}");
        });
    }
}
