//! The way to each endpoint, opened once for a command.

use std::path::Path;

use super::authority::Authorities;
use super::http::{HttpSender, Outgoing};
use super::outcome::Reply;
use super::secret;
use super::smtp::SmtpSender;
use crate::rules::outbox::{Address, Endpoint, Wire as Speaks};

/// The way to one endpoint.
pub enum Wire {
    /// Over HTTP.
    Http(Box<HttpSender>),
    /// Over SMTP.
    Smtp(Box<SmtpSender>),
}

impl Wire {
    /// Opens the way to `endpoint`; paths of secrets and authorities begin at `workspace`.
    ///
    /// # Errors
    /// A sentence that says what is missing, such as a secret.
    pub fn open(endpoint: &Endpoint, workspace: &Path) -> Result<Self, String> {
        let read = |source| secret::read(source, workspace);
        let secret = endpoint.secret.as_ref().map(read).transpose()?;
        let authorities = endpoint.ca_file.as_ref().map(|path| Authorities::read(path, workspace));
        let authorities = authorities.transpose()?;
        let (secret, authorities) = (secret.as_ref(), authorities.as_ref());
        match &endpoint.wire {
            Speaks::Http(http) => {
                let url = match &http.url {
                    Address::Plain(url) => url.clone(),
                    Address::Secret(source) => read(source)?.reveal().to_owned(),
                };
                let sender = HttpSender::new(endpoint, http, &url, secret, authorities)?;
                Ok(Self::Http(Box::new(sender)))
            }
            Speaks::Smtp(smtp) => {
                Ok(Self::Smtp(Box::new(SmtpSender::new(endpoint, smtp, secret, authorities)?)))
            }
        }
    }

    /// Sends `outgoing` once and returns what came of it.
    pub fn send(&self, outgoing: &Outgoing<'_>) -> Reply {
        match self {
            Self::Http(sender) => sender.send(outgoing),
            Self::Smtp(sender) => sender.send(outgoing),
        }
    }
}
