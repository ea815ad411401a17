//! Everything of a person that the store holds, and what names them outside of it.
//!
//! A person is a lead: the rows that it is made of, whatever was merged into it, what they did, and the rows in
//! quarantine or withheld that carry an address or a number of theirs. What other leads have, too (a switchboard, a
//! function's mailbox), stays with those.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;
use anyhow::{Context as _, Result};

use super::recognition::{Mark, identity_mark, listed, marks_to_keep};
use super::touched::{Reach, TouchBook};
use crate::delivery::traces::Traces;
use crate::identity::keys::{email_hash, identities, identity_hash, phone_hash};
use crate::model::field::{self, FieldValues};
use crate::model::ids::{LeadNo, RunNo, SubmissionNo};
use crate::model::touch::{Identity, IdentityKind};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::codec::decode_values;
use crate::store::erase::Belongings;

/// Letters of the shortest other text by which somebody is looked for.
const WORD_LETTERS_MIN: usize = 8;

/// Signs that files write in different ways; what stands between them is the same in all.
const WRITTEN_DIFFERENTLY: [char; 9] = ['"', '\'', '\\', '\n', '\r', ',', ';', '&', '<'];

/// Fields that hold what people say of themselves, and the ids of their clicks on ads. Where they came from, what they
/// asked about and what follows from that are words of forms and rules.
const OWN_WORDS: [field::FieldNo; 18] = [
    field::FIRST_NAME,
    field::LAST_NAME,
    field::COMPANY,
    field::NIP,
    field::REGON,
    field::WEBSITE,
    field::JOB_TITLE,
    field::STREET,
    field::MESSAGE,
    field::EXTERNAL_ID,
    field::USER_ID,
    field::GCLID,
    field::GBRAID,
    field::WBRAID,
    field::FBCLID,
    field::TTCLID,
    field::MSCLKID,
    field::LI_FAT_ID,
];

/// Letters of the shortest name by which somebody is looked for.
const NAME_LETTERS_MIN: usize = 6;

/// Rows of a person, as far as one looks at them at once.
#[derive(Debug, Default)]
pub struct Subject {
    /// What the store has of them.
    pub belongings: Belongings,
    /// What names them in files.
    pub traces: Traces,
    /// Addresses and numbers that stay, because other leads have them, too.
    pub shared: Vec<String>,
    /// What they are recognized by from now on.
    pub marks: BTreeSet<Mark>,
}

/// Everything that one submission was known to say, in whichever words it was received.
struct Said {
    no: SubmissionNo,
    values: Vec<FieldValues>,
    source: String,
}

impl Subject {
    /// Gathers everything of `leads`, and lists it in the store for whoever takes it out.
    pub fn gather(store: &Store, rules: &RuleSet, leads: &[LeadNo]) -> Result<Self> {
        let mut subject = Self::default();
        let mut said = Vec::new();
        for lead in leads {
            subject.belongings.leads.extend(store.with_merged(*lead)?);
            for member in store.members(*lead)? {
                said.push(said_by(store, rules, member.no)?);
            }
        }
        subject.belongings.submissions = said.iter().map(|one| one.no).collect();
        // Listed for the first time here: what is whose alone is asked against the list.
        store.put_erased(&subject.belongings)?;
        let mut names = BTreeSet::new();
        for one in &said {
            subject.take_traces(store, one, &mut names)?;
        }
        for lead in &subject.belongings.leads {
            let (id, name) = store.id_and_name(*lead)?;
            subject.traces.ids.push(id);
            names.insert(name);
        }
        subject.take_names(store, names)?;
        subject.take_words(store, &said)?;
        subject.traces.tidy();
        for lead in leads {
            subject.take_touches(store, rules, *lead)?;
        }
        subject.take_waiting_rows(store)?;
        store.put_erased(&subject.belongings)?;
        for one in &said {
            let fingerprint = store.fingerprint_of_row(one.no)?;
            let system = rules.sources.system_of(&one.source);
            for values in &one.values {
                subject.marks.extend(marks_to_keep(values, fingerprint, system));
            }
        }
        subject.take_touch_marks(store, rules)?;
        subject.marks.extend(store.fingerprints_of_erased()?.into_iter().map(Mark::Row));
        subject.leave_what_others_have(store)?;
        Ok(subject)
    }

    /// Adds rows that are to go as well, whosever they are.
    pub fn add_rows(&mut self, store: &Store, more: &Belongings) -> Result<()> {
        let own = &mut self.belongings;
        let new = more.submissions.iter().filter(|one| !own.submissions.contains(one));
        own.submissions.extend(new.copied().collect::<Vec<_>>());
        for (own, more) in [
            (&mut own.touches, &more.touches),
            (&mut own.quarantined, &more.quarantined),
            (&mut own.held, &more.held),
        ] {
            own.extend(more);
            own.sort_unstable();
            own.dedup();
        }
        store.put_erased(&self.belongings)?;
        self.marks.extend(store.fingerprints_of_erased()?.into_iter().map(Mark::Row));
        Ok(())
    }

    /// Returns the submissions whose fate may hang on theirs, before those who share a key with them.
    pub fn seeds(&self, store: &Store) -> Result<Vec<SubmissionNo>> {
        let mut seeds = self.belongings.submissions.clone();
        let mut reach = Reach::new(store, RunNo(i64::MAX));
        for touch in &self.belongings.touches {
            for identity in store.touch_identities(*touch)? {
                reach.follow(identity, |submission| {
                    seeds.push(submission);
                    Ok(())
                })?;
            }
        }
        Ok(seeds)
    }

    fn take_traces(
        &mut self,
        store: &Store,
        said: &Said,
        names: &mut BTreeSet<String>,
    ) -> Result<()> {
        for values in &said.values {
            let emails = [field::EMAIL, field::OTHER_EMAILS, field::EMAIL_SUGGESTION];
            for email in emails.into_iter().flat_map(|field| listed(values, field)) {
                if store.is_key_of_others(email_hash(email))? {
                    self.shared.push(email.to_owned());
                } else {
                    self.traces.emails.push(email.to_owned());
                }
            }
            let phones = [field::PHONE, field::OTHER_PHONES];
            for phone in phones.into_iter().flat_map(|field| listed(values, field)) {
                if store.is_key_of_others(phone_hash(phone))? {
                    self.shared.push(phone.to_owned());
                } else {
                    self.traces.phones.push(phone.to_owned());
                }
            }
            let name = [field::FIRST_NAME, field::LAST_NAME].map(|field| values.get(field));
            if let [Some(first), Some(last)] = name {
                names.insert(format!("{first} {last}"));
            }
        }
        self.shared.sort();
        self.shared.dedup();
        Ok(())
    }

    /// Takes the names that tell them from everybody else.
    fn take_names(&mut self, store: &Store, names: BTreeSet<String>) -> Result<()> {
        let tells =
            |name: &String| name.trim().contains(' ') && name.chars().count() >= NAME_LETTERS_MIN;
        let mut own: BTreeMap<String, String> =
            names.into_iter().filter(tells).map(|name| (name.to_lowercase(), name)).collect();
        if !own.is_empty() {
            store.each_name(|lead, name| {
                if !self.belongings.leads.contains(&lead) {
                    own.remove(&name.to_lowercase());
                }
            })?;
        }
        self.traces.names.extend(own.into_values());
        Ok(())
    }

    /// Takes what nobody else in the store says.
    fn take_words(&mut self, store: &Store, said: &[Said]) -> Result<()> {
        let mut words = BTreeSet::new();
        for values in said.iter().flat_map(|one| &one.values) {
            let own = OWN_WORDS.iter().filter_map(|field| values.get(*field));
            words.extend(own.filter_map(longest_piece).map(str::to_lowercase));
        }
        let words: Vec<String> = words.into_iter().collect();
        if words.is_empty() {
            return Ok(());
        }
        let searcher =
            AhoCorasick::new(&words).context("cannot prepare to compare what was said")?;
        let mut is_others = vec![false; words.len()];
        store.each_text_of_others(|text| {
            for found in searcher.find_overlapping_iter(&text.to_lowercase()) {
                is_others[found.pattern().as_usize()] = true;
            }
        })?;
        let own = words.into_iter().zip(is_others).filter(|(_, is_others)| !is_others);
        self.traces.words.extend(own.map(|(word, _)| word));
        Ok(())
    }

    /// Takes what is theirs by whatever decides whose a touch is, and whatever else carries an address or an id that
    /// nobody else has.
    fn take_touches(&mut self, store: &Store, rules: &RuleSet, lead: LeadNo) -> Result<()> {
        let mut own: BTreeSet<Identity> = BTreeSet::new();
        for member in store.members(lead)? {
            let values = store.submission_values(member.no, &rules.fields)?;
            own.extend(identities(&values, member.fingerprint));
        }
        let own: Vec<Identity> = own.into_iter().collect();
        let touches = &mut self.belongings.touches;
        let joined = TouchBook::new(store, rules, RunNo(i64::MAX)).touches_of(lead, &own)?;
        touches.extend(joined.iter().map(|one| one.no));
        for identity in own.iter().filter(|one| one.kind != IdentityKind::External) {
            let hash = identity_hash(identity);
            if !store.is_key_of_others(hash)? {
                touches.extend(store.touch_numbers(hash)?);
            }
        }
        touches.sort_unstable();
        touches.dedup();
        Ok(())
    }

    fn take_waiting_rows(&mut self, store: &Store) -> Result<()> {
        let addresses =
            Traces { ids: Vec::new(), names: Vec::new(), words: Vec::new(), ..self.traces.clone() };
        let addresses = addresses.finder()?;
        let Belongings { submissions, quarantined, held, .. } = &mut self.belongings;
        quarantined.extend(store.came_back_as(submissions)?);
        store.each_waiting_text(|waiting| {
            if addresses.finds_in(waiting.raw) {
                if waiting.kind == "q" { &mut *quarantined } else { &mut *held }.push(waiting.no);
            }
            Ok(())
        })?;
        quarantined.sort_unstable();
        quarantined.dedup();
        Ok(())
    }

    fn take_touch_marks(&mut self, store: &Store, rules: &RuleSet) -> Result<()> {
        for touch in self.belongings.touches.clone() {
            let system = rules.sources.system_of(&store.touch_source(touch)?).to_owned();
            let identities = store.touch_identities(touch)?;
            self.marks.extend(identities.iter().filter_map(|one| identity_mark(one, &system)));
        }
        Ok(())
    }

    fn leave_what_others_have(&mut self, store: &Store) -> Result<()> {
        for key in self.marks.iter().filter_map(Mark::key).collect::<Vec<_>>() {
            if store.is_key_of_others(key)? {
                self.marks.remove(&Mark::Key(key));
            }
        }
        for shared in &self.shared {
            let digits: String = shared.chars().filter(char::is_ascii_digit).collect();
            self.marks.retain(
                |mark| !matches!(mark, Mark::Digits(own) if digits.ends_with(own.as_str())),
            );
        }
        Ok(())
    }
}

/// Returns the longest piece of `text` that every kind of file writes alike, if it is long enough to tell anybody.
fn longest_piece(text: &str) -> Option<&str> {
    let pieces = text.split(WRITTEN_DIFFERENTLY).map(str::trim);
    pieces
        .max_by_key(|piece| piece.chars().count())
        .filter(|piece| piece.chars().count() >= WORD_LETTERS_MIN)
}

fn said_by(store: &Store, rules: &RuleSet, no: SubmissionNo) -> Result<Said> {
    let row = store.member_row(no)?;
    let mut values = vec![decode_values(&row.fields, &rules.fields)?];
    for fields in store.variants_of(no)? {
        values.push(decode_values(&fields, &rules.fields)?);
    }
    Ok(Said { no, values, source: row.source })
}
