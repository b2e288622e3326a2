//! Tags: what is said of a span, as name and value.

use std::borrow::Cow;
use std::fmt;

/// A tag's name.
pub type TagKey = Cow<'static, str>;

/// A tag's value.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum TagValue {
    /// Text.
    String(Cow<'static, str>),
    /// An integer.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Yes or no.
    Bool(bool),
}

impl TagValue {
    /// Returns the text, where the value is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            TagValue::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value as text.
    pub fn into_text(self) -> Cow<'static, str> {
        match self {
            TagValue::String(text) => text,
            TagValue::Bool(true) => Cow::Borrowed("true"),
            TagValue::Bool(false) => Cow::Borrowed("false"),
            number => Cow::Owned(number.to_string()),
        }
    }
}

impl fmt::Display for TagValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TagValue::String(text) => f.write_str(text),
            TagValue::Int(number) => number.fmt(f),
            TagValue::Float(number) => number.fmt(f),
            TagValue::Bool(flag) => flag.fmt(f),
        }
    }
}

macro_rules! from {
    ($variant:ident, $convert:expr, $($type:ty),+) => {
        $(impl From<$type> for TagValue {
            fn from(value: $type) -> Self {
                let convert: fn($type) -> _ = $convert;
                TagValue::$variant(convert(value))
            }
        })+
    };
}

from!(String, Cow::Borrowed, &'static str);
from!(String, Cow::Owned, String);
from!(String, |text| text, Cow<'static, str>);
from!(Bool, |flag| flag, bool);
from!(Int, i64::from, i8, i16, i32, i64, u8, u16, u32);
// A count beyond the range of the wire formats is as good as the greatest in it.
from!(
    Int,
    |number| i64::try_from(number).unwrap_or(i64::MAX),
    u64,
    usize
);
from!(Int, |number| number as i64, isize);
from!(Float, f64::from, f32, f64);
