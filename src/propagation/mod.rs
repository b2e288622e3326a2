//! Codecs: how a Context leaves one process and is current again in the next.
//!
//! [`Codecs`] says which key goes through which [`Codec`]. Whoever sends a request writes the
//! current Context with [`Codecs::encode_headers`]; whoever gets it reads a Context with
//! [`Codecs::decode_headers`] and makes it current. Brokers and actors use
//! [`Codecs::encode_binary`] and [`Codecs::decode_binary`].
//!
//! # What may come in
//!
//! Bytes from outside are hostile. A codec reads exactly what its format's text allows, looks at no
//! more than a limit that stands beside it, allocates for nothing that is not there, and what does
//! not parse is as if absent. One that fails or panics loses its own entry; the rest are carried, and
//! [`stats`] counts it.

mod arrival;
mod b3;
mod baggage;
mod builder;
mod carrier;
mod codec;
mod codecs;
mod colfer;
mod contain;
mod current;
mod error;
mod header;
mod hex;
mod key_name;
mod line;
mod span_codec;
mod stats;
mod text;
mod token;
mod w3c;

pub use arrival::trace_state;
pub use baggage::Baggage;
pub use builder::{CodecsBuilder, UnknownCodec};
pub use codec::{BinaryCodec, Codec};
pub use codecs::Codecs;
pub use error::CodecError;
#[allow(unused_imports)] // For toolkits that write headers of their own.
pub(crate) use header::check_value;
pub use header::{check_header, HeaderReader, HeaderWriter};
#[allow(unused_imports)] // As above.
pub(crate) use line::Line;
pub use stats::{stats, PropagationStats};
pub use token::{trace_token, trace_token_key};
