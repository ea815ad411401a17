//! One mail over SMTP: a conversation of known stages, so that what broke off can be told from what was refused.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use lettre::address::{Address, Envelope};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    Certificate, CertificateStore, SmtpConnection, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;

use super::address::Reach;
use super::authority::Authorities;
use super::http::Outgoing;
use super::outcome::{Reply, Stage};
use super::secret::Secret;
use crate::rules::outbox::{Encryption, Endpoint, SmtpEndpoint, is_own_host};

const CONNECT: Duration = Duration::from_secs(5);

/// Sends mails to one server.
pub struct SmtpSender {
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<Credentials>,
    from: Address,
    reach: Reach,
    authorities: Option<Authorities>,
    /// How long each step of the conversation may take.
    step: Duration,
}

impl SmtpSender {
    /// Prepares to send to `smtp` as `endpoint` says; its certificate is to be one of `authorities`, or of those that
    /// the system trusts.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the sender.
    pub fn new(
        endpoint: &Endpoint,
        smtp: &SmtpEndpoint,
        secret: Option<&Secret>,
        authorities: Option<&Authorities>,
    ) -> Result<Self, String> {
        let address = &smtp.sender.1;
        let from = address.parse().map_err(|_| format!("`{address}` is no e-mail address"))?;
        let reach = Reach::of(endpoint.allow_private, is_own_host(&smtp.host));
        let user = smtp.user.clone().zip(secret);
        Ok(Self {
            host: smtp.host.clone(),
            port: smtp.port,
            encryption: smtp.encryption,
            credentials: user
                .map(|(user, secret)| Credentials::new(user, secret.reveal().to_owned())),
            from,
            reach,
            authorities: authorities.cloned(),
            step: endpoint.timeout,
        })
    }

    /// Sends `outgoing` once and returns what came of it.
    pub fn send(&self, outgoing: &Outgoing<'_>) -> Reply {
        let Ok(to) = outgoing.recipient.parse::<Address>() else {
            // As a server would say it: mailbox name not allowed.
            return Reply::Smtp { code: 553, stage: Stage::Envelope };
        };
        let Ok(envelope) = Envelope::new(Some(self.from.clone()), vec![to]) else {
            return Reply::Smtp { code: 553, stage: Stage::Envelope };
        };
        let addresses = match self.addresses() {
            Ok(addresses) => addresses,
            Err(reply) => return reply,
        };
        let mut connection = match self.open(&addresses) {
            Ok(connection) => connection,
            Err(reply) => return reply,
        };
        let reply = converse(&mut connection, &envelope, outgoing.body);
        // Whatever it answers to a farewell, the mail has been taken or not.
        let _ = connection.quit();
        reply
    }

    /// Resolves the server's name once; what is connected to is what was looked at.
    fn addresses(&self) -> Result<Vec<SocketAddr>, Reply> {
        let found = (self.host.as_str(), self.port).to_socket_addrs();
        let found: Vec<SocketAddr> = found.map_err(|_| Reply::NotSent("host-not-found"))?.collect();
        if self.reach.allows_all(&found) {
            Ok(found)
        } else {
            Err(Reply::Forbidden("private-address"))
        }
    }

    fn tls(&self) -> Result<TlsParameters, Error> {
        let mut tls = TlsParameters::builder(self.host.clone());
        if let Some(authorities) = &self.authorities {
            tls = tls.certificate_store(CertificateStore::None);
            for one in authorities.certificates() {
                tls = tls.add_root_certificate(Certificate::from_der(one.der().to_vec())?);
            }
        }
        tls.build()
    }

    fn open(&self, addresses: &[SocketAddr]) -> Result<SmtpConnection, Reply> {
        let hello = ClientId::default();
        let tls = self.tls().map_err(|_| Reply::NotSent("tls"))?;
        let wrapped = (self.encryption == Encryption::Tls).then_some(&tls);
        let opened =
            SmtpConnection::connect(addresses, Some(CONNECT.min(self.step)), &hello, wrapped, None);
        let mut connection = opened.map_err(|fault| not_sent(&fault))?;
        connection.set_timeout(Some(self.step)).map_err(|_| Reply::NotSent("connect"))?;
        if self.encryption == Encryption::StartTls {
            if !connection.can_starttls() {
                // Whoever stands on the way may have taken the offer out: nothing goes in the clear.
                connection.abort();
                return Err(Reply::Forbidden("no-starttls"));
            }
            connection.starttls(&tls, &hello).map_err(|fault| not_sent(&fault))?;
        }
        if let Some(credentials) = &self.credentials {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            connection.auth(&mechanisms, credentials).map_err(|fault| not_sent(&fault))?;
        }
        Ok(connection)
    }
}

/// Says sender and recipient, then the mail: what breaks off before the mail is whole was not taken, what breaks off
/// after that may have been.
fn converse(connection: &mut SmtpConnection, envelope: &Envelope, mail: &[u8]) -> Reply {
    let before = |answered: Result<Response, Error>, stage| match answered {
        Ok(_) => Ok(()),
        Err(fault) => Err(answer(&fault, stage).unwrap_or(Reply::NotSent("reset"))),
    };
    let mut opened = || -> Result<(), Reply> {
        before(connection.command(Mail::new(envelope.from().cloned(), vec![])), Stage::Envelope)?;
        for to in envelope.to() {
            before(connection.command(Rcpt::new(to.clone(), vec![])), Stage::Envelope)?;
        }
        before(connection.command(Data), Stage::Message)
    };
    if let Err(reply) = opened() {
        return reply;
    }
    // The line end before the lone dot is the last one of the mail (RFC 5321, 4.1.1.4).
    match connection.message(mail.strip_suffix(b"\r\n").unwrap_or(mail)) {
        Ok(_) => Reply::Smtp { code: 250, stage: Stage::Message },
        Err(fault) => answer(&fault, Stage::Message).unwrap_or(if fault.is_timeout() {
            Reply::Lost("timeout")
        } else {
            Reply::Lost("reset")
        }),
    }
}

/// Returns what the server said, if `fault` is that it said something.
fn answer(fault: &Error, stage: Stage) -> Option<Reply> {
    let code = u16::from(fault.status()?);
    Some(Reply::Smtp { code, stage })
}

fn not_sent(fault: &Error) -> Reply {
    answer(fault, Stage::Opening).unwrap_or(if fault.is_tls() || is_of_tls(fault) {
        Reply::NotSent("tls")
    } else if fault.is_timeout() {
        Reply::NotSent("connect-timeout")
    } else {
        Reply::NotSent("connect")
    })
}

/// What TLS finds wrong with a certificate comes as a fault of the connection, too.
fn is_of_tls(fault: &Error) -> bool {
    let mut cause = std::error::Error::source(fault);
    while let Some(inner) = cause {
        let io = inner.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData) {
            return true;
        }
        cause = inner.source();
    }
    false
}
