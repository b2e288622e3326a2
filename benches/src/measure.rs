//! What a workload is measured with, whoever measures: `versus` or criterion.

use std::time::Instant;

/// Runs a number of iterations and returns the amount that one of them took, in the unit of the
/// workload.
pub type Run<'a> = &'a mut dyn FnMut(u64) -> f64;

/// Calls what a workload wants measured, as often as it sees fit.
pub struct Meter<'a> {
    measure: &'a mut dyn FnMut(Run<'_>),
}

impl<'a> Meter<'a> {
    /// Makes a meter out of what `versus` or criterion does with a run.
    pub fn new(measure: &'a mut dyn FnMut(Run<'_>)) -> Meter<'a> {
        Meter { measure }
    }

    /// Measures the time of `iteration`, in nanoseconds.
    pub fn iter(&mut self, mut iteration: impl FnMut()) {
        self.run(|iterations| {
            let begin = Instant::now();
            for _ in 0..iterations {
                iteration();
            }
            begin.elapsed().as_nanos() as f64 / iterations as f64
        });
    }

    /// Measures `run`, which takes the number of iterations and returns the amount of one.
    pub fn run(&mut self, mut run: impl FnMut(u64) -> f64) {
        (self.measure)(&mut run);
    }
}
