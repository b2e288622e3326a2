//! The tests under tools that see what a test does not: memory that is gone, accesses that race.
//!
//! The sanitizers are unstable flags of the compiler, which `RUSTC_BOOTSTRAP` unlocks on any
//! toolchain. `--target` keeps them out of build scripts and macros.

use crate::command::{root, Step};

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Tests that have nothing to show to a sanitizer: they run compilers, or read the sources.
const NOT_RUN: &[&str] = &["compile_fail", "scope_stays_on_its_thread", "tidy"];

/// AddressSanitizer, with its search for leaks.
pub(crate) fn asan() -> Vec<Step> {
    let line = format!(
        "test -p kamon --all-features --no-fail-fast --lib {} --target {TARGET} --target-dir target/asan \
         -- --skip compile_errors",
        integration_tests()
    );
    vec![Step::new("AddressSanitizer", &line).with_environment(&[
        ("RUSTC_BOOTSTRAP", "1"),
        ("RUSTFLAGS", "-Zsanitizer=address"),
        ("LSAN_OPTIONS", "suppressions=xtask/lsan.supp"),
    ])]
}

/// ThreadSanitizer, without tokio: std is not instrumented, so that what others build on std's
/// locks would be reported. kamon's own come from `parking_lot` here.
pub(crate) fn tsan() -> Vec<Step> {
    let line = format!(
        "test -p kamon --no-default-features --no-fail-fast --lib {} --target {TARGET} --target-dir target/tsan \
         -- --skip compile_errors",
        integration_tests()
    );
    vec![Step::new("ThreadSanitizer", &line).with_environment(&[
        ("RUSTC_BOOTSTRAP", "1"),
        (
            "RUSTFLAGS",
            "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer --cfg kamon_tsan \
             -Clink-arg=-Wl,--wrap=__tsan_atomic64_fetch_sub",
        ),
        ("TSAN_OPTIONS", "suppressions=xtask/tsan.supp"),
        // Whoever looks up names for a backtrace keeps them, behind a lock of std.
        ("RUST_BACKTRACE", "0"),
    ])]
}

/// valgrind over the storm: every feature of the executor at once, on all kinds of runtimes.
pub(crate) fn memcheck() -> Vec<Step> {
    let line = "test -p kamon --all-features --release --test context_storm -- --test-threads=1";
    vec![Step::new("memcheck", line).with_environment(&[
        ("KAMON_STORM_ROUNDS", "40"),
        (
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER",
            "valgrind --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite",
        ),
    ])]
}

/// `--test` for each of the files in `tests`.
fn integration_tests() -> String {
    let listed = std::fs::read_dir(root().join("tests"))
        .into_iter()
        .flatten();
    let mut names: Vec<String> = listed
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_stem()?.to_str()?.to_owned();
            (path.extension()? == "rs" && !NOT_RUN.contains(&name.as_str())).then_some(name)
        })
        .collect();
    names.sort();
    let flags: Vec<String> = names.iter().map(|name| format!("--test {name}")).collect();
    flags.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_storm_is_among_the_tests() {
        let tests = integration_tests();
        assert!(tests.contains("--test context_storm"), "{tests}");
        assert!(!tests.contains("tidy"), "{tests}");
    }
}
