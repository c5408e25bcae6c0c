//! Hands the arguments to the command line.

/// Many threads share one heap all day: this one is faster at that than the C library's and gives
/// memory back.
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    chancery::cli::run()
}
