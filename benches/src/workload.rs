//! A row of the table: a workload, and those who do it.

use crate::measure::Meter;
use crate::{actor, context, echo, executor, http, memory, span, time, wake};

/// What a candidate does, with how many workers.
pub type Body = Box<dyn Fn(&mut Meter<'_>, usize)>;

/// Workloads that answer one question together.
pub struct Group {
    /// How the command line calls the group.
    pub name: &'static str,
    /// What the group is about, in one line.
    pub about: &'static str,
    /// The rows.
    pub workloads: Vec<Workload>,
}

/// What all candidates of a row do.
pub struct Workload {
    /// How the command line and the table call it.
    pub name: &'static str,
    /// With how many workers it is done.
    pub workers: Workers,
    /// What is measured.
    pub unit: Unit,
    /// How often it is measured in a process.
    pub rounds: Rounds,
    /// Who does it.
    pub candidates: Vec<Candidate>,
}

/// One way to do a workload.
pub struct Candidate {
    /// The name of its column.
    pub name: &'static str,
    /// What it is to the others.
    pub role: Role,
    /// The workload, done its way.
    pub body: Body,
}

/// What a candidate is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The one that is measured against the peers.
    Ours,
    /// One that does the same job.
    Peer,
    /// Does less than the job: what the others cannot go below.
    Reference,
}

/// With how many workers a workload is done.
#[derive(Clone, Copy, Debug)]
pub enum Workers {
    /// With each of these, unless the command line names another number.
    Each(&'static [usize]),
    /// Always with this many.
    Fixed(usize),
}

/// How often a workload is measured in a process.
#[derive(Clone, Copy, Debug)]
pub enum Rounds {
    /// As often as the command line says, after warm-up.
    AsTold,
    /// At most so often, without warm-up and with one iteration a round: what is counted and not
    /// timed, or takes very long.
    AtMost(usize),
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Time.
    Nanoseconds,
    /// Memory.
    Bytes,
}

impl Workload {
    /// Returns the part of the group that the workload belongs to: what its name has before a
    /// slash. Each part has a table of its own.
    pub fn section(&self) -> &'static str {
        self.name.split_once('/').map_or("", |(section, _)| section)
    }
}

impl Candidate {
    /// Makes a candidate.
    pub fn new(
        name: &'static str,
        role: Role,
        body: impl Fn(&mut Meter<'_>, usize) + 'static,
    ) -> Candidate {
        Candidate {
            name,
            role,
            body: Box::new(body),
        }
    }
}

/// Returns all groups, in the order of the table.
pub fn groups() -> Vec<Group> {
    vec![
        executor::group(),
        echo::group(),
        http::group(),
        context::group(),
        span::group(),
        time::group(),
        wake::group(),
        actor::group(),
        memory::group(),
    ]
}
