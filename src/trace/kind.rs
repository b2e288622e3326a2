//! Which side of a conversation a span is.

use std::fmt;

/// Which side of a conversation a span is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum SpanKind {
    /// Nobody said.
    #[default]
    Unknown,
    /// Handles a request that came in.
    Server,
    /// Sends a request and waits for its answer.
    Client,
    /// Puts a message somewhere, to be taken by somebody later.
    Producer,
    /// Takes such a message.
    Consumer,
    /// Work within the process.
    Internal,
}

impl SpanKind {
    /// Returns the value of the tag `span.kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            SpanKind::Unknown => "unknown",
            SpanKind::Server => "server",
            SpanKind::Client => "client",
            SpanKind::Producer => "producer",
            SpanKind::Consumer => "consumer",
            SpanKind::Internal => "internal",
        }
    }
}

impl fmt::Display for SpanKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
