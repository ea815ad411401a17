//! Accounts as a sales manager reads them: which company, how many leads, with whom.

/// An account of two leads or more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFigures {
    /// Id, such as `ACC-0123456789AB`.
    pub id: String,
    /// Name of the company as most of its leads write it; empty where none names it.
    pub name: String,
    /// The company's own domains, the most used first.
    pub domains: Vec<String>,
    /// Tax numbers, the most used first; several where a group of companies shares a domain.
    pub nips: Vec<String>,
    /// Leads.
    pub leads: usize,
    /// Leads in each segment, the hottest first; only those that have some.
    pub segments: Vec<(&'static str, usize)>,
    /// Owners with their leads, the most first.
    pub owners: Vec<(String, usize)>,
    /// Queues with the leads in them that nobody owns, the most first.
    pub queues: Vec<(String, usize)>,
    /// What links its leads, the strongest first.
    pub linked_by: Vec<&'static str>,
    /// When one of its leads was last heard of, in local time.
    pub latest: String,
}

/// Returns the accounts as a table for people, the header first.
pub fn table(accounts: &[AccountFigures]) -> Vec<Vec<String>> {
    let header = ["account", "company", "known by", "leads", "segments", "with", "latest"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for one in accounts {
        let segments: Vec<String> =
            one.segments.iter().map(|(segment, leads)| format!("{leads} {segment}")).collect();
        let nips = one.nips.iter().map(|nip| format!("NIP {nip}"));
        let queues = one.queues.iter().map(|(queue, leads)| (format!("({queue})"), *leads));
        let with: Vec<(String, usize)> = one.owners.iter().cloned().chain(queues).collect();
        rows.push(vec![
            one.id.clone(),
            one.name.clone(),
            one.domains.iter().cloned().chain(nips).collect::<Vec<_>>().join(", "),
            one.leads.to_string(),
            segments.join(", "),
            counted(&with, ", "),
            // The day is enough for people.
            one.latest.split(' ').next().unwrap_or_default().to_owned(),
        ]);
    }
    rows
}

/// Returns the accounts as a table for spreadsheets, the header first.
pub fn csv_table(accounts: &[AccountFigures]) -> Vec<Vec<String>> {
    let header = [
        "account",
        "company",
        "domains",
        "nip",
        "leads",
        "hot",
        "warm",
        "cold",
        "n_owners",
        "owners",
        "queues",
        "linked_by",
        "latest_activity",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for one in accounts {
        let in_segment = |name: &str| {
            let found = one.segments.iter().find(|(segment, _)| *segment == name);
            found.map_or(0, |(_, leads)| *leads).to_string()
        };
        rows.push(vec![
            one.id.clone(),
            one.name.clone(),
            one.domains.join("; "),
            one.nips.join("; "),
            one.leads.to_string(),
            in_segment("hot"),
            in_segment("warm"),
            in_segment("cold"),
            one.owners.len().to_string(),
            counted(&one.owners, "; "),
            counted(&one.queues, "; "),
            one.linked_by.join("; "),
            one.latest.clone(),
        ]);
    }
    rows
}

/// Writes `anna 2, jan 1`.
fn counted(list: &[(String, usize)], between: &str) -> String {
    let each: Vec<String> = list.iter().map(|(who, leads)| format!("{who} {leads}")).collect();
    each.join(between)
}

/// A lead of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountMember {
    /// Id of the account.
    pub account: String,
    /// Id of the lead.
    pub lead: String,
    /// What to call the lead.
    pub name: String,
    /// Name of the company as the lead has it.
    pub company: String,
    /// Owner, or the queue in brackets.
    pub with: String,
    /// What links it to the others, the strongest first.
    pub linked_by: Vec<&'static str>,
}

/// Returns the leads of accounts as a table, the header first.
pub fn member_table(members: &[AccountMember]) -> Vec<Vec<String>> {
    let header = ["account", "lead", "name", "company", "with", "linked_by"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(members.iter().map(|one| {
        vec![
            one.account.clone(),
            one.lead.clone(),
            one.name.clone(),
            one.company.clone(),
            one.with.clone(),
            one.linked_by.join("; "),
        ]
    }));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_owners_and_queues_are_told_with_their_leads() {
        let account = AccountFigures {
            leads: 4,
            segments: vec![("hot", 1), ("cold", 3)],
            owners: vec![("anna".to_owned(), 2), ("jan".to_owned(), 1)],
            queues: vec![("triage".to_owned(), 1)],
            ..AccountFigures::default()
        };
        let row = &table(std::slice::from_ref(&account))[1];
        assert_eq!(row[3..6], ["4", "1 hot, 3 cold", "anna 2, jan 1, (triage) 1"]);
        let row = &csv_table(&[account])[1];
        assert_eq!(row[4..11], ["4", "1", "0", "3", "2", "anna 2; jan 1", "triage 1"]);
    }
}
