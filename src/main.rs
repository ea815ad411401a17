//! The `leadmill` command.

fn main() -> std::process::ExitCode {
    leadmill::cli::main()
}
