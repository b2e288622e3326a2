//! What is wrong with something that a setting was given.

/// What is wrong with something that a setting was given, and where that stands in its file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Problem {
    /// The byte at which it begins.
    pub(super) at: usize,
    pub(super) what: String,
}

impl Problem {
    pub(super) fn new(at: usize, what: impl Into<String>) -> Self {
        Problem {
            at,
            what: what.into(),
        }
    }
}
