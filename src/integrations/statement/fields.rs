//! The fields that a log line has from its Context.

use std::borrow::Cow;
use std::fmt;

use crate::context::{Context, Key};
use crate::propagation::trace_token;
use crate::trace::Span;

/// What stands for a trace token where there is none, as in Kamon.
const UNDEFINED: &str = "undefined";

/// Which fields: the identity of the request, and the values of keys that were chosen.
#[derive(Default)]
pub(crate) struct Fields {
    keys: Vec<Box<dyn Chosen>>,
}

impl Fields {
    /// Adds the value of a key, its default where it is absent.
    pub(crate) fn add_key<T>(&mut self, key: &'static Key<T>)
    where
        T: fmt::Display + Send + Sync + 'static,
    {
        self.keys.push(Box::new(Always(key)));
    }

    /// Adds the value of a key, no field where it is `None`.
    pub(crate) fn add_optional_key<T>(&mut self, key: &'static Key<Option<T>>)
    where
        T: fmt::Display + Send + Sync + 'static,
    {
        self.keys.push(Box::new(IfSome(key)));
    }

    /// Calls `f` with the name and the value of each field, until it fails.
    pub(crate) fn each<'a, E>(
        &self,
        context: &'a Context,
        mut f: impl FnMut(&'static str, Cow<'a, str>) -> Result<(), E>,
    ) -> Result<(), E> {
        let token = trace_token(context).unwrap_or(Cow::Borrowed(UNDEFINED));
        f("trace_token", token)?;
        let span = context.get(Span::key());
        if !span.is_empty() {
            f("trace_id", Cow::Owned(span.trace_id().to_string()))?;
            f("span_id", Cow::Owned(span.id().to_string()))?;
        }
        for key in &self.keys {
            if let Some(value) = key.value(context) {
                f(key.name(), Cow::Owned(value))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.keys.iter().map(|key| key.name());
        f.debug_list().entries(names).finish()
    }
}

/// A key that was chosen, whatever its type.
trait Chosen: Send + Sync {
    fn name(&self) -> &'static str;
    fn value(&self, context: &Context) -> Option<String>;
}

struct Always<T: 'static>(&'static Key<T>);

impl<T: fmt::Display + Send + Sync> Chosen for Always<T> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn value(&self, context: &Context) -> Option<String> {
        Some(context.get(self.0).to_string())
    }
}

struct IfSome<T: 'static>(&'static Key<Option<T>>);

impl<T: fmt::Display + Send + Sync> Chosen for IfSome<T> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn value(&self, context: &Context) -> Option<String> {
        context.get(self.0).as_ref().map(T::to_string)
    }
}
