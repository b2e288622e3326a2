//! The gate: everything that must hold before a change goes in, cheapest first.

use crate::command::Step;

/// Name and cargo command line. What is not in this table is not in the gate.
///
/// The lints of single feature sets look at the library alone: together with tests and
/// examples, cargo would switch on the dependencies' features that only those ask for, and hide
/// one that the library forgot.
const BEFORE_LOOM: &[(&str, &str)] = &[
    ("format", "fmt --all -- --check"),
    (
        "lints",
        "clippy --workspace --all-targets --all-features -- -D warnings",
    ),
    (
        "lints, no features",
        "clippy -p kamon --lib --no-default-features -- -D warnings",
    ),
    (
        "lints, macros only",
        "clippy -p kamon --lib --no-default-features --features macros -- -D warnings",
    ),
    (
        "lints, tokio only",
        "clippy -p kamon --lib --no-default-features --features tokio -- -D warnings",
    ),
    (
        "lints, test-util only",
        "clippy -p kamon --lib --no-default-features --features test-util -- -D warnings",
    ),
    (
        "lints, http only",
        "clippy -p kamon --lib --no-default-features --features http -- -D warnings",
    ),
    (
        "lints, tracing only",
        "clippy -p kamon --lib --no-default-features --features tracing -- -D warnings",
    ),
    (
        "lints, log only",
        "clippy -p kamon --lib --no-default-features --features log -- -D warnings",
    ),
    (
        "lints, config only",
        "clippy -p kamon --lib --no-default-features --features config -- -D warnings",
    ),
    (
        "lints, reqwest only",
        "clippy -p kamon --lib --no-default-features --features reqwest -- -D warnings",
    ),
    (
        "lints, kameo only",
        "clippy -p kamon --lib --no-default-features --features kameo -- -D warnings",
    ),
    (
        "lints, ractor only",
        "clippy -p kamon --lib --no-default-features --features ractor -- -D warnings",
    ),
    (
        "lints, all features",
        "clippy -p kamon --lib --all-features -- -D warnings",
    ),
    (
        "tests of the chores and macros",
        "test -p xtask -p kamon-macros",
    ),
    ("tests, default features", "test -p kamon"),
    ("examples", "build -p examples --examples"),
    ("tests, no features", "test -p kamon --no-default-features"),
    ("tests, all features", "test -p kamon --all-features"),
    (
        "example, 1 worker",
        "run --release --example users -- --requests 400 --workers 1",
    ),
    (
        "example, 2 workers",
        "run --release --example users -- --requests 400 --workers 2",
    ),
    (
        "example, 4 workers",
        "run --release --example users -- --requests 400 --workers 4",
    ),
    ("example, actors", "run --features kameo --example actors"),
];

/// That package stands outside of the workspace, with a list of dependencies of its own.
const LEVEL_TWO: (&str, &str) = (
    "models at level two, compiled",
    "check --manifest-path loom-tests/visible/Cargo.toml --tests --target-dir target/visible",
);

const DOCS: (&str, &str) = (
    "documentation",
    "doc -p kamon -p kamon-macros --no-deps --all-features",
);

/// Every step of the gate.
pub(crate) fn steps() -> Vec<Step> {
    let mut steps: Vec<Step> = BEFORE_LOOM
        .iter()
        .map(|(name, line)| Step::new(*name, line))
        .collect();
    steps.push(loom());
    let (name, line) = LEVEL_TWO;
    steps.push(Step::new(name, line));
    let (name, line) = DOCS;
    steps.push(Step::new(name, line).with_environment(&[("RUSTDOCFLAGS", "-D warnings")]));
    steps
}

/// The models at their first level. `--show-output` prints what each explored also when it passed.
fn loom() -> Step {
    Step::new("models", "test -p loom-tests --release -- --show-output")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_step_has_a_name_of_its_own() {
        let steps = steps();
        let names: HashSet<&str> = steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names.len(), steps.len());
    }

    #[test]
    fn warnings_fail_every_lint_step() {
        for step in steps() {
            let denies = step
                .arguments
                .ends_with(&["-D".to_owned(), "warnings".to_owned()]);
            assert_eq!(step.arguments[0] == "clippy", denies, "{step}");
        }
    }
}
