//! The word lists that matching uses, folded once.

use rustc_hash::{FxHashMap, FxHashSet};

use super::prepare::fold;
use crate::rules::tables::Tables;

/// What is known about words before any record is seen.
#[derive(Debug, Default)]
pub struct Lists {
    groups_of_name: FxHashMap<String, Vec<u16>>,
    given_names: FxHashSet<String>,
    honorifics: FxHashSet<String>,
    legal_forms: FxHashSet<String>,
    free_mail: FxHashSet<String>,
    role_mailboxes: FxHashSet<String>,
}

/// Longest legal form in words (`spolka z ograniczona odpowiedzialnoscia spolka komandytowa`).
const LEGAL_FORM_WORDS_MAX: usize = 8;

impl Lists {
    /// Folds the lists: groups of names that stand for each other, given names, honorifics, legal forms,
    /// domains of free mail and names of function mailboxes.
    pub fn new<'a>(
        nicknames: impl IntoIterator<Item = &'a [String]>,
        given_names: impl IntoIterator<Item = &'a str>,
        honorifics: impl IntoIterator<Item = &'a str>,
        legal_forms: impl IntoIterator<Item = &'a str>,
        free_mail: impl IntoIterator<Item = &'a str>,
        role_mailboxes: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut lists = Self::default();
        for (number, group) in nicknames.into_iter().enumerate() {
            for name in group {
                let groups = lists.groups_of_name.entry(fold(name)).or_default();
                groups.push(number as u16);
                lists.given_names.insert(fold(name));
            }
        }
        lists.given_names.extend(given_names.into_iter().map(fold));
        lists.honorifics.extend(honorifics.into_iter().map(fold));
        lists.legal_forms.extend(legal_forms.into_iter().map(fold));
        lists.free_mail.extend(free_mail.into_iter().map(str::to_lowercase));
        lists.role_mailboxes.extend(role_mailboxes.into_iter().map(str::to_lowercase));
        lists
    }

    /// Takes the lists out of the tables of the rules.
    pub fn of_tables(tables: &Tables) -> Self {
        Self::new(
            tables.nickname_groups().iter().map(Vec::as_slice),
            tables.given_names(),
            tables.honorifics(),
            tables.legal_form_spellings(),
            tables.free_mail_domains(),
            tables.role_mailboxes(),
        )
    }

    /// Returns whether `name`, folded, is a known given name.
    pub fn is_given_name(&self, name: &str) -> bool {
        self.given_names.contains(name)
    }

    /// Returns the groups in which the folded `name` stands for others.
    pub fn groups_of(&self, name: &str) -> &[u16] {
        self.groups_of_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// Returns whether everybody can have an address at `domain`.
    pub fn is_free_mail(&self, domain: &str) -> bool {
        self.free_mail.contains(domain)
    }

    /// Returns whether `mailbox` is a function's (`info`, `biuro`).
    pub fn is_role_mailbox(&self, mailbox: &str) -> bool {
        self.role_mailboxes.contains(mailbox)
    }

    /// Returns the folded `name` without titles before it.
    pub fn without_honorific<'n>(&self, name: &'n str) -> &'n str {
        let mut rest = name;
        while let Some((first, others)) = rest.split_once(' ') {
            if !self.honorifics.contains(first) {
                break;
            }
            rest = others;
        }
        rest
    }

    /// Returns the folded company `name` without the legal form at its end.
    pub fn without_legal_form<'n>(&self, name: &'n str) -> &'n str {
        let mut starts: Vec<usize> = name.match_indices(' ').map(|(at, _)| at).collect();
        starts.reverse();
        starts.truncate(LEGAL_FORM_WORDS_MAX);
        // The longest form wins: the last start that still names one.
        let cut = starts.iter().rev().find(|at| self.legal_forms.contains(&name[**at + 1..]));
        cut.map_or(name, |at| &name[..*at])
    }
}
