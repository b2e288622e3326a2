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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_number_lies_between_two() {
        let summary = Summary::new(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!(summary.best, 1.0);
        assert_eq!(summary.lower, 1.75);
        assert_eq!(summary.median, 2.5);
        assert_eq!(summary.upper, 3.25);
    }

    #[test]
    fn one_sample_is_all_of_its_summary() {
        let summary = Summary::new(vec![7.0]);
        assert_eq!(
            (summary.best, summary.lower, summary.upper),
            (7.0, 7.0, 7.0)
        );
    }

    #[test]
    fn twice_as_fast_and_twice_as_slow_is_as_fast() {
        let mean = geometric_mean(&[2.0, 0.5]).unwrap();
        assert!((mean - 1.0).abs() < 1e-9);
        assert_eq!(geometric_mean(&[]), None);
    }
}
