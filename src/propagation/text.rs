//! Broadcast keys for text, which need no codec written for them.

use crate::context::registry::KEYS;
use crate::context::{Context, Key};
use crate::propagation::{BinaryCodec, Codec, CodecError, HeaderReader, HeaderWriter};
use crate::sync::statics::Mutex;

/// Longer texts are as if absent: what comes in is kept for as long as the request is.
const LONGEST: usize = 8 * 1024;

/// A text under a [`Key::broadcast_string`], as a header and as bytes.
pub(super) struct Text {
    key: TextKey,
    header: String,
}

/// The key for text that is known by its name only.
pub(super) struct TextKey(Key<Option<String>>);

impl TextKey {
    pub(super) fn named(name: &str) -> Self {
        TextKey(Key::broadcast_string(staying(name)))
    }

    pub(super) fn name(&self) -> &'static str {
        self.0.name()
    }

    /// The text, unless it is one that stays in the process: a local key may have that name.
    pub(super) fn get<'a>(&'a self, context: &'a Context) -> Option<&'a str> {
        let text = context.get(&self.0).as_deref()?;
        (!context.keeps(self.0.id())).then_some(text)
    }

    pub(super) fn put(&self, context: &Context, text: &str) -> Result<Context, CodecError> {
        if text.len() > LONGEST {
            return Err("the text is too long".into());
        }
        Ok(context.with_key(&self.0, Some(text.to_owned())))
    }
}

impl Text {
    pub(super) fn new(key: &str, header: &str) -> Self {
        Text {
            key: TextKey::named(key),
            header: header.to_owned(),
        }
    }
}

impl Codec for Text {
    fn encode(&self, context: &Context, headers: &mut dyn HeaderWriter) -> Result<(), CodecError> {
        match self.key.get(context) {
            Some(text) => headers.set(&self.header, text),
            None => Ok(()),
        }
    }

    fn decode(&self, headers: &dyn HeaderReader, context: &Context) -> Result<Context, CodecError> {
        match headers.first(&self.header) {
            Some(text) => self.key.put(context, text),
            None => Ok(context.clone()),
        }
    }
}

impl BinaryCodec for Text {
    fn encode(&self, context: &Context, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
        bytes.extend_from_slice(self.key.get(context).unwrap_or_default().as_bytes());
        Ok(())
    }

    fn decode(&self, bytes: &[u8], context: &Context) -> Result<Context, CodecError> {
        self.key.put(context, std::str::from_utf8(bytes)?)
    }
}

/// A name that stays, as the names of keys do. The same one each time, so that building codecs
/// again costs no memory again.
fn staying(name: &str) -> &'static str {
    static NAMES: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
    if let Some(record) = KEYS.named(name) {
        return record.name;
    }
    let mut names = NAMES.lock();
    match names.iter().find(|known| **known == name) {
        Some(known) => known,
        None => {
            let name: &'static str = Box::leak(name.into());
            names.push(name);
            name
        }
    }
}
