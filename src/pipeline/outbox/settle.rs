//! What came of an attempt, written down: for the request, for each of its items, and for the endpoint.

use anyhow::Result;

use super::claim::Claimed;
use super::deliver::Figures;
use super::{NO_RECORD, UNKNOWN};
use crate::rules::outbox::{Conflict, Endpoint, OnUnknown};
use crate::rules::request::Results;
use crate::sending::circuit::Circuit;
use crate::sending::outcome::{Outcome, Reply, judge};
use crate::sending::results::{self, ItemResult};
use crate::sending::schedule;
use crate::store::Store;
use crate::store::deliveries::{Refused, TargetNo};
use crate::store::outbox::{EndpointState, ItemEnd, RequestState};

/// From the first failure on, nobody tries for longer: 75 h 35 m.
const TRIED_FOR_MAX_MS: i64 = (75 * 60 + 35) * 60_000;

/// How healthy an endpoint is, and until when it is left alone.
#[derive(Debug, Clone)]
pub(super) struct Health {
    /// Its circuit.
    pub(super) circuit: Circuit,
    /// What else is kept of it.
    pub(super) state: EndpointState,
    /// Fast retries that may still be made: a tenth of first attempts.
    retries: f64,
}

/// Fast retries that a command may make before it has sent anything.
const RETRIES_AT_FIRST: f64 = 5.0;
/// Fast retries that each first attempt allows.
const RETRIES_EACH: f64 = 0.1;

impl Health {
    /// Takes up what is kept of the endpoint; `address` is what it is now.
    pub(super) fn of(state: EndpointState, address: &str) -> Self {
        let circuit = Circuit {
            faults: state.faults,
            recent: state.recent,
            recent_count: state.recent_count,
            opened: state.opened,
            open_until_ms: state.open_until_ms,
        };
        let mut health = Self { circuit, state, retries: RETRIES_AT_FIRST };
        if !health.state.gone_as.is_empty() && health.state.gone_as != address {
            // Another address is another receiver.
            health.state.gone_as.clear();
            health.circuit = Circuit::default();
        }
        health
    }

    /// Returns whether it said that it is gone for good.
    pub(super) fn is_gone(&self) -> bool {
        !self.state.gone_as.is_empty()
    }

    /// Returns what is to be kept of it.
    pub(super) fn to_state(&self) -> EndpointState {
        let Circuit { faults, recent, recent_count, opened, open_until_ms } = self.circuit;
        let state = self.state.clone();
        EndpointState { faults, recent, recent_count, opened, open_until_ms, ..state }
    }

    fn succeed(&mut self) {
        self.circuit.succeed();
        self.state.failing_since_ms = None;
        self.state.last_code.clear();
    }

    fn fail(&mut self, now_ms: i64, code: &str, is_clear: bool) {
        self.circuit.fail(now_ms, is_clear);
        self.state.failing_since_ms.get_or_insert(now_ms);
        code.clone_into(&mut self.state.last_code);
    }

    fn may_retry_fast(&mut self) -> bool {
        let may = self.retries >= 1.0;
        if may {
            self.retries -= 1.0;
        }
        may
    }
}

/// Records what came of attempts, inside a transaction.
pub(super) struct Settling<'a> {
    pub(super) store: &'a Store,
    pub(super) endpoint: &'a Endpoint,
    pub(super) target: TargetNo,
    /// Hash of its address.
    pub(super) address: &'a str,
    pub(super) now_ms: i64,
    pub(super) health: &'a mut Health,
    pub(super) figures: &'a mut Figures,
}

impl Settling<'_> {
    /// Records `reply` to `claimed`.
    pub(super) fn settle(&mut self, claimed: &Claimed, reply: &Reply) -> Result<()> {
        let results = self.endpoint.http().map_or(Results::Status, |http| http.shape.results);
        let conflict = self.endpoint.http().map_or(Conflict::Refused, |http| http.conflict);
        let (outcome, code) = judge(reply, conflict, results != Results::Status, self.now_ms);
        if claimed.request.attempts == 1 {
            self.health.retries += RETRIES_EACH;
        }
        let now_ms = self.now_ms;
        match outcome {
            Outcome::Done => {
                self.health.succeed();
                if self.keep_record(claimed, reply)? {
                    self.deliver_all(claimed, &code)
                } else {
                    self.hold(claimed, NO_RECORD)
                }
            }
            Outcome::ByItem => {
                self.health.succeed();
                self.by_item(claimed, reply, results, &code)
            }
            Outcome::Transient => {
                self.health.fail(now_ms, &code, false);
                self.try_again(claimed, &code, RequestState::Waiting)
            }
            Outcome::Unknown => {
                self.health.fail(now_ms, &code, false);
                self.unknown(claimed, &code)
            }
            Outcome::Throttled(asked_ms) => {
                self.health.state.failing_since_ms.get_or_insert(now_ms);
                self.health.state.last_code.clone_from(&code);
                let attempts = claimed.request.attempts;
                let wait = schedule::throttled_ms(&claimed.request.id, attempts, asked_ms);
                if let Some(wait_ms) = wait {
                    let until_ms = now_ms + wait_ms;
                    let paused = &mut self.health.state.paused_until_ms;
                    *paused = Some(paused.map_or(until_ms, |known| known.max(until_ms)));
                }
                self.after(claimed, &code, RequestState::Waiting, wait)
            }
            Outcome::NotFound | Outcome::Gone if !claimed.request.record_id.is_empty() => {
                // The address was the record's, so it is this that is not there; the endpoint answers.
                self.health.succeed();
                let id = &claimed.request.record_id;
                self.kill(claimed, &code, &format!("the receiver has no record {id} any more"))
            }
            Outcome::TargetFault | Outcome::Gone => {
                if outcome == Outcome::Gone {
                    self.address.clone_into(&mut self.health.state.gone_as);
                }
                self.health.fail(now_ms, &code, true);
                self.figures.failed += 1;
                // It is not the request's fault, so the attempt does not count.
                let next_ms = self.health.circuit.open_until_ms.unwrap_or(now_ms);
                self.store.release_request(&claimed.request, next_ms, &code)
            }
            Outcome::NotFound => {
                self.health.fail(now_ms, &code, false);
                let wait = schedule::not_found_ms(claimed.request.attempts);
                self.after(claimed, &code, RequestState::Waiting, wait)
            }
            Outcome::WrongPlace => {
                self.health.fail(now_ms, &code, false);
                self.give_up(claimed, &code)
            }
            Outcome::Permanent => {
                self.health.succeed();
                self.refuse(claimed, &code)
            }
        }
    }

    /// Takes back an attempt that was not made.
    pub(super) fn release(&self, claimed: &Claimed) -> Result<()> {
        self.store.release_request(&claimed.request, self.now_ms, "")
    }

    /// Records that a process died while it made the request, whose endpoint would rather have somebody look.
    pub(super) fn abandoned(&mut self, claimed: &Claimed) -> Result<()> {
        self.hold(claimed, "killed")
    }

    /// Keeps what the receiver calls the record that it has made; returns false where it was to tell and did not.
    fn keep_record(&self, claimed: &Claimed, reply: &Reply) -> Result<bool> {
        let record = self.endpoint.http().and_then(|http| http.shape.record.as_ref());
        let (Some(record), Reply::Status(answer), [member]) = (record, reply, &claimed.members[..])
        else {
            return Ok(true);
        };
        // What it calls a known record is known.
        if !claimed.request.record_id.is_empty() {
            return Ok(true);
        }
        let Some(id) = results::record_id(&record.at, &answer.body) else { return Ok(false) };
        self.store.keep_record_id(self.target, &member.item, &id, self.now_ms)?;
        Ok(true)
    }

    fn deliver_all(&mut self, claimed: &Claimed, code: &str) -> Result<()> {
        for member in claimed.members.iter().filter(|member| member.is_open) {
            self.delivered(member.no, &member.item)?;
        }
        self.store.end_request(claimed.request.no, RequestState::Done, code, self.now_ms)
    }

    fn delivered(&mut self, no: i64, item: &str) -> Result<()> {
        self.figures.delivered += 1;
        self.store.end_item(no, ItemEnd::Delivered, "", "", self.now_ms)?;
        self.store.resolve_dead_letter(self.target, item, self.now_ms, "delivered").map(drop)
    }

    fn by_item(
        &mut self,
        claimed: &Claimed,
        reply: &Reply,
        results: Results,
        code: &str,
    ) -> Result<()> {
        let body = if let Reply::Status(answer) = reply { &*answer.body } else { &[] };
        let items: Vec<&str> = claimed.members.iter().map(|member| &*member.item).collect();
        let mut is_unsaid = false;
        for (member, result) in claimed.members.iter().zip(results::read(results, body, &items)) {
            match result {
                _ if !member.is_open => {}
                ItemResult::Taken => self.delivered(member.no, &member.item)?,
                ItemResult::Refused(word) => {
                    let named = if word.is_empty() { String::new() } else { format!(": {word}") };
                    let reason = format!("the receiver refused it{named}");
                    self.die(member.no, &member.item, "refused", &reason)?;
                }
                ItemResult::Unsaid => is_unsaid = true,
            }
        }
        if is_unsaid {
            let members = self.store.members_of(claimed.request.no)?;
            let rest = Claimed { members, ..claimed.clone() };
            return self.unknown(&rest, "unsaid");
        }
        self.store.end_request(claimed.request.no, RequestState::Done, code, self.now_ms)
    }

    fn unknown(&mut self, claimed: &Claimed, code: &str) -> Result<()> {
        match self.endpoint.on_unknown {
            OnUnknown::Hold if claimed.request.record_id.is_empty() => self.hold(claimed, code),
            OnUnknown::Hold | OnUnknown::Resend => {
                self.try_again(claimed, code, RequestState::Unknown)
            }
        }
    }

    fn try_again(&mut self, claimed: &Claimed, code: &str, state: RequestState) -> Result<()> {
        let request = &claimed.request;
        let is_early = request.attempts <= schedule::FAST_RETRIES;
        let may_be_fast = is_early && self.health.may_retry_fast();
        let wait = schedule::wait_ms(&request.id, request.attempts, may_be_fast);
        self.after(claimed, code, state, wait)
    }

    /// Makes the request wait for so many milliseconds, or for ever.
    fn after(
        &mut self,
        claimed: &Claimed,
        code: &str,
        state: RequestState,
        wait_ms: Option<i64>,
    ) -> Result<()> {
        let request = &claimed.request;
        let since_ms = request.first_failure_ms.unwrap_or(self.now_ms);
        let is_over = self.now_ms - since_ms > TRIED_FOR_MAX_MS;
        let Some(wait_ms) = wait_ms.filter(|_| !is_over) else {
            return self.give_up(claimed, code);
        };
        self.figures.failed += 1;
        // What may have been taken once may have been for ever, whatever the last answer was.
        let state = if request.is_unknown { RequestState::Unknown } else { state };
        let was_lost = state == RequestState::Unknown && !request.is_unknown;
        self.figures.unknown += u64::from(was_lost);
        self.store.fail_request(request.no, state, code, self.now_ms, self.now_ms + wait_ms)
    }

    /// Refuses the items of a request: one by one where it held several, for only one may be at fault.
    fn refuse(&mut self, claimed: &Claimed, code: &str) -> Result<()> {
        if claimed.members.len() == 1 || claimed.request.is_unknown {
            return self.give_up(claimed, code);
        }
        for member in claimed.members.iter().filter(|member| member.is_open) {
            self.store.let_wait_again(member.no, true)?;
        }
        self.store.end_request(claimed.request.no, RequestState::Dissolved, code, self.now_ms)
    }

    fn give_up(&mut self, claimed: &Claimed, code: &str) -> Result<()> {
        self.kill(claimed, code, &reason(code, claimed.request.attempts))
    }

    fn kill(&mut self, claimed: &Claimed, code: &str, reason: &str) -> Result<()> {
        for member in claimed.members.iter().filter(|member| member.is_open) {
            self.die(member.no, &member.item, code, reason)?;
        }
        self.store.end_request(claimed.request.no, RequestState::Dead, code, self.now_ms)
    }

    fn die(&mut self, no: i64, item: &str, code: &str, reason: &str) -> Result<()> {
        let at_ms = self.now_ms;
        self.figures.dead += 1;
        self.store.end_item(no, ItemEnd::Dead, code, reason, at_ms)?;
        let refused = Refused { code, column: "", reason, run: None, at_ms };
        self.store.keep_dead_letter(self.target, item, refused)?;
        // The endpoint does not have it, so the next change of the lead is offered.
        self.store.forget_delivered(self.target, item)
    }

    fn hold(&mut self, claimed: &Claimed, code: &str) -> Result<()> {
        let lost = format!("the answer was lost ({code}), and nobody knows whether it was taken");
        let why = match code {
            NO_RECORD => {
                (NO_RECORD, "the receiver took it and did not say what it calls the record")
            }
            _ => (UNKNOWN, &*lost),
        };
        for member in claimed.members.iter().filter(|member| member.is_open) {
            self.figures.held += 1;
            super::hold(self.store, self.target, member, why, self.now_ms)?;
        }
        let no = claimed.request.no;
        self.store.fail_request(no, RequestState::Held, code, self.now_ms, self.now_ms)
    }
}

/// Returns why a delivery is given up, in one sentence.
fn reason(code: &str, attempts: u32) -> String {
    let times = if attempts == 1 { "once".to_owned() } else { format!("{attempts} times") };
    match code.strip_prefix("http-").or(code.strip_prefix("smtp-")) {
        Some(status) => format!("the receiver answered {status}, {times}"),
        None => format!("it did not get through ({code}), tried {times}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_what_the_receiver_said_and_how_often() {
        assert_eq!(reason("http-422", 1), "the receiver answered 422, once");
        assert_eq!(reason("smtp-550", 2), "the receiver answered 550, 2 times");
        assert_eq!(reason("timeout", 12), "it did not get through (timeout), tried 12 times");
    }

    #[test]
    fn an_endpoint_that_is_gone_is_asked_again_at_another_address() {
        let state = EndpointState { gone_as: "a".to_owned(), ..EndpointState::default() };
        assert!(Health::of(state.clone(), "a").is_gone());
        assert!(!Health::of(state, "b").is_gone());
    }

    #[test]
    fn fast_retries_are_few() {
        let mut health = Health::of(EndpointState::default(), "");
        let allowed = (0..100).filter(|_| health.may_retry_fast()).count();
        assert_eq!(allowed, RETRIES_AT_FIRST as usize);
    }
}
