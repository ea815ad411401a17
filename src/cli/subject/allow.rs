//! `leadmill subject allow`

use clap::Args;

use crate::cli::people::number_in;
use crate::cli::run::Worker;
use crate::cli::workspace::{Global, UsageError};
use crate::cli::{Outcome, terminal};
use crate::pipeline::forget::{allow, allow_all};
use crate::pipeline::recognition::marks_called;

/// Let an erased person be taken in again, by rows of any age.
///
/// A row that was sent after the erasure is taken anyway; this is for older ones: an erasure by mistake, or somebody
/// who wants their earlier enquiries back. Rows that were held stay held; the next export that has them brings them.
#[derive(Debug, Args)]
pub struct Allow {
    /// An e-mail address or a phone number of theirs.
    #[arg(value_name = "EMAIL|PHONE", required_unless_present = "all")]
    who: Option<String>,
    /// Everybody who was ever erased: when the key is lost for good, for nobody can be told apart then.
    #[arg(long, conflicts_with = "who")]
    all: bool,
    /// Why; it is kept, so it should name nobody.
    #[arg(long, value_name = "TEXT")]
    because: String,
}

impl Allow {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let worker = Worker::new(global, &rules, None)?;
        let runs = worker.work(global, |job, events| match &self.who {
            None => allow_all(job, &self.because, events),
            Some(who) => {
                let marks = marks_called(who.trim(), number_in(&rules, who).as_deref());
                allow(job, &marks, &self.because, events)
            }
        })?;
        if runs.is_empty() {
            return Err(UsageError(
                "nobody of that name was erased\nhint: give an address or a number by which they were known; the view \
                 `erasures` lists when people were erased"
                    .to_owned(),
            )
            .into());
        }
        terminal::print_wrapped(
            &format!(
                "allowed again: erased by run {}; rows that were held stay held, the next export that has them brings \
                 them",
                runs.join(", ")
            ),
            2,
        )?;
        Ok(0)
    }
}
