//! The models: what loom explores, at both levels, and a table of how much that was.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{cargo, Seconds};

/// At the first level `async-task` runs as it is, at the second loom sees it too.
const LEVELS: &[(&str, &str)] = &[
    (
        "async-task as it is",
        "test -p loom-tests --release --target-dir target/models -- --nocapture",
    ),
    (
        "async-task visible to loom",
        "test --manifest-path loom-tests/visible/Cargo.toml --release \
         --target-dir target/models/visible -- --nocapture",
    ),
];

/// With this variable set, each model is explored with so many preemptions more.
const DEPTH: &str = "KAMON_MODEL_DEPTH";

/// What one model said of itself.
#[derive(Debug, PartialEq)]
struct Explored {
    model: String,
    bound: usize,
    executions: usize,
    seconds: f64,
    verdict: String,
}

/// Explores all models. Returns whether each of them was explored to its end and found good.
pub(crate) fn explore(deep: bool) -> bool {
    let started = Instant::now();
    let mut all = Vec::new();
    let mut good = true;
    for (name, line) in LEVELS {
        println!("\n==> models, {name}\n    cargo {line}");
        let (explored, passed) = run(line, deep);
        // Silence is no success: a level without models has proved nothing.
        good &= passed && !explored.is_empty();
        all.push((name, explored));
    }
    for (name, explored) in &all {
        println!(
            "\nmodels, {name}\n{:>9} {:>5} {:>10}",
            "time", "bound", "executions"
        );
        for model in explored {
            println!("{model}");
        }
    }
    let models: usize = all.iter().map(|(_, explored)| explored.len()).sum();
    let executions: usize = all
        .iter()
        .flat_map(|(_, all)| all)
        .map(|one| one.executions)
        .sum();
    let outcome = if good { "all good" } else { "NOT GOOD" };
    println!(
        "\n{models} models, {executions} executions in {}: {outcome}",
        Seconds(started.elapsed())
    );
    good
}

/// Runs one level, its output passed on, and gathers what the models say.
fn run(line: &str, deep: bool) -> (Vec<Explored>, bool) {
    let mut command: Command = cargo();
    command.args(line.split_whitespace()).stdout(Stdio::piped());
    if deep {
        command.env(DEPTH, "1");
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            println!("cargo could not be started: {error}");
            return (Vec::new(), false);
        }
    };
    let mut explored = Vec::new();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            println!("{line}");
            // Models that are planted to fail are the tests' own business.
            explored.extend(parse(&line).filter(|one| !one.model.starts_with("planted_")));
        }
    }
    let passed = child.wait().is_ok_and(|status| status.success());
    (explored, passed)
}

/// Reads `MODEL name bound 2 iters 4711 time 0.50s complete`, wherever it begins in a line.
fn parse(line: &str) -> Option<Explored> {
    let (_, said) = line.split_once("MODEL ")?;
    let words: Vec<&str> = said.split_whitespace().collect();
    let [model, "bound", bound, "iters", executions, "time", time, verdict] = words[..] else {
        return None;
    };
    Some(Explored {
        model: model.to_owned(),
        bound: bound.parse().ok()?,
        executions: executions.parse().ok()?,
        seconds: time.strip_suffix('s')?.parse().ok()?,
        verdict: verdict.to_owned(),
    })
}

impl std::fmt::Display for Explored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Explored {
            model,
            bound,
            executions,
            seconds,
            verdict,
        } = self;
        let took = Seconds(Duration::from_secs_f64(*seconds)).to_string();
        write!(f, "{took:>9} {bound:>5} {executions:>10}  {model}")?;
        match verdict.as_str() {
            "complete" => Ok(()),
            other => write!(f, "  {other}"),
        }
    }
}

/// How many executions a model's last line speaks of, for whoever runs one by itself.
pub(crate) fn executions(output: &str) -> Option<usize> {
    output
        .lines()
        .rev()
        .find_map(parse)
        .map(|explored| explored.executions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_model_says_is_understood() {
        let line = "test spawn::it ... MODEL it bound 2 iters 4711 time 0.50s complete";
        let explored = parse(line).unwrap();
        assert_eq!((explored.model.as_str(), explored.bound), ("it", 2));
        assert_eq!(explored.to_string(), "    0.5 s     2       4711  it");
        assert_eq!(executions(&format!("{line}\nok\n")), Some(4711));
    }

    #[test]
    fn a_model_that_failed_or_took_too_long_says_so() {
        let line = "MODEL it bound 2 iters 4 time 120.00s TIMEOUT";
        assert!(parse(line).unwrap().to_string().ends_with("it  TIMEOUT"));
        assert_eq!(parse("MODEL it exploded"), None);
        assert_eq!(parse("nothing of the kind"), None);
    }
}
