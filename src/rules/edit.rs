//! Changes to a rule file as text, so that its comments and its layout stay.

use std::fmt::Write as _;
use std::ops::Range;

/// Lines around a change that a diff shows.
const CONTEXT_LINES: usize = 3;

/// A value to be written in place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Bytes of the file that it replaces.
    pub span: Range<usize>,
    /// What stands there afterwards; no line end.
    pub text: String,
}

/// Returns `text` with `edits` made.
///
/// # Panics
/// If edits overlap, or add or remove a line: a diff of them compares line by line.
pub fn edited(text: &str, edits: &[Edit]) -> String {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| edit.span.start);
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        assert!(at <= edit.span.start, "two edits of a rule file overlap");
        let lines = |text: &str| text.matches('\n').count();
        assert_eq!(lines(&edit.text), lines(&text[edit.span.clone()]), "an edit keeps its lines");
        result.push_str(&text[at..edit.span.start]);
        result.push_str(&edit.text);
        at = edit.span.end;
    }
    result.push_str(&text[at..]);
    result
}

/// Returns how `after` differs from `before` as a unified diff that `patch -p1` and `git apply` take; empty when it
/// does not. Both have as many lines.
pub fn unified_diff(path: &str, before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let changed: Vec<usize> = (0..old.len()).filter(|at| old[*at] != new[*at]).collect();
    let mut diff = String::new();
    let mut rest = &changed[..];
    while let Some(first) = rest.first() {
        if diff.is_empty() {
            let _ = write!(diff, "--- a/{path}\n+++ b/{path}\n");
        }
        // Changes whose surroundings touch stand in one piece.
        let apart = |pair: &[usize]| pair[1] - pair[0] > 2 * CONTEXT_LINES;
        let n = rest.windows(2).position(apart).map_or(rest.len(), |at| at + 1);
        let start = first.saturating_sub(CONTEXT_LINES);
        let end = (rest[n - 1] + 1 + CONTEXT_LINES).min(old.len());
        let _ = writeln!(diff, "@@ -{0},{1} +{0},{1} @@", start + 1, end - start);
        write_piece(&mut diff, &old[start..end], &new[start..end]);
        rest = &rest[n..];
    }
    diff
}

fn write_piece(diff: &mut String, old: &[&str], new: &[&str]) {
    let mut line = |sign: char, text: &str| {
        diff.push(sign);
        diff.push_str(text);
        if !text.ends_with('\n') {
            diff.push_str("\n\\ No newline at end of file\n");
        }
    };
    let mut at = 0;
    while at < old.len() {
        let same = |at: usize| old[at] == new[at];
        if same(at) {
            line(' ', old[at]);
            at += 1;
            continue;
        }
        let end = (at..old.len()).find(|next| same(*next)).unwrap_or(old.len());
        (at..end).for_each(|at| line('-', old[at]));
        (at..end).for_each(|at| line('+', new[at]));
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, changes: &[(&str, &str)], expected: &str) {
        let edits: Vec<Edit> = changes
            .iter()
            .map(|(old, new)| {
                let start = before.find(old).unwrap();
                Edit { span: start..start + old.len(), text: (*new).to_owned() }
            })
            .collect();
        assert_eq!(unified_diff("rules/x.toml", before, &edited(before, &edits)), expected);
    }

    #[test]
    fn changes_are_shown_with_their_surroundings() {
        check("a = 1\n", &[], "");
        check("a = 1\n", &[("1", "1")], "");
        check(
            "1\n2\n3\n4\nfive = 5 # kept\n6\n7\n8\n9\n",
            &[("5", "50")],
            "--- a/rules/x.toml\n+++ b/rules/x.toml\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-five = 5 # kept\n\
             +five = 50 # kept\n 6\n 7\n 8\n",
        );
        check(
            "a\nb\nc\nd\ne\nf\ng\nh\ni\nj",
            &[("a", "A"), ("b", "B"), ("j", "J")],
            "--- a/rules/x.toml\n+++ b/rules/x.toml\n@@ -1,5 +1,5 @@\n-a\n-b\n+A\n+B\n c\n d\n e\n\
             @@ -7,4 +7,4 @@\n g\n h\n i\n-j\n\\ No newline at end of file\n+J\n\\ No newline at end of file\n",
        );
    }
}
