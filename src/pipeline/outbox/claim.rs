//! Claiming: what is due is put into requests and marked as being sent, before the first byte leaves.

use anyhow::Result;
use sha2::{Digest as _, Sha256};

use super::enqueue::mail_id;
use super::gate::{self, Asked, Barred};
use crate::model::ids::hex;
use crate::rules::RuleSet;
use crate::rules::outbox::{Endpoint, OnUnknown, Wire};
use crate::store::Store;
use crate::store::deliveries::{Refused, TargetNo};
use crate::store::outbox::{ItemEnd, KeptRequest, Member, Pending, RequestState, Waits};

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
        let Some(waits) = self.waits()? else { return Ok((claimed, barred)) };
        while claimed.len() < most {
            let room = most - claimed.len();
            let pending = self.store.pending(self.target, waits, room * self.endpoint.batch())?;
            let (batches, out) = self.pack(pending)?;
            barred += out;
            for batch in batches.into_iter().take(room) {
                claimed.push(self.begin(batch)?);
            }
            // What must not be sent may have stood in the way of what may.
            if out == 0 || !claimed.is_empty() {
                break;
            }
        }
        Ok((claimed, barred))
    }

    /// Returns what items wait for; none where nothing of what they wait for can be there yet.
    fn waits(self) -> Result<Option<Waits>> {
        let Some(http) = self.endpoint.http() else { return Ok(Some(Waits::default())) };
        let until_looked_at =
            http.shape.record.is_some() && self.endpoint.on_unknown == OnUnknown::Hold;
        let parent = match &http.parent {
            Some(id) => match self.store.known_target(id)? {
                Some(parent) => Some(parent),
                None => return Ok(None),
            },
            None => None,
        };
        Ok(Some(Waits { parent, until_looked_at }))
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
            if self.is_made(&one.item)? {
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

    /// Returns whether the endpoint has a record of `item` and leaves those alone that it has.
    fn is_made(self, item: &str) -> Result<bool> {
        let only_makes = self.endpoint.http().is_some_and(|http| http.shape.only_makes());
        Ok(only_makes && self.store.record_id(self.target, item)?.is_some())
    }

    /// Returns the body of a request of `batch` and the record that it changes, which is empty where it makes one.
    fn body(self, batch: &[Pending]) -> Result<(Vec<u8>, String)> {
        let Some(http) = self.endpoint.http() else {
            let mail = batch.iter().flat_map(|one| one.part.iter().copied()).collect();
            return Ok((mail, String::new()));
        };
        let (Some(_), [one]) = (&http.shape.record, batch) else {
            return Ok((http.shape.body(batch.iter().map(|one| &*one.part)), String::new()));
        };
        let parent = http.parent.as_deref().map(|id| self.store.known_target(id)).transpose()?;
        let parent = match parent.flatten() {
            Some(parent) => self.store.record_id(parent, &one.item)?,
            None => None,
        };
        let record_id = self.store.record_id(self.target, &one.item)?.unwrap_or_default();
        Ok((http.shape.body_under(&one.part, parent.as_deref()), record_id))
    }

    fn begin(self, batch: Vec<Pending>) -> Result<Claimed> {
        let (body, record_id) = self.body(&batch)?;
        let id = match (&self.endpoint.wire, &batch[..]) {
            (Wire::Smtp(smtp), [one]) => format!("<{}>", mail_id(&one.item, one.run.0, smtp)),
            _ => request_id(&self.endpoint.id, &batch),
        };
        let members: Vec<i64> = batch.iter().map(|one| one.no).collect();
        let body_hash = Sha256::digest(&body).into();
        let mut request = KeptRequest {
            no: 0,
            id,
            body,
            attempts: 1,
            is_unknown: false,
            first_failure_ms: None,
            record_id,
        };
        request.no =
            self.store.begin_request(self.target, &request, body_hash, &members, self.now_ms)?;
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
                    self.store.end_item(member.no, ItemEnd::Held, UNKNOWN, because, self.now_ms)?;
                    let refused = Refused {
                        code: UNKNOWN,
                        column: "",
                        reason: because,
                        run: None,
                        at_ms: self.now_ms,
                    };
                    self.store.keep_dead_letter(self.target, &member.item, refused)?;
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

/// Code of what nobody knows to have been taken or not.
pub(super) const UNKNOWN: &str = "unknown-outcome";

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
