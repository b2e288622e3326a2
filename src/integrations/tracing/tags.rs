//! The fields of tracing spans, as tags.

use std::error::Error;
use std::fmt;

use tracing_core::field::{Field, Visit};

use crate::trace::TagValue;

/// Calls a function with each field as a tag.
pub(super) struct Tags<F>(pub(super) F);

impl<F: FnMut(&'static str, TagValue)> Tags<F> {
    fn tag(&mut self, field: &Field, value: impl Into<TagValue>) {
        (self.0)(field.name(), value.into());
    }
}

impl<F: FnMut(&'static str, TagValue)> Visit for Tags<F> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.tag(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.tag(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.tag(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.tag(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.tag(field, value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.tag(field, value.to_string());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.tag(field, format!("{value:?}"));
    }
}
