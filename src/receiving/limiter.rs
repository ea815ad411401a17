//! How many requests are let in: buckets that fill again evenly, one for each form and one for each address there.

use std::collections::HashMap;
use std::net::IpAddr;

/// Addresses of which something is remembered; a flood from ever new ones must not fill the memory.
const ADDRESSES_MAX: usize = 10_000;
/// A bucket counts in these, so that it fills by whole numbers: one request is a minute of them.
const MINUTE_MS: i64 = 60_000;

/// Requests that may still come, and since when that is known.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// What is left, in requests times [`MINUTE_MS`].
    left: i64,
    at_ms: i64,
}

impl Bucket {
    fn full(per_minute: u32, now_ms: i64) -> Self {
        Self { left: i64::from(per_minute) * MINUTE_MS, at_ms: now_ms }
    }

    fn fill(&mut self, per_minute: u32, now_ms: i64) {
        // A clock that was set back fills nothing, and counts from there.
        let passed = now_ms.saturating_sub(self.at_ms).clamp(0, MINUTE_MS);
        let most = i64::from(per_minute) * MINUTE_MS;
        self.left = (self.left + passed * i64::from(per_minute)).min(most);
        self.at_ms = now_ms;
    }

    /// Returns in how many milliseconds there is one again; 0 when there is one now.
    fn wait_ms(&self, per_minute: u32) -> u64 {
        let missing = (MINUTE_MS - self.left).max(0) as u64;
        missing.div_ceil(u64::from(per_minute))
    }
}

/// What may still come.
#[derive(Debug)]
pub(super) struct Limiter {
    rates: Vec<Rates>,
    forms: Vec<Option<Bucket>>,
    addresses: HashMap<(usize, IpAddr), Bucket>,
}

/// How much a form takes a minute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    /// In all.
    pub(super) all: u32,
    /// From one address.
    pub(super) one: Option<u32>,
}

impl Limiter {
    pub(super) fn new(rates: Vec<Rates>) -> Self {
        Self { forms: vec![None; rates.len()], rates, addresses: HashMap::new() }
    }

    /// Takes one request to `form` from `address`.
    ///
    /// # Errors
    /// The seconds after which it would be taken. What an address has too many of does not count against the form.
    pub(super) fn take(&mut self, form: usize, address: IpAddr, now_ms: i64) -> Result<(), u64> {
        let rates = self.rates[form];
        let all = self.forms[form].get_or_insert_with(|| Bucket::full(rates.all, now_ms));
        all.fill(rates.all, now_ms);
        let mut wait_ms = all.wait_ms(rates.all);
        if let Some(per_minute) = rates.one {
            let one = self.of_address(form, address, per_minute, now_ms);
            wait_ms = wait_ms.max(one.wait_ms(per_minute));
            if wait_ms == 0 {
                one.left -= MINUTE_MS;
            }
        }
        if wait_ms > 0 {
            return Err(wait_ms.div_ceil(1_000));
        }
        if let Some(all) = &mut self.forms[form] {
            all.left -= MINUTE_MS;
        }
        Ok(())
    }

    fn of_address(
        &mut self,
        form: usize,
        address: IpAddr,
        per_minute: u32,
        now_ms: i64,
    ) -> &mut Bucket {
        let key = (form, address);
        if self.addresses.len() >= ADDRESSES_MAX && !self.addresses.contains_key(&key) {
            // Whoever was silent for a minute starts anew anyway.
            self.addresses.retain(|_, bucket| now_ms.saturating_sub(bucket.at_ms) < MINUTE_MS);
            if self.addresses.len() >= ADDRESSES_MAX {
                // Among so many nobody can be told apart; what the form takes in all still holds.
                self.addresses.clear();
            }
        }
        let bucket = self.addresses.entry(key).or_insert_with(|| Bucket::full(per_minute, now_ms));
        bucket.fill(per_minute, now_ms);
        bucket
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 2));

    fn limiter(all: u32, one: Option<u32>) -> Limiter {
        Limiter::new(vec![Rates { all, one }, Rates { all, one }])
    }

    #[test]
    fn a_burst_is_let_in_and_then_one_as_each_is_earned() {
        let mut limiter = limiter(6, None);
        for _ in 0..6 {
            assert_eq!(limiter.take(0, ONE, 0), Ok(()));
        }
        assert_eq!(limiter.take(0, ONE, 0), Err(10));
        assert_eq!(limiter.take(0, ONE, 9_001), Err(1));
        assert_eq!(limiter.take(0, OTHER, 10_000), Ok(()));
        assert_eq!(limiter.take(0, ONE, 10_000), Err(10));
        assert_eq!(limiter.take(1, ONE, 10_000), Ok(()), "another form");
    }

    #[test]
    fn one_address_leaves_room_for_others() {
        let mut limiter = limiter(100, Some(2));
        assert_eq!(limiter.take(0, ONE, 0), Ok(()));
        assert_eq!(limiter.take(0, ONE, 0), Ok(()));
        for _ in 0..1_000 {
            assert_eq!(limiter.take(0, ONE, 0), Err(30));
        }
        assert_eq!(limiter.take(0, OTHER, 0), Ok(()));
    }

    #[test]
    fn nobody_saves_up_more_than_a_minute() {
        let mut limiter = limiter(2, None);
        assert_eq!(limiter.take(0, ONE, 0), Ok(()));
        for _ in 0..2 {
            assert_eq!(limiter.take(0, ONE, 86_400_000), Ok(()));
        }
        assert_eq!(limiter.take(0, ONE, 86_400_000), Err(30));
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let mut limiter = limiter(60, Some(60));
        for _ in 0..60 {
            assert_eq!(limiter.take(0, ONE, 86_400_000), Ok(()));
        }
        assert_eq!(limiter.take(0, ONE, 0), Err(1));
        assert_eq!(limiter.take(0, ONE, 1_000), Ok(()));
    }

    #[test]
    fn ever_new_addresses_do_not_fill_the_memory() {
        let mut limiter = limiter(1_000_000, Some(1));
        for number in 0..3 * ADDRESSES_MAX as u32 {
            let address = IpAddr::V4(number.into());
            assert_eq!(limiter.take(0, address, 0), Ok(()));
        }
        assert!(limiter.addresses.len() <= ADDRESSES_MAX);
    }
}
