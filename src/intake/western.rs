//! Tells French and Spanish of windows-1252 from Polish of windows-1250: `forêt` and `niño` are bytes that make Polish
//! letters, too, and those count most in a file of few words.
//!
//! Whoever is not sure says no: most files are Polish.

/// How often each byte from 0x80 on was met, and where.
pub(super) struct HighBytes<'a> {
    /// Between two letters.
    pub(super) inside: [&'a [u64; 128]; 2],
    /// Behind a small letter, and no letter follows.
    pub(super) at_end: &'a [u64; 128],
    /// Anywhere else: at the beginning of a word, or alone.
    pub(super) elsewhere: &'a [u64; 128],
}

/// Small letters of French in windows-1252 that Polish of windows-1250 does not have there, `ê` and `œ` apart.
const FRENCH: &[u8] = b"\xE0\xE2\xE7\xE8\xE9\xEB\xEE\xEF\xF4\xF9\xFB";
/// Those of them whose bytes are letters in windows-1250 that few in Polish files write: `à`, `è`, `ï`, `ù`, `û` for `ŕ`,
/// `č`, `ď`, `ů`, `ű`.
const FRENCH_ALONE: &[u8] = b"\xE0\xE8\xEF\xF9\xFB";
/// Small letters of Spanish that names in Polish files seldom have: `á`, `í`, `ú`.
const SPANISH: &[u8] = b"\xE1\xED\xFA";
/// Those that they have: `é`, `ó`, `ü`.
const SPANISH_TOO: &[u8] = b"\xE9\xF3\xFC";
/// `ê`, which is `ę` in windows-1250.
const E_CIRCUMFLEX: u8 = 0xEA;
/// `ñ`, which is `ń`.
const N_TILDE: u8 = 0xF1;
/// `œ`, which is `ś`.
const OE: u8 = 0x9C;
/// `¿`, which is `ż`, `¡`, `º` and `ª`.
const SPANISH_SIGNS: &[u8] = b"\xBF\xA1\xBA\xAA";
/// Capitals of French and Spanish that are no Polish letters: `À`, `Á`, `Â`, `Ç`, `È`, `É`, `Ë`, `Í`, `Î`, `Ô`, `Ú`.
const CAPITALS: &[u8] = b"\xC0\xC1\xC2\xC7\xC8\xC9\xCB\xCD\xCE\xD4\xDA";
/// Signs that both character sets have at the same place: quotes, dashes, `€`, `§`, `©`, `°` and the like.
const SIGNS: &[u8] =
    b"\x80\x82\x84\x85\x91\x92\x93\x94\x95\x96\x97\x99\xA0\xA7\xA9\xAB\xAE\xB0\xB7\xBB";
/// Fewest different letters that speak for French.
const FRENCH_MIN: usize = 3;
/// Fewest of [`SPANISH`].
const SPANISH_MIN: usize = 2;

impl HighBytes<'_> {
    fn has(&self, byte: u8) -> bool {
        let is_elsewhere = self.elsewhere[usize::from(byte & 0x7F)] > 0;
        is_elsewhere || self.has_inside(byte) || self.has_at_end(byte)
    }

    fn has_inside(&self, byte: u8) -> bool {
        self.inside.iter().any(|counts| counts[usize::from(byte & 0x7F)] > 0)
    }

    fn has_at_end(&self, byte: u8) -> bool {
        self.at_end[usize::from(byte & 0x7F)] > 0
    }

    fn count_of(&self, bytes: &[u8]) -> usize {
        bytes.iter().filter(|byte| self.has(**byte)).count()
    }

    /// Returns whether no byte was met but those in `lists`.
    fn are_all_in(&self, lists: &[&[u8]]) -> bool {
        let is_known = |byte: u8| lists.iter().any(|list| list.contains(&byte));
        (0x80..=0xFF).all(|byte| !self.has(byte) || is_known(byte))
    }

    /// Returns whether the bytes are French or Spanish of windows-1252 for certain.
    pub(super) fn are_western(&self) -> bool {
        self.are_french() || self.are_spanish()
    }

    /// A Polish word often ends in `ę`, a French one never in `ê`.
    fn are_french(&self) -> bool {
        let letters = self.count_of(FRENCH) + usize::from(self.has(E_CIRCUMFLEX));
        self.are_all_in(&[FRENCH, &[E_CIRCUMFLEX, OE], CAPITALS, SIGNS])
            && letters >= FRENCH_MIN
            && self.count_of(FRENCH_ALONE) > 0
            && !self.has_at_end(E_CIRCUMFLEX)
            && !self.has_at_end(OE)
    }

    /// `ń` ends a word in Polish, `ñ` none in Spanish, and no sign stands inside of one.
    fn are_spanish(&self) -> bool {
        self.are_all_in(&[SPANISH, SPANISH_TOO, &[N_TILDE], SPANISH_SIGNS, CAPITALS, SIGNS])
            && self.count_of(SPANISH) >= SPANISH_MIN
            && self.has(N_TILDE)
            && !self.has_at_end(N_TILDE)
            && !SPANISH_SIGNS.iter().any(|sign| self.has_inside(*sign))
    }
}
