//! Where a store may lie: on a disk of this machine. On network file systems locks are promises that some servers do
//! not keep, and the memory that SQLite's journal shares between processes does not reach other machines
//! (<https://sqlite.org/wal.html>, "all processes using a database must be on the same host computer").

use std::path::Path;

use anyhow::Result;

use super::StoreFault;

/// File systems of other machines, by what `statfs` calls them (`linux/magic.h`).
const NETWORKS: &[(u64, &str)] =
    &[(0x6969, "NFS"), (0x517B, "SMB"), (0xFF53_4D42, "CIFS"), (0xFE53_4D42, "SMB2")];

/// Refuses a folder that lies on another machine.
///
/// # Errors
/// [`StoreFault::Elsewhere`] with the kind of file system.
#[cfg(target_os = "linux")]
pub(super) fn check(store: &Path) -> Result<()> {
    let folder = super::files::folder_of(store);
    // A folder that cannot be asked cannot be written to either, and that is said more clearly by whoever does.
    let Ok(found) = rustix::fs::statfs(folder) else { return Ok(()) };
    match network(found.f_type as u64 & 0xFFFF_FFFF) {
        Some(kind) => Err(StoreFault::Elsewhere(store.to_owned(), kind).into()),
        None => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn check(_: &Path) -> Result<()> {
    Ok(())
}

/// Returns the name of a network file system.
fn network(magic: u64) -> Option<&'static str> {
    NETWORKS.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_of_other_machines_are_told_from_disks() {
        for (magic, expected) in [
            (0x6969, Some("NFS")),
            (0xFF53_4D42, Some("CIFS")),
            (0xFE53_4D42, Some("SMB2")),
            (0xEF53, None),      // ext4
            (0x5846_5342, None), // xfs
            (0x0102_1994, None), // tmpfs
            (0x794C_7630, None), // overlayfs
        ] {
            assert_eq!(network(magic), expected, "{magic:x}");
        }
        assert!(check(&std::env::temp_dir().join("leadmill.db")).is_ok());
    }
}
