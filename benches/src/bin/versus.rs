//! The quick honest table: kamon against its peers, each in processes of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    benches::versus::main()
}
