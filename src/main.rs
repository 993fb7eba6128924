//! The program: all of it is the library's private module `cli`.

fn main() -> std::process::ExitCode {
    oversell_sim::command_line()
}
