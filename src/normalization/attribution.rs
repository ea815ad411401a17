//! Where a lead came from: UTM parameters, click ids, referrer, and what the source itself implies.

use std::borrow::Cow;
use std::cell::OnceCell;

use memchr::{memchr, memchr_iter, memchr2, memchr3};
use url::form_urlencoded;

use super::Remark;
use super::memory::Memory;
use super::text::tidy;
use super::web;
use crate::model::blank::trim;
use crate::model::field::{self, FieldNo, FieldValues};
use crate::rules::field::fold_header;
use crate::rules::tables::Tables;

/// Query parameters and the fields that keep them.
const PARAMETERS: &[(&str, FieldNo)] = &[
    ("utm_source", field::UTM_SOURCE),
    ("utm_medium", field::UTM_MEDIUM),
    ("utm_campaign", field::UTM_CAMPAIGN),
    ("utm_term", field::UTM_TERM),
    ("utm_content", field::UTM_CONTENT),
    ("gclid", field::GCLID),
    ("gbraid", field::GBRAID),
    ("wbraid", field::WBRAID),
    ("fbclid", field::FBCLID),
    ("ttclid", field::TTCLID),
    ("msclkid", field::MSCLKID),
    ("li_fat_id", field::LI_FAT_ID),
    ("utm_id", field::CAMPAIGN_ID),
    ("gad_campaignid", field::CAMPAIGN_ID),
    // Matomo and Piwik PRO have names of their own for the same things.
    ("mtm_source", field::UTM_SOURCE),
    ("mtm_medium", field::UTM_MEDIUM),
    ("mtm_campaign", field::UTM_CAMPAIGN),
    ("mtm_kwd", field::UTM_TERM),
    ("mtm_content", field::UTM_CONTENT),
    ("pk_source", field::UTM_SOURCE),
    ("pk_medium", field::UTM_MEDIUM),
    ("pk_campaign", field::UTM_CAMPAIGN),
    ("pk_kwd", field::UTM_TERM),
    ("pk_content", field::UTM_CONTENT),
];

/// Columns beside the parameters that a form fills from an advertisement's address.
const FROM_ADVERTISEMENTS: &[(&str, FieldNo)] = &[
    ("source", field::SOURCE),
    ("medium", field::MEDIUM),
    ("campaign", field::CAMPAIGN),
    ("ad id", field::AD_ID),
    ("ad name", field::AD_NAME),
    ("ad set id", field::ADSET_ID),
    ("ad set name", field::ADSET_NAME),
];

/// The fields of both lists, one bit each: a row is asked for them at once.
const ATTRIBUTED: u128 = {
    let (mut bits, mut at) = (0, 0);
    while at < PARAMETERS.len() {
        bits |= 1 << PARAMETERS[at].1.0;
        at += 1;
    }
    at = 0;
    while at < FROM_ADVERTISEMENTS.len() {
        bits |= 1 << FROM_ADVERTISEMENTS[at].1.0;
        at += 1;
    }
    bits
};

/// What a preset says of leads that carry no attribution of their own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Implied<'a> {
    /// Canonical source, such as `facebook` for a lead form on Facebook.
    pub source: Option<&'a str>,
    /// Canonical medium.
    pub medium: Option<&'a str>,
}

/// What the words for sources and media were found to mean; a campaign's few come in every row.
#[derive(Debug, Default)]
pub struct Words {
    /// By the word for the source and the one for the medium.
    stated: Memory<Stated>,
    sources: Memory<String>,
    media: Memory<String>,
    /// The field of each click id, in the order of the tables.
    click_fields: OnceCell<Vec<Option<FieldNo>>>,
}

/// Source and medium as columns and parameters state them.
#[derive(Debug, Clone)]
struct Stated {
    source: Option<String>,
    medium: Option<String>,
}

/// Something worth saying about the attribution of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The field whose value it is about.
    pub field: FieldNo,
    /// The landing page in whose query the value stood, counted from 0; none for a column's own value.
    pub page: Option<usize>,
    /// What to say.
    pub remark: Remark,
}

/// Completes the attribution in `values`, which hold what the columns said.
///
/// Columns win over the query of a landing page. The canonical source and medium come from the first
/// that knows: UTM parameters, columns, a click id, the referrer, the preset; else `direct` and `none`, or
/// `unknown` where somebody tagged the link without saying who.
pub fn attribute(
    values: &mut FieldValues,
    landing_pages: &[&str],
    implied: Implied<'_>,
    words: &Words,
    tables: &Tables,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_asked = |number: FieldNo| number.0 < 128 && ATTRIBUTED & (1 << number.0) != 0;
    let has_macro = values.iter().any(|(number, value)| is_asked(number) && is_macro(value));
    for (name, number) in PARAMETERS.iter().chain(FROM_ADVERTISEMENTS).filter(|_| has_macro) {
        if let Some(value) = values.get(*number).filter(|value| is_macro(value)) {
            findings.push(Finding { field: *number, page: None, remark: unfilled(name, value) });
            values.set(*number, "");
        }
    }
    for number in [field::FBCLID, field::GCLID] {
        if let Some(id) = values.get(number).and_then(from_cookie).map(str::to_owned) {
            values.set(number, id);
        }
    }
    for (at, page) in landing_pages.iter().enumerate() {
        let mut remarks = Vec::new();
        read_query(page, values, tables, &mut remarks);
        findings.extend(remarks.into_iter().map(|(field, remark)| Finding {
            field,
            page: Some(at),
            remark,
        }));
    }
    if let Some(campaign) = values.get(field::UTM_CAMPAIGN).or_else(|| values.get(field::CAMPAIGN))
    {
        let campaign = readable(campaign).into_owned();
        values.set(field::CAMPAIGN, campaign);
    }
    settle(values, landing_pages, implied, words, tables);
    settle_last_touch(values, words, tables);
    findings
}

/// Returns the click id in a cookie of an ad platform: `fb.1.1757682313000.IwAR…`, `GCL.1757682313.Cj0K…`.
fn from_cookie(value: &str) -> Option<&str> {
    if let Some(rest) = value.strip_prefix("GCL.") {
        return rest.split_once('.').map(|(_, id)| id);
    }
    value.strip_prefix("fb.")?.splitn(3, '.').nth(2)
}

/// One submission is one touch: what brought it is the latest one unless its columns tell both apart.
fn settle_last_touch(values: &mut FieldValues, words: &Words, tables: &Tables) {
    if let Some(word) = values.get(field::LAST_SOURCE).map(str::to_owned) {
        let folded = fold_header(&word);
        match (tables.source(&folded), tables.medium(&folded)) {
            // HubSpot's latest source `Paid Social` names the kind of channel.
            (None, Some(medium)) => {
                let medium = medium.to_owned();
                values.set(field::LAST_SOURCE, "");
                values.set_if_absent(field::LAST_MEDIUM, medium);
            }
            _ => {
                let read = || canonical_source(&word, tables);
                values.set(field::LAST_SOURCE, words.sources.recall(&word, read));
            }
        }
    }
    if let Some(word) = values.get(field::LAST_MEDIUM).map(str::to_owned) {
        let read = || canonical_medium(&word, tables);
        values.set(field::LAST_MEDIUM, words.media.recall(&word, read));
    }
    let is_told = [field::LAST_SOURCE, field::LAST_MEDIUM, field::LAST_CAMPAIGN]
        .iter()
        .any(|number| values.get(*number).is_some());
    if is_told {
        return;
    }
    for (first, last) in [
        (field::SOURCE, field::LAST_SOURCE),
        (field::MEDIUM, field::LAST_MEDIUM),
        (field::CAMPAIGN, field::LAST_CAMPAIGN),
    ] {
        let value = values.get(first).unwrap_or_default().to_owned();
        values.set(last, value);
    }
}

/// Sets the canonical source and medium.
fn settle(
    values: &mut FieldValues,
    landing_pages: &[&str],
    implied: Implied<'_>,
    words: &Words,
    tables: &Tables,
) {
    let stated_source = values.get(field::UTM_SOURCE).or_else(|| values.get(field::SOURCE));
    let stated_medium = values.get(field::UTM_MEDIUM).or_else(|| values.get(field::MEDIUM));
    let key = [stated_source.unwrap_or_default(), "\n", stated_medium.unwrap_or_default()].concat();
    let read = || stated(stated_source, stated_medium, tables);
    let Stated { mut source, mut medium } = words.stated.recall(&key, read);
    let (next_source, next_medium) = evidence(values, landing_pages, implied, words, tables);
    let is_medium_stated = medium.as_deref().is_some_and(|word| word != "none");
    let agrees = source.is_none() || source == next_source;
    if source.is_none() {
        source = next_source;
    }
    if medium.is_none() && agrees {
        medium = next_medium;
    }
    // Whoever tagged a link brought somebody, even if the tag does not say who. What the preset says of all its
    // rows tags nothing.
    let has_tag = [field::UTM_CAMPAIGN, field::UTM_TERM, field::UTM_CONTENT]
        .iter()
        .any(|number| values.get(*number).is_some());
    let is_tagged = is_medium_stated || has_tag && medium.as_deref() != Some("none");
    let source = source.unwrap_or_else(|| if is_tagged { "unknown" } else { "direct" }.to_owned());
    if source == "direct" && medium.is_none() {
        medium = Some("none".to_owned());
    }
    values.set(field::SOURCE, source);
    values.set(field::MEDIUM, medium.unwrap_or_default());
}

/// Returns what the words for a source and a medium say.
fn stated(source_word: Option<&str>, medium_word: Option<&str>, tables: &Tables) -> Stated {
    let mut medium = medium_word.map(|word| canonical_medium(word, tables));
    let mut source = source_word.map(|word| canonical_source(word, tables));
    if let Some((first, second)) = source_word.and_then(|word| both_in(word, tables)) {
        // Analytics reports write `google / cpc`.
        source = Some(first);
        medium = medium.or(Some(second));
    }
    if let Some(word) = source_word
        && medium.is_none()
        && tables.source(&fold_header(word)).is_none()
        && let Some(known) = tables.medium(&fold_header(word))
    {
        // HubSpot's original source `Paid Social` names the kind of channel, not the channel.
        medium = Some(known.to_owned());
        source = None;
    }
    if medium.is_none() && source.is_some() {
        // Assistants mark their links with utm_source=chatgpt.com and nothing else.
        medium = source_word
            .and_then(|word| {
                let name = word.trim().to_lowercase();
                let hosts = [name.clone(), format!("{name}.com"), format!("{name}.ai")];
                hosts.iter().find_map(|host| referring_host(host, tables))
            })
            .filter(|(_, medium)| *medium == "chat")
            .map(|(_, medium)| medium.to_owned());
    }
    Stated { source, medium }
}

/// Returns source and medium as evidence other than words about them says.
fn evidence(
    values: &FieldValues,
    landing_pages: &[&str],
    implied: Implied<'_>,
    words: &Words,
    tables: &Tables,
) -> (Option<String>, Option<String>) {
    let given: Vec<&str> = landing_pages.iter().flat_map(|page| given_parameters(page)).collect();
    let fields = words.click_fields.get_or_init(|| {
        let all = tables.click_ids().iter();
        all.map(|id| field_of_click(&id.parameter)).collect()
    });
    let clicked = tables.click_ids().iter().zip(fields).find(|(id, number)| {
        number.is_some_and(|number| values.get(number).is_some())
            || given.iter().any(|name| name.eq_ignore_ascii_case(&id.parameter))
    });
    let clicked = clicked.map(|(id, _)| id);
    if let Some(click) = clicked {
        return (Some(click.source.clone()), Some(click.medium.clone()));
    }
    let own_host = landing_pages.iter().find_map(|page| web::host(page));
    let referrer = values
        .get(field::REFERRER)
        .and_then(web::host)
        .filter(|host| own_host.as_ref().is_none_or(|own| web::site(own) != web::site(host)));
    if let Some(host) = referrer {
        if let Some((source, medium)) = tables.referrer(&host) {
            return (Some(source.to_owned()), Some(medium.to_owned()));
        }
        // A lead form of an ad platform has no referrer; on a page's form it beats the preset.
        if implied.source.is_none() {
            return (Some(web::site(&host).to_owned()), Some("referral".to_owned()));
        }
    }
    // Meta sells places on Facebook and Instagram alike; the row says which one it was.
    let placed = values
        .get(field::PLATFORM)
        .filter(|_| implied.source.is_some())
        .and_then(|word| tables.source(&fold_header(word)));
    (placed.or(implied.source).map(str::to_owned), implied.medium.map(str::to_owned))
}

/// Returns the field that holds the click id `parameter`. The parameter of a field that fills something else, too,
/// proves a click only in a page.
fn field_of_click(parameter: &str) -> Option<FieldNo> {
    let folded = fold_header(parameter);
    let own = PARAMETERS.iter().find(|(name, _)| fold_header(name) == folded);
    own.map(|(_, number)| *number).filter(|number| *number != field::CAMPAIGN_ID)
}

/// Returns the parameters to which the query of `page` gives a value.
fn given_parameters(page: &str) -> impl Iterator<Item = &str> {
    let pairs = page.split(['?', '&', '#', ';']).skip(1).filter_map(|pair| pair.split_once('='));
    pairs.filter(|(_, value)| !value.is_empty() && !is_macro(value)).map(|(name, _)| name)
}

/// Returns the one name of the source `word`; a host, as in `utm_source=l.facebook.com`, is looked up as a
/// referrer's.
fn canonical_source(word: &str, tables: &Tables) -> String {
    let word = readable(word);
    if let Some(known) = tables.source(&fold_header(&word)) {
        return known.to_owned();
    }
    referring_host(&word, tables)
        .map_or_else(|| word.to_lowercase(), |(source, _)| source.to_owned())
}

/// Returns the source and medium of a `word` that names both: `google / cpc`, `google|cpc`.
fn both_in(word: &str, tables: &Tables) -> Option<(String, String)> {
    let (source, medium) = word.split_once(" / ").or_else(|| word.split_once('|'))?;
    let source = tables.source(&fold_header(source))?;
    let medium = tables.medium(&fold_header(medium))?;
    Some((source.to_owned(), medium.to_owned()))
}

/// Returns the source and medium of a `word` that is the address of a known referrer.
fn referring_host<'t>(word: &str, tables: &'t Tables) -> Option<(&'t str, &'t str)> {
    if !word.contains('.') {
        return None;
    }
    tables.referrer(&web::host(word)?)
}

fn canonical_medium(word: &str, tables: &Tables) -> String {
    let word = readable(word);
    tables.medium(&fold_header(&word)).map_or_else(|| word.to_lowercase(), str::to_owned)
}

/// Returns `value` without the percent signs of an address from which a form copied it.
fn readable(value: &str) -> Cow<'_, str> {
    let is_escape = |at: usize| {
        value
            .as_bytes()
            .get(at + 1..at + 3)
            .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    if memchr_iter(b'%', value.as_bytes()).any(is_escape) {
        return tidy(&decoded(value)).into_owned().into();
    }
    Cow::Borrowed(value)
}

/// Takes the parameters of `page` that no column gave; of duplicates the first that says something wins.
fn read_query(page: &str, values: &mut FieldValues, tables: &Tables, remarks: &mut Remarks) {
    let Some(start) = memchr2(b'?', b'#', page.as_bytes()) else {
        // A page that was encoded as a whole hides its question mark, too.
        if PREFIXES.iter().any(|prefix| page.contains(prefix)) {
            read_pairs(page, values, tables, remarks);
        }
        return;
    };
    read_pairs(&page[start + 1..], values, tables, remarks);
}

/// Beginnings of the parameters that name a campaign.
const PREFIXES: &[&str] = &["utm_", "UTM_", "mtm_", "pk_"];

/// Remarks on the values of fields.
type Remarks = Vec<(FieldNo, Remark)>;

fn read_pairs(query: &str, values: &mut FieldValues, tables: &Tables, remarks: &mut Remarks) {
    let mut query = Cow::Borrowed(query);
    if memchr3(b';', b'?', b'#', query.as_bytes()).is_some() {
        query = Cow::Owned(query.replace("&amp;", "&").replace([';', '?', '#'], "&"));
    }
    // A link that was encoded twice hides its parameters: utm_source%3Dgoogle%26utm_medium%3Dcpc.
    for _ in 0..3 {
        let is_sign = |at: usize| {
            let escape = &query.as_bytes()[at + 1..];
            escape.starts_with(b"3d") || escape.starts_with(b"3D") || {
                escape.starts_with(b"253d") || escape.starts_with(b"253D")
            }
        };
        if !memchr_iter(b'%', query.as_bytes()).any(is_sign) {
            break;
        }
        let lower = query.to_ascii_lowercase();
        if lower.contains("utm_source=") || lower.contains("clid=") {
            break;
        }
        query = Cow::Owned(decoded(&query).replace([';', '?', '#'], "&"));
    }
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| {
        // Most pairs hold nothing to decode.
        let is_plain = pair.is_ascii() && !pair.bytes().any(|byte| matches!(byte, b'%' | b'+'));
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = (!is_plain).then(|| form_urlencoded::parse(pair.as_bytes()).next());
        decoded.unwrap_or(Some((Cow::Borrowed(key), Cow::Borrowed(value))))
    });
    for (key, value) in pairs {
        let key = key.trim();
        let is_key = |(name, _): &&(&str, FieldNo)| name.eq_ignore_ascii_case(key);
        let Some((name, number)) = PARAMETERS.iter().find(is_key) else {
            continue;
        };
        let value = if value.contains('%') { decoded(&value).into() } else { value };
        let value = tidy(&value);
        if is_macro(&value) {
            remarks.push((*number, unfilled(name, &value)));
        } else if !says_nothing(&value, tables) {
            values.set_if_absent(*number, value);
        }
    }
}

/// Returns whether a script wrote that it knew nothing: `undefined`, `(not set)`, `null`.
fn says_nothing(value: &str, tables: &Tables) -> bool {
    value.len() <= 16 && tables.is_placeholder(&fold_header(value))
}

/// Returns `text` percent-decoded once.
fn decoded(text: &str) -> String {
    let key = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(key.as_bytes())
        .next()
        .map(|(text, _)| text.into_owned())
        .unwrap_or_default()
}

/// Returns whether an ad platform should have filled `value` in and did not: `{{campaign.name}}`,
/// `{campaignid}`, `brand_{keyword:none}`, `__CAMPAIGN_NAME__`, `[campaign]`, `%%campaign%%`, `${campaign}`.
fn is_macro(value: &str) -> bool {
    let value = trim(value);
    // Whatever is a placeholder has a brace or begins with a mark; hardly a value does.
    let first = value.as_bytes().first().copied().unwrap_or_default();
    if memchr(b'{', value.as_bytes()).is_none() && !matches!(first, b'_' | b'%' | b'[') {
        return false;
    }
    let encloses = |mark: &str| {
        value.len() > 2 * mark.len() && value.starts_with(mark) && value.ends_with(mark)
    };
    let in_braces = value.find('{').is_some_and(|at| {
        let inner = value[at + 1..].trim_start_matches('{').split('}').next().unwrap_or_default();
        inner.len() < value.len() - at - 1
            && inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:|- ".contains(&byte))
    });
    in_braces
        || value.contains("{{")
        || encloses("__")
        || encloses("%%")
        || (value.starts_with('[') && value.ends_with(']'))
}

fn unfilled(name: &str, value: &str) -> Remark {
    let message = format!("{name} holds the placeholder `{value}`; set it in the ad platform");
    Remark::new("utm-macro-unfilled", message)
}

#[cfg(test)]
mod tests;
