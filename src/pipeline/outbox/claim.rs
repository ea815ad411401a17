//! Claiming: what is due is put into requests and marked as being sent, before the first byte leaves.

use anyhow::Result;
use sha2::{Digest as _, Sha256};

use super::enqueue::mail_id;
use super::gate::{self, Asked, Barred};
use super::{UNKNOWN, hold, is_made, waits};
use crate::model::ids::hex;
use crate::rules::RuleSet;
use crate::rules::outbox::{Endpoint, Wire};
use crate::store::Store;
use crate::store::deliveries::TargetNo;
use crate::store::outbox::{ItemEnd, KeptRequest, Member, Pending, RequestState};

/// Bytes of one request, at most, unless a single item is larger.
const REQUEST_BYTES_MAX: usize = 512 * 1024;

/// A request that is claimed.
#[derive(Debug, Clone)]
pub(super) struct Claimed {
    /// The request.
    pub(super) request: KeptRequest,
    /// Its items, in their order.
    pub(super) members: Vec<Member>,
}

/// Claims for one endpoint, inside a transaction.
#[derive(Clone, Copy)]
pub(super) struct Claiming<'a> {
    pub(super) store: &'a Store,
    pub(super) rules: &'a RuleSet,
    pub(super) endpoint: &'a Endpoint,
    pub(super) target: TargetNo,
    pub(super) now_ms: i64,
}

impl Claiming<'_> {
    /// Claims at most `most` requests: those that are to be made again, then new ones. The second value says how many
    /// items were found that must not be sent any more.
    pub(super) fn claim(self, most: usize) -> Result<(Vec<Claimed>, u64)> {
        let (mut claimed, mut barred) = (Vec::new(), 0);
        for request in self.store.due_requests(self.target, self.now_ms, most)? {
            let members = self.store.members_of(request.no)?;
            let found = self.barred_of(&members)?;
            if found.iter().all(Option::is_none) {
                self.store.begin_attempt(request.no)?;
                let attempts = request.attempts + 1;
                claimed.push(Claimed { request: KeptRequest { attempts, ..request }, members });
            } else {
                barred += self.dissolve(&request, &members, &found)?;
            }
        }
        let waits = waits(self.store, self.endpoint)?;
        while claimed.len() < most {
            let room = most - claimed.len();
            let pending = self.store.pending(self.target, waits, room * self.endpoint.batch())?;
            let (batches, out) = self.pack(pending)?;
            barred += out;
            for batch in batches.into_iter().take(room) {
                claimed.push(self.begin(batch, waits.parent)?);
            }
            // What must not be sent may have stood in the way of what may.
            if out == 0 || !claimed.is_empty() {
                break;
            }
        }
        Ok((claimed, barred))
    }

    /// Packs items that wait, no two of them of one lead, into requests; what must not be sent is ended on the way.
    fn pack(self, pending: Vec<Pending>) -> Result<(Vec<Vec<Pending>>, u64)> {
        let (mut batches, mut barred) = (Vec::new(), 0);
        let (mut batch, mut bytes): (Vec<Pending>, usize) = (Vec::new(), 0);
        for one in pending {
            let asked = Asked {
                item: &one.item,
                lead_id: &one.lead_id,
                recipient: &one.recipient,
                queued_ms: one.queued_ms,
            };
            if let Some(why) = self.barred(asked)? {
                self.end_barred(one.no, &one.item, why)?;
                barred += 1;
                continue;
            }
            if is_made(self.store, self.endpoint, self.target, &one.item)? {
                let because = "the receiver has a record of it, and records are left alone";
                self.store.end_item(one.no, ItemEnd::Withdrawn, "made", because, self.now_ms)?;
                barred += 1;
                continue;
            }
            if one.is_alone {
                batches.push(vec![one]);
                continue;
            }
            let is_full = batch.len() >= self.endpoint.batch();
            if is_full || (bytes + one.part.len() > REQUEST_BYTES_MAX && !batch.is_empty()) {
                batches.push(std::mem::take(&mut batch));
                bytes = 0;
            }
            bytes += one.part.len();
            batch.push(one);
        }
        if !batch.is_empty() {
            batches.push(batch);
        }
        Ok((batches, barred))
    }

    /// Returns the body of a request of `batch` and the record that it changes, which is empty where it makes one;
    /// `parent` has the record that it is made under.
    fn body(self, batch: &[Pending], parent: Option<TargetNo>) -> Result<(Vec<u8>, String)> {
        let Some(http) = self.endpoint.http() else {
            let mail = batch.iter().flat_map(|one| one.part.iter().copied()).collect();
            return Ok((mail, String::new()));
        };
        let (Some(_), [one]) = (&http.shape.record, batch) else {
            return Ok((http.shape.body(batch.iter().map(|one| &*one.part)), String::new()));
        };
        let record_of = |target| self.store.record_id(target, &one.item);
        let under = parent.map(record_of).transpose()?.flatten();
        let body = http.shape.body_under(&one.part, under.as_deref());
        Ok((body, record_of(self.target)?.unwrap_or_default()))
    }

    fn begin(self, batch: Vec<Pending>, parent: Option<TargetNo>) -> Result<Claimed> {
        let (body, record_id) = self.body(&batch, parent)?;
        let id = match (&self.endpoint.wire, &batch[..]) {
            (Wire::Smtp(smtp), [one]) => {
                format!("<{}>", mail_id(self.endpoint, smtp, &one.item, one.run))
            }
            _ => request_id(&self.endpoint.id, &batch),
        };
        let members: Vec<i64> = batch.iter().map(|one| one.no).collect();
        let no =
            self.store.begin_request(self.target, &id, &body, &record_id, &members, self.now_ms)?;
        let request = KeptRequest {
            no,
            id,
            body,
            attempts: 1,
            is_unknown: false,
            first_failure_ms: None,
            record_id,
        };
        let member = |one: Pending| Member {
            no: one.no,
            item: one.item,
            lead_id: one.lead_id,
            is_open: true,
            recipient: one.recipient,
            queued_ms: one.queued_ms,
        };
        Ok(Claimed { request, members: batch.into_iter().map(member).collect() })
    }

    fn barred(self, asked: Asked<'_>) -> Result<Option<Barred>> {
        gate::barred(self.store, self.rules, self.endpoint, asked, self.now_ms)
    }

    /// All of them count, settled or not: the bytes are the same, and would be sent once more.
    fn barred_of<'m>(self, members: &'m [Member]) -> Result<Vec<Option<Barred>>> {
        let asked = |one: &'m Member| Asked {
            item: &one.item,
            lead_id: &one.lead_id,
            recipient: &one.recipient,
            queued_ms: one.queued_ms,
        };
        members.iter().map(|one| self.barred(asked(one))).collect()
    }

    /// Ends a request of which some items must not be sent any more. The others go into another one, unless nobody
    /// knows whether they were taken: then somebody is to look.
    fn dissolve(
        self,
        request: &KeptRequest,
        members: &[Member],
        found: &[Option<Barred>],
    ) -> Result<u64> {
        let mut barred = 0;
        for (member, why) in members.iter().zip(found).filter(|(member, _)| member.is_open) {
            match why {
                Some(why) => {
                    self.end_barred(member.no, &member.item, *why)?;
                    barred += 1;
                }
                None if request.is_unknown => {
                    let because = "it stood in one request with somebody of whom nothing may be sent any more, and \
                                   nobody knows whether that was taken";
                    hold(self.store, self.target, member, (UNKNOWN, because), self.now_ms)?;
                }
                None => self.store.let_wait_again(member.no, false)?,
            }
        }
        self.store.end_request(request.no, RequestState::Dissolved, "withdrawn", self.now_ms)?;
        Ok(barred)
    }

    fn end_barred(self, no: i64, item: &str, why: Barred) -> Result<()> {
        self.store.end_item(no, ItemEnd::Withdrawn, why.code, why.because, self.now_ms)?;
        // Should it be let again, the endpoint is offered it again.
        self.store.forget_delivered(self.target, item)
    }
}

/// Returns the id of a request of these items: it follows from which they are and when they were laid down, never from
/// what they say, so that it may stay when a person is erased.
fn request_id(endpoint: &str, batch: &[Pending]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(endpoint);
    for one in batch {
        hasher.update([0]);
        hasher.update(one.no.to_le_bytes());
        hasher.update(one.queued_ms.to_le_bytes());
        hasher.update(&one.item);
    }
    format!("msg_{}", hex(&hasher.finalize()[..16]))
}
