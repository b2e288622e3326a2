//! What is wrong with a configuration.

use std::error::Error;
use std::fmt;

/// What is wrong with a [`Config`](crate::Config), or with where it was to come from.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// A setting is zero that cannot be.
    TooSmall {
        /// Which.
        setting: &'static str,
    },
    /// A setting is beyond what memory could hold.
    TooLarge {
        /// Which.
        setting: &'static str,
    },
    /// The interval of a metric reporter is zero.
    NoInterval {
        /// Which reporter.
        reporter: String,
    },
    /// A file says what cannot be.
    File {
        /// Which file.
        file: String,
        /// The line, counted from 1; none if the file could not be read at all.
        line: Option<usize>,
        /// The setting, as `kamon.trace.sampler`; empty if it is the whole file.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A key of the Context was told to use a codec that nobody knows.
    UnknownCodec {
        /// Which key.
        key: String,
        /// The name under which there is no codec.
        codec: String,
    },
    /// An environment variable says what cannot be.
    Variable {
        /// Which variable.
        variable: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::TooSmall { setting } => write!(f, "`{setting}` must not be zero"),
            ConfigError::TooLarge { setting } => write!(f, "`{setting}` is too large"),
            ConfigError::NoInterval { reporter } => {
                write!(
                    f,
                    "the interval of metric reporter {reporter:?} must not be zero"
                )
            }
            ConfigError::File {
                file,
                line,
                key,
                problem,
            } => {
                f.write_str(file)?;
                if let Some(line) = line {
                    write!(f, ":{line}")?;
                }
                if !key.is_empty() {
                    write!(f, ": `{key}`")?;
                }
                write!(f, ": {problem}")
            }
            ConfigError::UnknownCodec { key, codec } => {
                write!(f, "`{key}`: no codec is called {codec:?}")
            }
            ConfigError::Variable { variable, problem } => write!(f, "`{variable}`: {problem}"),
        }
    }
}

impl Error for ConfigError {}
