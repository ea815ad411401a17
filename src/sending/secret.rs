//! Secrets: read when they are needed, and never shown.

use std::fs;
use std::path::Path;

use crate::rules::secret::SecretSource;

/// Bytes of a secret, at most: what is larger is another file.
const BYTES_MAX: u64 = 64 * 1024;

/// A password or key. It has no `Debug`, so that none gets into a message.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Returns it, for whoever puts it on the wire.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Reads the secret that `source` names; a relative path begins at `workspace`.
///
/// # Errors
/// A sentence that says what is wrong, with the name and not the secret.
pub fn read(source: &SecretSource, workspace: &Path) -> Result<Secret, String> {
    let text = match source {
        SecretSource::Env(name) => std::env::var(name)
            .map_err(|_| format!("the variable {name}, which holds the secret, is not set"))?,
        SecretSource::File(path) => {
            let path = workspace.join(path);
            let shown = path.display();
            let about = fs::metadata(&path)
                .map_err(|fault| format!("cannot read the secret in {shown}: {fault}"))?;
            if !about.is_file() || about.len() > BYTES_MAX {
                return Err(format!("{shown} is no file with a secret"));
            }
            if is_open_to_others(&about) {
                return Err(format!(
                    "{shown} holds a secret and others may read it\nhint: chmod 600 {shown}"
                ));
            }
            fs::read_to_string(&path)
                .map_err(|fault| format!("cannot read the secret in {shown}: {fault}"))?
        }
    };
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(match source {
            SecretSource::Env(name) => {
                format!("the variable {name} is no secret: it is empty or has line ends")
            }
            SecretSource::File(path) => {
                format!("{path} is no secret: it is empty or has line ends")
            }
        });
    }
    Ok(Secret(text.to_owned()))
}

#[cfg(unix)]
fn is_open_to_others(about: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    about.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_secret_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let source = SecretSource::File("token".to_owned());
        fs::write(&path, "tajne\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let fault = read(&source, folder.path()).err().unwrap();
        assert!(fault.contains("chmod 600"), "{fault}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read(&source, folder.path()).ok().unwrap().reveal(), "tajne");
        fs::write(&path, " \n").unwrap();
        assert!(read(&source, folder.path()).is_err());
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let source = SecretSource::Env("LEADMILL_NO_SUCH_VARIABLE".to_owned());
        let fault = read(&source, Path::new(".")).err().unwrap();
        assert!(fault.contains("LEADMILL_NO_SUCH_VARIABLE"), "{fault}");
    }
}
