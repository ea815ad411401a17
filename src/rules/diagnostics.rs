//! Mistakes in rule files, collected and shown all at once: file, line, caret, hint.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// Columns of a terminal of which nothing is known.
const WIDTH_USUAL: usize = 80;

/// One rule file as text; the caller reads the disk, this room does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleText {
    /// Path as shown to people, with forward slashes and starting at the rules folder, such as
    /// `rules/sources/meta.toml`.
    pub path: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
}

/// A spot in a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: RuleText,
    /// Bytes of its text.
    pub span: Range<usize>,
}

impl Place {
    /// Calls the file as `name` says.
    pub fn rename(&mut self, name: impl Fn(&str) -> String) {
        self.file.path = name(&self.file.path).into();
    }

    /// Returns the line the spot starts on; the first line is 1.
    pub fn line(&self) -> usize {
        let end = self.span.start.min(self.file.text.len());
        self.file.text[..end].matches('\n').count() + 1
    }

    /// Returns the character of its line that the spot starts at; the first is 1.
    pub fn column(&self) -> usize {
        let before = &self.file.text[..self.span.start.min(self.file.text.len())];
        let line = before.rsplit('\n').next().unwrap_or(before);
        line.chars().count() + 1
    }
}

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The rules cannot be used.
    Error,
    /// The rules work, but surely not as meant.
    Warning,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub place: Place,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// The way out, when there is a likely one.
    pub hint: Option<String>,
}

/// All mistakes found in a set of rule files, in order of file and line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Collects `found`, sorted by file and position.
    pub fn new(mut found: Vec<Diagnostic>) -> Self {
        found.sort_by(|a, b| {
            (&a.place.file.path, a.place.span.start, &a.message).cmp(&(
                &b.place.file.path,
                b.place.span.start,
                &b.message,
            ))
        });
        Self(found)
    }

    /// Returns the same with the files called as `name` says.
    #[must_use]
    pub fn named(mut self, name: impl Fn(&str) -> String) -> Self {
        for diagnostic in &mut self.0 {
            diagnostic.place.rename(&name);
        }
        self
    }

    /// Returns whether any is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Iterates in order of file and position.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Renders every diagnostic with its line, a caret and its hint; lines of the file are cut to `width` columns.
    pub fn render(&self, color: bool, width: usize) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.term_width(width);
        let mut text = String::new();
        for diagnostic in &self.0 {
            let place = &diagnostic.place;
            let level = match diagnostic.severity {
                Severity::Error => Level::ERROR,
                Severity::Warning => Level::WARNING,
            };
            let span = clamp(&place.span, place.file.text.len());
            let mut report = vec![
                level.primary_title(&diagnostic.message).element(
                    Snippet::source(&*place.file.text)
                        .path(&*place.file.path)
                        .annotation(AnnotationKind::Primary.span(span)),
                ),
            ];
            if let Some(hint) = &diagnostic.hint {
                report.push(
                    Level::HELP
                        .secondary_title(hint.as_str())
                        .elements(Vec::<annotate_snippets::Element<'_>>::new()),
                );
            }
            text.push_str(&renderer.render(&report));
            text.push_str("\n\n");
        }
        text
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false, WIDTH_USUAL).trim_end())
    }
}

impl std::error::Error for Diagnostics {}

fn clamp(span: &Range<usize>, len: usize) -> Range<usize> {
    let start = span.start.min(len);
    start..span.end.clamp(start, len)
}

/// Returns the candidate nearest to `word`, when one is near enough to be what was meant.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}
