//! One step of a chore: a cargo command, run with its output untouched.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A named cargo command.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) arguments: Vec<String>,
    /// Variables set for this command only.
    pub(crate) environment: &'static [(&'static str, &'static str)],
}

impl Step {
    /// Makes a step from a line of arguments, split at white space.
    pub(crate) fn new(name: impl Into<String>, line: &str) -> Self {
        Step {
            name: name.into(),
            arguments: line.split_whitespace().map(str::to_owned).collect(),
            environment: &[],
        }
    }

    /// Sets a variable for this step.
    pub(crate) fn with_environment(
        mut self,
        environment: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.environment = environment;
        self
    }

    /// Runs the step in a folder and returns whether it went well and all that it said.
    pub(crate) fn output_in(&self, folder: &Path) -> Result<(bool, String), String> {
        let output = cargo()
            .current_dir(folder)
            .args(&self.arguments)
            .envs(self.environment.iter().copied())
            .output()
            .map_err(|error| format!("could not be started: {error}"))?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        Ok((output.status.success(), said))
    }

    fn run(&self) -> Result<(), String> {
        let status = cargo()
            .args(&self.arguments)
            .envs(self.environment.iter().copied())
            .status()
            .map_err(|error| format!("could not be started: {error}"))?;
        if status.success() {
            Ok(())
        } else {
            Err(status.to_string())
        }
    }
}

/// The command as one would type it.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.environment {
            write!(f, "{name}={value:?} ")?;
        }
        write!(f, "cargo {}", self.arguments.join(" "))
    }
}

/// Runs the steps in order and stops at the first that fails. That step is returned.
pub(crate) fn run_all(steps: &[Step]) -> Result<(), &Step> {
    let started = Instant::now();
    let mut times: Vec<(&str, Duration)> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let place = format!("[{}/{}] {}", index + 1, steps.len(), step.name);
        println!("\n==> {place}\n    {step}");
        let start = Instant::now();
        let outcome = step.run();
        let took = start.elapsed();
        if let Err(reason) = outcome {
            println!("\n==> {place}: FAILED after {}: {reason}", Seconds(took));
            println!("    {step}");
            return Err(step);
        }
        println!("==> {place}: ok in {}", Seconds(took));
        times.push((&step.name, took));
    }
    println!();
    for (name, took) in &times {
        println!("{:>9}  {name}", Seconds(*took).to_string());
    }
    let total = Seconds(started.elapsed()).to_string();
    println!("{total:>9}  all of it; {} passed", steps.len());
    Ok(())
}

/// The root of the repository: chores work from any folder in it.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// The cargo that runs this chore, at the root of the repository.
pub(crate) fn cargo() -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root());
    command
}

/// A duration, for people.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_step_stops_the_chore_and_is_named() {
        let steps = [
            Step::new("fine", "--version"),
            Step::new("broken", "no-such-cargo-command"),
            Step::new("never reached", "--version"),
        ];
        let failed = run_all(&steps).unwrap_err();
        assert_eq!(failed.name, "broken");
        assert!(run_all(&steps[..1]).is_ok());
    }

    #[test]
    fn a_step_prints_as_it_would_be_typed() {
        let step = Step::new("doc", "doc  --no-deps").with_environment(&[("RUSTDOCFLAGS", "-D w")]);
        assert_eq!(
            step.to_string(),
            "RUSTDOCFLAGS=\"-D w\" cargo doc --no-deps"
        );
    }
}
