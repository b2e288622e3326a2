//! The tests under tools that see what a test does not: memory that is gone, accesses that race,
//! schedules that no machine happens to choose.
//!
//! The sanitizers are unstable flags of the compiler, which `RUSTC_BOOTSTRAP` unlocks on any
//! toolchain. `--target` keeps them out of build scripts and macros.

use crate::command::{root, Step};

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Tests that have nothing to show to a sanitizer: they run compilers, or read the sources.
const NOT_RUN: &[&str] = &[
    "actor_macros",
    "compile_fail",
    "scope_stays_on_its_thread",
    "tidy",
];

/// Tests that ThreadSanitizer cannot judge: their channels are built on std's locks.
const NOT_RUN_WITH_THREADS: &[&str] = &["channel", "channel_storm"];

/// A tool that watches the tests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Tool {
    /// AddressSanitizer, with its search for leaks.
    Address,
    /// ThreadSanitizer, without tokio: std is not instrumented, so that what others build on std's
    /// locks would be reported. kamon's own come from `parking_lot` here.
    Thread,
    /// valgrind's memcheck.
    Memory,
    /// shuttle, over scenarios of its own.
    Shuttle,
}

/// AddressSanitizer over all tests.
pub(crate) fn asan() -> Vec<Step> {
    vec![Tool::Address.step("AddressSanitizer", &tests_but(&[]))]
}

/// ThreadSanitizer over all tests. What they print goes to the screen: the harness would gather it
/// in a buffer behind one of std's locks.
pub(crate) fn tsan() -> Vec<Step> {
    let tests = format!("{} --nocapture", tests_but(NOT_RUN_WITH_THREADS));
    vec![Tool::Thread.step("ThreadSanitizer", &tests)]
}

/// valgrind over the storm: every feature of the executor at once, on all kinds of runtimes.
pub(crate) fn memcheck() -> Vec<Step> {
    let tests = "--test context_storm -- --test-threads=1";
    vec![Tool::Memory.step("memcheck", tests)]
}

/// shuttle over `loom-tests/shuttle`: the whole executor under schedules by chance.
pub(crate) fn shuttle() -> Vec<Step> {
    vec![Tool::Shuttle.step("shuttle", "-- --nocapture")]
}

impl Tool {
    /// A run of these tests under the tool.
    pub(crate) fn step(self, name: &str, tests: &str) -> Step {
        let line = format!("test --no-fail-fast {} {tests}", self.build());
        Step::new(name, &line).with_environment(self.environment())
    }

    /// What is built, and where to.
    fn build(self) -> String {
        let target = root().join("target");
        let target = target.display();
        match self {
            Tool::Address => {
                format!("-p kamon --all-features --target {TARGET} --target-dir {target}/asan")
            }
            Tool::Thread => {
                format!("-p kamon --no-default-features --target {TARGET} --target-dir {target}/tsan")
            }
            Tool::Memory => format!("-p kamon --all-features --release --target-dir {target}"),
            Tool::Shuttle => format!(
                "--manifest-path loom-tests/shuttle/Cargo.toml --release --target-dir {target}/shuttle"
            ),
        }
    }

    fn environment(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Tool::Address => &[
                ("RUSTC_BOOTSTRAP", "1"),
                ("RUSTFLAGS", "-Zsanitizer=address"),
                ("LSAN_OPTIONS", "suppressions=xtask/lsan.supp"),
            ],
            Tool::Thread => &[
                ("RUSTC_BOOTSTRAP", "1"),
                (
                    "RUSTFLAGS",
                    "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer --cfg kamon_tsan \
                     -Clink-arg=-Wl,--wrap=__tsan_atomic64_fetch_sub",
                ),
                ("TSAN_OPTIONS", "suppressions=xtask/tsan.supp"),
                // Whoever looks up names for a backtrace keeps them, behind a lock of std.
                ("RUST_BACKTRACE", "0"),
            ],
            Tool::Memory => &[
                ("KAMON_STORM_ROUNDS", "300"),
                (
                    "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER",
                    "valgrind --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite",
                ),
            ],
            Tool::Shuttle => &[("RUST_BACKTRACE", "0")],
        }
    }
}

/// The unit tests, and `--test` for each of the files in `tests` but these.
fn tests_but(not_run: &[&str]) -> String {
    let listed = std::fs::read_dir(root().join("tests"))
        .into_iter()
        .flatten();
    let mut names: Vec<String> = listed
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_stem()?.to_str()?.to_owned();
            let runs = |name: &str| !NOT_RUN.contains(&name) && !not_run.contains(&name);
            (path.extension()? == "rs" && runs(&name)).then_some(name)
        })
        .collect();
    names.sort();
    let flags: Vec<String> = names.iter().map(|name| format!("--test {name}")).collect();
    format!("--lib {} -- --skip compile_errors", flags.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_storm_is_among_the_tests() {
        for tests in [tests_but(&[]), tests_but(NOT_RUN_WITH_THREADS)] {
            assert!(tests.contains("--test context_storm"), "{tests}");
            assert!(!tests.contains("tidy"), "{tests}");
        }
    }

    #[test]
    fn no_race_of_ours_is_suppressed() {
        let file = root().join("xtask/tsan.supp");
        let text = std::fs::read_to_string(file).unwrap();
        let races: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("race:"))
            .collect();
        assert!(!races.is_empty());
        assert!(
            races.iter().all(|race| !race.contains("kamon")),
            "{races:?}"
        );
    }

    #[test]
    fn what_is_not_run_is_there() {
        let all = tests_but(&[]);
        for name in NOT_RUN_WITH_THREADS {
            assert!(all.contains(&format!("--test {name} ")), "{name}");
        }
    }
}
