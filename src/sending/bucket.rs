//! A rate limit: so many a second, and as many at once.

/// A bucket of tokens: each request takes one, time brings them back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    rate: f64,
    tokens: f64,
    at_ms: i64,
}

impl Bucket {
    /// Returns a full bucket for `rate` a second at `now_ms`.
    pub fn new(rate: u32, now_ms: i64) -> Self {
        let rate = f64::from(rate.max(1));
        Self { rate, tokens: rate, at_ms: now_ms }
    }

    /// Returns how many could be taken at `now_ms`.
    pub fn available(&mut self, now_ms: i64) -> usize {
        // A clock that goes back brings none.
        let elapsed_ms = (now_ms - self.at_ms).max(0);
        self.tokens = self.rate.min(self.tokens + self.rate * elapsed_ms as f64 / 1_000.0);
        self.at_ms = self.at_ms.max(now_ms);
        // Time is in whole milliseconds, so what misses a token by less than one of them is one.
        (self.tokens + 1e-9) as usize
    }

    /// Takes `count`, which were available.
    pub fn take(&mut self, count: usize) {
        self.tokens = (self.tokens - count as f64).max(0.0);
    }

    /// Returns when the next one is there, at `now_ms` or later.
    pub fn next_ms(&self, now_ms: i64) -> i64 {
        let missing = (1.0 - self.tokens).max(0.0);
        now_ms + (missing * 1_000.0 / self.rate).ceil() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_a_second_and_as_many_at_once() {
        let mut bucket = Bucket::new(10, 0);
        assert_eq!(bucket.available(0), 10);
        bucket.take(10);
        assert_eq!(bucket.available(0), 0);
        assert_eq!(bucket.next_ms(0), 100);
        assert_eq!(bucket.available(99), 0);
        assert_eq!(bucket.available(100), 1);
        assert_eq!(bucket.available(60_000), 10);
    }

    #[test]
    fn over_a_minute_the_rate_is_kept() {
        let (mut bucket, mut now, mut taken) = (Bucket::new(3, 0), 0, 0);
        while now < 60_000 {
            if bucket.available(now) > 0 {
                bucket.take(1);
                taken += 1;
            } else {
                now = bucket.next_ms(now);
            }
        }
        assert!((180..=184).contains(&taken), "{taken}");
    }

    #[test]
    fn a_clock_that_goes_back_brings_nothing() {
        let mut bucket = Bucket::new(1, 10_000);
        bucket.take(1);
        assert_eq!(bucket.available(0), 0);
        assert_eq!(bucket.available(10_000), 0);
        assert_eq!(bucket.available(11_000), 1);
    }
}
