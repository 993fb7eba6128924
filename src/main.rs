//! The command line: reads flags, runs races, prints. Everything else is the library.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
