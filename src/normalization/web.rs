//! Web addresses: hosts, sites, and URLs fit to be kept.

use url::Url;

use super::text::unguard;

/// Returns the URL in `raw` with its scheme; anything but http and https is none.
pub fn parse(raw: &str) -> Option<Url> {
    let text = unguard(raw);
    let text = text.trim_matches(|c: char| "<>\"'".contains(c)).trim_start_matches("//");
    if text.is_empty() || text.contains(' ') || text.contains('@') && !text.contains('/') {
        return None;
    }
    let has_scheme = text.contains("://");
    let name = text.split(['/', '?', '#', ':']).next().unwrap_or_default();
    // `1.2.3` and `firma,pl` are slips or something else, though a browser would take them.
    if !has_scheme && (name.contains(',') || !name.chars().any(char::is_alphabetic)) {
        return None;
    }
    let url =
        if has_scheme { Url::parse(text) } else { Url::parse(&format!("https://{text}")) }.ok()?;
    let is_web = matches!(url.scheme(), "http" | "https" | "android-app");
    let host = url.host_str()?;
    (is_web && (host.contains('.') || host == "localhost")).then_some(url)
}

/// Returns the host of the URL in `raw`, in lower case and without `www.`.
pub fn host(raw: &str) -> Option<String> {
    if let Some(host) = plain_host(raw) {
        return Some(without_www(host).to_owned());
    }
    let url = parse(raw)?;
    let host = url.host_str()?.to_lowercase();
    let bare = without_www(host.trim_end_matches('.'));
    bare.chars().any(char::is_alphanumeric).then(|| bare.to_owned())
}

fn without_www(host: &str) -> &str {
    host.strip_prefix("www.").filter(|bare| bare.contains('.')).unwrap_or(host)
}

/// Returns the host of a URL that needs no parser: `https://`, labels of small ASCII letters and figures, and
/// behind them nothing, or a path or query without anything that is taken off.
fn plain_host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let end = rest.bytes().position(|it| matches!(it, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    let (host, behind) = rest.split_at(end);
    let is_label = |label: &[u8]| {
        let is_letter = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit();
        label.iter().all(|&it| is_letter(it) || it == b'-')
            && label.first().zip(label.last()).is_some_and(|(first, last)| {
                is_letter(*first) && is_letter(*last)
            })
            && label.len() <= 63
            // Punycode may turn out to be none.
            && label.get(2..4) != Some(b"--")
    };
    let mut labels = host.as_bytes().split(|&byte| byte == b'.');
    // Figures at the end make an IP address.
    let is_name = labels.clone().next_back()?.iter().all(u8::is_ascii_lowercase);
    let is_kept = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"' | b'\'');
    (is_name
        && labels.clone().nth(1).is_some()
        && host.len() <= 253
        && labels.all(is_label)
        && behind.bytes().all(is_kept))
    .then_some(host)
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
        check("//example.com/x", Some("example.com"));
        check("example.com.", Some("example.com"));
        check("https://www.example.com./kontakt", Some("example.com"));
        check("www.example,com", None);
        check("1.2.3", None);
        check("12.09.2025", None);
        check("http://192.0.2.1/kontakt", Some("192.0.2.1"));
        check("", None);
    }

    proptest! {
        #[test]
        fn a_plain_host_is_what_the_parser_finds(
            page in "https?://[a-z0-9.-]{1,12}\\.[a-z0-9]{1,4}[/?#]?[ -~]{0,12}",
        ) {
            if let Some(host) = plain_host(&page) {
                let url = parse(&page);
                prop_assert_eq!(url.as_ref().and_then(Url::host_str), Some(host), "{}", page);
            }
        }

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
