//! What became of leads, told to ad networks: once, by the right id, and only of who agreed.

use std::fs;

use serde_json::Value;

use super::targets::{check_delivery, with_targets};
use super::workspace::package;

const PARTNERS: &str = "id,created_at,full_name,email,phone,country,message,gclid,Wyrażam zgodę na przekazanie moich danych partnerom firmy";

#[test]
fn a_conversion_is_told_once_and_audiences_hold_only_who_agreed() {
    let workspace = with_targets(&["google-offline-conversions", "google-customer-match"]);
    workspace.input("one.csv", format!("{PARTNERS}\n1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,PL,,g1,tak\n2,2026-11-18T10:00:00Z,Jan Nowak,jan@przyklad.pl,,PL,,g2,\n"));
    workspace.ok(&["run"]);
    check_delivery(&workspace, "google-offline-conversions", &[("written", 0)]);
    check_delivery(&workspace, "google-customer-match", &[("written", 1), ("left_out", 1)]);
    let won = |time: &str, whose: &str| {
        format!("{{\"time\":\"{time}\",\"event\":\"won\",\"email\":\"{whose}\"}}\n")
    };
    let lines = won("2026-11-19T09:00:00Z", "anna@przyklad.pl")
        + &won("2026-11-19T09:00:00Z", "jan@przyklad.pl");
    workspace.input("won.jsonl", lines);
    workspace.ok(&["run"]);
    let told = workspace.latest("ads/google-offline-conversions.csv");
    assert_eq!(
        told,
        "Parameters:TimeZone=Europe/Warsaw\nGoogle Click ID,GBRAID,WBRAID,Conversion Name,Conversion Time,\
         Conversion Value,Conversion Currency\ng1,,,Closed deal,2026-11-19 10:00:00,,\n"
    );
    // Another deal, and everything once more: a network would count it twice.
    workspace.input("again.jsonl", won("2026-11-20T09:00:00Z", "anna@przyklad.pl"));
    workspace.ok(&["run", "--full"]);
    check_delivery(&workspace, "google-offline-conversions", &[("written", 0)]);
    // Who takes the consent back is taken out.
    workspace.input("no.csv", format!("{PARTNERS}\n3,2026-11-20T10:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,PL,,g1,nie\n"));
    workspace.ok(&["run"]);
    check_delivery(&workspace, "google-customer-match", &[("written", 0), ("withdrawn", 1)]);
    assert!(workspace.latest("crm/google-customer-match-withdrawn.csv").contains("LM-"));
}

/// Tells that these people bought, and returns what the file of `target` says then, without its header.
fn told_of_deals(target: &str, input: &str, file: &str, emails: &[&str]) -> Vec<String> {
    let workspace = with_targets(&[target]);
    workspace.input("leads.csv", input);
    let won = emails.iter().map(|email| {
        format!("{{\"time\":\"2026-11-19T09:00:00Z\",\"event\":\"won\",\"email\":\"{email}\"}}\n")
    });
    workspace.input("won.jsonl", won.collect::<String>());
    workspace.ok(&["run"]);
    let text = workspace.latest(file);
    let header = if file.ends_with("csv") { 2 } else { 0 };
    let mut rows: Vec<String> = text.lines().skip(header).map(str::to_owned).collect();
    rows.sort();
    rows
}

#[test]
fn a_deal_is_told_with_what_it_came_to() {
    let worth_of = |deals: &str, rules: &str| {
        let workspace = with_targets(&["google-offline-conversions"]);
        let shipped = package().join("rules/targets/google-offline-conversions.toml");
        let target = fs::read_to_string(shipped).unwrap();
        let deal = "name = \"Closed deal\"\n";
        assert!(target.contains(deal));
        let target = target.replace(deal, &format!("{deal}{rules}"));
        workspace.file("rules/targets/google-offline-conversions.toml", target);
        workspace.input("leads.csv", format!("{PARTNERS}\n1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,PL,,g1,tak\n"));
        workspace.input("deals.csv", deals);
        workspace.ok(&["run"]);
        let explained = workspace.ok(&["explain", "anna@przyklad.pl", "--json"]).json();
        let told = workspace.latest("ads/google-offline-conversions.csv");
        let row = told.lines().nth(2).unwrap();
        let worth = row.strip_prefix("g1,,,Closed deal,2026-11-19 10:00:00,").unwrap().to_owned();
        let touch = explained["touches"][0].clone();
        (worth, touch)
    };
    let pipedrive = |value: &str, currency: &str| {
        format!(
            "Deal - ID,Deal - Title,Deal - Value,Deal - Currency,Deal - Status,Deal - Won time,Person - Email - Work\n\
             7001,Wdrożenie CRM,{value},{currency},Won,2026-11-19 09:00:00,anna@przyklad.pl\n"
        )
    };
    for (value, currency, expected) in [
        ("42000", "PLN", "42000,PLN"),
        ("42000.50", "pln", "42000.5,PLN"),
        ("\"42 000,50 zł\"", "", "42000.5,PLN"),
        ("1234.567", "Euro", "1234.57,EUR"),
        ("€1.5k", "", "1500,EUR"),
        // Nobody says the currency, nobody has written down an amount, and nobody knows which of both it was.
        ("42000", "", ","),
        ("0", "PLN", ","),
        ("", "PLN", ","),
        ("10-20 tys.", "PLN", ","),
        ("-500", "PLN", ","),
    ] {
        let (worth, _) = worth_of(&pipedrive(value, currency), "");
        assert_eq!(worth, expected, "{value} {currency}");
    }
    // The rules say what a deal is worth that does not say so itself, and in which currency the others are.
    let fixed = "value = 1200\ncurrency = \"PLN\"\n";
    assert_eq!(worth_of(&pipedrive("", ""), fixed).0, "1200,PLN");
    assert_eq!(worth_of(&pipedrive("300", "EUR"), fixed).0, "300,EUR");
    assert_eq!(worth_of(&pipedrive("300", ""), "currency = \"PLN\"\n").0, "300,PLN");
    assert_eq!(worth_of(&pipedrive("", ""), "currency = \"PLN\"\n").0, ",");
    // Every system's own columns.
    let hubspot = "\"Record ID\",\"Deal Name\",\"Deal Stage\",\"Close Date\",\"Amount\",\"Currency\",\"Pipeline\",\"Deal owner\",\"Associated Contact\"\n\
                   \"7001\",\"Wdrożenie\",\"Closed Won (Sales Pipeline)\",\"2026-11-19 10:00\",\"42000\",\"EUR\",\"Sales\",\"Jan\",\"Anna (anna@przyklad.pl)\"\n";
    let salesforce = "Id,Name,StageName,CloseDate,Amount,CurrencyIsoCode,Email\n\
                      006000000000001AAA,Wdrożenie,Closed Won,2026-11-19T09:00:00.000Z,42000.0,EUR,anna@przyklad.pl\n";
    let events = "Lead ID,Email,Activity,Activity date,Details,Amount,Currency\n\
                  ,anna@przyklad.pl,Closed won,2026-11-19T09:00:00Z,Wdrożenie,42000,EUR\n";
    for deals in [hubspot, salesforce, events] {
        let (worth, touch) = worth_of(deals, "");
        assert_eq!(worth, "42000,EUR", "{deals}");
        assert_eq!(
            [&touch["detail"], &touch["amount"], &touch["currency"]],
            ["Wdrożenie", "42000", "EUR"]
        );
    }
}

#[test]
fn google_is_told_by_one_click_id_of_three() {
    let header = PARTNERS.replace("gclid", "gclid,gbraid,wbraid");
    let input = format!(
        "{header}\n\
         1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,PL,,g1,,,tak\n\
         2,2026-11-18T09:00:00Z,Jan Nowak,jan@przyklad.pl,600000102,PL,,,gb2,,tak\n\
         3,2026-11-18T09:00:00Z,Ewa Lis,ewa@przyklad.pl,600000103,PL,,,,wb3,tak\n\
         4,2026-11-18T09:00:00Z,Ola Kruk,ola@przyklad.pl,600000104,PL,,g4,gb4,wb4,tak\n\
         5,2026-11-18T09:00:00Z,Iga Sosna,iga@przyklad.pl,600000105,PL,,,gb5,wb5,tak\n"
    );
    let all = ["anna", "jan", "ewa", "ola", "iga"].map(|name| format!("{name}@przyklad.pl"));
    let rows = told_of_deals(
        "google-offline-conversions",
        &input,
        "ads/google-offline-conversions.csv",
        &all.each_ref().map(String::as_str),
    );
    let deal = "Closed deal,2026-11-19 10:00:00,,";
    let ids = [",,wb3", ",gb2,", ",gb5,", "g1,,", "g4,,"];
    assert_eq!(rows, ids.map(|ids| format!("{ids},{deal}")));
}

#[test]
fn meta_is_told_by_the_number_of_its_own_form() {
    let workspace = with_targets(&["meta-conversion-leads", "leads-jsonl"]);
    workspace.input(
        "meta.csv",
        "id,created_time,ad_id,form_id,is_organic,platform,full_name,phone_number,email\n\
         l:100000000000001,2026-11-18T08:00:00+00:00,ag:11,f:14,FALSE,ig,Anna Wzorcowa,p:+48600000101,anna@przyklad.pl\n",
    );
    workspace.input(
        "form.csv",
        format!(
            "{PARTNERS}\n1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,PL,,,tak\n\
             2,2026-11-18T09:00:00Z,Jan Nowak,jan@przyklad.pl,600000102,PL,,,tak\n"
        ),
    );
    workspace.ok(&["run"]);
    let text = workspace.latest("ads/meta-conversion-leads.jsonl");
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_form: Vec<&Value> =
        events.iter().filter(|event| event["event_name"] == "Lead").collect();
    assert_eq!(of_form.len(), 2, "{text}");
    let leads = workspace.latest("crm/leads.jsonl");
    for lead in leads.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let id = lead["lead-id"].as_str().unwrap();
        let is_of_lead =
            |event: &&&Value| event["event_id"].as_str().unwrap().starts_with(&format!("{id}/"));
        let event = of_form.iter().find(is_of_lead).unwrap();
        let is_anna = lead["email"] == "anna@przyklad.pl";
        let number = is_anna.then_some(100_000_000_000_001);
        assert_eq!(event["user_data"]["lead_id"].as_i64(), number, "{text}");
    }
}

#[test]
fn a_consent_that_is_taken_back_or_lapses_reaches_every_target_that_rests_on_it() {
    let workspace = with_targets(&["google-customer-match"]);
    workspace.input("one.csv", format!("{PARTNERS}\n1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,PL,,g1,tak\n2,2026-11-18T10:00:00Z,Jan Nowak,jan@przyklad.pl,,PL,,g2,tak\n"));
    workspace.ok(&["run"]);
    check_delivery(&workspace, "google-customer-match", &[("written", 2)]);
    // By hand, and no row of hers comes with it.
    workspace.ok(&["consent", "withdraw", "anna@przyklad.pl", "--because", "a call"]);
    workspace.ok(&["run"]);
    let told = "SELECT count(*) FROM delivered WHERE withdrawn_run IS NOT NULL";
    assert_eq!(workspace.number(told), 1);

    // In time, where the gate takes no consent that is older than that.
    let shipped = fs::read_to_string(package().join("rules/consent.toml")).unwrap();
    let purpose = "purpose = \"partner-share\"\n";
    assert!(shipped.contains(purpose));
    let lapsing = shipped.replace(purpose, &format!("{purpose}valid-for = '30d'\n"));
    workspace.file("rules/consent.toml", lapsing);
    workspace.ok(&["rescore"]);
    workspace.ok(&["run"]);
    workspace.ok(&["run", "--as-of", "2027-01-15T00:00:00Z"]);
    check_delivery(&workspace, "google-customer-match", &[("written", 0), ("withdrawn", 1)]);
}

#[test]
fn what_lies_ahead_is_told_once_it_has_come() {
    let workspace = with_targets(&["google-offline-conversions"]);
    workspace.input("leads.csv", format!("{PARTNERS}\n1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,PL,,g1,tak\n"));
    // A day without a time: noon stands in, and the run is at six in the morning.
    workspace.input(
        "deals.csv",
        "Lead ID,Email,Activity,Activity date\n,anna@przyklad.pl,Closed won,2026-11-20\n",
    );
    workspace.ok(&["run", "--as-of", "2026-11-20T05:00:00Z"]);
    check_delivery(&workspace, "google-offline-conversions", &[("written", 0), ("left_out", 1)]);
    workspace.ok(&["run", "--as-of", "2026-11-21T05:00:00Z"]);
    check_delivery(&workspace, "google-offline-conversions", &[("written", 1)]);
    workspace.ok(&["run", "--as-of", "2026-11-22T05:00:00Z"]);
    check_delivery(&workspace, "google-offline-conversions", &[("written", 0)]);
}
