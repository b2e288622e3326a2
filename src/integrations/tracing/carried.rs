//! What a tracing span carries with it, from where it was made to where it is entered.

use crate::context::{slot, Context};
use crate::trace::Span;

/// Kept in the registry beside the tracing span.
#[derive(Debug)]
pub(super) struct Carried {
    context: Context,
    /// What was made of the tracing span: a kamon span that ends with it, or the empty one.
    span: Span,
    /// The number of the layer that made that.
    layer: u64,
}

impl Carried {
    /// What a span carries that is not one of kamon's as well.
    pub(super) fn plain(context: Context) -> Self {
        Carried {
            context,
            span: Span::empty(),
            layer: u64::MAX,
        }
    }

    /// What a span carries of which a kamon span was made.
    pub(super) fn spanned(context: Context, span: Span, layer: u64) -> Self {
        if span.is_empty() {
            return Carried::plain(context);
        }
        Carried {
            context: context.with_key(Span::key(), span.clone()),
            span,
            layer,
        }
    }

    /// The kamon span that was made of the tracing span, by whichever layer.
    pub(super) fn span(&self) -> Option<&Span> {
        (!self.span.is_empty()).then_some(&self.span)
    }

    /// The kamon span that this layer made of the tracing span.
    pub(super) fn span_of(&self, layer: u64) -> Option<&Span> {
        self.span().filter(|_| self.layer == layer)
    }

    /// What is to be current in the tracing span where `current` is so far; nothing if that may stay.
    pub(super) fn upon(&self, current: &Context) -> Option<Context> {
        let span = Span::key();
        let mut missing = current.missing(&self.context).peekable();
        missing.peek()?;
        Some(if missing.all(|key| key == span.id()) {
            current.with_key(span, self.context.get(span).clone())
        } else {
            self.context.clone()
        })
    }

    /// What is to be current in the tracing span, here and now; nothing if it is already.
    pub(super) fn here(&self) -> Option<Context> {
        slot::with_current(|current| self.upon(current))
    }
}
