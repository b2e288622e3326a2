//! The codecs of a process: which key goes through which of them.

use crate::context::Context;
use crate::propagation::colfer::Message;
use crate::propagation::key_name::KeyName;
use crate::propagation::span_codec::{Found, SpanCodec};
use crate::propagation::{
    contain, current, stats, BinaryCodec, Codec, CodecsBuilder, HeaderReader, HeaderWriter,
};
use crate::sync::Arc;
use crate::trace::SpanContext;

/// The codecs of a process: which key goes through which of them, to headers and to bytes.
///
/// Cheap to clone. The [`default`](Codecs::default) ones are Kamon's: the span as B3 headers and in
/// Kamon's binary format, and the trace token.
///
/// # Examples
///
/// ```
/// use kamon::propagation::Codecs;
/// use kamon::{Context, Key, Span};
///
/// static REQUEST_ID: Key<Option<String>> = Key::broadcast_string("request-id");
///
/// let codecs = Codecs::builder()
///     .http_headers("span", ["w3c"])
///     .binary("span", "colfer")
///     .string_key("request-id", "X-Request-ID")
///     .build();
///
/// let came_in = codecs.decode_headers(&[
///     ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
///     ("X-Request-ID", "1234"),
/// ]);
/// assert_eq!(came_in.get(Span::key()).id().to_string(), "00f067aa0ba902b7");
/// assert_eq!(came_in.get(&REQUEST_ID).as_deref(), Some("1234"));
///
/// let again = codecs.decode_binary(&codecs.encode_binary(&came_in));
/// assert_eq!(again.get(Span::key()), came_in.get(Span::key()));
/// assert_eq!(again.get(&REQUEST_ID), came_in.get(&REQUEST_ID));
/// ```
#[derive(Clone)]
pub struct Codecs {
    table: Arc<Table>,
}

/// Which codec each key has.
pub(super) struct Table {
    pub(super) headers: Vec<HeaderEntry>,
    /// Only the first entry is about the span, and none looks at what another one has read.
    pub(super) is_apart: bool,
    pub(super) binary: Vec<BinaryEntry>,
    pub(super) largest_message: usize,
}

/// The codecs of one key in headers.
pub(super) struct HeaderEntry {
    pub(super) key: KeyName,
    /// Each is written; the first that finds something is read.
    pub(super) codecs: Vec<AnyCodec>,
}

pub(super) enum AnyCodec {
    Span(Arc<dyn SpanCodec>),
    Other(Arc<dyn Codec>),
}

/// The codec of one key in bytes.
pub(super) struct BinaryEntry {
    pub(super) key: KeyName,
    pub(super) codec: Arc<dyn BinaryCodec>,
}

impl Codecs {
    /// Begins with no codec at all.
    pub fn builder() -> CodecsBuilder {
        CodecsBuilder::new()
    }

    /// Returns the codecs that this process was given with [`set_current`](Codecs::set_current),
    /// or the default ones.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::propagation::Codecs;
    /// use kamon::Context;
    ///
    /// let mut headers = Vec::new();
    /// Codecs::current().encode_headers(&Context::empty(), &mut headers);
    /// assert!(headers.is_empty());
    /// ```
    #[inline]
    pub fn current() -> &'static Codecs {
        current::get()
    }

    /// Gives the process its codecs, as a program does once when it begins.
    ///
    /// Those it had are still in use elsewhere and stay in memory.
    pub fn set_current(codecs: Codecs) {
        current::set(codecs);
    }

    pub(super) fn new(table: Table) -> Self {
        Codecs {
            table: Arc::new(table),
        }
    }

    /// Writes the Context for a process that is asked something.
    pub fn encode_headers<W: HeaderWriter + ?Sized>(&self, context: &Context, headers: &mut W) {
        if context.is_empty() {
            return;
        }
        let mut headers = headers;
        for codec in self.codecs_for(context) {
            contain::encoding(|| codec.encode(context, &mut headers));
        }
    }

    /// Writes what the process that asked is told with the response: the trace token, if one of the
    /// codecs is `trace-token`.
    pub fn encode_response_headers<W: HeaderWriter + ?Sized>(
        &self,
        context: &Context,
        headers: &mut W,
    ) {
        if context.is_empty() {
            return;
        }
        let mut headers = headers;
        for entry in &self.table.headers {
            // A span is no answer.
            let codecs = entry.codecs.iter().filter_map(|codec| match codec {
                AnyCodec::Span(_) => None,
                AnyCodec::Other(codec) => Some(codec),
            });
            for codec in codecs {
                if !entry.key.stays(context) {
                    contain::encoding(|| codec.encode_response(context, &mut headers));
                }
            }
        }
    }

    /// Whether responses may have headers of codecs. A span is no answer.
    #[allow(dead_code)] // Servers ask.
    pub(crate) fn answer(&self) -> bool {
        let mut codecs = self.table.headers.iter().flat_map(|entry| &entry.codecs);
        codecs.any(|codec| matches!(codec, AnyCodec::Other(_)))
    }

    /// The codecs of all keys but those whose value is not to leave the process.
    fn codecs_for<'a>(&'a self, context: &'a Context) -> impl Iterator<Item = &'a dyn Codec> {
        let entries = self.table.headers.iter();
        entries
            .filter(|entry| !entry.key.stays(context))
            .flat_map(|entry| entry.codecs.iter().map(AnyCodec::as_codec))
    }

    /// Reads the Context of the process that asks. Whatever does not parse is as if absent.
    pub fn decode_headers<R: HeaderReader + ?Sized>(&self, headers: &R) -> Context {
        let entries = self.table.headers.iter();
        entries.fold(Context::empty(), |context, entry| {
            entry.decode(&headers, context)
        })
    }

    /// The same for whoever makes a span at once, in place of the caller's: that one is returned
    /// beside the Context, if it need not be looked for in there.
    #[allow(dead_code)] // Servers ask.
    pub(crate) fn decode_request<R: HeaderReader + ?Sized>(
        &self,
        headers: &R,
    ) -> (Context, Option<SpanContext>) {
        if !self.table.is_apart {
            return (self.decode_headers(headers), None);
        }
        let (mut context, mut caller) = (Context::empty(), None);
        for entry in &self.table.headers {
            let [AnyCodec::Span(_), ..] = entry.codecs[..] else {
                context = entry.decode(&headers, context);
                continue;
            };
            match entry.read(&headers) {
                Found::Span(span, arrival) => {
                    context = arrival.beside(context);
                    caller = Some(span);
                }
                found => context = found.with(&context),
            }
        }
        (context, caller)
    }

    /// Writes the Context as Kamon 2 does. No bytes if there is nothing to write, or if it would
    /// be more than [`largest_message`](CodecsBuilder::largest_message) allows.
    pub fn encode_binary(&self, context: &Context) -> Vec<u8> {
        let mut entries: Vec<(&str, Vec<u8>)> = Vec::new();
        if context.is_empty() {
            return Vec::new();
        }
        let entries_of = &self.table.binary;
        for entry in entries_of.iter().filter(|entry| !entry.key.stays(context)) {
            let mut value = Vec::new();
            let done = contain::encoding(|| entry.codec.encode(context, &mut value));
            if done && !value.is_empty() {
                entries.push((entry.key.as_str(), value));
            }
        }
        if entries.is_empty() {
            return Vec::new();
        }
        let entries = entries.iter().map(|(key, value)| (*key, &value[..]));
        match Message::of_entries(entries).encode() {
            Ok(bytes) if bytes.len() <= self.table.largest_message => bytes,
            _ => {
                stats::too_large();
                Vec::new()
            }
        }
    }

    /// Reads a Context that Kamon 2 or [`encode_binary`](Codecs::encode_binary) wrote. Whatever does
    /// not parse is as if absent.
    pub fn decode_binary(&self, bytes: &[u8]) -> Context {
        if bytes.is_empty() {
            return Context::empty();
        }
        let message = contain::decoding(|| match bytes.len() {
            0..=LARGEST_INCOMING => Ok(Message::decode(bytes)?),
            _ => Err("the message is too large".into()),
        });
        let Some(message) = message else {
            return Context::empty();
        };
        let mut context = Context::empty();
        for (key, value) in &message.entries {
            let entry = self
                .table
                .binary
                .iter()
                .find(|entry| entry.key.as_str() == key);
            let Some(entry) = entry else { continue };
            if let Some(read) = contain::decoding(|| entry.codec.decode(value, &context)) {
                context = read;
            }
        }
        context
    }
}

/// Kamon has no limit here. What is read takes up to fifty times its own size for a moment.
const LARGEST_INCOMING: usize = 64 * 1024;

impl AnyCodec {
    fn as_codec(&self) -> &dyn Codec {
        match self {
            AnyCodec::Span(codec) => codec.as_codec(),
            AnyCodec::Other(codec) => &**codec,
        }
    }
}

impl HeaderEntry {
    /// What the first codec finds that finds anything.
    fn read(&self, headers: &dyn HeaderReader) -> Found {
        for codec in &self.codecs {
            let AnyCodec::Span(codec) = codec else {
                continue;
            };
            match contain::decoding(|| codec.read(headers)) {
                Some(Found::Nothing) | None => {}
                Some(found) => return found,
            }
        }
        Found::Nothing
    }

    fn decode(&self, headers: &dyn HeaderReader, context: Context) -> Context {
        for codec in &self.codecs {
            match contain::decoding(|| codec.as_codec().decode(headers, &context)) {
                Some(read) if !read.is_same(&context) => return read,
                _ => {}
            }
        }
        context
    }
}

impl Default for Codecs {
    fn default() -> Self {
        CodecsBuilder::with_defaults().build()
    }
}

impl std::fmt::Debug for Codecs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let headers: Vec<&str> = self
            .table
            .headers
            .iter()
            .map(|entry| entry.key.as_str())
            .collect();
        let binary: Vec<&str> = self
            .table
            .binary
            .iter()
            .map(|entry| entry.key.as_str())
            .collect();
        f.debug_struct("Codecs")
            .field("headers", &headers)
            .field("binary", &binary)
            .finish()
    }
}
