//! A small random number generator whose sequence never changes.

/// A xoshiro256** generator (Blackman and Vigna, 2018), seeded through `SplitMix64`.
pub struct Random {
    state: [u64; 4],
}

/// Returns a well-spread number for two numbers, used to give each person, firm and row a sequence of its own.
pub fn mix(first: u64, second: u64) -> u64 {
    let mut mixed = first ^ second.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

impl Random {
    /// Returns the generator of one stream under a seed.
    pub fn of(seed: u64, stream: u64) -> Self {
        let mut counter = mix(seed, stream);
        let state = std::array::from_fn(|_| {
            counter = counter.wrapping_add(0x9E37_79B9_7F4A_7C15);
            mix(counter, 0)
        });
        Self { state }
    }

    /// Returns the next 64 random bits.
    pub fn draw(&mut self) -> u64 {
        let [_, second, ..] = self.state;
        let drawn = second.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = second << 17;
        self.state[2] ^= self.state[0];
        self.state[3] ^= self.state[1];
        self.state[1] ^= self.state[2];
        self.state[0] ^= self.state[3];
        self.state[2] ^= shifted;
        self.state[3] = self.state[3].rotate_left(45);
        drawn
    }

    /// Returns a number from 0 up to, not including, `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.draw()) * u128::from(bound)) >> 64) as u64
    }

    /// Returns true in `per_mille` of 1,000 cases.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// Returns one of the choices.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }

    /// Returns a string of `length` characters of an ASCII alphabet.
    pub fn token(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(*self.pick(alphabet))).collect()
    }

    /// Returns `length` decimal digits, the first of them not 0.
    pub fn digits(&mut self, length: usize) -> String {
        let mut digits = self.token(b"123456789", 1);
        digits.push_str(&self.token(b"0123456789", length - 1));
        digits
    }
}
