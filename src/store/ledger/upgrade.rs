//! The ledger of a store from before it was chained, taken over record by record.

use anyhow::{Context as _, Result};
use rusqlite::{Row, Transaction};

use super::chain::{Envelope, Hash, NOTHING, Payload};
use super::{Ledger, UNDONE};
use crate::consent::grade::grade;
use crate::model::consent::{Channel, ConsentClaim, ConsentState, Purpose, Shown};
use crate::model::moment::Certainty;
use crate::normalization::shown_text;
use crate::store::codec::word;

const BEFORE: &str = "SELECT c.seq, c.run_no, c.submission_no, c.purpose, c.channel, c.state, c.event_ms, c.wording_no,
        c.mechanism, c.supersedes, w.text, w.sha256, coalesce(c.evidence, i.name || ':' || s.line),
        coalesce(s.certainty, 0),
        json_extract(s.fields, '$.email'), json_extract(s.fields, '$.phone'), json_extract(s.fields, '$.ip'),
        json_extract(s.fields, '$.\"user-agent\"'), json_extract(s.fields, '$.\"form-name\"'),
        json_extract(s.fields, '$.\"landing-page\"'),
        EXISTS (SELECT 1 FROM consent_record_before AS later WHERE later.supersedes = c.seq)
    FROM consent_record_before AS c JOIN wording AS w USING (wording_no)
    LEFT JOIN submission AS s USING (submission_no) LEFT JOIN input AS i USING (input_no)
    ORDER BY c.seq";

/// Chains the records of `consent_record_before`, and drops that table.
pub(in crate::store) fn take_over(transaction: &Transaction<'_>) -> Result<()> {
    // What stood beside a text was its hash, but of one that nobody checked.
    let mut ledger = Ledger::open_in(transaction)?;
    let mut read = transaction.prepare(BEFORE)?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        let before = Before::read(row)?;
        before.append(&mut ledger).context("cannot take the consent ledger over")?;
    }
    drop(rows);
    drop(read);
    transaction.execute_batch("DROP TABLE consent_record_before")?;
    Ok(())
}

/// A record as it was.
struct Before {
    seq: i64,
    run_no: i64,
    submission_no: i64,
    purpose: String,
    channel: String,
    state: String,
    event_ms: i64,
    wording_no: i64,
    mechanism: String,
    supersedes: Option<i64>,
    text: String,
    sha256: Hash,
    /// Where its row stands, or stood.
    place: Option<String>,
    is_dated: bool,
    address: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
    form: Option<String>,
    page: Option<String>,
    is_superseded: bool,
}

impl Before {
    fn read(row: &Row<'_>) -> Result<Self> {
        let channel: String = row.get(4)?;
        let address = match word(Channel::ALL, &channel)? {
            Channel::Email => row.get(14)?,
            Channel::Post => None,
            _ => row.get(15)?,
        };
        Ok(Self {
            seq: row.get(0)?,
            run_no: row.get(1)?,
            submission_no: row.get(2)?,
            purpose: row.get(3)?,
            channel,
            state: row.get(5)?,
            event_ms: row.get(6)?,
            wording_no: row.get(7)?,
            mechanism: row.get(8)?,
            supersedes: row.get(9)?,
            text: row.get(10)?,
            sha256: row.get::<_, Vec<u8>>(11)?.try_into().unwrap_or(NOTHING),
            place: row.get(12)?,
            is_dated: row.get::<_, i64>(13)? != Certainty::Received as i64,
            address,
            ip: row.get(16)?,
            user_agent: row.get(17)?,
            form: row.get(18)?,
            page: row.get(19)?,
            is_superseded: row.get(20)?,
        })
    }

    fn append(&self, ledger: &mut Ledger<'_>) -> Result<()> {
        let shown = if shown_text(&self.text) { Shown::Text } else { Shown::Label };
        let grade = match self.state.as_str() {
            UNDONE => crate::model::consent::Grade::D,
            state => {
                let claim = ConsentClaim {
                    purpose: Purpose::new(&self.purpose),
                    channel: word(Channel::ALL, &self.channel)?,
                    state: word(ConsentState::ALL, state)?,
                    wording: String::new(),
                    mechanism: self.mechanism.clone(),
                    shown,
                    answer: None,
                    policy: None,
                    said_at_ms: None,
                    ip: None,
                };
                grade(&claim, self.is_dated)
            }
        };
        let place = self.place.as_deref().filter(|_| !self.is_superseded);
        let payload = place.map(|place| {
            serde_json::to_string(&Payload {
                address: self.address.as_deref(),
                answer: None,
                form: self.form.as_deref(),
                ip: self.ip.as_deref(),
                page: self.page.as_deref(),
                place,
                user_agent: self.user_agent.as_deref(),
            })
        });
        let envelope = Envelope {
            seq: self.seq,
            run_no: self.run_no,
            submission_no: Some(self.submission_no),
            touch_no: None,
            purpose: &self.purpose,
            channel: &self.channel,
            state: &self.state,
            event_ms: self.event_ms,
            is_dated: self.is_dated,
            wording_no: Some(self.wording_no),
            policy_no: None,
            mechanism: &self.mechanism,
            grade: grade.word(),
            supersedes: self.supersedes,
            commitment: NOTHING,
        };
        ledger.write(envelope, payload.transpose()?.as_deref(), &[Some(self.sha256)])
    }
}
