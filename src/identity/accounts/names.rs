//! Names of companies side by side, as the matcher compares them: rare words weigh more.

use crate::identity::matching::compare::Comparer;
use crate::identity::matching::kind::Kind;
use crate::identity::matching::lists::Lists;
use crate::identity::matching::profile::Profile;
use crate::identity::matching::records::Records;
use crate::identity::matching::sheet::Sheet;

/// The level of an organization's name up to which two may be one company's: equal, nearly equal, similar.
const SIMILAR: u8 = 2;
/// The level up to which two are one name, give or take a slip: equal, nearly equal.
const NEARLY_EQUAL: u8 = 1;

/// Compares names by their numbers.
#[derive(Debug)]
pub(super) struct NameComparer {
    records: Records,
    /// The number is the position in `records`.
    field: Option<usize>,
}

impl NameComparer {
    /// Prepares to compare `names`, each different, whose numbers are their positions. How rare a word is, the names
    /// themselves tell.
    pub(super) fn new<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut sheet = Sheet::new(["company"]);
        for name in names {
            sheet.push("", [name]);
        }
        let profile = Profile { kind: Kind::Organization, because: "field" };
        // The names come without legal forms, so no list is needed.
        let records = Records::prepare(&sheet, &[profile], &Lists::default());
        Self { field: records.field_of(Kind::Organization), records }
    }

    /// Returns whether `a` and `b` are not clearly different companies.
    pub(super) fn may_be_one(&self, a: u32, b: u32) -> bool {
        self.level(a, b) <= SIMILAR
    }

    /// Returns whether `a` and `b` are one name, give or take a slip.
    pub(super) fn is_nearly_equal(&self, a: u32, b: u32) -> bool {
        self.level(a, b) <= NEARLY_EQUAL
    }

    fn level(&self, a: u32, b: u32) -> u8 {
        let Some(field) = self.field.filter(|_| a != b) else { return 0 };
        let agreement = Comparer::without_memory(&self.records).compare(a, b);
        agreement.level(field).unwrap_or(u8::MAX)
    }
}
