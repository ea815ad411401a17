//! The guard against shared contacts: a switchboard or an `info@` address is no person's.

use super::compare::{given_names, surnames};
use super::field::{Bundle, Field};
use super::kind::Kind;
use super::records::Records;

/// From this many people on, a contact is shared.
const PEOPLE_MIN: usize = 3;
/// Holders that are looked at: a contact with more is judged by the first so many.
const HOLDERS_MAX: usize = 60;

impl Records {
    /// Takes addresses and numbers that several people hold from the fields that identify, and puts them into
    /// one that tells of the company.
    ///
    /// Two holders are different people when neither their given names nor their surnames agree; three such
    /// people share a contact.
    pub fn set_hubs_apart(&mut self) {
        let Some(names) = self.field_of(Kind::Given).zip(self.field_of(Kind::Surname)) else {
            return;
        };
        let mut shared: Vec<Field> = Vec::new();
        for at in 0..self.fields.len() {
            if !matches!(self.fields[at].kind, Kind::Email | Kind::Phone) {
                continue;
            }
            let is_hub = self.hubs(at, names);
            if !is_hub.contains(&true) {
                continue;
            }
            let field = &mut self.fields[at];
            let mut hubs = field.only(&is_hub, true);
            hubs.kind = Kind::Web;
            hubs.bundle = Bundle::Shared;
            hubs.label = format!("shared {}", field.label);
            *field = field.only(&is_hub, false);
            shared.push(hubs);
        }
        self.fields.extend(shared);
    }

    fn hubs(&self, at: usize, names: (usize, usize)) -> Vec<bool> {
        let field = &self.fields[at];
        let mut holders: Vec<(u32, u32)> = Vec::new();
        for row in 0..self.n_records as u32 {
            for value in field.of(row) {
                if field.counts[*value as usize] >= PEOPLE_MIN as u32 {
                    holders.push((*value, row));
                }
            }
        }
        holders.sort_unstable();
        let mut is_hub = vec![false; field.values.len()];
        for group in holders.chunk_by(|a, b| a.0 == b.0) {
            is_hub[group[0].0 as usize] = self.have_many_names(group, names);
        }
        is_hub
    }

    /// Returns whether the rows of `holders` name [`PEOPLE_MIN`] people or more.
    fn have_many_names(&self, holders: &[(u32, u32)], (given, surname): (usize, usize)) -> bool {
        let mut people: Vec<(u32, u32)> = Vec::new();
        for (_, row) in holders.iter().take(HOLDERS_MAX) {
            let first = |field: usize| self.fields[field].of(*row).first().copied();
            let (Some(given_no), Some(surname_no)) = (first(given), first(surname)) else {
                continue;
            };
            let is_known = people.iter().any(|(other_given, other_surname)| {
                let values = |field: usize, a: u32, b: u32| {
                    (&self.fields[field].values[a as usize], &self.fields[field].values[b as usize])
                };
                let (a, b) = values(given, *other_given, given_no);
                let (c, d) = values(surname, *other_surname, surname_no);
                a.text == b.text
                    || c.text == d.text
                    || given_names(a, b) < 4
                    || surnames(&c.text, &d.text) < 4
                    || a.text == d.text
                    || c.text == b.text
            });
            if !is_known {
                people.push((given_no, surname_no));
                if people.len() >= PEOPLE_MIN {
                    return true;
                }
            }
        }
        false
    }
}
