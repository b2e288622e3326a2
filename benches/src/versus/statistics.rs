//! Medians, quartiles and the geometric mean.

/// The middle of what was measured, and how far it spreads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    pub(crate) best: f64,
    pub(crate) lower: f64,
    pub(crate) median: f64,
    pub(crate) upper: f64,
}

impl Summary {
    /// Sums up the samples, of which there must be one at least.
    pub(crate) fn new(mut samples: Vec<f64>) -> Summary {
        samples.sort_unstable_by(f64::total_cmp);
        Summary {
            best: samples[0],
            lower: quantile(&samples, 0.25),
            median: quantile(&samples, 0.5),
            upper: quantile(&samples, 0.75),
        }
    }
}

/// The value below which the part `q` of the sorted samples lies, between two of them if need be.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let (below, above) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    below + (above - below) * place.fract()
}

/// The geometric mean, or `None` of nothing.
pub(crate) fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    if ratios.is_empty() {
        return None;
    }
    let sum: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    Some((sum / ratios.len() as f64).exp())
}
