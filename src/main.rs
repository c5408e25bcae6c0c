//! Hands the arguments to the command line.

fn main() -> std::process::ExitCode {
    chancery::cli::run()
}
