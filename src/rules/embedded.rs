//! The shipped rules, inside the binary: without a `rules/` folder they serve as they are.

use super::diagnostics::RuleText;

macro_rules! embed {
    ($($path:literal)*) => {
        &[$(($path, include_str!(concat!("../../", $path)))),*]
    };
}

/// Every shipped file; `tests/suite/tidy.rs` holds the list against the folder.
pub const FILES: &[(&str, &str)] = embed! {
    "rules/alerts.toml"
    "rules/consent.toml"
    "rules/fields.toml"
    "rules/followup.toml"
    "rules/identity.toml"
    "rules/routing.toml"
    "rules/scoring.toml"
    "rules/sources/activecampaign.toml"
    "rules/sources/brevo.toml"
    "rules/sources/calendly.toml"
    "rules/sources/cf7-flamingo.toml"
    "rules/sources/cfdb7.toml"
    "rules/sources/developer-consents.toml"
    "rules/sources/elementor.toml"
    "rules/sources/flamingo-contacts.toml"
    "rules/sources/ga4-bigquery.toml"
    "rules/sources/generic-csv.toml"
    "rules/sources/generic-events.toml"
    "rules/sources/generic-json.toml"
    "rules/sources/google-ads-api.toml"
    "rules/sources/google-ads-csv.toml"
    "rules/sources/google-ads-webhook.toml"
    "rules/sources/google-forms.toml"
    "rules/sources/gravity-forms.toml"
    "rules/sources/hubspot-activities.toml"
    "rules/sources/hubspot-contacts.toml"
    "rules/sources/hubspot-deals.toml"
    "rules/sources/hubspot-forms.toml"
    "rules/sources/jotform.toml"
    "rules/sources/kit.toml"
    "rules/sources/landing-page.toml"
    "rules/sources/linkedin-api.toml"
    "rules/sources/linkedin-lead-gen.toml"
    "rules/sources/mailchimp.toml"
    "rules/sources/meta-graph.toml"
    "rules/sources/meta-lead-ads.toml"
    "rules/sources/ms-forms.toml"
    "rules/sources/ninja-forms.toml"
    "rules/sources/pipedrive-activities.toml"
    "rules/sources/pipedrive-deals.toml"
    "rules/sources/pipedrive.toml"
    "rules/sources/salesforce-activities.toml"
    "rules/sources/salesforce-contacts.toml"
    "rules/sources/salesforce-leads.toml"
    "rules/sources/salesforce-opportunities.toml"
    "rules/sources/segment.toml"
    "rules/sources/surveylab.toml"
    "rules/sources/systeme-io.toml"
    "rules/sources/tiktok.toml"
    "rules/sources/typeform-csv.toml"
    "rules/sources/typeform-webhook.toml"
    "rules/sources/webflow.toml"
    "rules/sources/wfirma.toml"
    "rules/sources/wpforms.toml"
    "rules/sources/zoho-leads.toml"
    "rules/tables/company-words.txt"
    "rules/tables/countries.toml"
    "rules/tables/departments.toml"
    "rules/tables/disposable-allowed.txt"
    "rules/tables/free-mail.txt"
    "rules/tables/given-names.txt"
    "rules/tables/honorifics.txt"
    "rules/tables/legal-forms.txt"
    "rules/tables/mail-relays.txt"
    "rules/tables/mail-typos.toml"
    "rules/tables/nicknames.toml"
    "rules/tables/placeholders.toml"
    "rules/tables/referrers.toml"
    "rules/tables/regions.toml"
    "rules/tables/role-mailboxes.txt"
    "rules/tables/seniority.toml"
    "rules/tables/shared-hosts.txt"
    "rules/tables/sources.toml"
    "rules/tables/spam.toml"
    "rules/tables/test-markers.toml"
    "rules/tables/touches.toml"
    "rules/targets/hubspot-contacts.toml"
    "rules/targets/leads.toml"
    "rules/targets/salesforce-lead.toml"
    "rules/tests/routing.toml"
    "rules/tests/scoring.toml"
    "rules/workspace.toml"
};

/// Returns the shipped rules.
pub fn texts() -> Vec<RuleText> {
    FILES
        .iter()
        .map(|(path, text)| RuleText { path: (*path).into(), text: (*text).into() })
        .collect()
}
