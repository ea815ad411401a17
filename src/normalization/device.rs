//! What a user agent says: class of device, browser, operating system, and whether a person used it.

use std::sync::LazyLock;

use isbot::Bots;
use woothee::parser::Parser;

/// Crawlers younger than the list that `isbot` ships.
const YOUNG_BOTS: &[&str] = &[
    "meta-externalagent",
    "ChatGPT-User",
    "OAI-SearchBot",
    "Claude-User",
    "Perplexity-User",
    "python-httpx",
    "axios/",
];

/// Browsers inside apps of advertising platforms: where leads of lead ads are, and cookies are not. Asked in
/// order; `isbot` and `woothee` know them only as web views.
const IN_APP_BROWSERS: &[(&str, &str)] = &[
    ("Instagram", "Instagram"),
    ("FBAN/Messenger", "Messenger"),
    ("MessengerForiOS", "Messenger"),
    ("FBAN/", "Facebook"),
    ("FB_IAB/", "Facebook"),
    ("FBAV/", "Facebook"),
    ("LinkedInApp", "LinkedIn"),
    ("musical_ly", "TikTok"),
    ("BytedanceWebview", "TikTok"),
    ("Pinterest/", "Pinterest"),
    ("GSA/", "Google app"),
];

static BOTS: LazyLock<Bots> = LazyLock::new(|| {
    let mut bots = Bots::default();
    bots.append(YOUNG_BOTS);
    bots
});

static PARSER: LazyLock<Parser> = LazyLock::new(Parser::new);

/// What a user agent tells of the device a form was sent with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Device {
    /// `bot`, `tablet`, `mobile` or `desktop`.
    pub class: Option<&'static str>,
    /// Name of the browser, or of the app that has one inside.
    pub browser: Option<&'static str>,
    /// Name of the operating system without its version.
    pub system: Option<&'static str>,
}

/// Returns what `user_agent` tells; a bot has neither browser nor system.
pub fn read(user_agent: &str) -> Device {
    let class = class(user_agent);
    if class.is_none_or(|class| class == "bot") {
        return Device { class, ..Device::default() };
    }
    let in_app =
        IN_APP_BROWSERS.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name);
    let found = PARSER.parse(user_agent);
    let browser = in_app.or_else(|| found.as_ref().and_then(|found| browser(found.name)));
    let system = found.as_ref().and_then(|found| system(found.os));
    Device { class, browser, system }
}

/// Returns the common name of a browser by woothee's name of it.
fn browser(name: &str) -> Option<&'static str> {
    let names: &[(&str, &'static str)] = &[
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
        ("Firefox", "Firefox"),
        ("Edge", "Edge"),
        ("Opera", "Opera"),
        ("Internet Explorer", "Internet Explorer"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Vivaldi", "Vivaldi"),
        ("Yandex Browser", "Yandex Browser"),
        ("Webview", "web view"),
    ];
    names.iter().find(|(known, _)| *known == name).map(|(_, common)| *common)
}

/// Returns the common name of a system by woothee's name of it.
fn system(name: &str) -> Option<&'static str> {
    match name {
        "iPhone" | "iPad" | "iPod" | "iOS" => Some("iOS"),
        "Mac OSX" | "Mac OS Classic" => Some("macOS"),
        "Android" => Some("Android"),
        "ChromeOS" => Some("ChromeOS"),
        "Linux" => Some("Linux"),
        windows if windows.starts_with("Windows") => Some("Windows"),
        _ => None,
    }
}

fn class(user_agent: &str) -> Option<&'static str> {
    let agent = user_agent.trim();
    if agent.is_empty() {
        return None;
    }
    let has = |word: &str| agent.contains(word);
    if BOTS.is_bot(agent) {
        return Some("bot");
    }
    // Android tablets leave out "Mobile"; a tablet of Samsung or Amazon names itself as well.
    if has("iPad")
        || has("Tablet")
        || has("Kindle")
        || has("Silk/")
        || (has("Android") && !has("Mobile"))
    {
        return Some("tablet");
    }
    if has("iPhone") || has("iPod") || has("Mobile") || has("Android") || has("Opera Mini") {
        return Some("mobile");
    }
    if has("Windows NT") || has("Macintosh") || has("X11") || has("CrOS") || has("Linux") {
        return Some("desktop");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WINDOWS: &str =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)";
    const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";

    #[track_caller]
    fn check(agent: &str, expected: &str) {
        let found = read(agent);
        let words = [found.class, found.browser, found.system].map(|word| word.unwrap_or("-"));
        assert_eq!(words.join(" | "), expected, "{agent}");
    }

    #[test]
    fn devices_are_told_apart() {
        check(
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36",
            "mobile | Chrome | Android",
        );
        check(
            "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
            "tablet | Chrome | Android",
        );
        check(
            "Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.0 Mobile/15E148 Safari/604.1",
            "tablet | Safari | iOS",
        );
        check("", "- | - | -");
        check("unknown", "- | - | -");
    }

    #[test]
    fn browsers_are_told_by_their_own_names() {
        check(&format!("{WINDOWS} Chrome/129.0.0.0 Safari/537.36"), "desktop | Chrome | Windows");
        check(
            &format!("{WINDOWS} Chrome/129.0.0.0 Safari/537.36 Edg/129.0.0.0"),
            "desktop | Edge | Windows",
        );
        check(
            &format!("{WINDOWS} Chrome/128.0.0.0 Safari/537.36 OPR/114.0.0.0"),
            "desktop | Opera | Windows",
        );
        check(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
            "desktop | Safari | macOS",
        );
        check(
            "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
            "desktop | Firefox | Linux",
        );
        check(
            &format!("{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1"),
            "mobile | Safari | iOS",
        );
        check(&format!("{IPHONE} CriOS/129.0 Mobile/15E148 Safari/604.1"), "mobile | Chrome | iOS");
    }

    #[test]
    fn browsers_inside_apps_are_the_apps() {
        check(
            &format!("{IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/484.0.0.45.109]"),
            "mobile | Facebook | iOS",
        );
        check(
            &format!("{IPHONE} Mobile/21F90 Instagram 332.0.3.24.92"),
            "mobile | Instagram | iOS",
        );
        check(&format!("{IPHONE} Mobile/15E148 [LinkedInApp]/9.29"), "mobile | LinkedIn | iOS");
    }

    #[test]
    fn bots_have_a_class_only() {
        for agent in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "meta-externalagent/1.1",
            "curl/8.0",
        ] {
            check(agent, "bot | - | -");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(raw in "\\PC{0,80}", agent in "(Mozilla/5.0|Opera|\\(|;|Windows NT|Android|/[0-9.]{0,5}| |Mobile|Safari|Chrome|FBAN/){0,12}") {
            for text in [&raw, &agent] {
                let found = read(text);
                prop_assert!(found.class.is_some() || found.browser.is_none());
            }
        }
    }
}
