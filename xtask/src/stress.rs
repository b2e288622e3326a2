//! The test suite again and again: a test that fails one time in ten does not pass ten rounds.

use std::num::NonZeroU32;

use crate::command::Step;

/// Builds one step for each round. Doctests are left out: they are compiled anew each time and
/// have no races to show.
pub(crate) fn steps(rounds: NonZeroU32) -> Vec<Step> {
    (1..=rounds.get())
        .map(|round| {
            Step::new(
                format!("round {round}"),
                "test -p kamon --all-features --lib --tests",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_steps_as_rounds() {
        assert_eq!(steps(NonZeroU32::new(3).unwrap()).len(), 3);
    }
}
