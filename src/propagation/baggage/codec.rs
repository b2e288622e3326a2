//! The codec of all that travels in the header `baggage`.

use crate::context::Context;
use crate::propagation::baggage::Baggage;
use crate::propagation::text::TextKey;
use crate::propagation::{contain, Codec, CodecError, HeaderReader, HeaderWriter};

const HEADER: &str = "baggage";

/// All that travels in the header `baggage`: one codec, because it is one header. Its keys fail one
/// by one nevertheless, as when a name is that of a key for something else than text.
pub(in crate::propagation) struct BaggageCodec {
    /// The members that are keys of this process.
    keys: Vec<TextKey>,
    /// Whether the others are kept too.
    others: bool,
}

impl BaggageCodec {
    /// The codec for these keys, of which `baggage` stands for the members of other names.
    pub(in crate::propagation) fn new<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        let mut codec = BaggageCodec {
            keys: Vec::new(),
            others: false,
        };
        for key in keys {
            if key == Baggage::key().name() {
                codec.others = true;
            } else if codec.keys.iter().all(|known| known.name() != key) {
                codec.keys.push(TextKey::named(key));
            }
        }
        codec
    }
}

impl Codec for BaggageCodec {
    fn encode(&self, context: &Context, headers: &mut dyn HeaderWriter) -> Result<(), CodecError> {
        let mut baggage = Baggage::default();
        if self.others {
            baggage = context.get(Baggage::key()).clone();
        }
        let mut own = 0;
        for key in &self.keys {
            contain::encoding(|| {
                if let Some(text) = key.get(context) {
                    baggage = baggage.with(key.name(), text);
                    own += 1;
                }
                Ok(())
            });
        }
        match baggage.print(own) {
            header if header.is_empty() => Ok(()),
            header => headers.set(HEADER, &header),
        }
    }

    fn decode(&self, headers: &dyn HeaderReader, context: &Context) -> Result<Context, CodecError> {
        let mut values = Vec::new();
        headers.each(HEADER, &mut |value| values.push(value));
        let mut baggage = Baggage::parse(values);
        let mut context = context.clone();
        for key in &self.keys {
            let Some(text) = baggage.get(key.name()) else {
                continue;
            };
            if let Some(read) = contain::decoding(|| key.put(&context, text)) {
                context = read;
            }
            baggage = baggage.without(key.name());
        }
        if self.others && !baggage.is_empty() {
            context = context.with_key(Baggage::key(), baggage);
        }
        Ok(context)
    }
}
