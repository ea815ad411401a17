//! Some values of many submissions: those by which people and companies are told apart, without the rest of the rows.

use anyhow::{Context as _, Result};
use rusqlite::Row;

use super::Store;
use crate::model::field::{FieldNo, FieldValues};
use crate::model::ids::SubmissionNo;
use crate::rules::field::FieldCatalog;

/// As many bytes as these values of most submissions take.
const VALUES_USUAL_BYTES: usize = 192;

/// Fields of submissions, and how the store is asked for them.
#[derive(Debug)]
pub struct IdentifyingColumns {
    fields: Vec<FieldNo>,
    /// The columns in SQL, of a submission that the statement calls `s`.
    pub(super) columns: String,
    of_one: String,
}

impl IdentifyingColumns {
    /// Those fields of `catalog` that are `wanted`. An index holds the built-in ones that tell people and companies
    /// apart; where another is wanted the rows are read, too.
    pub fn new(catalog: &FieldCatalog, wanted: impl Fn(FieldNo) -> bool) -> Self {
        let fields: Vec<FieldNo> =
            catalog.iter().map(|(field, _)| field).filter(|field| wanted(*field)).collect();
        let columns: Vec<String> = fields
            .iter()
            .map(|field| format!("json_extract(s.fields, '$.\"{}\"')", catalog.name(*field)))
            .collect();
        let columns = columns.join(", ");
        let of_one = format!(
            "SELECT {columns} FROM submission AS s INDEXED BY submission_identifying
             WHERE s.submission_no = ?1"
        );
        Self { fields, columns, of_one }
    }

    /// Reads the values from `row`, in which the columns begin at `first`.
    pub(super) fn read(&self, row: &Row<'_>, first: usize) -> Result<FieldValues> {
        let mut values = FieldValues::with_room_for(self.fields.len(), VALUES_USUAL_BYTES);
        for (at, field) in self.fields.iter().enumerate() {
            if let Some(value) = row.get_ref(first + at)?.as_str_or_null()? {
                values.set(*field, value);
            }
        }
        Ok(values)
    }
}

impl Store {
    /// Returns the values that `submission` has in `columns`.
    pub fn identifying_values(
        &self,
        submission: SubmissionNo,
        columns: &IdentifyingColumns,
    ) -> Result<FieldValues> {
        let mut statement = self.connection.prepare_cached(&columns.of_one)?;
        let mut rows = statement.query([submission.0])?;
        columns.read(rows.next()?.context("a submission is missing from the store")?, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::accounts::keys::tells_of_company;
    use crate::identity::likeness::is_compared;

    #[test]
    fn whatever_tells_people_and_companies_apart_stands_in_the_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("leadmill.db")).unwrap();
        for wanted in [is_compared, tells_of_company] {
            let columns = IdentifyingColumns::new(&FieldCatalog::decode(None), wanted);
            assert!(columns.fields.len() > 10, "{columns:?}");
            let sql = format!("EXPLAIN QUERY PLAN {}", columns.of_one);
            let plan: String = store.connection.query_row(&sql, [1], |row| row.get(3)).unwrap();
            assert!(plan.contains("USING COVERING INDEX submission_identifying"), "{plan}");
        }
    }
}
