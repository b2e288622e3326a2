//! Which instruments a subscriber asks for.

use std::borrow::Cow;

use crate::metrics::glob::Glob;
use crate::metrics::tags::Tags;

/// Chooses instruments by name and tags.
///
/// In patterns `*` stands for any text and `?` for any one character. A pattern converts into the
/// filter for its name.
///
/// # Examples
///
/// ```
/// use kamon::metrics::{Filter, Tags};
///
/// let filter = Filter::name("span.*")
///     .or_name("http.*")
///     .except_name("*.size")
///     .with_tag("operation", "users.*");
/// let tags = Tags::empty().with("operation", "users.find");
/// assert!(filter.matches("span.processing-time", &tags));
/// assert!(!filter.matches("http.request.size", &tags));
/// assert!(!filter.matches("span.processing-time", &Tags::empty()));
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Any of them, or any name at all.
    names: Option<Vec<Glob>>,
    except: Vec<Glob>,
    /// All of them.
    tags: Vec<(Cow<'static, str>, Glob)>,
}

impl Filter {
    /// Chooses everything.
    pub fn all() -> Filter {
        Filter::default()
    }

    /// Chooses what has a name like this.
    pub fn name(pattern: impl Into<Cow<'static, str>>) -> Filter {
        Filter {
            names: Some(vec![Glob::new(pattern)]),
            ..Filter::all()
        }
    }

    /// Chooses what has a name like this, too. Where every name is chosen, this changes nothing.
    #[must_use = "the filter is returned, not changed in place"]
    pub fn or_name(mut self, pattern: impl Into<Cow<'static, str>>) -> Filter {
        if let Some(names) = &mut self.names {
            names.push(Glob::new(pattern));
        }
        self
    }

    /// Leaves out what has a name like this, whatever else chooses it.
    #[must_use = "the filter is returned, not changed in place"]
    pub fn except_name(mut self, pattern: impl Into<Cow<'static, str>>) -> Filter {
        self.except.push(Glob::new(pattern));
        self
    }

    /// Leaves out what does not have this tag, with a value like this.
    #[must_use = "the filter is returned, not changed in place"]
    pub fn with_tag(
        mut self,
        key: impl Into<Cow<'static, str>>,
        pattern: impl Into<Cow<'static, str>>,
    ) -> Filter {
        self.tags.push((key.into(), Glob::new(pattern)));
        self
    }

    /// Returns whether an instrument of this name with these tags is chosen.
    pub fn matches(&self, name: &str, tags: &Tags) -> bool {
        let like = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(name));
        self.names.as_deref().is_none_or(like)
            && !like(&self.except)
            && self.tags.iter().all(|(key, glob)| {
                let value = tags.get(key);
                value.is_some_and(|value| glob.matches(value))
            })
    }
}

impl From<&'static str> for Filter {
    fn from(pattern: &'static str) -> Filter {
        Filter::name(pattern)
    }
}

impl From<String> for Filter {
    fn from(pattern: String) -> Filter {
        Filter::name(pattern)
    }
}
