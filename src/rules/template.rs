//! Templates: what is written to people, in their language (`templates/*.txt`).
//!
//! A template is a text of MiniJinja. `confirmation.txt` serves everybody for whose language there is no
//! `confirmation.pl.txt`. All of them are tried out when the rules are read, so none can fail in the middle of a night.
//! `digest.txt` is the mail of a day for the team itself, and shows other things ([`Digest`]).

use std::collections::BTreeMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value as Shown};
use minijinja::{Environment, Error, UndefinedBehavior};

use super::decode::Sink;
use super::diagnostics::{Place, RuleText, did_you_mean};
use super::digest::{DIGEST, Digest};
use super::field::FieldCatalog;
use crate::model::language::Language;

/// What a template can show besides the fields of a lead.
pub const BESIDE_FIELDS: &[(&str, &str)] = &[
    ("name", "the lead's name; its company or address where there is none"),
    ("owner_name", "who has the lead; empty while nobody has it"),
    ("owner_email", "that person's e-mail address"),
];

/// Bytes that a template may have.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// All templates, compiled.
#[derive(Debug, Clone)]
pub struct TemplateCatalog {
    /// By name, and by language under it; the empty language serves all others.
    templates: BTreeMap<String, BTreeMap<String, Compiled>>,
    environment: Environment<'static>,
}

/// A template that is tried out.
#[derive(Debug, Clone)]
struct Compiled {
    /// What the environment calls it.
    key: String,
    /// What it shows, in order: most templates show a handful of all there is.
    variables: Vec<String>,
}

/// Returns what a template calls the field `name`: `first_name` for `first-name`.
fn variable(field: &str) -> String {
    field.replace('-', "_")
}

/// Returns the name of the field that a template calls `variable`, if it is one.
pub fn field_of(variable: &str) -> String {
    variable.replace('_', "-")
}

impl TemplateCatalog {
    /// Reads `files` and tries them out; mistakes go to `sink`.
    pub fn decode(files: &[&RuleText], fields: &FieldCatalog, sink: &Sink) -> Self {
        let known: Vec<String> = BESIDE_FIELDS
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .chain(fields.iter().map(|(_, field)| variable(&field.name)))
            .collect();
        let of_digest: Vec<String> =
            Digest::VARIABLES.iter().map(|&name| name.to_owned()).collect();
        let mut catalog = Self { templates: BTreeMap::new(), environment: environment() };
        for file in files {
            let Some((name, language)) = name_of(file, sink) else { continue };
            let key = file.path.to_string();
            let variables = if name == DIGEST {
                try_out(file, &of_digest, &|_| Digest::samples(), sink)
            } else {
                try_out(file, &known, &of_a_lead, sink)
            };
            if variables.is_some() {
                let added =
                    catalog.environment.add_template_owned(key.clone(), file.text.to_string());
                added.expect("it was compiled a moment ago");
            }
            // One with mistakes is there all the same, so that nobody is told that it is missing.
            let variables = variables.unwrap_or_default();
            let languages = catalog.templates.entry(name).or_default();
            languages.insert(language, Compiled { key, variables });
        }
        for (name, languages) in &catalog.templates {
            if !languages.contains_key("") {
                let first = files.iter().find(|file| file.path.contains(&format!("/{name}.")));
                let place = first.map(|file| Place { file: (*file).clone(), span: 0..0 });
                let hint = format!("add {name}.txt for everybody who speaks another language");
                if let Some(place) = place {
                    sink.error(&place, format!("template `{name}` has no {name}.txt"), Some(hint));
                }
            }
        }
        catalog
    }

    /// Returns the shipped ones, for tests.
    #[cfg(test)]
    pub(crate) fn shipped() -> Self {
        let texts = super::embedded::texts();
        let texts: Vec<&RuleText> =
            texts.iter().filter(|text| text.path.starts_with("rules/templates/")).collect();
        let sink = Sink::default();
        let catalog = Self::decode(&texts, &FieldCatalog::decode(None), &sink);
        assert_eq!(sink.take(), []);
        catalog
    }

    /// Returns the names of all templates.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.templates.keys().map(String::as_str)
    }

    /// Renders `template` in `language`, else in the general one; `value` says what each variable that it shows is, be
    /// it empty. `None` when there is no such template.
    ///
    /// # Errors
    /// What MiniJinja says of a template that failed only with these values.
    pub fn render(
        &self,
        template: &str,
        language: Option<&str>,
        value: impl Fn(&str) -> String,
    ) -> Result<Option<String>, Error> {
        let Some(compiled) = self.compiled(template, language) else { return Ok(None) };
        let values: BTreeMap<&str, String> =
            compiled.variables.iter().map(|name| (name.as_str(), value(name))).collect();
        self.environment.get_template(&compiled.key)?.render(values).map(Some)
    }

    /// Renders the mail of a day in `language`, else in the general one: subject, blank line, text.
    ///
    /// # Errors
    /// What MiniJinja says of a template that failed only with these values, or is not there.
    pub fn digest(&self, language: Language, digest: &Digest) -> Result<String, Error> {
        let compiled = self.compiled(DIGEST, Some(language.word()));
        let key = compiled.map_or(DIGEST, |compiled| &compiled.key);
        let text = self.environment.get_template(key)?.render(Serde(digest))?;
        // A link that is not there leaves blanks behind.
        Ok(text.lines().map(|line| line.trim_end().to_owned() + "\n").collect())
    }

    fn compiled(&self, template: &str, language: Option<&str>) -> Option<&Compiled> {
        let languages = self.templates.get(template)?;
        let own = language.and_then(|language| languages.get(language));
        own.or_else(|| languages.get(""))
    }
}

/// Returns what a mail to a lead is tried out on: every value there, and none.
fn of_a_lead(variables: &[String]) -> Vec<Shown> {
    let all = |value| Shown::from_pairs(variables.iter().map(|name| (name.as_str(), value)));
    vec![all("x"), all("")]
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the template's own marks are sound"));
    // Every field is there, so what is missing is empty.
    environment.add_filter("default", |text: &str, other: &str| {
        if text.is_empty() { other.to_owned() } else { text.to_owned() }
    });
    environment
}

/// Returns name and language of the template in `file`.
fn name_of(file: &RuleText, sink: &Sink) -> Option<(String, String)> {
    let place = Place { file: file.clone(), span: 0..0 };
    let base = file.path.rsplit('/').next().unwrap_or_default();
    let Some(stem) = base.strip_suffix(".txt") else {
        let hint = "call it confirmation.txt, or confirmation.pl.txt for one language";
        sink.error(&place, format!("`{base}` is not a template"), Some(hint.to_owned()));
        return None;
    };
    let (name, language) = stem.split_once('.').unwrap_or((stem, ""));
    let is_language = language.is_empty()
        || (language.len() == 2 && language.bytes().all(|byte| byte.is_ascii_lowercase()));
    if name.is_empty() || !is_language {
        let hint = "a language is two small letters: confirmation.pl.txt";
        sink.error(&place, format!("`{language}` is not a language"), Some(hint.to_owned()));
        return None;
    }
    Some((name.to_owned(), language.to_owned()))
}

/// Compiles the template and renders it on what `samples` makes of the variables that it shows. Returns these, in
/// order; `None` when something is wrong.
fn try_out(
    file: &RuleText,
    known: &[String],
    samples: &dyn Fn(&[String]) -> Vec<Shown>,
    sink: &Sink,
) -> Option<Vec<String>> {
    let whole = Place { file: file.clone(), span: 0..0 };
    if file.text.len() > TEXT_BYTES_MAX {
        let hint = "a mail of that size is no answer to an enquiry";
        sink.error(&whole, "the template is larger than 64 KiB", Some(hint.to_owned()));
        return None;
    }
    let environment = environment();
    let template = match environment.template_from_str(&file.text) {
        Ok(template) => template,
        Err(fault) => {
            sink.error(&place_of(file, &fault), words(&fault), None);
            return None;
        }
    };
    let mut variables: Vec<String> = template.undeclared_variables(false).into_iter().collect();
    variables.sort_unstable();
    let (variables, unknown): (Vec<String>, Vec<String>) =
        variables.into_iter().partition(|name| known.contains(name));
    for name in &unknown {
        let at = file.text.find(name.as_str()).unwrap_or_default();
        let place = Place { file: file.clone(), span: at..at + name.len() };
        let near = did_you_mean(name, known.iter().map(String::as_str));
        let hint = near.map_or_else(
            || {
                "`leadmill rules fields` lists the fields; write first_name for first-name"
                    .to_owned()
            },
            |near| format!("did you mean `{near}`?"),
        );
        sink.error(&place, format!("nothing is called `{name}`"), Some(hint));
    }
    if !unknown.is_empty() {
        return None;
    }
    for sample in samples(&variables) {
        if let Err(fault) = template.render(sample) {
            sink.error(&place_of(file, &fault), words(&fault), None);
            return None;
        }
    }
    Some(variables)
}

fn words(fault: &Error) -> String {
    let detail = fault.detail().map_or(String::new(), |detail| format!(": {detail}"));
    format!("{}{detail}", fault.kind())
}

fn place_of(file: &RuleText, fault: &Error) -> Place {
    let span = fault.range().unwrap_or(0..0);
    let end = span.end.min(file.text.len());
    Place { file: file.clone(), span: span.start.min(end)..end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::diagnostics::Diagnostics;

    fn decode(files: &[(&str, &str)]) -> (TemplateCatalog, Vec<String>) {
        let sink = Sink::default();
        let files: Vec<RuleText> = files
            .iter()
            .map(|(path, text)| RuleText {
                path: format!("rules/templates/{path}").into(),
                text: (*text).into(),
            })
            .collect();
        let files: Vec<&RuleText> = files.iter().collect();
        let catalog = TemplateCatalog::decode(&files, &FieldCatalog::decode(None), &sink);
        let found = Diagnostics::new(sink.take());
        let line = |one: &crate::rules::diagnostics::Diagnostic| {
            format!("{}: {}", one.place.line(), one.message)
        };
        let found = found.iter().map(line).collect();
        (catalog, found)
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(decode(&[("a.txt", text)]).1, expected, "{text}");
    }

    #[test]
    fn a_template_speaks_the_language_of_the_lead() {
        let (catalog, found) = decode(&[
            ("thanks.txt", "Hello{% if first_name %} {{ first_name }}{% endif %}!\n"),
            ("thanks.pl.txt", "Dzień dobry, {{ name }}!"),
        ]);
        assert_eq!(found, Vec::<String>::new());
        let ewa = |variable: &str| match variable {
            "first_name" => "Ewa".to_owned(),
            "name" => "Ewa <Łęcka>".to_owned(),
            _ => panic!("no template shows {variable}"),
        };
        let rendered = |template: &str, language: Option<&str>| {
            catalog.render(template, language, ewa).unwrap()
        };
        assert_eq!(rendered("thanks", None).as_deref(), Some("Hello Ewa!"));
        assert_eq!(rendered("thanks", Some("de")).as_deref(), Some("Hello Ewa!"));
        assert_eq!(rendered("thanks", Some("pl")).as_deref(), Some("Dzień dobry, Ewa <Łęcka>!"));
        assert_eq!(rendered("bye", None), None);
        let nobody = catalog.render("thanks", None, |_| String::new()).unwrap();
        assert_eq!(nobody.as_deref(), Some("Hello!"));
    }

    #[test]
    fn the_mail_of_a_day_shows_what_there_is() {
        let task = |lead: &str, link: &str| crate::rules::digest::DigestTask {
            lead: lead.to_owned(),
            channel: "call".to_owned(),
            segment: "hot".to_owned(),
            due: "2026-11-20 14:00".to_owned(),
            link: link.to_owned(),
            ..Default::default()
        };
        let digest = Digest {
            day: "2026-11-20".to_owned(),
            name: "Zofia".to_owned(),
            overdue: vec![task("LM-000000000001", "https://crm.example/1")],
            due: vec![task("LM-000000000002", "")],
            overdue_count: 3,
            due_count: 1,
            ..Digest::default()
        };
        let catalog = TemplateCatalog::shipped();
        assert_eq!(
            catalog.digest(Language::English, &digest).unwrap(),
            "Leads on 2026-11-20: 3 overdue, 1 due today\n\nHello Zofia,\n\nOverdue:\n\
             - 2026-11-20 14:00  call  LM-000000000001  hot  https://crm.example/1\nand 2 more\n\n\
             Due today:\n- 2026-11-20 14:00  call  LM-000000000002  hot\n\n\
             Leads go by their ids here, because mail is kept for long: find them by these in the CRM or in your list.\n"
        );
        let polish = catalog.digest(Language::Polish, &digest).unwrap();
        assert!(polish.starts_with("Leady 2026-11-20: po terminie 3, na dziś 1\n\n"), "{polish}");
        assert!(polish.contains("telefon  LM-000000000002  gorący\n"), "{polish}");
        assert_eq!(
            decode(&[("digest.txt", "{{ first_name }}"), ("digest.pl.txt", "{{ owners.x.y }}")]).1,
            ["1: undefined value: `owners.x` is undefined", "1: nothing is called `first_name`"]
        );
    }

    #[test]
    fn mistakes_are_found_before_anybody_is_written_to() {
        check("{{ first_name | default('there') | upper }}", &[]);
        check("a\n{{ frist_name }}", &["2: nothing is called `frist_name`"]);
        check(
            "a\n{% if name %}",
            &["2: syntax error: unexpected end of input, expected end of block"],
        );
        check("{{ name | shout }}", &["1: unknown filter: filter shout is unknown"]);
        check("{{ name.first.second }}", &["1: undefined value: `name.first` is undefined"]);
        assert_eq!(
            decode(&[("a.pl.txt", "x"), ("b.polish.txt", "x"), ("c.md", "x")]).1,
            [
                "1: template `a` has no a.txt",
                "1: `polish` is not a language",
                "1: `c.md` is not a template"
            ]
        );
    }
}
