//! Looks for words and phrases in text that [`crate::rules::field::fold_header`] folded.

/// Returns whether `word` begins with one of `stems`.
pub(super) fn begins(word: &str, stems: &[&str]) -> bool {
    stems.iter().any(|stem| word.starts_with(stem))
}

/// Returns whether a word of `text`, or a phrase in it, begins with one of `stems`.
pub(super) fn begins_any(text: &str, stems: &[&str]) -> bool {
    let padded = format!(" {text}");
    stems.iter().any(|stem| padded.contains(&format!(" {stem}")))
}

/// Returns whether one of `phrases` stands in `text`, from word to word.
pub(super) fn has_phrase(text: &str, phrases: &[&str]) -> bool {
    let padded = format!(" {text} ");
    phrases.iter().any(|phrase| padded.contains(&format!(" {phrase} ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_phrases_are_found_where_words_begin() {
        assert!(begins("zgoda", &["zgod"]));
        assert!(!begins("niezgoda", &["zgod"]));
        assert!(begins_any("moja zgoda", &["zgod"]));
        assert!(begins_any("nie chce tego", &["nie chc"]));
        assert!(!begins_any("moja niezgoda", &["zgod"]));
        assert!(has_phrase("nie chce tego", &["nie chce"]));
        assert!(!has_phrase("nie chcemy tego", &["nie chce"]));
    }
}
