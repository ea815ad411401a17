//! Writes mails (RFC 5322): drafts (`.eml`) that a mail program opens and somebody sends, and those that are sent.

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;

use super::stem::task_file_stem;

/// A mail that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The task that it does.
    pub task: String,
    /// Name and address of whoever writes; without them the mail program fills in its own.
    pub from: Option<(String, String)>,
    /// Name and address of the person.
    pub to: (String, String),
    /// Subject.
    pub subject: String,
    /// Text.
    pub text: String,
}

/// What a mail that leadmill sends itself says beside its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Name and address of the sender.
    pub sender: (&'a str, &'a str),
    /// Its `Message-ID`, without angle brackets.
    pub message_id: &'a str,
    /// Page on which people take their consent back.
    pub unsubscribe_url: Option<&'a str>,
}

impl Draft {
    /// Returns the bytes of the mail as it is sent: from the sender of `envelope`, with answers to whoever writes.
    pub fn to_mail(&self, envelope: Envelope<'_>, as_of: DateTime<Utc>) -> Result<Vec<u8>> {
        let mut mail = MessageBuilder::new()
            .message_id(envelope.message_id)
            .date(as_of.timestamp())
            .from((one_line(envelope.sender.0), one_line(envelope.sender.1)))
            .to((one_line(&self.to.0), one_line(&self.to.1)))
            .subject(one_line(&self.subject))
            // Nobody's answer-machine is to answer (RFC 3834).
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .text_body(self.text.as_str());
        if let Some((name, address)) = &self.from {
            mail = mail.reply_to((one_line(name), one_line(address)));
        }
        if let Some(url) = envelope.unsubscribe_url {
            mail = mail.header("List-Unsubscribe", Raw::new(format!("<{}>", one_line(url))));
        }
        mail.write_to_vec().with_context(|| format!("write the mail of {}", self.task))
    }

    /// Returns the name of the draft's file: the task's id in letters that every system takes.
    pub fn file_name(&self) -> String {
        format!("{}.eml", task_file_stem(&self.task))
    }

    /// Returns the mail's bytes. Nothing in it is random: the same draft at the same `as_of` is the same file.
    pub fn to_bytes(&self, as_of: DateTime<Utc>) -> Result<Vec<u8>> {
        let name = self.file_name();
        let id = name.trim_end_matches(".eml");
        let mut mail = MessageBuilder::new()
            .message_id(format!("{id}@leadmill.invalid"))
            .date(as_of.timestamp())
            // Outlook opens it for writing instead of reading.
            .header("X-Unsent", Raw::new("1"))
            .to((one_line(&self.to.0), one_line(&self.to.1)))
            .subject(one_line(&self.subject))
            .text_body(self.text.as_str());
        if let Some((name, address)) = &self.from {
            mail = mail.from((one_line(name), one_line(address)));
        }
        mail.write_to_vec().with_context(|| format!("write {name}"))
    }
}

/// A line end in a header would begin another one.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft {
            task: "LM-0123456789AB/hot/confirmation".to_owned(),
            from: Some(("Zofia Żak".to_owned(), "zofia@firma.example".to_owned())),
            to: ("Łucja\r\nBcc: x@y.example".to_owned(), "lucja@przyklad.example".to_owned()),
            subject: "Dziękujemy za zapytanie\r\nX-Evil: 1".to_owned(),
            text: "Dzień dobry!\n\n.\nZażółć gęślą jaźń.\n".to_owned(),
        }
    }

    fn written(draft: &Draft) -> String {
        let as_of = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        String::from_utf8(draft.to_bytes(as_of).unwrap()).unwrap()
    }

    #[test]
    fn a_draft_is_a_mail_and_the_same_every_time() {
        let text = written(&draft());
        assert_eq!(text, written(&draft()));
        let headers = text.split("\r\n\r\n").next().unwrap();
        assert!(text.is_ascii());
        let names: Vec<&str> = headers
            .lines()
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap())
            .collect();
        for name in ["From", "To", "Subject", "Date", "Message-ID", "X-Unsent", "MIME-Version"] {
            assert!(names.contains(&name), "{name} in {headers}");
        }
        assert!(!names.contains(&"Bcc") && !names.contains(&"X-Evil"), "{headers}");
        assert!(
            headers.contains("<LM-0123456789AB_hot_confirmation@leadmill.invalid>"),
            "{headers}"
        );
        assert_eq!(draft().file_name(), "LM-0123456789AB_hot_confirmation.eml");
    }

    #[test]
    fn a_mail_that_is_sent_is_from_the_sender_and_answered_to_the_owner() {
        let envelope = Envelope {
            sender: ("Przykład\r\nBcc: x@y.example", "leady@przyklad.example"),
            message_id: "LM-0123456789AB_hot_confirmation.7@przyklad.example",
            unsubscribe_url: Some("https://przyklad.example/wypisz"),
        };
        let as_of = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let text = String::from_utf8(draft().to_mail(envelope, as_of).unwrap()).unwrap();
        assert!(text.is_ascii(), "{text}");
        let headers = text.split("\r\n\r\n").next().unwrap();
        for line in [
            "Message-ID: <LM-0123456789AB_hot_confirmation.7@przyklad.example>",
            "Date: Mon, 21 Sep 2026 14:13:20 +0000",
            "List-Unsubscribe: <https://przyklad.example/wypisz>",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(headers.lines().any(|found| found == line), "{line} is not in {headers}");
        }
        assert!(headers.contains("Reply-To: ") && headers.contains("<zofia@firma.example>"));
        assert!(headers.contains("<leady@przyklad.example>"), "{headers}");
        for name in ["Bcc:", "X-Evil:", "X-Unsent:"] {
            assert!(!headers.lines().any(|line| line.starts_with(name)), "{name} in {headers}");
        }
    }

    #[test]
    fn a_mail_program_fills_in_who_writes() {
        let text = written(&Draft { from: None, ..draft() });
        assert!(!text.lines().any(|line| line.starts_with("From:")), "{text}");
    }
}
