//! One key to and from a carrier: what a codec is.

use crate::context::Context;
use crate::propagation::{CodecError, HeaderReader, HeaderWriter};

/// One key of the [`Context`] to and from headers.
///
/// Registered by name in a [`CodecsBuilder`](super::CodecsBuilder), where a key is told to use it.
/// A codec reads and writes its own key and leaves the others alone. One that fails or panics
/// loses its own entry, is [counted](super::stats), and harms no other.
///
/// # Examples
///
/// ```
/// use kamon::propagation::{Codec, CodecError, Codecs, HeaderReader, HeaderWriter};
/// use kamon::{Context, Key};
///
/// static SESSION_ID: Key<Option<i32>> = Key::broadcast("sessionID", || None);
///
/// struct Session;
///
/// impl Codec for Session {
///     fn encode(&self, context: &Context, headers: &mut dyn HeaderWriter) -> Result<(), CodecError> {
///         match context.get(&SESSION_ID) {
///             Some(id) => headers.set("X-Session", &id.to_string()),
///             None => Ok(()),
///         }
///     }
///
///     fn decode(&self, headers: &dyn HeaderReader, context: &Context) -> Result<Context, CodecError> {
///         match headers.first("X-Session") {
///             Some(id) => Ok(context.with_key(&SESSION_ID, Some(id.parse()?))),
///             None => Ok(context.clone()),
///         }
///     }
/// }
///
/// let codecs = Codecs::builder()
///     .codec("session", Session)
///     .http_headers("sessionID", ["session"])
///     .build();
/// let context = Context::empty().with_key(&SESSION_ID, Some(42));
/// let mut headers = Vec::new();
/// codecs.encode_headers(&context, &mut headers);
/// assert_eq!(headers, [("X-Session".to_string(), "42".to_string())]);
/// assert_eq!(codecs.decode_headers(&headers).get(&SESSION_ID), &Some(42));
/// ```
pub trait Codec: Send + Sync {
    /// Writes the key's value, or nothing if the Context has none.
    ///
    /// # Errors
    ///
    /// If there is a value and it cannot be written.
    fn encode(&self, context: &Context, headers: &mut dyn HeaderWriter) -> Result<(), CodecError>;

    /// Returns the given Context with the key's value in it, or unchanged if the headers have none.
    ///
    /// # Errors
    ///
    /// If there is something, and it is no value of the key.
    fn decode(&self, headers: &dyn HeaderReader, context: &Context) -> Result<Context, CodecError>;

    /// Writes what the one who asked is told with the response: nothing, for nearly all codecs.
    ///
    /// # Errors
    ///
    /// As in [`encode`](Codec::encode).
    fn encode_response(
        &self,
        context: &Context,
        headers: &mut dyn HeaderWriter,
    ) -> Result<(), CodecError> {
        let _ = (context, headers);
        Ok(())
    }
}

/// One key of the [`Context`] to and from bytes, for brokers and other binary transports.
///
/// What [`Codec`] says of its own entry goes for this one too.
pub trait BinaryCodec: Send + Sync {
    /// Appends the key's value, or nothing if the Context has none.
    ///
    /// # Errors
    ///
    /// If there is a value and it cannot be written.
    fn encode(&self, context: &Context, bytes: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Returns the given Context with the key's value in it.
    ///
    /// # Errors
    ///
    /// If the bytes are no value of the key.
    fn decode(&self, bytes: &[u8], context: &Context) -> Result<Context, CodecError>;
}
