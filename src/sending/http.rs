//! One request over HTTP: no redirects, no proxy, bounded in time and size.

use std::io::{self, Read};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::{HeaderValue, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error, SendBody, Timeout, http};
use url::Url;

use super::address::Reach;
use super::authority::Authorities;
use super::outcome::{Answer, Reply};
use super::secret::Secret;
use super::signature::SigningKey;
use crate::rules::outbox::{Endpoint, HttpEndpoint, is_own_machine, url_fault};
use crate::rules::request::{Method, Results, Sign};

const CONNECT: Duration = Duration::from_secs(5);
/// A connection that lay idle for longer may be gone, and a request on it would be lost without need.
const IDLE: Duration = Duration::from_secs(4);
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a body that are read; what comes beyond is left on the wire.
const BODY_BYTES_MAX: u64 = 64 * 1024;
/// The same where the body tells of each item: a hundred records come back with their fields.
const RESULT_BYTES_MAX: u64 = 1024 * 1024;

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Its id, the same at each attempt.
    pub id: &'a str,
    /// Its bytes, the same at each attempt.
    pub body: &'a [u8],
    /// The address that a mail goes to; empty elsewhere.
    pub recipient: &'a str,
    /// The record that it changes, as the receiver calls it; empty where it makes one, or none is known.
    pub record_id: &'a str,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// How requests show who sends them.
enum Credential {
    Nobody,
    Header(http::HeaderName, HeaderValue),
    Signed(SigningKey),
}

/// Sends requests to one endpoint.
pub struct HttpSender {
    agent: Agent,
    url: Url,
    method: http::Method,
    /// How a record is changed that is known.
    update: http::Method,
    credential: Credential,
    id_header: Option<http::HeaderName>,
    body_bytes_max: u64,
}

impl HttpSender {
    /// Prepares to send to `url` as `endpoint` says; its certificate is to be one of `authorities`, or of those that
    /// the system trusts.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the address or the secret, and shows neither.
    pub fn new(
        endpoint: &Endpoint,
        http: &HttpEndpoint,
        url: &str,
        secret: Option<&Secret>,
        authorities: Option<&Authorities>,
    ) -> Result<Self, String> {
        if let Some((fault, hint)) = url_fault(url, endpoint.allow_private) {
            return Err(format!("the address of `{}`: {fault}\nhint: {hint}", endpoint.id));
        }
        let parsed = Url::parse(url).map_err(|fault| fault.to_string())?;
        let reach = Reach::of(endpoint.allow_private, is_own_machine(parsed.host().as_ref()));
        let connections = endpoint.concurrency;
        let roots = authorities.map_or(RootCerts::PlatformVerifier, |authorities| {
            RootCerts::new_with_certs(authorities.certificates())
        });
        let config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_connect(Some(CONNECT.min(endpoint.timeout)))
            .timeout_global(Some(endpoint.timeout))
            .max_response_header_size(HEADER_BYTES_MAX)
            .max_idle_connections(connections)
            .max_idle_connections_per_host(connections)
            .max_idle_age(IDLE)
            .user_agent(concat!("leadmill/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        let resolver = Guarded { inner: DefaultResolver::default(), reach };
        let shape = &http.shape;
        let name = |text: &str| {
            http::HeaderName::try_from(text).map_err(|_| format!("`{text}` is no name of a header"))
        };
        Ok(Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), resolver),
            url: parsed,
            method: method(shape.method),
            update: method(
                shape.record.as_ref().and_then(|one| one.update).unwrap_or(shape.method),
            ),
            credential: credential(&endpoint.id, &shape.sign, secret)?,
            id_header: shape.id_header.as_deref().map(name).transpose()?,
            body_bytes_max: match shape.results {
                Results::Status => BODY_BYTES_MAX,
                Results::InOrder | Results::ByTrace => RESULT_BYTES_MAX,
            },
        })
    }

    /// Sends `outgoing` once and returns what came of it.
    pub fn send(&self, outgoing: &Outgoing<'_>) -> Reply {
        let mut body = Watched { bytes: outgoing.body, was_read: false };
        let answered =
            self.request(outgoing, &mut body).and_then(|request| self.agent.run(request));
        match answered {
            Ok(response) => answer(response, self.body_bytes_max),
            Err(fault) => lost_or_not(&fault, body.was_read),
        }
    }

    fn request<'b>(
        &self,
        outgoing: &Outgoing<'_>,
        body: &'b mut Watched<'_>,
    ) -> Result<http::Request<SendBody<'b>>, Error> {
        let mut url = self.url.clone();
        let mut method = &self.method;
        if !outgoing.record_id.is_empty() {
            method = &self.update;
            // Only an address without a host has no path, and such a one is refused.
            if let Ok(mut path) = url.path_segments_mut() {
                path.pop_if_empty().push(outgoing.record_id);
            }
        }
        let mut request = http::Request::builder()
            .method(method)
            .uri(url.as_str())
            .header("content-type", "application/json")
            .header("content-length", outgoing.body.len());
        if let Some(name) = &self.id_header {
            request = request.header(name, outgoing.id);
        }
        match &self.credential {
            Credential::Nobody => {}
            Credential::Header(name, value) => request = request.header(name, value),
            Credential::Signed(key) => {
                let at = outgoing.at_ms.div_euclid(1_000);
                request = request
                    .header("webhook-id", outgoing.id)
                    .header("webhook-timestamp", at)
                    .header("webhook-signature", key.sign(outgoing.id, at, outgoing.body));
            }
        }
        Ok(request.body(SendBody::from_reader(body))?)
    }
}

fn method(word: Method) -> http::Method {
    match word {
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
    }
}

fn credential(endpoint: &str, sign: &Sign, secret: Option<&Secret>) -> Result<Credential, String> {
    let Some(secret) = secret else { return Ok(Credential::Nobody) };
    let secret = secret.reveal();
    let value = |text: String| {
        let mut value = HeaderValue::try_from(text)
            .map_err(|_| format!("the secret of `{endpoint}` cannot stand in a header"))?;
        value.set_sensitive(true);
        Ok::<_, String>(value)
    };
    match sign {
        Sign::None => Ok(Credential::Nobody),
        Sign::Bearer => {
            Ok(Credential::Header(http::header::AUTHORIZATION, value(format!("Bearer {secret}"))?))
        }
        Sign::Header(name) => {
            let name = http::HeaderName::try_from(name)
                .map_err(|_| format!("`{name}` is no name of a header"))?;
            Ok(Credential::Header(name, value(secret.to_owned())?))
        }
        Sign::StandardWebhooks => SigningKey::read(secret).map(Credential::Signed).ok_or_else(|| {
            format!(
                "the secret of `{endpoint}` is no key of Standard Webhooks\nhint: `whsec_` and 24 to 64 bytes in base64"
            )
        }),
    }
}

/// A body that knows whether anybody has begun to send it: before that, nothing can have been taken.
struct Watched<'a> {
    bytes: &'a [u8],
    was_read: bool,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.was_read = true;
        self.bytes.read(buffer)
    }
}

fn answer(response: http::Response<ureq::Body>, bytes_max: u64) -> Reply {
    let status = response.status().as_u16();
    let retry_after = response.headers().get(http::header::RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut reader = response.into_body().into_reader().take(bytes_max);
    let mut body = Vec::new();
    let is_whole = reader.read_to_end(&mut body).is_ok();
    Reply::Status(Answer { status, retry_after, body, is_whole })
}

fn lost_or_not(fault: &Error, was_read: bool) -> Reply {
    match fault {
        Error::Other(other) if other.is::<Forbidden>() => Reply::Forbidden("private-address"),
        _ if was_read => Reply::Lost(match fault {
            Error::Timeout(_) => "timeout",
            Error::LargeResponseHeader(..) => "endless-headers",
            Error::Io(_) => "reset",
            _ => "no-answer",
        }),
        Error::HostNotFound | Error::Timeout(Timeout::Resolve) => Reply::NotSent("host-not-found"),
        Error::Timeout(_) => Reply::NotSent("connect-timeout"),
        Error::Tls(_) | Error::Rustls(_) | Error::TlsRequired => Reply::NotSent("tls"),
        // What TLS finds wrong comes as a fault of the connection, too.
        Error::Io(fault) if fault.kind() == io::ErrorKind::InvalidData => Reply::NotSent("tls"),
        _ => Reply::NotSent("connect"),
    }
}

/// The address must not be sent to.
#[derive(Debug)]
struct Forbidden;

impl std::fmt::Display for Forbidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name leads to an address that nothing is sent to")
    }
}

impl std::error::Error for Forbidden {}

/// Resolves names once, and refuses what they must not lead to; what it returns is what is connected to.
#[derive(Debug)]
struct Guarded {
    inner: DefaultResolver,
    reach: Reach,
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        if self.reach.allows_all(&found) {
            Ok(found)
        } else {
            Err(Error::Other(Box::new(Forbidden)))
        }
    }
}
