//! Labelled B2B leads: what a sales team has collected about people at firms, and who each row really is.
//!
//! Made for judging a matcher. The rows carry what makes matching leads hard: role mailboxes and switchboards that
//! a whole staff shares, junk that nobody is behind, nicknames, lost diacritics, swapped and mistyped names, firms
//! written in many ways, people who change jobs, namesakes, relatives in family firms, colleagues. Start at
//! [`Leads::invent`]; `firm` and `staff` are who there is, `writing` is what becomes of them in a lead.

mod firm;
mod pools;
mod staff;
mod writing;

use std::fmt::Write as _;

use super::{
    random::Random,
    text::{Quoting, write_record},
};
use firm::Firms;
use pools::Pools;
use staff::Staff;

/// The header of the table.
pub const COLUMNS: [&str; 13] = [
    "id",
    "first_name",
    "last_name",
    "email",
    "phone",
    "company",
    "website",
    "street",
    "city",
    "postcode",
    "country",
    "job_title",
    "source",
];

/// How many leads of which world.
#[derive(Clone, Copy)]
pub struct Leads {
    pub count: usize,
    /// Another seed gives another world.
    pub seed: u64,
}

/// The leads and the truth about them, as CSV.
pub struct Texts {
    pub leads: String,
    /// Id and person of every lead.
    pub truth: String,
    /// Id and company of every lead.
    pub company_truth: String,
}

/// One row and who is behind it.
struct Lead {
    cells: [String; COLUMNS.len() - 1],
    person: usize,
    firm: usize,
}

const STAFF_STREAM: u64 = 0x57;
const LEAD_STREAM: u64 = 0x1E;
const ORDER_STREAM: u64 = 0x0D;

/// How many leads there are of a person, in percent from one lead upwards.
const LEADS_OF_A_PERSON: &[(u64, usize)] = &[(46, 1), (25, 2), (14, 3), (8, 4), (5, 5), (2, 8)];
/// People in 1,000 who change to another firm between two of their leads, if they have two.
const JOB_CHANGERS: u64 = 55;

impl Leads {
    /// Invents the leads; the same seed and count give the same bytes.
    pub fn invent(self) -> Texts {
        let mut leads = self.in_order_of_invention();
        let mut random = Random::of(self.seed, ORDER_STREAM);
        for place in (1..leads.len()).rev() {
            leads.swap(place, random.below(place as u64 + 1) as usize);
        }
        let mut texts = Texts {
            leads: String::new(),
            truth: "id,cluster\n".to_owned(),
            company_truth: "id,company\n".to_owned(),
        };
        write_record(&mut texts.leads, COLUMNS, ',', Quoting::Needed);
        texts.leads.push('\n');
        for (number, lead) in leads.iter().enumerate() {
            let id = format!("L{number:07}");
            let cells = lead.cells.iter().map(String::as_str);
            write_record(
                &mut texts.leads,
                std::iter::once(id.as_str()).chain(cells),
                ',',
                Quoting::Needed,
            );
            texts.leads.push('\n');
            let _ = writeln!(texts.truth, "{id},{}", lead.person);
            let _ = writeln!(texts.company_truth, "{id},{}", lead.firm);
        }
        texts
    }

    fn in_order_of_invention(self) -> Vec<Lead> {
        let pools = Pools::new();
        let mut firms = Firms::new(self.seed, &pools);
        let (mut leads, mut persons) = (Vec::with_capacity(self.count + 16), 0);
        while leads.len() < self.count {
            let firm = firms.found(None);
            let mut staff = Staff::of(&firm, &pools);
            let mut random = Random::of(self.seed ^ STAFF_STREAM, firm.number as u64);
            for _ in 0..staff_size(&mut random) {
                let mut person = staff.hire(persons, &mut random);
                let count = leads_of_a_person(&mut random);
                let next_firm = (count > 1 && random.chance(JOB_CHANGERS))
                    .then(|| firms.found(Some(firm.country)));
                let mut random = Random::of(self.seed ^ LEAD_STREAM, persons as u64);
                for turn in 0..count {
                    let firm = next_firm.as_ref().filter(|_| turn >= count / 2).unwrap_or(&firm);
                    if turn == count / 2 && next_firm.is_some() {
                        person.move_to(firm);
                    }
                    let cells = writing::lead(&person, firm, &pools, &mut random);
                    leads.push(Lead { cells, person: persons, firm: firm.number });
                }
                persons += 1;
            }
        }
        leads.truncate(self.count);
        leads
    }
}

/// Returns how many people of a firm become leads: half of the firms have one, one in `n` has `n` or more.
fn staff_size(random: &mut Random) -> u64 {
    const STAFF_MAX: u64 = 40;
    const STEPS: u64 = 1 << 20;
    (STEPS / (random.below(STEPS) + 1)).clamp(1, STAFF_MAX)
}

fn leads_of_a_person(random: &mut Random) -> usize {
    let mut drawn = random.below(100);
    for &(percent, count) in LEADS_OF_A_PERSON {
        if drawn < percent {
            return count;
        }
        drawn -= percent;
    }
    1
}
