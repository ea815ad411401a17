//! Authorities of a team's own, whose certificates an endpoint may show instead of those that the system trusts.

use std::fs;
use std::path::Path;

use ureq::tls::{Certificate, PemItem, parse_pem};

/// Certificates of authorities; there is at least one.
#[derive(Debug, Clone)]
pub struct Authorities(Vec<Certificate<'static>>);

impl Authorities {
    /// Reads the PEM file at `path`; a relative path begins at `workspace`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the file.
    pub fn read(path: &str, workspace: &Path) -> Result<Self, String> {
        let whole = workspace.join(path);
        let shown = whole.display();
        let pem = fs::read(&whole)
            .map_err(|fault| format!("cannot read the authorities in {shown}: {fault}"))?;
        let mut found = Vec::new();
        for item in parse_pem(&pem) {
            match item {
                Ok(PemItem::Certificate(certificate)) => found.push(certificate),
                // A key has no business there, and is not looked at.
                Ok(_) => {}
                Err(_) => return Err(no_authority(&shown.to_string())),
            }
        }
        if found.is_empty() { Err(no_authority(&shown.to_string())) } else { Ok(Self(found)) }
    }

    /// Returns the certificates.
    pub fn certificates(&self) -> &[Certificate<'static>] {
        &self.0
    }
}

fn no_authority(path: &str) -> String {
    format!("{path} holds no certificate\nhint: it begins with -----BEGIN CERTIFICATE-----")
}
