//! Ids of Salesforce: 15 characters whose case counts, or 18 that also survive programs which fold it.

/// What the last three characters are taken from: each stands for five bits, one for each capital before.
const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
/// Characters that say which record it is.
const OWN: usize = 15;

/// Returns the 18 characters of an id, given those or the first 15; `None` when `text` is no id.
pub fn canonical(text: &str) -> Option<String> {
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) || text.len() < OWN {
        return None;
    }
    let own = &text[..OWN];
    let suffix = own.as_bytes().chunks(5).map(|five| {
        let bits = five.iter().enumerate().filter(|(_, byte)| byte.is_ascii_uppercase());
        char::from(SUFFIX[bits.map(|(at, _)| 1 << at).sum::<usize>()])
    });
    let whole: String = own.chars().chain(suffix).collect();
    let is_sound = text.len() == OWN || text.eq_ignore_ascii_case(&whole) && text[..OWN] == *own;
    is_sound.then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_and_eighteen_characters_name_one_record() {
        let whole = Some("00Q5g00000AbCdEEAV".to_owned());
        assert_eq!(canonical("00Q5g00000AbCdE"), whole);
        assert_eq!(canonical("00Q5g00000AbCdEEAV"), whole);
        assert_ne!(canonical("00Q5g00000AbCde"), whole, "case tells records apart");
        for text in
            ["", "00Q5g00000AbCd", "00Q5g00000AbCdEAAA", "00Q5g00000AbCdEE", "00Q5g00000Ab-dE"]
        {
            assert_eq!(canonical(text), None, "{text}");
        }
    }
}
