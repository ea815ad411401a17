//! The class of device a user agent belongs to.

use std::sync::LazyLock;

use isbot::Bots;

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

static BOTS: LazyLock<Bots> = LazyLock::new(|| {
    let mut bots = Bots::default();
    bots.append(YOUNG_BOTS);
    bots
});

/// Returns `bot`, `tablet`, `mobile` or `desktop`; an agent that tells nothing has no class.
pub fn class(user_agent: &str) -> Option<&'static str> {
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

    #[track_caller]
    fn check(agent: &str, expected: Option<&str>) {
        assert_eq!(class(agent), expected, "{agent}");
    }

    #[test]
    fn devices_are_told_apart() {
        check("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)", Some("mobile"));
        check(
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/120.0 Mobile Safari/537.36",
            Some("mobile"),
        );
        check(
            "Mozilla/5.0 (Linux; Android 13; SM-X700) Chrome/120.0 Safari/537.36",
            Some("tablet"),
        );
        check("Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) Mobile/15E148", Some("tablet"));
        check(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120.0 Safari/537.36",
            Some("desktop"),
        );
        check(
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            Some("bot"),
        );
        check("meta-externalagent/1.1", Some("bot"));
        check("curl/8.0", Some("bot"));
        check("", None);
    }
}
