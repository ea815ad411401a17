//! Where secrets are kept: rules name the place, never the secret.

use super::decode::Table;

/// Where a secret is; never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In this variable of the environment.
    Env(String),
    /// In this file, which is the secret whole; a relative path begins at the workspace.
    File(String),
}

/// Reads `{ env = "…" }` or `{ file = "…" }` at `key`; nothing when there is none, or not said as it must be.
pub fn secret(table: &Table<'_>, key: &str) -> Option<SecretSource> {
    if table.has(key) && table.is_text(key) {
        // Not at its own place: a message shows the line, and nobody is to read it there.
        let hint =
            "write { env = \"NAME\" } or { file = \"PATH\" }, and change it: it was in a file"
                .to_owned();
        table.error("id", format!("`{key}` stands here itself instead of where it is"), Some(hint));
        return None;
    }
    let read = |inner: &Table<'_>| {
        let (env, file) = (inner.opt_string("env"), inner.opt_string("file"));
        let found = match (env, file) {
            (Some(env), None) if !env.trim().is_empty() => Some(SecretSource::Env(env)),
            (None, Some(file)) if !file.trim().is_empty() => Some(SecretSource::File(file)),
            _ => None,
        };
        if found.is_none() {
            let hint = "write { env = \"NAME\" } or { file = \"PATH\" }".to_owned();
            inner.sink().error(
                inner.place(),
                format!("`{key}` does not say where it is"),
                Some(hint),
            );
        }
        found
    };
    table.table(key, read).flatten()
}
