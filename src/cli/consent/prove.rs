//! `leadmill consent prove`

use chrono::SecondsFormat;
use clap::Args;
use serde_json::json;

use super::evidence::{as_json, facts};
use super::{address_called, channel_called, expect_purpose};
use crate::cli::people::the_lead;
use crate::cli::workspace::Global;
use crate::cli::{Outcome, terminal};
use crate::consent::Standing;
use crate::model::consent::Channel;
use crate::model::moment::utc_from_ms;
use crate::pipeline::proof::extract;

/// Prove that somebody had consented to a contact at `--as-of`, with the evidence; exits 1 when there is no proof.
///
/// Proof is a yes for this purpose, channel and address that was not taken back by then, and that is proven as well as
/// the gate of consent.toml asks for. What is missing is said.
#[derive(Debug, Args)]
pub struct Prove {
    /// A lead's id, an e-mail address or a phone number.
    #[arg(value_name = "LEAD|EMAIL|PHONE")]
    who: String,
    /// What the contact is for.
    #[arg(long, value_name = "PURPOSE", default_value = "marketing")]
    purpose: String,
    /// The channel: email, sms, phone, automated-call, messenger or post.
    #[arg(long, value_name = "CHANNEL", default_value = "email")]
    channel: String,
    /// The address or number; default: the one that names the lead, where it is one of the channel, else the one by
    /// which the lead is reached.
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// Answer with one JSON object.
    #[arg(long)]
    json: bool,
}

impl Prove {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let as_of_ms = global.now(&rules)?.timestamp_millis();
        expect_purpose(&rules, &self.purpose)?;
        let channel = channel_called(&self.channel)?;
        let address = match &self.address {
            Some(address) => Some(address_called(&rules, address)?),
            // Whoever names somebody by an address asks about that one.
            None => address_called(&rules, &self.who).ok().filter(|who| {
                channel != Channel::Post && is_mail(who) == (channel == Channel::Email)
            }),
        };
        let store = global.read_store()?;
        let extract = extract(&store, &rules, the_lead(&store, &rules, &self.who)?)?;
        let contact = extract.contact(&self.purpose, channel, address.as_deref());
        let stand = extract.stand(&rules, contact, as_of_ms);
        let record = match stand.standing {
            Standing::Given(seq, _) => extract.record(seq),
            _ => None,
        };
        let is_proven = record.is_some() && stand.verdict.allowed;
        let instant = |ms: i64| utc_from_ms(ms).to_rfc3339_opts(SecondsFormat::Secs, true);
        if self.json {
            let told = json!({
                "lead": extract.lead.id.to_string(),
                "as_of": instant(as_of_ms),
                "purpose": stand.purpose,
                "channel": channel.word(),
                "address": stand.address,
                "is_proven": is_proven,
                "because": stand.verdict.because,
                "record": record.map(|record| as_json(record, &instant)),
            });
            terminal::print(&told.to_string())?;
            return Ok(u8::from(!is_proven));
        }
        let at =
            utc_from_ms(as_of_ms).with_timezone(&rules.workspace.zone).format("%Y-%m-%d %H:%M");
        let answer = if is_proven { "proven" } else { "not proven" };
        let of = stand.address.as_ref().map_or(String::new(), |address| format!(" for {address}"));
        let because = &stand.verdict.because;
        // The gate may let it for another reason than a consent.
        let because = match record {
            None if stand.verdict.allowed => format!("no consent is on record, though {because}"),
            _ => because.clone(),
        };
        terminal::print_wrapped(
            &format!("{}  {answer}{of} at {at}: {because}", extract.lead.id),
            2,
        )?;
        if let Some(record) = record {
            let rows: Vec<Vec<String>> = facts(record, &rules)
                .into_iter()
                .map(|(name, value)| vec![name.to_owned(), value])
                .collect();
            let mut table = super::header(["evidence", ""]);
            table.extend(rows);
            terminal::print(&format!("\n{}", terminal::table(&table, &[])))?;
        }
        Ok(u8::from(!is_proven))
    }
}

fn is_mail(address: &str) -> bool {
    address.contains('@')
}
