//! The chores of this repository. `cargo xtask help` lists them.

mod ci;
mod command;
mod fuzz;
mod models;
mod mutants;
mod patch;
mod planted;
mod sanitizers;
mod stress;

use std::env;
use std::num::NonZeroU32;
use std::process::ExitCode;

use crate::command::{run_all, Step};
use crate::sanitizers::Tool;

/// A subcommand, as it stands in the help.
struct Subcommand {
    usage: &'static str,
    help: &'static str,
}

const SUBCOMMANDS: &[Subcommand] = &[
    Subcommand {
        usage: "ci",
        help: "the whole gate: format, lints, feature sets, tests, examples, models, docs",
    },
    Subcommand {
        usage: "loom",
        help: "the models in loom-tests at both levels, and how much each explored",
    },
    Subcommand {
        usage: "loom --deep",
        help: "the same with one preemption more; takes hours",
    },
    Subcommand {
        usage: "loom --mutants [NAME]",
        help: "plants the bugs of loom-tests/mutants one by one: a model must find each",
    },
    Subcommand {
        usage: "asan",
        help: "the tests under AddressSanitizer",
    },
    Subcommand {
        usage: "tsan",
        help: "the tests under ThreadSanitizer, without tokio",
    },
    Subcommand {
        usage: "memcheck",
        help: "the storm of tests/context_storm.rs under valgrind",
    },
    Subcommand {
        usage: "fuzz [TARGET] [--seconds N]",
        help:
            "inputs for the decoders, made up by libFuzzer: 60 seconds each; needs a C++ compiler",
    },
    Subcommand {
        usage: "e2e",
        help: "actors of two processes; peers from npm and PyPI over HTTP, skipped where they are missing; a minute of load",
    },
    Subcommand {
        usage: "shuttle [--seed N]",
        help: "the whole executor under schedules by chance, or those that follow from a seed",
    },
    Subcommand {
        usage: "asan --planted",
        help: "plants bugs that this tool must find; tsan, memcheck and shuttle have it too",
    },
    Subcommand {
        usage: "stress N",
        help: "the test suite N times in a row; stops at the first failure",
    },
    Subcommand {
        usage: "help",
        help: "this text",
    },
];

/// What the command line asks for.
#[derive(Debug, PartialEq)]
enum Request {
    Ci,
    Loom {
        deep: bool,
    },
    Mutants(Option<String>),
    Asan,
    Tsan,
    Memcheck,
    Fuzz {
        target: Option<String>,
        seconds: u32,
    },
    E2e,
    Shuttle {
        seed: Option<u64>,
    },
    Planted(Tool),
    Stress(NonZeroU32),
    Help,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let steps: Vec<Step> = match parse(&arguments) {
        Ok(Request::Ci) => ci::steps(),
        Ok(Request::Loom { deep }) => return exit_code(models::explore(deep)),
        Ok(Request::Mutants(only)) => return exit_code(mutants::hunt(only.as_deref())),
        Ok(Request::Asan) => sanitizers::asan(),
        Ok(Request::Tsan) => sanitizers::tsan(),
        Ok(Request::Memcheck) => sanitizers::memcheck(),
        Ok(Request::Fuzz { target, seconds }) => match fuzz::steps(target.as_deref(), seconds) {
            Ok(steps) => steps,
            Err(complaint) => return refused(&complaint),
        },
        Ok(Request::E2e) => e2e(),
        Ok(Request::Shuttle { seed }) => {
            if let Some(seed) = seed {
                env::set_var("KAMON_SHUTTLE_SEED", seed.to_string());
            }
            sanitizers::shuttle()
        }
        Ok(Request::Planted(tool)) => return exit_code(planted::hunt(tool)),
        Ok(Request::Stress(rounds)) => stress::steps(rounds),
        Ok(Request::Help) => {
            print!("{}", usage());
            return ExitCode::SUCCESS;
        }
        Err(complaint) => return refused(&complaint),
    };
    exit_code(run_all(&steps).is_ok())
}

fn refused(complaint: &str) -> ExitCode {
    eprint!("xtask: {complaint}\n\n{}", usage());
    ExitCode::from(2)
}

/// The packages in tests/e2e and tests/cluster do all of it.
fn e2e() -> Vec<Step> {
    vec![
        Step::new(
            "actors of two processes",
            "test --manifest-path tests/cluster/Cargo.toml --target-dir target/cluster",
        ),
        Step::new("peers and load", "run --release -p e2e"),
    ]
}

fn exit_code(good: bool) -> ExitCode {
    match good {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn parse(arguments: &[String]) -> Result<Request, String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] => Err("which chore?".to_owned()),
        ["ci"] => Ok(Request::Ci),
        ["loom"] => Ok(Request::Loom { deep: false }),
        ["loom", "--deep"] => Ok(Request::Loom { deep: true }),
        ["loom", "--mutants"] => Ok(Request::Mutants(None)),
        ["loom", "--mutants", name] => Ok(Request::Mutants(Some(name.to_owned()))),
        ["asan"] => Ok(Request::Asan),
        ["tsan"] => Ok(Request::Tsan),
        ["memcheck"] => Ok(Request::Memcheck),
        ["fuzz", ref rest @ ..] => parse_fuzz(rest),
        ["e2e"] => Ok(Request::E2e),
        ["asan", "--planted"] => Ok(Request::Planted(Tool::Address)),
        ["tsan", "--planted"] => Ok(Request::Planted(Tool::Thread)),
        ["memcheck", "--planted"] => Ok(Request::Planted(Tool::Memory)),
        ["shuttle", "--planted"] => Ok(Request::Planted(Tool::Shuttle)),
        ["shuttle"] => Ok(Request::Shuttle { seed: None }),
        ["shuttle", "--seed"] => Err("shuttle --seed: which one?".to_owned()),
        ["shuttle", "--seed", seed] => match seed.parse() {
            Ok(seed) => Ok(Request::Shuttle { seed: Some(seed) }),
            Err(_) => Err(format!(
                "shuttle: `{seed}` is no seed: a number from 0 to 2^64 - 1"
            )),
        },
        ["stress"] => Err("stress: how many rounds?".to_owned()),
        ["stress", rounds] => rounds
            .parse()
            .map(Request::Stress)
            .map_err(|_| format!("stress: `{rounds}` is no number of rounds above 0")),
        ["help" | "--help" | "-h", ..] => Ok(Request::Help),
        ["loom", "--mutants", _, extra, ..]
        | ["loom", "--deep", extra, ..]
        | ["asan" | "tsan" | "memcheck" | "shuttle", "--planted", extra, ..]
        | ["shuttle", "--seed", _, extra, ..]
        | ["ci" | "loom" | "asan" | "tsan" | "memcheck" | "e2e" | "shuttle", extra, ..]
        | ["stress", _, extra, ..] => Err(format!("`{extra}` is one argument too many")),
        [unknown, ..] => Err(format!("no chore is called `{unknown}`")),
    }
}

fn parse_fuzz(rest: &[&str]) -> Result<Request, String> {
    let (target, seconds) = match *rest {
        [] => (None, None),
        ["--seconds", seconds] => (None, Some(seconds)),
        [target] if !target.starts_with('-') => (Some(target.to_owned()), None),
        [target, "--seconds", seconds] | ["--seconds", seconds, target] => {
            (Some(target.to_owned()), Some(seconds))
        }
        [.., last] => return Err(format!("fuzz: `{last}` is not understood")),
    };
    let seconds = match seconds {
        None => fuzz::SECONDS,
        // libFuzzer takes none for all the time in the world.
        Some(text) => text
            .parse()
            .map(NonZeroU32::get)
            .map_err(|_| format!("fuzz: `{text}` is no number of seconds above 0"))?,
    };
    Ok(Request::Fuzz { target, seconds })
}

fn usage() -> String {
    let mut text = String::from("usage: cargo xtask <chore>\n\n");
    for Subcommand { usage, help } in SUBCOMMANDS {
        text.push_str(&format!("    {usage:<27} {help}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words)
    }

    #[test]
    fn chores_are_understood() {
        assert_eq!(parsed("ci"), Ok(Request::Ci));
        assert_eq!(parsed("loom"), Ok(Request::Loom { deep: false }));
        assert_eq!(parsed("loom --deep"), Ok(Request::Loom { deep: true }));
        assert_eq!(parsed("loom --mutants"), Ok(Request::Mutants(None)));
        assert_eq!(
            parsed("loom --mutants no_last_look"),
            Ok(Request::Mutants(Some("no_last_look".to_owned())))
        );
        assert_eq!(parsed("asan"), Ok(Request::Asan));
        assert_eq!(parsed("tsan"), Ok(Request::Tsan));
        assert_eq!(parsed("memcheck"), Ok(Request::Memcheck));
        assert_eq!(parsed("e2e"), Ok(Request::E2e));
        assert_eq!(parsed("tsan --planted"), Ok(Request::Planted(Tool::Thread)));
        assert_eq!(
            parsed("shuttle --seed 7"),
            Ok(Request::Shuttle { seed: Some(7) })
        );
        assert_eq!(
            parsed("stress 20"),
            Ok(Request::Stress(NonZeroU32::new(20).unwrap()))
        );
        let fuzz = |target: Option<&str>, seconds| {
            let target = target.map(str::to_owned);
            Ok(Request::Fuzz { target, seconds })
        };
        assert_eq!(parsed("fuzz"), fuzz(None, 60));
        assert_eq!(parsed("fuzz colfer"), fuzz(Some("colfer"), 60));
        assert_eq!(parsed("fuzz --seconds 5"), fuzz(None, 5));
        assert_eq!(parsed("fuzz colfer --seconds 5"), fuzz(Some("colfer"), 5));
        assert_eq!(parsed("--help"), Ok(Request::Help));
    }

    #[test]
    fn anything_else_is_refused() {
        for line in [
            "",
            "ci fast",
            "loom --mutant",
            "loom --mutants one two",
            "loom --deep down",
            "asan twice",
            "fuzz --seconds",
            "fuzz --seconds 0",
            "fuzz --second 5",
            "fuzz colfer config",
            "e2e again",
            "memcheck --planted twice",
            "shuttle --seed",
            "shuttle --seed one",
            "shuttle --seed 1 2",
            "stress",
            "stress 0",
            "stress -1",
            "stress many",
            "stress 2 3",
            "tidy",
        ] {
            assert!(parsed(line).is_err(), "{line:?} was accepted");
        }
    }

    #[test]
    fn every_chore_is_in_the_usage() {
        for chore in [
            "ci",
            "loom",
            "asan",
            "tsan",
            "memcheck",
            "shuttle",
            "asan --planted",
            "fuzz",
            "e2e",
            "stress N",
        ] {
            assert!(usage().contains(&format!("    {chore}")));
        }
    }
}
