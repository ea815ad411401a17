//! Where leads come from.

use super::*;
use crate::rules::tables::shipped;
use proptest::prelude::*;

#[track_caller]
fn check(columns: &[(FieldNo, &str)], page: &str, expected: &str) {
    check_implied(columns, page, Implied::default(), expected);
}

#[track_caller]
fn check_implied(columns: &[(FieldNo, &str)], page: &str, implied: Implied<'_>, expected: &str) {
    let mut values = FieldValues::default();
    for (number, value) in columns {
        values.set(*number, *value);
    }
    let findings = attribute(&mut values, &[page], implied, &Words::default(), shipped());
    let mut parts = vec![
        values.get(field::SOURCE).unwrap_or("?").to_owned(),
        values.get(field::MEDIUM).unwrap_or("?").to_owned(),
        values.get(field::CAMPAIGN).unwrap_or("?").to_owned(),
    ];
    parts.extend(findings.iter().map(|finding| finding.remark.code.to_owned()));
    assert_eq!(parts.join(" "), expected, "{columns:?} {page}");
}

#[test]
fn the_query_fills_what_columns_leave_open() {
    let page = "https://example.com/?utm_source=Google&utm_medium=PPC&utm_campaign=wrzesie%C5%84+1";
    check(&[], page, "google cpc wrzesień 1");
    check(&[(field::UTM_SOURCE, "fb")], page, "facebook cpc wrzesień 1");
    check(&[(field::CAMPAIGN, "B2B")], "https://example.com/", "direct none B2B");
}

#[test]
fn damaged_queries_are_read() {
    check(&[], "https://example.com/?utm_source%3Dgoogle%26utm_medium%3Dcpc", "google cpc ?");
    check(&[], "https://example.com/?utm_source=google;utm_medium=cpc", "google cpc ?");
    check(&[], "https://example.com/?a=1&amp;utm_source=google&amp;utm_medium=cpc", "google cpc ?");
    check(&[], "https://example.com/?utm_source=google&utm_source=bing", "google ? ?");
    check(&[], "https://example.com/#utm_source=google&utm_medium=cpc", "google cpc ?");
    check(&[], "?UTM_SOURCE=Newsletter%20&utm_medium=e-mail", "newsletter email ?");
    check(&[], "utm_source=newsletter&utm_medium=email", "newsletter email ?");
    check(&[], "https://example.com/?utm_campaign=a%2520b&utm_source=x", "twitter ? a b");
}

#[test]
fn an_unfilled_macro_is_dropped_and_said() {
    check(
        &[],
        "https://example.com/?utm_source=fb&utm_campaign={{campaign.name}}",
        "facebook ? ? utm-macro-unfilled",
    );
    check(&[(field::UTM_SOURCE, "__SITE__")], "", "direct none ? utm-macro-unfilled");
    check(
        &[(field::CAMPAIGN, "brand_{keyword:none}")],
        "https://example.com/?gclid={gclid}&utm_source=google",
        "google ? ? utm-macro-unfilled utm-macro-unfilled",
    );
    check(
        &[],
        "https://example.com/?utm_source=%7B%7Bsite_source_name%7D%7D&utm_source=ig",
        "instagram ? ? utm-macro-unfilled",
    );
    check(&[], "https://example.com/?utm_source=undefined&utm_medium=(not+set)", "direct none ?");
    check(&[], "https://example.com/?utm_campaign={1}&utm_source=x", "twitter ? {1}");
}

#[test]
fn other_trackers_and_nested_pages_are_read() {
    check(&[], "https://example.com/?pk_source=google&pk_campaign=b2b", "google ? b2b");
    check(&[], "https://example.com/?mtm_source=newsletter&mtm_medium=email", "newsletter email ?");
    check(
        &[],
        "https://example.com/go?to=https%3A%2F%2Fexample.org%2F%3Futm_source%3Dig%26utm_medium%3Dcpc",
        "instagram cpc ?",
    );
    check(
        &[],
        "https://example.com/#/oferta?utm_source=fb&utm_medium=Paid-Social",
        "facebook paid-social ?",
    );
}

#[test]
fn hosts_and_escapes_in_columns_are_understood() {
    check(&[(field::UTM_SOURCE, "l.facebook.com")], "", "facebook ? ?");
    check(&[(field::UTM_SOURCE, "www.google.pl")], "", "google ? ?");
    check(&[], "https://example.com/?utm_source=chatgpt.com", "chatgpt chat ?");
    check(&[], "https://example.com/?utm_source=perplexity.ai", "perplexity chat ?");
    check(
        &[(field::UTM_SOURCE, "google"), (field::UTM_CAMPAIGN, "promocja%20wrzesie%C5%84")],
        "",
        "google ? promocja wrzesień",
    );
    check(&[(field::CAMPAIGN, "100% rabatu")], "", "direct none 100% rabatu");
}

#[test]
fn first_and_last_touch_start_from_one_submission() {
    let mut values = FieldValues::default();
    values.set(field::FBCLID, "fb.1.1757682313000.IwAR0abc");
    let page = "https://example.com/?utm_source=Facebook&utm_medium=cpc&utm_campaign=jesien";
    attribute(&mut values, &[page], Implied::default(), &Words::default(), shipped());
    assert_eq!(values.get(field::FBCLID), Some("IwAR0abc"));
    assert_eq!(values.get(field::UTM_SOURCE), Some("Facebook"), "the raw word is kept");
    assert_eq!(values.get(field::LAST_SOURCE), Some("facebook"));
    assert_eq!(values.get(field::LAST_CAMPAIGN), Some("jesien"));
}

#[test]
fn a_column_may_tell_the_last_touch_apart() {
    let mut values = FieldValues::default();
    values.set(field::SOURCE, "Organic Search");
    values.set(field::LAST_SOURCE, "Paid Social");
    attribute(&mut values, &[], Implied::default(), &Words::default(), shipped());
    assert_eq!(values.get(field::MEDIUM), Some("organic"));
    assert_eq!(values.get(field::LAST_MEDIUM), Some("paid-social"));
    assert_eq!(values.get(field::LAST_SOURCE), None);
}

#[test]
fn assistants_search_and_mail_are_told_apart() {
    for (page, expected) in [
        ("https://chatgpt.com/", "chatgpt chat ?"),
        ("https://www.perplexity.ai/search/x", "perplexity chat ?"),
        ("https://gemini.google.com/app", "gemini chat ?"),
        ("https://grok.com/", "grok chat ?"),
        ("https://docs.google.com/forms/d/x", "google referral ?"),
        ("https://duckduckgo.com/", "duckduckgo organic ?"),
        ("https://poczta.example.pl/", "webmail email ?"),
        ("android-app://com.google.android.gm/", "gmail email ?"),
        ("https://l.instagram.com/?u=x", "instagram social ?"),
    ] {
        check(&[(field::REFERRER, page)], "", expected);
    }
}

proptest! {
    #[test]
    fn what_words_mean_does_not_depend_on_the_rows_before(
        rows in prop::collection::vec(("|google|google / cpc|Paid Social|chatgpt|fb|cpc", "|cpc|email|\n|Direct", "|gclid=1|gad_source=1"), 1..6),
    ) {
        let words = Words::default();
        for (source, medium, page) in rows {
            let read = |words: &Words| {
                let mut values = FieldValues::default();
                values.set(field::UTM_SOURCE, source.as_str());
                values.set(field::UTM_MEDIUM, medium.as_str());
                values.set(field::LAST_SOURCE, source.as_str());
                let page = format!("https://example.com/?{page}");
                attribute(&mut values, &[&page], Implied::default(), words, shipped());
                values
            };
            prop_assert_eq!(read(&words), read(&Words::default()));
        }
    }

    #[test]
    fn any_page_is_read_without_a_panic(raw in "\\PC{0,40}", page in "(https://|example.com|/|\\?|#|&|;|=|%3D|%|utm_source|utm_campaign|gclid|\\{|\\}|fb\\.|1\\.|x){0,20}") {
        for text in [&raw, &page] {
            let mut values = FieldValues::default();
            values.set(field::REFERRER, text.as_str());
            values.set(field::FBCLID, text.as_str());
            attribute(&mut values, &[text], Implied::default(), &Words::default(), shipped());
            prop_assert!(values.get(field::SOURCE).is_some() || values.get(field::MEDIUM).is_some());
        }
    }
}

#[test]
fn a_click_id_speaks_where_utm_is_silent() {
    check(&[], "https://example.com/?gclid=abc", "google cpc ?");
    check(&[], "https://example.com/?fbclid=abc", "facebook social ?");
    check(&[], "https://example.com/?gclid=a&utm_source=google", "google cpc ?");
    check(&[], "https://example.com/?gclid=a&utm_source=newsletter", "newsletter ? ?");
}

#[test]
fn google_s_own_parameters_prove_a_paid_click() {
    check(&[], "https://example.com/?gad_source=1", "google cpc ?");
    check(&[], "https://example.com/?gad_campaignid=123", "google cpc ?");
    check(&[], "https://example.com/?gad_source=1&utm_campaign=jesien", "google cpc jesien");
    check(&[], "https://example.com/?gad_source=", "direct none ?");
    check(&[], "https://example.com/?gad_source=1&utm_source=newsletter", "newsletter ? ?");
    // A campaign's id may be anybody's.
    check(&[(field::CAMPAIGN_ID, "123")], "", "direct none ?");
    check(&[], "https://example.com/?mc_cid=1&fbclid=x", "mailchimp email ?");
    check(&[], "https://example.com/?twclid=1", "twitter paid-social ?");
}

#[test]
fn a_tagged_link_is_never_direct() {
    check(&[], "https://example.com/?utm_campaign=jesien", "unknown ? jesien");
    check(&[], "https://example.com/?utm_medium=email", "unknown email ?");
    check(
        &[(field::REFERRER, "https://www.facebook.com/")],
        "https://example.com/?utm_campaign=jesien",
        "facebook social jesien",
    );
    check(&[], "https://example.com/?utm_source=(direct)&utm_medium=(none)", "direct none ?");
    let form = Implied { source: None, medium: Some("form") };
    check_implied(&[], "https://example.com/", form, "direct form ?");
    check_implied(&[], "https://example.com/?utm_campaign=x", form, "unknown form x");
    check(&[(field::UTM_SOURCE, "bezpośrednio")], "", "direct none ?");
    check(&[(field::UTM_SOURCE, "google / cpc")], "", "google cpc ?");
    check(&[(field::UTM_SOURCE, "google|cpc")], "", "google cpc ?");
    check(&[(field::UTM_SOURCE, "chatgpt")], "", "chatgpt chat ?");
    check(&[], "https://example.com/?utm_source%253Dgoogle%2526utm_medium%253Dcpc", "google cpc ?");
}

#[test]
fn then_the_referrer_then_the_preset() {
    let facebook = Implied { source: Some("facebook"), medium: Some("paid-social") };
    check(&[(field::REFERRER, "https://www.google.pl/")], "", "google organic ?");
    check(&[(field::REFERRER, "https://blog.example.org/x")], "", "example.org referral ?");
    check(
        &[(field::REFERRER, "https://example.com/a")],
        "https://www.example.com/b",
        "direct none ?",
    );
    check_implied(&[], "", facebook, "facebook paid-social ?");
    check_implied(&[(field::UTM_SOURCE, "ig")], "", facebook, "instagram ? ?");
    check(&[(field::SOURCE, "Paid Social")], "", "unknown paid-social ?");
    check_implied(&[(field::PLATFORM, "ig")], "", facebook, "instagram paid-social ?");
    check_implied(&[(field::PLATFORM, "fb")], "", facebook, "facebook paid-social ?");
    check(&[(field::PLATFORM, "ig")], "", "direct none ?");
}
