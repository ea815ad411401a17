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
                Err(_) => {
                    let hint = "copy the file again, whole, from whoever runs the endpoint";
                    return Err(format!("a certificate in {shown} is damaged\nhint: {hint}"));
                }
            }
        }
        if found.is_empty() {
            let hint = "one begins with -----BEGIN CERTIFICATE-----";
            return Err(format!("{shown} holds no certificate\nhint: {hint}"));
        }
        Ok(Self(found))
    }

    /// Returns the certificates.
    pub fn certificates(&self) -> &[Certificate<'static>] {
        &self.0
    }
}
