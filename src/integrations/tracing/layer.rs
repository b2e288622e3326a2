//! The layer that makes tracing spans and the Context agree.

use std::sync::atomic::{AtomicU64, Ordering};

use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context as LayerContext, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::context::{slot, Context};
use crate::integrations::statement::Entries;
use crate::integrations::tracing::carried::Carried;
use crate::integrations::tracing::tags::Tags;
use crate::integrations::tracing::{entered, event};
use crate::trace::{self, build_span, current_span, Span};

static LAYERS: AtomicU64 = AtomicU64::new(0);

/// Returns a layer that has each tracing span carry the Context in which it is made, and that counts
/// events: the counter `log.events`, by level.
///
/// It goes onto a [`Registry`](tracing_subscriber::Registry), before the layers that write
/// lines, so that those see the Context of the span that they write of. One is enough. Where a registry has
/// several, a tracing span becomes one kamon span, made by the first of them that makes any, and each
/// of them counts events and marks them, as its filter lets through.
///
/// # Examples
///
/// ```
/// use kamon::Key;
/// use tracing_subscriber::layer::SubscriberExt as _;
///
/// static USER: Key<String> = Key::local("user", || "nobody".into());
///
/// let subscriber = tracing_subscriber::registry().with(kamon::tracing::layer());
/// tracing::subscriber::with_default(subscriber, || {
///     let span = kamon::with_context_key(&USER, "ada".into(), || tracing::info_span!("pay"));
///     span.in_scope(|| assert_eq!(kamon::current_context().get(&USER), "ada"));
///     assert_eq!(kamon::current_context().get(&USER), "nobody");
/// });
/// ```
pub fn layer() -> ContextLayer {
    ContextLayer {
        number: LAYERS.fetch_add(1, Ordering::Relaxed),
        spans: false,
        entries: Some(Entries::of("tracing")),
    }
}

/// Makes tracing spans and the Context agree: made by [`layer`].
#[derive(Debug)]
#[must_use = "a layer does nothing until a subscriber has it"]
pub struct ContextLayer {
    number: u64,
    spans: bool,
    entries: Option<Entries>,
}

impl ContextLayer {
    /// Makes a kamon span of each tracing span, and a mark of each event in the span that is current.
    ///
    /// The kamon span has the name of the tracing span as its operation, the fields as tags, and the current
    /// kamon span as its parent (the one of the parent that the tracing span names, if it
    /// names one; none for `parent: None`). It starts when the tracing span is made, finishes when that is closed,
    /// and is failed by a panic in it and by an event of level `ERROR` with a field `error`, such as
    /// `#[instrument(err)]` writes.
    ///
    /// To make fewer, filter the layer: `layer().with_spans().with_filter(LevelFilter::INFO)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use tracing_subscriber::layer::SubscriberExt as _;
    ///
    /// let layer = kamon::tracing::layer().with_spans();
    /// let subscriber = tracing_subscriber::registry().with(layer);
    /// tracing::subscriber::with_default(subscriber, || {
    ///     let span = tracing::info_span!("find-user", name = "ada");
    ///     span.in_scope(|| assert_eq!(kamon::current_span().operation_name(), "find-user"));
    /// });
    /// ```
    pub fn with_spans(mut self) -> Self {
        self.spans = true;
        self
    }

    /// Leaves the events uncounted.
    pub fn without_metrics(mut self) -> Self {
        self.entries = None;
        self
    }

    fn carry(&self, attributes: &Attributes<'_>, context: Context) -> Carried {
        if !self.spans {
            return Carried::plain(context);
        }
        let builder = build_span(attributes.metadata().name());
        let mut builder = Some(match attributes.is_root() {
            true => builder.ignore_parent_from_context(),
            false => builder.as_child_of(context.get(Span::key())),
        });
        attributes.record(&mut Tags(|name, value| {
            builder = builder.take().map(|builder| builder.with_tag(name, value));
        }));
        let span = builder.map_or_else(Span::empty, |builder| builder.start());
        Carried::spanned(context, span, self.number)
    }

    /// The kamon span that this layer made of a tracing span.
    fn made_of<S>(&self, id: &Id, spans: &LayerContext<'_, S>) -> Option<Span>
    where
        S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    {
        look(id, spans, |carried| carried.span_of(self.number).cloned()).flatten()
    }
}

impl<S> Layer<S> for ContextLayer
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, spans: LayerContext<'_, S>) {
        let Some(span) = spans.span(id) else { return };
        // Of several layers of kamon's the first that makes kamon spans does.
        if made_of(id, &spans).is_some() {
            return;
        }
        let parent = attributes.parent();
        let context = parent.and_then(|parent| look(parent, &spans, Carried::here).flatten());
        let context = context.map_or_else(slot::capture, |context| context.inherited());
        let carried = self.carry(attributes, context);
        let before = span.extensions_mut().replace(carried);
        drop(before);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, spans: LayerContext<'_, S>) {
        if let Some(span) = self.made_of(id, &spans) {
            values.record(&mut Tags(|name, value| {
                span.tag(name, value);
            }));
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, spans: LayerContext<'_, S>) {
        if let (Some(span), Some(follows)) = (self.made_of(id, &spans), made_of(follows, &spans)) {
            span.link(&follows);
        }
    }

    fn on_event(&self, event: &Event<'_>, spans: LayerContext<'_, S>) {
        if let Some(entries) = &self.entries {
            entries.count(rank(event.metadata().level()));
        }
        if self.spans {
            let parent = event.parent().and_then(|parent| made_of(parent, &spans));
            event::mark(&parent.unwrap_or_else(current_span), event);
        }
    }

    fn on_enter(&self, id: &Id, spans: LayerContext<'_, S>) {
        if let Some(context) = look(id, &spans, Carried::here) {
            entered::enter(self.number, id, context);
        }
    }

    fn on_exit(&self, id: &Id, spans: LayerContext<'_, S>) {
        let panicked = entered::exit(self.number, id);
        if panicked {
            if let Some(span) = self.made_of(id, &spans) {
                trace::panicked(&span);
            }
        }
    }

    fn on_close(&self, id: Id, spans: LayerContext<'_, S>) {
        // What it carries stays until the registry forgets the span, which is when all layers have
        // seen its end: a line about that is of the span's request too.
        if let Some(span) = self.made_of(&id, &spans) {
            span.finish();
        }
    }
}

/// Looks at what a tracing span carries. `f` must not call the user's code.
fn look<S, R>(id: &Id, spans: &LayerContext<'_, S>, f: impl FnOnce(&Carried) -> R) -> Option<R>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    let span = spans.span(id)?;
    let extensions = span.extensions();
    extensions.get::<Carried>().map(f)
}

/// The kamon span that was made of a tracing span, by whichever layer.
fn made_of<S>(id: &Id, spans: &LayerContext<'_, S>) -> Option<Span>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    look(id, spans, |carried| carried.span().cloned()).flatten()
}

/// The gravest first.
fn rank(level: &Level) -> usize {
    match *level {
        Level::ERROR => 0,
        Level::WARN => 1,
        Level::INFO => 2,
        Level::DEBUG => 3,
        Level::TRACE => 4,
    }
}
