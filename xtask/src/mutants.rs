//! The mutants: bugs planted on purpose, each of which a model must find.
//!
//! Every file of `loom-tests/mutants` is a patch with a head: what the bug is, `Caught by:` and the
//! test, `Level:` one or two, and `Says:` a part of the message, so that no mutant dies of something
//! else. The patches are applied to a copy of the repository below `target/mutants`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{cargo, root, Seconds};
use crate::models;
use crate::patch::{self, Change};

/// How long one model may look for one bug.
const PATIENCE: Duration = Duration::from_secs(240);

/// A mutant is one edit away from the one before it, so what counts is the time to build it again;
/// loom is built once, and well.
const PROFILE: &[&str] = &[
    "profile.release.incremental=true",
    "profile.release.codegen-units=16",
    "profile.release.debug=0",
    "profile.release.opt-level=1",
    "profile.release.package.loom.opt-level=3",
    "profile.release.package.generator.opt-level=3",
];

/// What the head of a patch says.
#[derive(Debug, PartialEq)]
struct Mutant {
    name: String,
    what: String,
    caught_by: String,
    level: Level,
    says: String,
    changes: Vec<Change>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Level {
    /// `async-task` as it is.
    One,
    /// `async-task` visible to loom.
    Two,
}

/// Plants every mutant, or the one with this name, and returns whether all were caught.
pub(crate) fn hunt(only: Option<&str>) -> bool {
    let started = Instant::now();
    let mutants = match read_all(only) {
        Ok(mutants) => mutants,
        Err(complaint) => {
            println!("{complaint}");
            return false;
        }
    };
    let tree = tree();
    let mut survivors = Vec::new();
    for (index, mutant) in mutants.iter().enumerate() {
        println!(
            "[{}/{}] {}: {}",
            index + 1,
            mutants.len(),
            mutant.name,
            mutant.what
        );
        let start = Instant::now();
        match mutant.plant_and_run(&tree) {
            Ok(how) => println!(
                "    caught by {} {how}, {}",
                mutant.caught_by,
                Seconds(start.elapsed())
            ),
            Err(complaint) => {
                println!("    NOT CAUGHT by {}: {complaint}", mutant.caught_by);
                survivors.push(mutant.name.as_str());
            }
        }
    }
    let total = Seconds(started.elapsed());
    match survivors.is_empty() {
        true => println!("\n{} mutants, all caught, in {total}", mutants.len()),
        false => println!(
            "\n{} mutants in {total}; not caught: {}",
            mutants.len(),
            survivors.join(", ")
        ),
    }
    survivors.is_empty()
}

/// Where the copy is.
fn tree() -> PathBuf {
    root().join("target").join("mutants").join("tree")
}

/// Makes a copy of the repository with the bug of this name in it, and returns where it is.
pub(crate) fn planted(name: &str) -> Result<PathBuf, String> {
    let tree = tree();
    for mutant in read_all(Some(name))? {
        mutant.plant(&tree)?;
    }
    Ok(tree)
}

fn read_all(only: Option<&str>) -> Result<Vec<Mutant>, String> {
    let folder = root().join("loom-tests").join("mutants");
    let listed = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = listed
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "patch")
    });
    paths.sort();
    let mut mutants = Vec::new();
    for path in paths {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if only.is_none_or(|only| only == name) {
            let text = fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
            mutants.push(Mutant::parse(&name, &text).map_err(|error| format!("{name}: {error}"))?);
        }
    }
    match mutants.is_empty() {
        true => Err("there is no such mutant".to_owned()),
        false => Ok(mutants),
    }
}

impl Mutant {
    fn parse(name: &str, text: &str) -> Result<Mutant, String> {
        let head: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
        let field = |key: &str| {
            let value = head.iter().find_map(|line| line.strip_prefix(key));
            value
                .map(str::trim)
                .ok_or_else(|| format!("the head has no `{key}`"))
        };
        let level = match field("Level:")? {
            "1" => Level::One,
            "2" => Level::Two,
            other => return Err(format!("there is no level {other:?}")),
        };
        let what: Vec<&str> = head
            .iter()
            .copied()
            .take_while(|line| !line.contains("Caught by:"))
            .collect();
        Ok(Mutant {
            name: name.to_owned(),
            what: what.join(" "),
            caught_by: field("Caught by:")?.to_owned(),
            level,
            says: field("Says:")?.to_owned(),
            changes: patch::parse(text)?,
        })
    }

    /// Makes `tree` a copy of the repository with this bug in it.
    fn plant(&self, tree: &Path) -> Result<(), String> {
        // What the mutant before this one changed is put back here.
        mirror(&root(), tree).map_err(|error| format!("the copy cannot be made: {error}"))?;
        self.changes
            .iter()
            .try_for_each(|change| change.apply(tree))
    }

    /// Returns in how many executions it was caught.
    fn plant_and_run(&self, tree: &Path) -> Result<String, String> {
        self.plant(tree)?;
        let (target, test) = match self.caught_by.split_once("::") {
            Some(("canary", test)) => ("canary", test),
            _ => ("models", self.caught_by.as_str()),
        };
        let binary = self.build(tree, target)?;
        let logs = root().join("target").join("mutants").join("logs");
        fs::create_dir_all(&logs).map_err(|error| error.to_string())?;
        let output = run(&binary, test, &logs.join(&self.name).with_extension("txt"))?;
        if !output.contains("running 1 test") {
            return Err("there is no such test".to_owned());
        }
        if output.contains("test result: ok") {
            return Err("it passed".to_owned());
        }
        if !output.contains(&self.says) {
            let message = output
                .lines()
                .skip_while(|line| !line.contains("panicked at"))
                .nth(1);
            return Err(format!(
                "it failed, but of {:?}",
                message.unwrap_or("something else")
            ));
        }
        Ok(match models::executions(&output) {
            Some(executions) => format!("in execution {executions}"),
            None => "by ending the process".to_owned(),
        })
    }

    fn build(&self, tree: &Path, target: &str) -> Result<PathBuf, String> {
        let shared = root().join("target").join("mutants");
        let mut command = cargo();
        command
            .current_dir(tree)
            .args(["test", "--quiet", "--release", "--no-run"]);
        for setting in PROFILE {
            command.args(["--config", setting]);
        }
        command.args(["--message-format", "json", "--test", target, "--target-dir"]);
        match self.level {
            Level::One => command.arg(shared.join("one")).args(["-p", "loom-tests"]),
            Level::Two => command
                .arg(shared.join("two"))
                .args(["--manifest-path", "loom-tests/visible/Cargo.toml"]),
        };
        let output = command.output().map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stdout);
        let built = said
            .lines()
            .rev()
            .find_map(|line| between(line, "\"executable\":\"", "\""));
        match built {
            Some(path) if output.status.success() => Ok(PathBuf::from(path)),
            _ => Err(format!("it does not compile:\n{}", rendered(&said))),
        }
    }
}

/// The errors in cargo's JSON, as a person would like to see them.
fn rendered(json: &str) -> String {
    let errors = json
        .lines()
        .filter_map(|line| between(line, "\"rendered\":\"error", "\",\""));
    errors.map(|error| error.replace("\\n", "\n")).collect()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

/// Runs one test in a process of its own, because a deadlock ends in an abort, and returns all that
/// it said, which is left in `log`.
fn run(binary: &Path, test: &str, log: &Path) -> Result<String, String> {
    let file = fs::File::create(log).map_err(|error| error.to_string())?;
    let errors = file.try_clone().map_err(|error| error.to_string())?;
    let mut child = Command::new(binary)
        .args(["--exact", test, "--nocapture"])
        .env("RUST_BACKTRACE", "0")
        // Or it would start another one, which would go on after this one's end.
        .env("KAMON_MODEL_INSIDE", "1")
        .stdout(file)
        .stderr(errors)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(_)) => break,
            Ok(None) if start.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(20)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("nothing was found in {}", Seconds(PATIENCE)));
            }
        }
    }
    let said = fs::read(log).map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&said).into_owned();
    match said.contains(" TIMEOUT") {
        true => Err("the model was not explored to its end".to_owned()),
        false => Ok(said),
    }
}

/// Makes `copy` the same as `original`, build output apart, and touches only what differs: cargo
/// goes by the time of a file.
fn mirror(original: &Path, copy: &Path) -> io::Result<()> {
    fs::create_dir_all(copy)?;
    for entry in fs::read_dir(copy)? {
        let entry = entry?;
        if !original.join(entry.file_name()).exists() {
            match entry.file_type()?.is_dir() {
                true => fs::remove_dir_all(entry.path())?,
                false => fs::remove_file(entry.path())?,
            }
        }
    }
    for entry in fs::read_dir(original)? {
        let entry = entry?;
        let (from, to) = (entry.path(), copy.join(entry.file_name()));
        if entry.file_name() == "target" || entry.file_name() == ".git" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            mirror(&from, &to)?;
        } else {
            let content = fs::read(&from)?;
            if fs::read(&to).ok().as_ref() != Some(&content) {
                fs::write(&to, content)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Forgets to\nrestore.\nCaught by: spawn::it\nLevel: 2\nSays: STALE\n\n\
                        --- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n";

    #[test]
    fn every_patch_can_be_applied() {
        let stale: Vec<String> = read_all(None)
            .unwrap()
            .iter()
            .flat_map(|mutant| mutant.changes.iter().map(|change| (&mutant.name, change)))
            .filter_map(|(name, change)| {
                Some(format!("{name}: {}", change.applied(&root()).err()?))
            })
            .collect();
        assert!(stale.is_empty(), "{stale:#?}");
    }

    #[test]
    fn the_head_of_a_patch_is_understood() {
        let mutant = Mutant::parse("name", TEXT).unwrap();
        assert_eq!(mutant.what, "Forgets to restore.");
        assert_eq!(
            (mutant.caught_by.as_str(), mutant.level),
            ("spawn::it", Level::Two)
        );
        assert_eq!(mutant.says, "STALE");
        assert_eq!(mutant.changes[0].path, "x");
    }

    #[test]
    fn a_head_that_leaves_something_out_is_refused() {
        for key in ["Caught by:", "Level:", "Says:"] {
            let text = TEXT.replace(key, "Nothing:");
            assert!(Mutant::parse("name", &text).is_err(), "{key}");
        }
        assert!(Mutant::parse("name", &TEXT.replace("Level: 2", "Level: 3")).is_err());
    }

    #[test]
    fn every_mutant_of_the_repository_can_be_read() {
        let mutants = read_all(None).unwrap();
        assert!(mutants.len() > 30, "only {} mutants", mutants.len());
    }
}
