//! Where visitors come from: campaigns, landing pages, click identifiers.

use super::{random::Random, text::query_escaped};

/// One campaign that brings visitors to a form.
pub struct Campaign {
    pub source: &'static str,
    pub medium: &'static str,
    pub name: &'static str,
    pub click: Click,
    pub referrer: &'static str,
}

/// Which network's click identifier a landing page carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Click {
    None,
    Google,
    Meta,
}

/// The campaigns of the autumn; the first two are visitors nobody paid for.
pub const CAMPAIGNS: &[Campaign] = &[
    campaign("", "", "", Click::None, ""),
    campaign("", "", "", Click::None, "https://www.google.com/"),
    campaign("google", "cpc", "PL | Search | CRM", Click::Google, "https://www.google.com/"),
    campaign("google", "cpc", "pl-brand-2026-11", Click::Google, "https://www.google.com/"),
    campaign("google", "cpc", "DE Suche KI", Click::Google, "https://www.google.de/"),
    campaign(
        "facebook",
        "paid_social",
        "PL | Leady | Listopad",
        Click::Meta,
        "https://l.facebook.com/",
    ),
    campaign("ig", "paid-social", "retargeting_cennik", Click::Meta, "https://l.instagram.com/"),
    campaign(
        "linkedin",
        "paid_social",
        "abm-enterprise-q4",
        Click::None,
        "https://www.linkedin.com/",
    ),
    campaign("newsletter", "email", "2026-11-webinar-ai", Click::None, ""),
    campaign("Newsletter", "E-mail", "black_friday", Click::None, ""),
    campaign("partner-portal", "referral", "katalog", Click::None, "https://katalog.example/"),
];

const fn campaign(
    source: &'static str,
    medium: &'static str,
    name: &'static str,
    click: Click,
    referrer: &'static str,
) -> Campaign {
    Campaign { source, medium, name, click, referrer }
}

const IDENTIFIER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/// Returns a Google click identifier.
pub fn gclid(random: &mut Random) -> String {
    format!("Cj0KCQ{}_wcB", random.token(IDENTIFIER, 18))
}

impl Campaign {
    /// Returns the address of the landing page, with the tags of the campaign.
    pub fn landing_page(&self, page: &str, random: &mut Random) -> String {
        let mut tags = Vec::new();
        if !self.source.is_empty() {
            tags.push(format!("utm_source={}", query_escaped(self.source)));
            tags.push(format!("utm_medium={}", query_escaped(self.medium)));
            tags.push(format!("utm_campaign={}", query_escaped(self.name)));
        }
        match self.click {
            Click::None => {}
            Click::Google => tags.push(format!("gclid={}", gclid(random))),
            Click::Meta => tags.push(format!("fbclid=IwAR{}", random.token(IDENTIFIER, 22))),
        }
        let joint = if tags.is_empty() { "" } else { "?" };
        format!("https://www.vendor.example{page}{joint}{}", tags.join("&"))
    }
}
