//! Web addresses: hosts, sites, and URLs fit to be kept.

use url::Url;

use super::text::unguard;

/// Returns the URL in `raw` with its scheme; anything but http and https is none.
pub fn parse(raw: &str) -> Option<Url> {
    let text = unguard(raw);
    let text = text.trim_matches(|c: char| "<>\"'".contains(c));
    if text.is_empty() || text.contains(' ') || text.contains('@') && !text.contains('/') {
        return None;
    }
    let has_scheme = text.contains("://");
    let url =
        if has_scheme { Url::parse(text) } else { Url::parse(&format!("https://{text}")) }.ok()?;
    let is_web = matches!(url.scheme(), "http" | "https" | "android-app");
    let host = url.host_str()?;
    (is_web && (host.contains('.') || host == "localhost")).then_some(url)
}

/// Returns the host of the URL in `raw`, in lower case and without `www.`.
pub fn host(raw: &str) -> Option<String> {
    let url = parse(raw)?;
    let host = url.host_str()?.to_lowercase();
    let bare = host.strip_prefix("www.").filter(|bare| bare.contains('.')).unwrap_or(&host);
    bare.chars().any(char::is_alphanumeric).then(|| bare.to_owned())
}

/// Returns the registrable part of `host`.
pub fn site(host: &str) -> &str {
    psl::domain_str(host).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(raw: &str, expected: Option<&str>) {
        assert_eq!(host(raw).as_deref(), expected, "{raw:?}");
    }

    #[test]
    fn a_host_is_found_with_or_without_a_scheme() {
        check("https://www.Example.com/kontakt?x=1", Some("example.com"));
        check("example.com", Some("example.com"));
        check("www.przyklad.pl/", Some("przyklad.pl"));
        check("android-app://com.google.android.gm/", Some("com.google.android.gm"));
        check("javascript:alert(1)", None);
        check("ftp://example.com", None);
        check("brak", None);
        check("anna@example.com", None);
        check("", None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(raw in "\\PC{0,40}", page in "(https?://|www\\.|[a-z]{1,5}|\\.|:|/|@|\\[|\\]|%|\\?|#|xn--| ){0,12}") {
            for text in [&raw, &page] {
                if let Some(found) = host(text) {
                    prop_assert!(!found.is_empty() && !site(&found).is_empty());
                }
            }
        }
    }
}
