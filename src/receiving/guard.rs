//! What a sender must prove: a secret that they know, or a signature of what they sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;

use super::secret::Secret;
use crate::model::ids::unhex;
use crate::rules::receive::{Check, SecretPlace};
use crate::rules::secret::SecretSource;

/// How old a signed time may be, and how far ahead: what Webflow and Standard Webhooks recommend.
const TOLERANCE_MS: i64 = 5 * 60 * 1_000;

/// What Google calls the field that holds its key.
const GOOGLE_KEY: &str = "google_key";

/// What a sender must prove, with the secrets.
#[derive(Debug)]
pub enum Guard {
    /// Nothing.
    Open,
    /// That they know a secret, in a header.
    Header(String, Secret),
    /// That they know a secret, in a field of the body.
    Field(String, Secret),
    /// That Meta signed the body with the first; whoever asks beforehand, that they know the second.
    Meta(Secret, Secret),
    /// That Typeform signed the body.
    Typeform(Secret),
    /// That Webflow signed the time and the body.
    Webflow(Secret),
    /// That somebody signed an id, the time and the body.
    StandardWebhooks(Secret),
}

/// Why a sender was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denial {
    /// There is no signature or secret, or not in the form in which it must be.
    Missing,
    /// It is not the one.
    Wrong,
    /// It was signed too long ago, or in the future: it may be somebody else's copy.
    Stale,
}

impl Denial {
    /// Returns what is said to the sender and in the log.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Missing => "signature-missing",
            Self::Wrong => "signature-wrong",
            Self::Stale => "signature-stale",
        }
    }
}

impl Guard {
    /// Prepares a check; `secret` finds the secrets that it names.
    ///
    /// # Errors
    /// What `secret` says; `Err` from here when a secret of Standard Webhooks is not in base64.
    pub fn new<E>(
        check: &Check,
        secret: impl Fn(&SecretSource) -> Result<Secret, E>,
        malformed: impl Fn(&SecretSource) -> E,
    ) -> Result<Self, E> {
        Ok(match check {
            Check::None => Self::Open,
            Check::SharedSecret(name, SecretPlace::Header(header)) => {
                Self::Header(header.clone(), secret(name)?)
            }
            Check::SharedSecret(name, SecretPlace::Field(field)) => {
                Self::Field(field.clone(), secret(name)?)
            }
            Check::Meta(name, token) => Self::Meta(secret(name)?, secret(token)?),
            Check::Typeform(name) => Self::Typeform(secret(name)?),
            Check::Webflow(name) => Self::Webflow(secret(name)?),
            Check::GoogleAds(name) => Self::Field(GOOGLE_KEY.to_owned(), secret(name)?),
            Check::StandardWebhooks(name) => {
                let key = secret(name)?.decoded(|text| {
                    STANDARD.decode(text.strip_prefix(b"whsec_").unwrap_or(text)).ok()
                });
                Self::StandardWebhooks(key.ok_or_else(|| malformed(name))?)
            }
        })
    }

    /// Looks at what stands in the head of a request, with the body as it was sent.
    pub(super) fn check(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now_ms: i64,
    ) -> Result<(), Denial> {
        match self {
            Self::Open | Self::Field(..) => Ok(()),
            Self::Header(header, secret) => {
                let given = headers.get(header).ok_or(Denial::Missing)?;
                if secret.is(given.as_bytes()) { Ok(()) } else { Err(Denial::Wrong) }
            }
            Self::Meta(secret, _) => {
                let signature = text(headers, "x-hub-signature-256")?;
                let digits = signature.strip_prefix("sha256=").ok_or(Denial::Missing)?;
                verify(secret, &[body], &unhex(digits).ok_or(Denial::Missing)?)
            }
            Self::Typeform(secret) => {
                let signature = text(headers, "typeform-signature")?;
                let encoded = signature.strip_prefix("sha256=").ok_or(Denial::Missing)?;
                verify(secret, &[body], &STANDARD.decode(encoded).map_err(|_| Denial::Missing)?)
            }
            Self::Webflow(secret) => {
                let at = text(headers, "x-webflow-timestamp")?;
                let signature =
                    unhex(text(headers, "x-webflow-signature")?).ok_or(Denial::Missing)?;
                verify(secret, &[at.as_bytes(), b":", body], &signature)?;
                is_recent(at.parse().ok(), now_ms)
            }
            Self::StandardWebhooks(secret) => {
                let (id, at) = (text(headers, "webhook-id")?, text(headers, "webhook-timestamp")?);
                let parts = [id.as_bytes(), b".", at.as_bytes(), b".", body];
                // There are several while a secret is being changed.
                let signatures = text(headers, "webhook-signature")?.split(' ');
                let own: Vec<Vec<u8>> = signatures
                    .filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok())
                    .collect();
                if own.is_empty() {
                    return Err(Denial::Missing);
                }
                if !own.iter().any(|signature| secret.signed(&parts, signature)) {
                    return Err(Denial::Wrong);
                }
                is_recent(at.parse::<i64>().ok().and_then(|at| at.checked_mul(1_000)), now_ms)
            }
        }
    }

    /// Returns the field of the body in which the secret stands, if it does; the field is not kept.
    pub(super) fn field(&self) -> Option<(&str, &Secret)> {
        match self {
            Self::Field(field, secret) => Some((field, secret)),
            _ => None,
        }
    }

    /// Returns the header in which a secret stands, which scripts of pages may send then.
    pub(super) fn header(&self) -> Option<&str> {
        match self {
            Self::Header(header, _) => Some(header),
            _ => None,
        }
    }

    /// Returns whether the endpoint answers Meta's question whether it is the right one.
    pub(super) fn is_asked_beforehand(&self) -> bool {
        matches!(self, Self::Meta(..))
    }

    /// Returns what to answer to the question in `query`: its challenge, when it knows the token.
    pub(super) fn challenge(&self, query: &str) -> Result<String, Denial> {
        let Self::Meta(_, verify_token) = self else { return Err(Denial::Missing) };
        let value = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let is_question = value("hub.mode").as_deref() == Some("subscribe");
        let token = value("hub.verify_token").filter(|_| is_question).ok_or(Denial::Missing)?;
        if !verify_token.is(token.as_bytes()) {
            return Err(Denial::Wrong);
        }
        // It is a number; what else somebody puts there is not said back to a browser.
        let is_plain = |text: &String| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        value("hub.challenge").filter(is_plain).ok_or(Denial::Missing)
    }
}

fn verify(secret: &Secret, parts: &[&[u8]], signature: &[u8]) -> Result<(), Denial> {
    if secret.signed(parts, signature) { Ok(()) } else { Err(Denial::Wrong) }
}

fn is_recent(at_ms: Option<i64>, now_ms: i64) -> Result<(), Denial> {
    let at_ms = at_ms.ok_or(Denial::Missing)?;
    let is_recent = now_ms.checked_sub(at_ms).is_some_and(|age| age.abs() <= TOLERANCE_MS);
    if is_recent { Ok(()) } else { Err(Denial::Stale) }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Denial> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim).ok_or(Denial::Missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(check: &Check, secret: &str) -> Guard {
        Guard::new(check, |_| Ok::<_, ()>(Secret::new(secret)), |_| ()).unwrap()
    }

    fn name() -> SecretSource {
        SecretSource::Env("S".to_owned())
    }

    #[track_caller]
    fn verdict(
        guard: &Guard,
        headers: &[(&str, &str)],
        body: &str,
        now_ms: i64,
    ) -> Result<(), Denial> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: hyper::header::HeaderName = name.parse().unwrap();
            map.append(name, value.parse().unwrap());
        }
        guard.check(&map, body.as_bytes(), now_ms)
    }

    /// The vector of GitHub's documentation, whose scheme Meta's is.
    #[test]
    fn meta_signs_the_body_in_hex() {
        let guard = guard(&Check::Meta(name(), name()), "It's a Secret to Everybody");
        let sound = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let check = |signature: &str, body: &str, expected| {
            let headers = [("X-Hub-Signature-256", signature)];
            assert_eq!(verdict(&guard, &headers, body, 0), expected, "{signature} {body}");
        };
        check(sound, "Hello, World!", Ok(()));
        check(sound, "Hello, World", Err(Denial::Wrong));
        check(&sound[7..], "Hello, World!", Err(Denial::Missing));
        check("sha256=zz", "Hello, World!", Err(Denial::Missing));
        check("sha256=", "Hello, World!", Err(Denial::Wrong));
        check(&sound[..sound.len() - 2], "Hello, World!", Err(Denial::Wrong));
        assert_eq!(verdict(&guard, &[], "Hello, World!", 0), Err(Denial::Missing));
    }

    #[test]
    fn meta_asks_beforehand() {
        let guard = guard(&Check::Meta(name(), name()), "t0ken");
        let check = |query: &str, expected: Result<&str, Denial>| {
            assert_eq!(guard.challenge(query).as_deref(), expected.as_deref(), "{query}");
        };
        check(
            "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=t0ken",
            Ok("1158201444"),
        );
        check("hub.mode=subscribe&hub.challenge=1&hub.verify_token=other", Err(Denial::Wrong));
        check(
            "hub.mode=subscribe&hub.challenge=%3Cb%3E&hub.verify_token=t0ken",
            Err(Denial::Missing),
        );
        check("hub.challenge=1&hub.verify_token=t0ken", Err(Denial::Missing));
        check("", Err(Denial::Missing));
    }

    /// The vector of the libraries of Standard Webhooks.
    #[test]
    fn standard_webhooks_sign_id_time_and_body() {
        let guard =
            guard(&Check::StandardWebhooks(name()), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = r#"{"test": 2432232314}"#;
        let sound = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let check = |id: &str, signature: &str, now_seconds: i64, expected| {
            let headers = [
                ("webhook-id", id),
                ("webhook-timestamp", "1614265330"),
                ("webhook-signature", signature),
            ];
            let found = verdict(&guard, &headers, body, now_seconds * 1_000);
            assert_eq!(found, expected, "{id} {signature} {now_seconds}");
        };
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        check(id, sound, 1_614_265_330, Ok(()));
        check(id, &format!("v1a,abc v1,AAAA {sound}"), 1_614_265_330, Ok(()));
        check(id, sound, 1_614_265_330 + 301, Err(Denial::Stale));
        check(id, sound, 1_614_265_330 - 301, Err(Denial::Stale));
        check("msg_other", sound, 1_614_265_330, Err(Denial::Wrong));
        check(id, "v2,g0hM9SsE", 1_614_265_330, Err(Denial::Missing));
    }

    #[test]
    fn a_secret_that_is_no_base64_is_said() {
        let found = Guard::new(
            &Check::StandardWebhooks(name()),
            |_| Ok(Secret::new("whsec_???")),
            |_| "malformed",
        );
        assert_eq!(found.unwrap_err(), "malformed");
    }

    /// Made with Python's `hmac`, since Typeform documents no vector.
    #[test]
    fn typeform_signs_the_body_in_base64() {
        let guard = guard(&Check::Typeform(name()), "typeform-secret");
        let body = r#"{"event_id":"01","event_type":"form_response"}"#;
        let sound = "sha256=D1jWbuxSg3/TmlBNUYXxXTAmVpefpLyGXsM5mbLNw0I=";
        let check = |signature: &str, body: &str, expected| {
            let headers = [("Typeform-Signature", signature)];
            assert_eq!(verdict(&guard, &headers, body, 0), expected, "{signature} {body}");
        };
        check(sound, body, Ok(()));
        check(sound, &body.replace("01", "02"), Err(Denial::Wrong));
        check("sha256=!!", body, Err(Denial::Missing));
        check("md5=abc", body, Err(Denial::Missing));
    }

    /// Made with Python's `hmac`: Webflow's documentation shows a signature, but not the secret of it.
    #[test]
    fn webflow_signs_time_and_body_and_the_time_must_be_near() {
        let guard = guard(&Check::Webflow(name()), "webflow-secret");
        let body = r#"{"triggerType":"form_submission"}"#;
        let at = 1_663_849_649_733_i64;
        let check = |time: &str, now_ms: i64, expected| {
            let signature = "11ece54e90021812c3a181c02f479131f03d5566d44500a4d1e7496019227610";
            let headers = [("x-webflow-timestamp", time), ("x-webflow-signature", signature)];
            assert_eq!(verdict(&guard, &headers, body, now_ms), expected, "{time} {now_ms}");
        };
        check("1663849649733", at, Ok(()));
        check("1663849649733", at + TOLERANCE_MS, Ok(()));
        check("1663849649733", at + TOLERANCE_MS + 1, Err(Denial::Stale));
        check("1663849649734", at, Err(Denial::Wrong));
        check("now", at, Err(Denial::Wrong));
    }

    #[test]
    fn a_secret_stands_in_its_header() {
        let check = Check::SharedSecret(name(), SecretPlace::Header("x-secret".to_owned()));
        let guard = guard(&check, "hunter2");
        assert_eq!(verdict(&guard, &[("X-Secret", "hunter2")], "", 0), Ok(()));
        assert_eq!(verdict(&guard, &[("X-Secret", "hunter3")], "", 0), Err(Denial::Wrong));
        assert_eq!(verdict(&guard, &[], "", 0), Err(Denial::Missing));
    }

    #[test]
    fn a_secret_in_the_body_is_looked_for_there() {
        let guard = guard(&Check::GoogleAds(name()), "k");
        let (field, secret) = guard.field().unwrap();
        assert_eq!(field, "google_key");
        assert!(secret.is(b"k"));
    }
}
