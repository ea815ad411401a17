//! A circuit: a receiver that fails is left alone for a while, and then asked once.

/// Faults in a row that open it.
const IN_A_ROW: u32 = 5;
/// Outcomes that are looked back on.
const LOOKED_BACK: u32 = 20;
/// Faults among so many that open it.
const AMONG_THEM: u32 = LOOKED_BACK / 2;
/// How long it stays open the first time; each time it opens again twice as long.
const OPEN_MS: i64 = 60_000;
/// And never longer than this.
const OPEN_MAX_MS: i64 = 30 * 60_000;

/// What is known of a receiver's health, from one command to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Circuit {
    /// Faults in a row.
    pub faults: u32,
    /// The latest outcomes, the newest in the lowest bit; 1 is a fault.
    pub recent: u32,
    /// How many these are, at most 20.
    pub recent_count: u32,
    /// How often it opened since it was closed last.
    pub opened: u32,
    /// Until when nothing is sent; one request is, after that.
    pub open_until_ms: Option<i64>,
}

impl Circuit {
    /// Returns how many requests may be made at `now_ms`: none while it is open, then one, as many as `most` when it
    /// is closed.
    pub fn lets_through(&self, now_ms: i64, most: usize) -> usize {
        match self.open_until_ms {
            None => most,
            Some(until_ms) if now_ms < until_ms => 0,
            Some(_) => most.min(1),
        }
    }

    /// Notes that the receiver works.
    pub fn succeed(&mut self) {
        if self.open_until_ms.is_some() {
            *self = Self::default();
        }
        self.faults = 0;
        self.note(0);
    }

    /// Notes a fault of the receiver at `now_ms`. One that is `clear` opens it at once.
    pub fn fail(&mut self, now_ms: i64, is_clear: bool) {
        self.faults = self.faults.saturating_add(1);
        self.note(1);
        let is_bad = self.recent_count == LOOKED_BACK && self.recent.count_ones() >= AMONG_THEM;
        let is_probe = self.open_until_ms.is_some_and(|until_ms| now_ms >= until_ms);
        let is_open = self.open_until_ms.is_some() && !is_probe;
        // What was under way when it opened says nothing new.
        if !is_open && (is_clear || is_probe || is_bad || self.faults >= IN_A_ROW) {
            let open_ms = OPEN_MAX_MS.min(OPEN_MS << self.opened.min(16));
            self.opened = self.opened.saturating_add(1);
            self.open_until_ms = Some(now_ms + open_ms);
        }
    }

    fn note(&mut self, bit: u32) {
        self.recent = (self.recent << 1 | bit) & ((1 << LOOKED_BACK) - 1);
        self.recent_count = LOOKED_BACK.min(self.recent_count + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets a circuit live through outcomes, a second each: `.` works, `x` is a fault, `!` a clear one. Returns after
    /// how many it was open, if it was.
    fn open_after(outcomes: &str) -> Option<usize> {
        let mut circuit = Circuit::default();
        for (at, outcome) in outcomes.chars().enumerate() {
            match outcome {
                '.' => circuit.succeed(),
                other => circuit.fail(at as i64 * 1_000, other == '!'),
            }
            if circuit.open_until_ms.is_some() {
                return Some(at + 1);
            }
        }
        None
    }

    #[test]
    fn five_faults_in_a_row_open_it_or_half_of_twenty() {
        assert_eq!(open_after("xxxx.xxxx."), None);
        assert_eq!(open_after("xxxxx"), Some(5));
        assert_eq!(open_after(".x.x.x.x.x.x.x.x.x.x"), Some(20));
        assert_eq!(open_after("..x..x..x..x..x..x..x..x..x..x"), None);
        assert_eq!(open_after("!"), Some(1));
    }

    #[test]
    fn after_a_minute_one_is_tried_and_closes_it_or_keeps_it_open_twice_as_long() {
        let mut circuit = Circuit::default();
        circuit.fail(0, true);
        assert_eq!(circuit.lets_through(59_999, 4), 0);
        assert_eq!(circuit.lets_through(60_000, 4), 1);
        circuit.fail(60_000, false);
        assert_eq!(circuit.open_until_ms, Some(180_000));
        circuit.fail(61_000, true);
        assert_eq!(circuit.open_until_ms, Some(180_000), "what was under way says nothing new");
        circuit.succeed();
        assert_eq!(circuit.lets_through(61_000, 4), 4);
        assert_eq!(circuit.opened, 0);
    }

    #[test]
    fn it_is_never_open_for_more_than_half_an_hour() {
        let (mut circuit, mut now) = (Circuit::default(), 0);
        for _ in 0..100 {
            circuit.fail(now, true);
            let until = circuit.open_until_ms.unwrap();
            assert!(until - now <= OPEN_MAX_MS);
            now = until;
        }
        assert_eq!(circuit.open_until_ms, Some(now));
    }
}
