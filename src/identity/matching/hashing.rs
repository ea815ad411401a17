//! Hashes that are the same on every machine and in every version: samples and orders hang on them.

/// Returns a hash of `text` (FNV-1a over bytes, mixed once).
pub fn hash_text(text: &str) -> u64 {
    let fnv = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    mix(fnv, text.len() as u64)
}

/// Returns a hash of two numbers, of which every bit depends on every bit of both.
pub fn mix(a: u64, b: u64) -> u64 {
    // The finalizer of splitmix64 (Steele, Lea, Flood 2014).
    let mut z = a.rotate_left(25) ^ b.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A stream of numbers that look random and are always the same.
#[derive(Debug, Clone)]
pub struct Stream(u64);

impl Stream {
    /// Begins the stream called `seed`.
    pub fn new(seed: u64) -> Self {
        Self(mix(seed, 0x6c65_6164))
    }

    /// Returns the next number below `bound`, which is over 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let wide = u128::from(mix(self.0, 1)) * u128::from(bound);
        (wide >> 64) as u64
    }
}
