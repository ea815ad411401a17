//! The `leadmill` command.

/// Rows are made of many short strings; the system's allocator took a fifth of a run's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    leadmill::cli::main()
}
