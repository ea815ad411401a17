//! Reading leads for what they say of their companies.

use anyhow::Result;
use rusqlite::Row;

use super::identifying::IdentifyingColumns;
use super::{Store, codec};
use crate::model::decision::Segment;
use crate::model::field::FieldValues;
use crate::model::ids::{LeadId, LeadNo};
use crate::rules::field::FieldCatalog;

/// A lead as a member of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLead {
    /// Internal number; the order of founding.
    pub no: LeadNo,
    /// Public id.
    pub id: LeadId,
    /// Golden values.
    pub values: FieldValues,
    /// Segment.
    pub segment: Segment,
    /// Owner's id.
    pub owner: Option<String>,
    /// Queue's id.
    pub queue: String,
    /// When the latest submission was sent, milliseconds since 1970 UTC.
    pub last_ms: i64,
}

const LEADS: &str =
    "SELECT l.lead_no, l.id, coalesce(l.fields, s.fields), l.segment, l.owner, l.queue, l.last_ms
     FROM lead AS l CROSS JOIN submission AS s ON s.submission_no = l.founder_no
     WHERE l.merged_into IS NULL";

/// What is looked at of every lead to tell its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyGlance {
    /// Internal number; the order of founding.
    pub no: LeadNo,
    /// When the latest submission was sent, milliseconds since 1970 UTC.
    pub last_ms: i64,
    /// Whether it is somebody's.
    pub is_owned: bool,
    /// What it says.
    pub said: Said,
}

/// The golden values of a lead, as far as somebody asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Those of its only submission.
    Values(FieldValues),
    /// All of them as JSON, where they come from several.
    Fields(String),
}

/// Leads handed out at one time.
const LEADS_AT_ONCE: usize = 4_096;

impl Store {
    /// Hands every lead to `visit`, in founding order and many at a time.
    pub fn each_company_glance(
        &self,
        asked: &IdentifyingColumns,
        mut visit: impl FnMut(&[CompanyGlance]) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT l.lead_no, l.last_ms, l.owner IS NOT NULL, l.fields, {}
             FROM lead AS l LEFT JOIN submission AS s INDEXED BY submission_identifying
                 ON l.fields IS NULL AND s.submission_no = l.founder_no
             WHERE l.merged_into IS NULL ORDER BY l.lead_no",
            asked.columns
        ))?;
        let mut rows = statement.query([])?;
        let mut glances = Vec::with_capacity(LEADS_AT_ONCE);
        while let Some(row) = rows.next()? {
            glances.push(CompanyGlance {
                no: LeadNo(row.get(0)?),
                last_ms: row.get(1)?,
                is_owned: row.get(2)?,
                said: match row.get(3)? {
                    Some(fields) => Said::Fields(fields),
                    None => Said::Values(asked.read(row, 4)?),
                },
            });
            if glances.len() == LEADS_AT_ONCE {
                visit(&glances)?;
                glances.clear();
            }
        }
        visit(&glances)
    }

    /// Returns one lead.
    pub fn account_lead(&self, lead: LeadNo, catalog: &FieldCatalog) -> Result<AccountLead> {
        let found = self.account_lead_if_there(lead, catalog)?;
        found.ok_or_else(|| anyhow::anyhow!("lead {} is missing", lead.0))
    }

    /// Returns one lead; `None` when it was merged into another or is not written yet.
    pub fn account_lead_if_there(
        &self,
        lead: LeadNo,
        catalog: &FieldCatalog,
    ) -> Result<Option<AccountLead>> {
        let mut statement =
            self.connection.prepare_cached(&format!("{LEADS} AND l.lead_no = ?1"))?;
        let mut rows = statement.query([lead.0])?;
        rows.next()?.map(|row| read(row, catalog)).transpose()
    }
}

fn read(row: &Row<'_>, catalog: &FieldCatalog) -> Result<AccountLead> {
    let (fields, segment): (String, String) = (row.get(2)?, row.get(3)?);
    Ok(AccountLead {
        no: LeadNo(row.get(0)?),
        id: super::listing::read_id(row, 1)?,
        values: codec::decode_values(&fields, catalog)?,
        segment: codec::word(Segment::ALL, &segment)?,
        owner: row.get(4)?,
        queue: row.get(5)?,
        last_ms: row.get(6)?,
    })
}
