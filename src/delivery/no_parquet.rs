//! What stands in for `parquet.rs` where leadmill is built without it.

use anyhow::{Result, bail};

use super::encoding::Encode;
use crate::rules::target::Target;

/// The rules are refused before it comes to this (`TargetCatalog::check_formats`).
pub(super) fn encoder(_: &Target) -> Result<Box<dyn Encode>> {
    bail!("this build of leadmill cannot write Parquet")
}

/// It cannot read it either.
pub(super) fn each_row(_: &[u8], _: impl FnMut(u64, Vec<String>)) -> Option<()> {
    None
}
