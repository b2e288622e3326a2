//! The key-values of an entry: those of the statement, and those of the Context.

use std::borrow::Cow;

use log::kv::{Error, Key, Source, Value, VisitSource};

/// What an entry has, the statement's own pairs first.
pub(super) struct Pairs<'a> {
    pub(super) said: &'a dyn Source,
    pub(super) added: Vec<(&'static str, Cow<'a, str>)>,
}

impl Source for Pairs<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), Error> {
        self.said.visit(visitor)?;
        for (name, value) in &self.added {
            visitor.visit_pair(Key::from_str(name), Value::from(&**value))?;
        }
        Ok(())
    }

    fn get(&self, key: Key<'_>) -> Option<Value<'_>> {
        self.said.get(key.clone()).or_else(|| {
            let mut added = self.added.iter();
            let (_, value) = added.find(|(name, _)| *name == key.as_str())?;
            Some(Value::from(&**value))
        })
    }

    fn count(&self) -> usize {
        self.said.count() + self.added.len()
    }
}
