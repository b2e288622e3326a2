//! A row of the table: what every candidate of a workload took.

use crate::versus::arguments::Arguments;
use crate::versus::process::Spec;
use crate::versus::statistics::Summary;
use crate::workload::{Role, Unit, Workload};

/// What was measured of one workload with one number of workers.
pub(crate) struct Row {
    pub(crate) group: &'static str,
    pub(crate) workload: &'static str,
    pub(crate) workers: usize,
    pub(crate) unit: Unit,
    pub(crate) cells: Vec<Cell>,
}

/// What was measured of one candidate.
pub(crate) struct Cell {
    pub(crate) candidate: &'static str,
    pub(crate) role: Role,
    /// `None` if one of its processes failed.
    pub(crate) summary: Option<Summary>,
}

impl Row {
    /// Measures all candidates, their processes taking turns.
    pub(crate) fn measure(
        group: &'static str,
        workload: &Workload,
        workers: usize,
        arguments: &Arguments,
    ) -> Row {
        let mut samples = vec![Some(Vec::new()); workload.candidates.len()];
        for _ in 0..arguments.runs {
            for (candidate, samples) in workload.candidates.iter().zip(&mut samples) {
                let Some(so_far) = samples else {
                    continue;
                };
                let spec = Spec {
                    group: group.to_owned(),
                    workload: workload.name.to_owned(),
                    candidate: candidate.name.to_owned(),
                    workers,
                    rounds: arguments.rounds,
                };
                match spec.run() {
                    Ok(more) => so_far.extend(more),
                    Err(complaint) => {
                        eprintln!(
                            "versus: {} of {}: {complaint}",
                            candidate.name, workload.name
                        );
                        *samples = None;
                    }
                }
            }
        }
        let cells = workload
            .candidates
            .iter()
            .zip(samples)
            .map(|(candidate, samples)| Cell {
                candidate: candidate.name,
                role: candidate.role,
                summary: samples.map(Summary::new),
            })
            .collect();
        Row {
            group,
            workload: workload.name,
            workers,
            unit: workload.unit,
            cells,
        }
    }

    /// Whether all candidates were measured.
    pub(crate) fn is_complete(&self) -> bool {
        self.cells.iter().all(|cell| cell.summary.is_some())
    }

    /// The median of ours.
    pub(crate) fn ours(&self) -> Option<f64> {
        self.of(Role::Ours, |summary| summary.median)
            .map(|(_, median)| median)
            .next()
    }

    /// The candidates of a role that were measured, with their medians.
    pub(crate) fn medians(&self, role: Role) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        self.of(role, |summary| summary.median)
    }

    /// The fastest peer's median over ours: above 1 where we are better.
    pub(crate) fn ratio(&self) -> Option<f64> {
        self.ratio_of(|summary| summary.median)
    }

    /// The same of everybody's best round, which suffers least from what else the machine does.
    pub(crate) fn best_ratio(&self) -> Option<f64> {
        self.ratio_of(|summary| summary.best)
    }

    fn ratio_of(&self, part: fn(&Summary) -> f64) -> Option<f64> {
        let (_, ours) = self.of(Role::Ours, part).next()?;
        let peers = self.of(Role::Peer, part).map(|(_, amount)| amount);
        let ratio = peers.min_by(f64::total_cmp)? / ours;
        // Amounts that are differences of two measurements may be 0 or below.
        (ratio.is_finite() && ratio > 0.0).then_some(ratio)
    }

    fn of(
        &self,
        role: Role,
        part: fn(&Summary) -> f64,
    ) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        self.cells
            .iter()
            .filter(move |cell| cell.role == role)
            .filter_map(move |cell| Some((cell.candidate, part(cell.summary.as_ref()?))))
    }
}
