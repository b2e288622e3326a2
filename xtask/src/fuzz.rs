//! A bounded run of the fuzz targets, with nothing installed but the Rust toolchain and a C++ compiler.
//!
//! libFuzzer itself is built from its sources by the crate `libfuzzer-sys`. What `cargo fuzz` adds is
//! a list of compiler flags, and they stand here; `cargo fuzz` works as well.

use std::fs;

use crate::command::{root, Step};

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// How long each target runs where nobody says.
pub(crate) const SECONDS: u32 = 60;

/// Coverage for libFuzzer to go by, and AddressSanitizer. `RUSTC_BOOTSTRAP` unlocks the latter on any
/// toolchain.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("RUSTC_BOOTSTRAP", "1"),
    (
        "RUSTFLAGS",
        "-Zsanitizer=address -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
         -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
         -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing",
    ),
];

/// Runs one target, or all of them one after the other, for so many seconds each.
///
/// An input that takes a minute, or with which the process has two gibibytes, is a finding too. A minute
/// of the clock on the wall: with less, a machine that is busy or asleep finds something.
///
/// # Errors
///
/// If there is no target of that name, or no folder can be made for what is found.
pub(crate) fn steps(only: Option<&str>, seconds: u32) -> Result<Vec<Step>, String> {
    let names = targets();
    let chosen: Vec<&String> = names
        .iter()
        .filter(|name| only.is_none_or(|only| only == *name))
        .collect();
    if chosen.is_empty() {
        let asked = only.unwrap_or_default();
        return Err(format!(
            "fuzz: no target is called `{asked}`: there are {}",
            names.join(", ")
        ));
    }
    let mut steps =
        vec![Step::new("fuzz targets, built", &cargo("build --bins", ""))
            .with_environment(ENVIRONMENT)];
    for name in chosen {
        for folder in ["corpus", "artifacts"] {
            let path = root().join("fuzz").join(folder).join(name);
            fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        let rest = format!(
            "-- -max_total_time={seconds} -timeout=60 -rss_limit_mb=2048 -max_len=20000 -print_final_stats=1 \
             -artifact_prefix=fuzz/artifacts/{name}/ fuzz/corpus/{name} fuzz/seeds/{name}"
        );
        let line = cargo(&format!("run --bin {name}"), &rest);
        steps.push(Step::new(format!("fuzz {name}"), &line).with_environment(ENVIRONMENT));
    }
    Ok(steps)
}

fn cargo(command: &str, rest: &str) -> String {
    format!("{command} --manifest-path fuzz/Cargo.toml --release --target {TARGET} --target-dir fuzz/target {rest}")
}

/// The names of the targets, in their order.
fn targets() -> Vec<String> {
    let listed = fs::read_dir(root().join("fuzz/fuzz_targets"))
        .into_iter()
        .flatten();
    let mut names: Vec<String> = listed
        .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_seeds() {
        let names = targets();
        assert!(names.len() >= 8, "{names:?}");
        for name in names {
            let seeds = fs::read_dir(root().join("fuzz/seeds").join(&name));
            assert!(
                seeds.is_ok_and(|seeds| seeds.count() > 0),
                "{name} has none"
            );
        }
    }

    #[test]
    fn a_target_that_is_not_there_is_named() {
        let error = steps(Some("traceparents"), 1).unwrap_err();
        assert!(
            error.contains("`traceparents`") && error.contains("traceparent,"),
            "{error}"
        );
    }
}
