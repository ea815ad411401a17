//! The people of a firm, and the contacts that are theirs alone.

use std::collections::BTreeSet;

use super::{
    super::{names, number::Number, person::Country, random::Random, text::slug},
    firm::Firm,
    pools::{Pools, borne_by_woman},
};

/// Somebody who becomes a lead, perhaps several times.
pub struct Person {
    pub given: &'static str,
    pub family: String,
    /// The mailbox at the firm where the person works now.
    pub work_email: String,
    pub private_email: String,
    pub mobile: Number,
    pub title: &'static str,
    /// Took the telephone and the private mailbox along to another firm.
    pub has_moved: bool,
}

/// Who works at a firm, so that no two get one mailbox.
pub struct Staff<'w> {
    firm: &'w Firm,
    pools: &'w Pools,
    mailboxes: BTreeSet<String>,
}

impl<'w> Staff<'w> {
    /// Returns the firm before it has hired anybody.
    pub fn of(firm: &'w Firm, pools: &'w Pools) -> Self {
        Self { firm, pools, mailboxes: BTreeSet::new() }
    }

    /// Hires the person of that number.
    pub fn hire(&mut self, number: usize, random: &mut Random) -> Person {
        let firm = self.firm;
        let origin = if random.chance(930) {
            firm.country
        } else {
            *random.pick(&[Country::Poland, Country::UnitedKingdom, Country::Germany])
        };
        let is_woman = random.chance(460);
        let given = self.pools.given(origin, is_woman, random);
        let is_relative = firm.family.is_some() && random.chance(500);
        let family = match &firm.family {
            Some(family) if is_relative => family.as_str(),
            _ => self.pools.family(origin, random),
        };
        let family = if is_woman { borne_by_woman(family, origin) } else { family.to_owned() };
        let work_email = format!("{}@{}", self.mailbox(given, &family, random), firm.domain);
        let private_email = private_mailbox(given, &family, origin, random);
        let title = random.pick(names::JOB_TITLES);
        Person {
            private_email,
            given,
            family,
            work_email,
            mobile: Number::mobile(firm.country, number as u64),
            title,
            has_moved: false,
        }
    }

    fn mailbox(&mut self, given: &str, family: &str, random: &mut Random) -> String {
        let (given, family) = (slug(given), slug(family));
        let initial = &given[..1];
        let wanted = match random.below(100) {
            0..55 => format!("{given}.{family}"),
            55..75 => format!("{initial}.{family}"),
            75..85 => format!("{initial}{family}"),
            85..95 => given,
            _ => family,
        };
        let mut mailbox = wanted.clone();
        let mut taken = 1;
        while !self.mailboxes.insert(mailbox.clone()) {
            taken += 1;
            mailbox = format!("{wanted}{taken}");
        }
        mailbox
    }
}

impl Person {
    /// Gives the person a mailbox at another firm and notes that the old one is gone.
    pub fn move_to(&mut self, firm: &Firm) {
        self.work_email = format!("{}.{}@{}", slug(self.given), slug(&self.family), firm.domain);
        self.has_moved = true;
    }
}

/// Returns a free mailbox; the `t` and number keep it from being a real person's.
fn private_mailbox(given: &str, family: &str, country: Country, random: &mut Random) -> String {
    let (given, family) = (slug(given), slug(family));
    let number = random.below(1000);
    let provider = match country {
        Country::Poland => "wp.pl",
        Country::UnitedKingdom => "outlook.com",
        Country::Germany => "gmx.de",
    };
    match random.below(3) {
        0 => format!("{given}.{family}.t{number}@gmail.com"),
        1 => format!("{given}{family}.t{number}@gmail.com"),
        _ => format!("{given}.{family}.t{number}@{provider}"),
    }
}
