//! When something is tried again: backoff with jitter, and what a receiver asks for.

use chrono::DateTime;
use sha2::{Digest as _, Sha256};

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Retries that may follow within seconds, while the command still runs.
pub const FAST_RETRIES: u32 = 3;
/// The first of them comes after at most twice this; each further one after at most twice as long.
const FAST_BASE_MS: i64 = 500;
/// And none after more than this.
const FAST_MAX_MS: i64 = 30 * SECOND_MS;
/// Waits between the attempts after those, as Standard Webhooks advises: 75 h 35 m in all.
const SLOW_MS: [i64; 8] = [
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    14 * HOUR_MS,
    20 * HOUR_MS,
    24 * HOUR_MS,
];
/// Attempts after which nobody tries any more.
pub const ATTEMPTS_MAX: u32 = 12;
/// A fifth to either side, so that what failed together does not come together again.
const SLOW_SPREAD: f64 = 0.2;
/// No receiver puts a delivery off for longer at a time.
const RETRY_AFTER_MAX_MS: i64 = 24 * HOUR_MS;
/// What is not found is tried again after half an hour, twice: in three attempts over an hour it may turn up.
const NOT_FOUND_MS: i64 = 30 * MINUTE_MS;
/// Attempts after which what is not found is not there.
const NOT_FOUND_ATTEMPTS: u32 = 3;

/// Returns a number from 0 up to 1 that follows from `seed` and `attempt` alone.
fn share(seed: &str, attempt: u32) -> f64 {
    let mut hasher = Sha256::new();
    hasher.update(seed);
    hasher.update(attempt.to_le_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize()[..8]);
    // 53 bits are what a double holds exactly.
    (u64::from_le_bytes(first) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Returns how long to wait after the failed attempt number `attempt`, counted from 1; `None` when it was the last.
///
/// The first retries are spread over the whole time (full jitter); `may_be_fast` says whether they may be made at all.
pub fn wait_ms(seed: &str, attempt: u32, may_be_fast: bool) -> Option<i64> {
    if attempt >= ATTEMPTS_MAX {
        return None;
    }
    if attempt <= FAST_RETRIES && may_be_fast {
        let most = FAST_MAX_MS.min(FAST_BASE_MS << attempt);
        return Some((most as f64 * share(seed, attempt)) as i64);
    }
    let step = attempt.saturating_sub(FAST_RETRIES + 1) as usize;
    let around = SLOW_MS[step.min(SLOW_MS.len() - 1)];
    let spread = SLOW_SPREAD * (2.0 * share(seed, attempt) - 1.0);
    Some((around as f64 * (1.0 + spread)) as i64)
}

/// Returns how long to wait when the receiver is busy: what it asked for, and never less than a backoff of which half
/// is fixed, because a wait that may be nothing uses all attempts up at once. `None` when it was the last attempt.
pub fn throttled_ms(seed: &str, attempt: u32, asked_ms: Option<i64>) -> Option<i64> {
    if attempt >= ATTEMPTS_MAX {
        return None;
    }
    let most = if attempt <= FAST_RETRIES {
        FAST_MAX_MS.min(SECOND_MS << attempt)
    } else {
        SLOW_MS[((attempt - FAST_RETRIES - 1) as usize).min(SLOW_MS.len() - 1)]
    };
    let backoff = most / 2 + (most as f64 / 2.0 * share(seed, attempt)) as i64;
    Some(asked_ms.unwrap_or(0).clamp(backoff, RETRY_AFTER_MAX_MS))
}

/// Returns how long to wait for what is not found; `None` when it will not be.
pub fn not_found_ms(attempt: u32) -> Option<i64> {
    (attempt < NOT_FOUND_ATTEMPTS).then_some(NOT_FOUND_MS)
}

/// Reads `Retry-After` (RFC 9110, 10.2.3): seconds, or a date. What cannot be read asks for nothing.
pub fn retry_after_ms(text: &str, now_ms: i64) -> Option<i64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than fits is more than the cap.
        let seconds = text.parse().unwrap_or(i64::MAX / SECOND_MS);
        return Some(RETRY_AFTER_MAX_MS.min(seconds.saturating_mul(SECOND_MS)));
    }
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some((date.timestamp_millis() - now_ms).clamp(0, RETRY_AFTER_MAX_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_790_000_000_000;

    #[test]
    fn an_attempt_waits_longer_than_the_one_before() {
        for (attempt, least, most) in [
            (1, 0, 1_000),
            (2, 0, 2_000),
            (3, 0, 4_000),
            (4, 240_000, 360_000),
            (5, 1_440_000, 2_160_000),
            (6, 5_760_000, 8_640_000),
            (11, 69_120_000, 103_680_000),
        ] {
            for draw in 0..200 {
                let wait = wait_ms(&format!("msg_{draw}"), attempt, true).unwrap();
                assert!((least..=most).contains(&wait), "{attempt}: {wait}");
            }
        }
        assert_eq!(wait_ms("a", ATTEMPTS_MAX, true), None);
        let all: i64 = SLOW_MS.iter().sum();
        assert_eq!(all, 75 * HOUR_MS + 35 * MINUTE_MS);
        assert_eq!(FAST_RETRIES as usize + 1 + SLOW_MS.len(), ATTEMPTS_MAX as usize);
    }

    #[test]
    fn without_a_fast_retry_the_first_wait_is_five_minutes() {
        let wait = wait_ms("a", 1, false).unwrap();
        assert!((240_000..=360_000).contains(&wait), "{wait}");
    }

    #[test]
    fn the_same_delivery_waits_the_same_and_another_does_not() {
        assert_eq!(wait_ms("a", 4, true), wait_ms("a", 4, true));
        assert_ne!(wait_ms("a", 4, true), wait_ms("b", 4, true));
    }

    #[test]
    fn jitter_is_even() {
        const DRAWS: u32 = 10_000;
        let mut bins = [0_u32; 20];
        for draw in 0..DRAWS {
            bins[(share(&format!("msg_{draw}"), 1) * 20.0) as usize] += 1;
        }
        let expected = f64::from(DRAWS) / 20.0;
        let chi: f64 =
            bins.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        // 19 degrees of freedom: beyond 43.8 in one of a thousand.
        assert!(chi < 43.8, "chi-square {chi}: {bins:?}");
    }

    #[test]
    fn a_busy_receiver_is_left_alone_for_as_long_as_it_asked() {
        assert_eq!(throttled_ms("a", 1, Some(90_000)), Some(90_000));
        assert_eq!(throttled_ms("a", 1, Some(i64::MAX)), Some(24 * HOUR_MS));
        for draw in 0..200 {
            let wait = throttled_ms(&format!("{draw}"), 2, Some(0)).unwrap();
            assert!((2_000..=4_000).contains(&wait), "{wait}");
        }
        assert_eq!(throttled_ms("a", ATTEMPTS_MAX, Some(1)), None);
    }

    #[test]
    fn what_is_not_found_gets_an_hour() {
        assert_eq!(not_found_ms(1), Some(NOT_FOUND_MS));
        assert_eq!(not_found_ms(2), Some(NOT_FOUND_MS));
        assert_eq!(not_found_ms(3), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        #[track_caller]
        fn check(text: &str, expected: Option<i64>) {
            assert_eq!(retry_after_ms(text, NOW_MS), expected, "{text:?}");
        }
        check("0", Some(0));
        check(" 120 ", Some(120_000));
        check("1000000000000", Some(24 * HOUR_MS));
        check("99999999999999999999999999", Some(24 * HOUR_MS));
        check("Mon, 21 Sep 2026 14:14:20 GMT", Some(60_000));
        check("Thu, 01 Jan 1970 00:00:00 GMT", Some(0));
        check("next week", None);
        check("-5", None);
        check("", None);
    }
}
