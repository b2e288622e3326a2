//! What a setting is given, by a file or by a variable, and what can be made of it.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::integrations::config::duration;
use crate::integrations::config::problem::Problem;

/// What a setting is given.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Given<'a> {
    pub(super) value: Value<'a>,
    /// The byte of the file at which it begins.
    pub(super) at: usize,
}

/// What a file or a variable says.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value<'a> {
    /// A variable's text, which stands for whatever it can be read as.
    Loose(&'a str),
    Text(&'a str),
    /// `None` where 64 bits are too few for it.
    Integer(Option<i64>),
    Float(f64),
    Boolean(bool),
    List(Vec<Given<'a>>),
    Table,
    Date,
}

impl<'a> Given<'a> {
    /// What a variable says.
    pub(super) fn loose(text: &'a str) -> Self {
        Given {
            value: Value::Loose(text),
            at: 0,
        }
    }

    /// A text with something in it.
    pub(super) fn text(&self) -> Result<&'a str, Problem> {
        match self.value {
            Value::Loose(text) | Value::Text(text) if !text.trim().is_empty() => Ok(text.trim()),
            _ => Err(self.is_no("a text with something in it")),
        }
    }

    /// A list of texts, or one; of a variable, what stands between the commas.
    pub(super) fn texts(&self) -> Result<Vec<(&'a str, usize)>, Problem> {
        match &self.value {
            Value::Loose(text) => {
                let texts = text.split(',').map(str::trim);
                Ok(texts
                    .filter(|text| !text.is_empty())
                    .map(|text| (text, 0))
                    .collect())
            }
            Value::List(list) => {
                let texts = list.iter().map(|one| Ok((one.text()?, one.at)));
                texts.collect()
            }
            Value::Text(_) => Ok(vec![(self.text()?, self.at)]),
            _ => Err(self.is_no("a text or a list of texts")),
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, Problem> {
        let found = match self.value {
            Value::Loose(text) | Value::Text(text) => {
                words.iter().find(|(word, _)| *word == text.trim())
            }
            _ => None,
        };
        match found {
            Some((_, meaning)) => Ok(*meaning),
            None => {
                let words: Vec<String> =
                    words.iter().map(|(word, _)| format!("{word:?}")).collect();
                Err(self.is_no(&format!("one of {}", words.join(", "))))
            }
        }
    }

    pub(super) fn boolean(&self) -> Result<bool, Problem> {
        match self.value {
            Value::Boolean(value) => Ok(value),
            Value::Loose(_) => self.word(&[("true", true), ("false", false)]),
            _ => Err(self.is_no("true or false")),
        }
    }

    /// A whole number within these limits.
    pub(super) fn count(&self, limits: RangeInclusive<usize>) -> Result<usize, Problem> {
        let number = match self.value {
            Value::Integer(number) => number.and_then(|number| usize::try_from(number).ok()),
            Value::Loose(text) => text.trim().parse().ok(),
            _ => None,
        };
        self.within(number, &limits, MOST, "a whole number")
    }

    /// A number within these limits.
    pub(super) fn number(&self, limits: RangeInclusive<f64>) -> Result<f64, Problem> {
        let number = match self.value {
            Value::Integer(number) => number.map(|number| number as f64),
            Value::Float(number) => Some(number),
            Value::Loose(text) => text.trim().parse().ok(),
            _ => None,
        };
        self.within(number, &limits, f64::MAX, "a number")
    }

    /// The number that was found, if it is within these limits. From `most` on, a limit is none that
    /// anybody comes to, and not worth being told.
    fn within<T: PartialOrd + fmt::Display>(
        &self,
        number: Option<T>,
        limits: &RangeInclusive<T>,
        most: T,
        what: &str,
    ) -> Result<T, Problem> {
        number
            .filter(|number| limits.contains(number))
            .ok_or_else(|| {
                let (from, to) = (limits.start(), limits.end());
                self.is_no(&match *to < most {
                    true => format!("{what} from {from} to {to}"),
                    false => format!("{what} from {from}"),
                })
            })
    }

    /// A duration of at least so long.
    pub(super) fn duration(&self, least: Duration) -> Result<Duration, Problem> {
        let duration = match self.value {
            Value::Loose(text) | Value::Text(text) => duration::parse(text),
            _ => None,
        };
        duration
            .filter(|duration| *duration >= least)
            .ok_or_else(|| {
                self.is_no(match least {
                    Duration::ZERO => "a duration, as \"250ms\", \"5s\" or \"2m\"",
                    _ => "a duration above zero, as \"250ms\", \"5s\" or \"2m\"",
                })
            })
    }

    /// The problem that this is something else.
    pub(super) fn is_no(&self, expected: &str) -> Problem {
        let found = match &self.value {
            Value::Loose(text) | Value::Text(text) => format!("{text:?}"),
            Value::Integer(Some(number)) => number.to_string(),
            Value::Integer(None) => "a number beyond 64 bits".to_owned(),
            Value::Float(number) => number.to_string(),
            Value::Boolean(value) => value.to_string(),
            Value::List(_) => "a list".to_owned(),
            Value::Table => "a table".to_owned(),
            Value::Date => "a date".to_owned(),
        };
        Problem::new(self.at, format!("expected {expected}, found {found}"))
    }
}

/// What nobody counts to.
const MOST: usize = u32::MAX as usize;
