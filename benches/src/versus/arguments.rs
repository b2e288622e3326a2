//! The command line.

use crate::versus::Spec;
use crate::workload::groups;

/// What the command line asks for.
pub(crate) enum Request {
    Compare(Arguments),
    /// What a process that `versus` starts is told to do.
    Measure(Spec),
    List,
    Help,
}

/// How to compare, and what.
pub(crate) struct Arguments {
    pub(crate) group: Option<String>,
    pub(crate) json: bool,
    pub(crate) workers: Option<usize>,
    /// Processes for each candidate.
    pub(crate) runs: usize,
    /// Rounds in each process.
    pub(crate) rounds: usize,
    pub(crate) filter: Option<String>,
}

/// Where the table's medians come from unless the command line says otherwise.
const RUNS: usize = 5;
const ROUNDS: usize = 31;

/// The word that makes a process measure instead of comparing.
pub(crate) const MEASURE: &str = "--measure";

/// Returns the help.
pub(crate) fn usage() -> String {
    let names: Vec<&str> = groups().iter().map(|group| group.name).collect();
    format!(
        "usage: versus [group] [options]\n\
         \n\
         groups: {} (all of them when none is named)\n\
         \n\
         --json           one object for each row instead of a table\n\
         --workers N      with N workers instead of each of the usual numbers\n\
         --filter PART    only workloads whose name contains PART\n\
         --runs N         processes for each candidate ({RUNS})\n\
         --rounds N       rounds in each process, after warm-up ({ROUNDS})\n\
         --list           names the workloads and the candidates\n\
         --help           prints this text\n",
        names.join(", ")
    )
}

/// Reads the command line.
pub(crate) fn parse(words: &[String]) -> Result<Request, String> {
    if words.first().is_some_and(|word| word == MEASURE) {
        return Spec::parse(&words[1..]).map(Request::Measure);
    }
    let mut arguments = Arguments {
        group: None,
        json: false,
        workers: None,
        runs: RUNS,
        rounds: ROUNDS,
        filter: None,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}` of what?"));
        match word.as_str() {
            "--help" | "-h" | "help" => return Ok(Request::Help),
            "--list" => return Ok(Request::List),
            "--json" => arguments.json = true,
            "--workers" => arguments.workers = Some(number(word, value()?)?),
            "--runs" => arguments.runs = number(word, value()?)?,
            "--rounds" => arguments.rounds = number(word, value()?)?,
            "--filter" => arguments.filter = Some(value()?.clone()),
            name if groups().iter().any(|group| group.name == name) => {
                if arguments.group.replace(name.to_owned()).is_some() {
                    return Err("one group, or none for all".to_owned());
                }
            }
            _ => return Err(format!("`{word}` is neither a group nor an option")),
        }
    }
    Ok(Request::Compare(arguments))
}

pub(crate) fn number(of: &str, word: &str) -> Result<usize, String> {
    match word.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("`{word}` of `{of}` is no number above 0")),
    }
}
