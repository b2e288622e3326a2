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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Request, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words)
    }

    #[test]
    fn a_comparison_is_read_with_its_options() {
        let Ok(Request::Compare(arguments)) = read("executor --json --workers 3 --filter yield")
        else {
            panic!("it is well-formed");
        };
        assert_eq!(arguments.group.as_deref(), Some("executor"));
        assert!(arguments.json);
        assert_eq!(arguments.workers, Some(3));
        assert_eq!(arguments.filter.as_deref(), Some("yield"));
        assert_eq!((arguments.runs, arguments.rounds), (RUNS, ROUNDS));
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "nothing",
            "executor wake",
            "--workers",
            "--workers 0",
            "--runs many",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_process_is_told_what_to_measure() {
        let Ok(Request::Measure(spec)) = read("--measure executor yield_many kamon 2 31") else {
            panic!("it is well-formed");
        };
        assert_eq!((spec.workers, spec.rounds), (2, 31));
        assert!(read("--measure executor").is_err());
    }

    #[test]
    fn names_are_given_once() {
        for group in groups() {
            let mut names: Vec<_> = group
                .workloads
                .iter()
                .map(|workload| workload.name)
                .collect();
            names.sort_unstable();
            assert!(
                names.windows(2).all(|pair| pair[0] != pair[1]),
                "{}",
                group.name
            );
        }
    }
}
