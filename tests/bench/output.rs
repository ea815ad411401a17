//! What a benchmark has to say.

use std::io::Write as _;

/// Prints the figures that the benchmark is run for.
#[expect(clippy::print_stdout, reason = "the figures are what a benchmark is run for")]
pub fn print(text: &str) {
    println!("{text}");
    let _ = std::io::stdout().flush();
}
