//! The tags of an instrument.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Pairs of text that tell the instruments of one metric apart. Ordered by key, each key once.
///
/// # Examples
///
/// ```
/// use kamon::metrics::Tags;
///
/// let tags = Tags::empty().with("zone", "a").with("attempt", 2).with("zone", "b");
/// assert_eq!(tags.get("zone"), Some("b"));
/// assert_eq!(tags.to_string(), r#"{attempt="2", zone="b"}"#);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Tags(Option<Arc<[Pair]>>);

type Pair = (Cow<'static, str>, Cow<'static, str>);

/// The value of a tag: text, or what can be written as text.
///
/// # Examples
///
/// ```
/// use kamon::metrics::TagText;
///
/// assert_eq!(TagText::from(true), TagText::from("true"));
/// assert_eq!(TagText::from(404), TagText::from("404".to_owned()));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TagText(Cow<'static, str>);

impl Tags {
    /// Returns no tags.
    pub const fn empty() -> Tags {
        Tags(None)
    }

    /// Returns these tags and one more, which takes the place of one with the same key.
    #[must_use = "the tags are returned, not changed in place"]
    pub fn with(&self, key: impl Into<Cow<'static, str>>, value: impl Into<TagText>) -> Tags {
        self.with_all([(key.into(), value.into().0)])
    }

    /// These tags and more, of which a later one takes the place of an earlier one.
    pub(crate) fn with_all(&self, more: impl IntoIterator<Item = Pair>) -> Tags {
        let mut pairs = self.pairs().to_vec();
        for (key, value) in more {
            match pairs.binary_search_by(|pair| pair.0.cmp(&key)) {
                Ok(at) => pairs[at].1 = value,
                Err(at) => pairs.insert(at, (key, value)),
            }
        }
        if pairs.is_empty() {
            return Tags::empty();
        }
        Tags(Some(pairs.into()))
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        let pairs = self.pairs();
        let at = pairs.binary_search_by(|pair| pair.0.as_ref().cmp(key));
        at.ok().map(|at| pairs[at].1.as_ref())
    }

    /// Returns all pairs, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs().iter().map(|pair| (&*pair.0, &*pair.1))
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.pairs().len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether these are the very same: equal tags that were made apart are not.
    #[inline]
    pub(crate) fn is_same(&self, other: &Tags) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    fn pairs(&self) -> &[Pair] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, (key, value)) in self.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{key}={value:?}")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl From<&'static str> for TagText {
    fn from(text: &'static str) -> TagText {
        TagText(text.into())
    }
}

impl From<String> for TagText {
    fn from(text: String) -> TagText {
        TagText(text.into())
    }
}

impl From<Cow<'static, str>> for TagText {
    fn from(text: Cow<'static, str>) -> TagText {
        TagText(text)
    }
}

impl From<bool> for TagText {
    fn from(value: bool) -> TagText {
        TagText(if value { "true" } else { "false" }.into())
    }
}

macro_rules! from_integers {
    ($($integer:ty)*) => {
        $(impl From<$integer> for TagText {
            fn from(value: $integer) -> TagText {
                TagText(value.to_string().into())
            }
        })*
    };
}

from_integers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
