//! Which key goes through which codec, as a program or its configuration says it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use crate::propagation::b3::{B3Either, B3Single, B3};
use crate::propagation::baggage::BaggageCodec;
use crate::propagation::codecs::{AnyCodec, BinaryEntry, HeaderEntry, Table};
use crate::propagation::colfer::Colfer;
use crate::propagation::key_name::KeyName;
use crate::propagation::span_codec::SpanCodec;
use crate::propagation::text::Text;
use crate::propagation::token::{self, TraceToken};
use crate::propagation::w3c::W3c;
use crate::propagation::{BinaryCodec, Codec, Codecs};
use crate::sync::Arc;

/// As much as Kamon writes by default: what rides on every message of a broker stays small.
const LARGEST_MESSAGE: usize = 2048;

/// The codecs that need not be added.
const BUILT_IN: [&str; 7] = [
    "b3",
    "b3-single",
    "baggage",
    "otel-b3",
    "otel-b3multi",
    TraceToken::KEY,
    "w3c",
];
const BUILT_IN_BINARY: [&str; 1] = ["colfer"];

/// Says which key goes through which codec: what [`Codecs::builder`] begins.
///
/// | codec of headers | what it writes and reads |
/// |---|---|
/// | `w3c` | the span as W3C `traceparent`; `tracestate` is handed through |
/// | `b3` | the span as `X-B3-TraceId`, `X-B3-SpanId`, and so on |
/// | `b3-single` | the span as `b3` |
/// | `otel-b3`, `otel-b3multi` | the span as OpenTelemetry's `b3` and `b3multi`: either form is read, and `b3` written, or `X-B3-TraceId` and so on |
/// | `trace-token` | the [trace token](super::trace_token) as `X-Trace-Token` |
/// | `baggage` | a [`Key::broadcast_string`](crate::Key::broadcast_string) as a member of W3C `baggage`; for the key `baggage`, [all other members](super::Baggage) |
///
/// Bytes know `colfer`, which is the span as Kamon on the JVM writes it. Others are added by name
/// with [`codec`](CodecsBuilder::codec) and [`binary_codec`](CodecsBuilder::binary_codec).
///
/// # Examples
///
/// ```
/// use kamon::propagation::Codecs;
///
/// let codecs = Codecs::builder()
///     .http_headers("span", ["w3c", "b3"])
///     .binary("span", "colfer")
///     .string_key("request-id", "X-Request-ID")
///     .build();
/// ```
#[must_use = "a builder does nothing before `build`"]
pub struct CodecsBuilder {
    headers: Vec<(String, Vec<String>)>,
    binary: Vec<(String, String)>,
    texts: Vec<(String, String)>,
    codecs: BTreeMap<String, Arc<dyn Codec>>,
    binary_codecs: BTreeMap<String, Arc<dyn BinaryCodec>>,
    token_header: String,
    largest_message: usize,
}

impl CodecsBuilder {
    /// Begins with what is Kamon's default: see [`Codecs::default`].
    pub(crate) fn with_defaults() -> Self {
        CodecsBuilder::new()
            .http_headers("span", ["b3"])
            .http_headers(TraceToken::KEY, [TraceToken::KEY])
            .binary("span", "colfer")
    }

    pub(crate) fn new() -> Self {
        CodecsBuilder {
            headers: Vec::new(),
            binary: Vec::new(),
            texts: Vec::new(),
            codecs: BTreeMap::new(),
            binary_codecs: BTreeMap::new(),
            token_header: token::HEADER.to_owned(),
            largest_message: LARGEST_MESSAGE,
        }
    }

    /// Has a key written to headers by each of these codecs, and read by the first of them that
    /// finds something. Said again of the same key, it is the last word that counts.
    ///
    /// A decision to sample that comes without a span, as `b3: 0`, is something too: it is that of
    /// the trace which begins here.
    ///
    /// `trace-token` is a key of its own, in whichever list it stands: it is read whatever else is.
    pub fn http_headers<N: Into<String>>(
        mut self,
        key: impl Into<String>,
        codecs: impl IntoIterator<Item = N>,
    ) -> Self {
        let key = key.into();
        self.headers.retain(|(known, _)| *known != key);
        let codecs = codecs.into_iter().map(Into::into).collect();
        self.headers.push((key, codecs));
        self
    }

    /// Has a key written to bytes and read from them by this codec.
    pub fn binary(mut self, key: impl Into<String>, codec: impl Into<String>) -> Self {
        let key = key.into();
        self.binary.retain(|(known, _)| *known != key);
        self.binary.push((key, codec.into()));
        self
    }

    /// Has a [`Key::broadcast_string`](crate::Key::broadcast_string) carried as this header, and in
    /// bytes under its name.
    pub fn string_key(mut self, key: impl Into<String>, header: impl Into<String>) -> Self {
        let key = key.into();
        self.texts.retain(|(known, _)| *known != key);
        self.texts.push((key, header.into()));
        self
    }

    /// Adds a codec of headers under a name. One of the names above may be given another meaning.
    pub fn codec(mut self, name: impl Into<String>, codec: impl Codec + 'static) -> Self {
        self.codecs.insert(name.into(), Arc::new(codec));
        self
    }

    /// Adds a codec of bytes under a name.
    pub fn binary_codec(
        mut self,
        name: impl Into<String>,
        codec: impl BinaryCodec + 'static,
    ) -> Self {
        self.binary_codecs.insert(name.into(), Arc::new(codec));
        self
    }

    /// Has the trace token in another header than `X-Trace-Token`.
    pub fn trace_token_header(mut self, header: impl Into<String>) -> Self {
        self.token_header = header.into();
        self
    }

    /// Limits how many bytes a Context may have; of a larger one nothing is written. 2048 by default.
    pub fn largest_message(mut self, bytes: usize) -> Self {
        self.largest_message = bytes;
        self
    }

    /// Returns the codecs.
    ///
    /// # Panics
    ///
    /// If a key was told to use a codec that nobody knows. [`try_build`](CodecsBuilder::try_build)
    /// is for names that are not the program's own.
    pub fn build(self) -> Codecs {
        match self.try_build() {
            Ok(codecs) => codecs,
            Err(error) => panic!("{error}"),
        }
    }

    /// Returns the codecs.
    ///
    /// # Errors
    ///
    /// If a key was told to use a codec that nobody knows.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::propagation::Codecs;
    ///
    /// let error = Codecs::builder().http_headers("span", ["w2c"]).try_build().unwrap_err();
    /// assert_eq!(error.codec(), "w2c");
    /// ```
    pub fn try_build(self) -> Result<Codecs, UnknownCodec> {
        let mut headers = Vec::new();
        let mut in_baggage: Vec<&str> = Vec::new();
        let mut has_token = false;
        let mut is_apart = true;
        for (key, names) in &self.headers {
            let mut codecs = Vec::new();
            for name in names {
                match (self.codecs.get(name), &**name) {
                    (Some(codec), _) => {
                        is_apart = false;
                        codecs.push(AnyCodec::Other(codec.clone()));
                    }
                    (None, "baggage") => in_baggage.push(key),
                    (None, TraceToken::KEY) => has_token = true,
                    (None, name) => {
                        let codec = built_in(name).ok_or_else(|| unknown(key, name))?;
                        codecs.push(AnyCodec::Span(codec));
                    }
                }
            }
            // What has gone to a codec of its own leaves nothing here.
            if !codecs.is_empty() {
                is_apart &= headers.is_empty();
                headers.push(HeaderEntry::new(key, codecs));
            }
        }
        let mut binary = Vec::new();
        for (key, name) in &self.binary {
            let codec: Arc<dyn BinaryCodec> = match (self.binary_codecs.get(name), &**name) {
                (Some(codec), _) => codec.clone(),
                (None, "colfer") => Arc::new(Colfer),
                (None, name) => return Err(unknown(key, name)),
            };
            binary.push(BinaryEntry::new(key, codec));
        }
        for (key, header) in &self.texts {
            let text = AnyCodec::Other(Arc::new(Text::new(key, header)));
            headers.push(HeaderEntry::new(key, vec![text]));
            binary.push(BinaryEntry::new(key, Arc::new(Text::new(key, header))));
        }
        if has_token {
            let header = self.token_header;
            let codec = AnyCodec::Other(Arc::new(TraceToken { header }));
            headers.push(HeaderEntry::new(TraceToken::KEY, vec![codec]));
        }
        if !in_baggage.is_empty() {
            let codec = AnyCodec::Other(Arc::new(BaggageCodec::new(in_baggage)));
            headers.push(HeaderEntry::new("baggage", vec![codec]));
        }
        Ok(Codecs::new(Table {
            headers,
            is_apart,
            binary,
            largest_message: self.largest_message,
        }))
    }
}

#[allow(dead_code)] // Configurations ask, which not every build has.
impl CodecsBuilder {
    /// The key of the trace token, whichever list its codec stands in.
    pub(crate) const TRACE_TOKEN: &'static str = TraceToken::KEY;

    /// Whether a codec was added under the name of one that need not be.
    pub(crate) fn gives_another_meaning(&self) -> bool {
        let is_known = |name: &str| self.codecs.contains_key(name);
        let is_known_binary = |name: &str| self.binary_codecs.contains_key(name);
        BUILT_IN.into_iter().any(is_known) || BUILT_IN_BINARY.into_iter().any(is_known_binary)
    }

    /// The names of the codecs of headers.
    pub(crate) fn names(&self) -> Vec<&str> {
        let added = self.codecs.keys().map(String::as_str);
        added.chain(BUILT_IN).collect()
    }

    /// The names of the codecs of bytes.
    pub(crate) fn binary_names(&self) -> Vec<&str> {
        let added = self.binary_codecs.keys().map(String::as_str);
        added.chain(BUILT_IN_BINARY).collect()
    }
}

impl HeaderEntry {
    fn new(key: &str, codecs: Vec<AnyCodec>) -> Self {
        HeaderEntry {
            key: KeyName::new(key.to_owned()),
            codecs,
        }
    }
}

impl BinaryEntry {
    fn new(key: &str, codec: Arc<dyn BinaryCodec>) -> Self {
        BinaryEntry {
            key: KeyName::new(key.to_owned()),
            codec,
        }
    }
}

fn built_in(name: &str) -> Option<Arc<dyn SpanCodec>> {
    Some(match name {
        "w3c" => Arc::new(W3c),
        "b3" => Arc::new(B3),
        "b3-single" => Arc::new(B3Single),
        "otel-b3" => Arc::new(B3Either { written: &B3Single }),
        "otel-b3multi" => Arc::new(B3Either { written: &B3 }),
        _ => return None,
    })
}

fn unknown(key: &str, codec: &str) -> UnknownCodec {
    UnknownCodec {
        key: key.to_owned(),
        codec: codec.to_owned(),
    }
}

impl fmt::Debug for CodecsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodecsBuilder")
            .field("headers", &self.headers)
            .field("binary", &self.binary)
            .field("string_keys", &self.texts)
            .finish_non_exhaustive()
    }
}

/// A key was told to use a codec that nobody knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownCodec {
    key: String,
    codec: String,
}

impl UnknownCodec {
    /// Returns the name of the key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the name under which there is no codec.
    pub fn codec(&self) -> &str {
        &self.codec
    }
}

impl fmt::Display for UnknownCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the context key \"{}\" is to use the codec \"{}\", and there is none of that name",
            self.key, self.codec
        )
    }
}

impl Error for UnknownCodec {}
