//! The two sides of a process that measures one candidate: what it is told, what it tells.

use std::env;
use std::io::Read as _;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::versus::arguments::{number, MEASURE};
use crate::versus::rounds;
use crate::workload::groups;

/// A candidate that is given up after this time has lost its row.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a process measures.
#[derive(Clone)]
pub(crate) struct Spec {
    pub(crate) group: String,
    pub(crate) workload: String,
    pub(crate) candidate: String,
    pub(crate) workers: usize,
    pub(crate) rounds: usize,
}

impl Spec {
    /// Reads what [`Spec::words`] wrote.
    pub(crate) fn parse(words: &[String]) -> Result<Spec, String> {
        let [group, workload, candidate, workers, rounds] = words else {
            return Err(format!(
                "{MEASURE} takes a group, a workload, a candidate, and the numbers of workers and \
                 rounds"
            ));
        };
        Ok(Spec {
            group: group.clone(),
            workload: workload.clone(),
            candidate: candidate.clone(),
            workers: number(MEASURE, workers)?,
            rounds: number(MEASURE, rounds)?,
        })
    }

    fn words(&self) -> [String; 5] {
        [
            self.group.clone(),
            self.workload.clone(),
            self.candidate.clone(),
            self.workers.to_string(),
            self.rounds.to_string(),
        ]
    }

    /// Measures in a process of its own and returns one sample a round.
    pub(crate) fn run(&self) -> Result<Vec<f64>, String> {
        let program = env::current_exe().map_err(|error| format!("where am I? {error}"))?;
        let mut child = Command::new(program)
            .arg(MEASURE)
            .args(self.words())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start: {error}"))?;
        let output = read_to_end(&mut child)?;
        let status = child.wait().map_err(|error| format!("was lost: {error}"))?;
        if !status.success() {
            return Err(format!("failed: {status}"));
        }
        let samples: Vec<f64> = output
            .lines()
            .filter_map(|line| line.parse().ok())
            .collect();
        if samples.is_empty() {
            return Err("measured nothing".to_owned());
        }
        Ok(samples)
    }
}

/// Reads what the child prints, and ends the child if that takes too long.
fn read_to_end(child: &mut Child) -> Result<String, String> {
    let mut stdout = child.stdout.take().ok_or("prints nowhere")?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut output = String::new();
        let read = stdout.read_to_string(&mut output);
        let _ = sender.send(read.map(|_| output));
    });
    match receiver.recv_timeout(PATIENCE) {
        Ok(read) => read.map_err(|error| format!("cannot be read: {error}")),
        Err(_) => {
            // It may have ended just now; either way it is waited for.
            let _ = child.kill();
            let _ = child.wait();
            Err(format!("did not end within {PATIENCE:?}"))
        }
    }
}

/// The child's side: measures, prints a sample a line, and ends the process with whatever threads
/// the candidate has.
pub(crate) fn measure(spec: &Spec) -> ExitCode {
    let workload = groups()
        .into_iter()
        .filter(|group| group.name == spec.group)
        .flat_map(|group| group.workloads)
        .find(|workload| workload.name == spec.workload);
    let candidate = workload.as_ref().and_then(|workload| {
        let mut candidates = workload.candidates.iter();
        let candidate = candidates.find(|candidate| candidate.name == spec.candidate)?;
        Some((candidate, workload.rounds))
    });
    let Some((candidate, rounds)) = candidate else {
        eprintln!(
            "versus: no {} does {} in {}",
            spec.candidate, spec.workload, spec.group
        );
        return ExitCode::FAILURE;
    };
    for sample in rounds::samples(candidate, rounds, spec) {
        println!("{sample}");
    }
    std::process::exit(0)
}
