//! What is said of a span while it is open: tags, marks and the rest.

use std::ops::{Deref, DerefMut};

use crate::trace::clock::Tie;
use crate::trace::place::Hold;
use crate::trace::record::{Link, Mark};
use crate::trace::{SpanRecord, TagKey, TagValue, Timestamp};

/// How many tags, marks and links of each sort a span may have. More are left out and counted: a
/// span is bounded whatever a loop says of it.
pub(crate) const MOST: usize = 128;

/// As [`MOST`], for metric tags, of which each multiplies the number of time series.
pub(super) const MOST_METRIC_TAGS: usize = 16;

/// What is said of a span.
pub(crate) struct Details {
    pub(super) tags: Vec<(TagKey, TagValue)>,
    /// What most spans have none of.
    rare: Option<Box<Rare>>,
}

#[derive(Default)]
pub(super) struct Rare {
    pub(super) metric_tags: Vec<(TagKey, TagKey)>,
    pub(super) marks: Vec<(Timestamp, TagKey)>,
    pub(super) links: Vec<Link>,
    /// When the work of a delayed span began.
    pub(super) began: Option<Timestamp>,
    /// How much there was no room for.
    left_out: u32,
}

impl Default for Details {
    #[inline(always)]
    fn default() -> Self {
        Details {
            tags: Vec::new(),
            rare: None,
        }
    }
}

impl Details {
    /// What is said of most spans.
    #[inline]
    pub(super) fn nothing() -> &'static Details {
        static NOTHING: Details = Details {
            tags: Vec::new(),
            rare: None,
        };
        &NOTHING
    }

    /// Puts in a tag, in place of the one with this name. What was there is returned, to be
    /// dropped where nobody waits.
    pub(super) fn tag(&mut self, key: TagKey, value: TagValue) -> Option<TagValue> {
        match self.tags.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                match self.tags.len() < MOST {
                    true => self.tags.push((key, value)),
                    false => self.rare.get_or_insert_default().leave_out(),
                }
                None
            }
        }
    }

    /// As [`Details::tag`], for the span's metrics.
    pub(super) fn tag_metric(&mut self, key: TagKey, value: TagKey) -> Option<TagKey> {
        let rare = self.rare.get_or_insert_default();
        match rare.metric_tags.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                match rare.metric_tags.len() < MOST_METRIC_TAGS {
                    true => rare.metric_tags.push((key, value)),
                    false => rare.leave_out(),
                }
                None
            }
        }
    }

    /// Says these before anything else.
    pub(super) fn begin_with(&mut self, metric_tags: Vec<(TagKey, TagKey)>) {
        self.rare.get_or_insert_default().metric_tags = metric_tags;
    }

    pub(super) fn mark(&mut self, at: Timestamp, key: TagKey) {
        let rare = self.rare.get_or_insert_default();
        match rare.marks.len() < MOST {
            true => rare.marks.push((at, key)),
            false => rare.leave_out(),
        }
    }

    pub(super) fn link(&mut self, link: Link) {
        let rare = self.rare.get_or_insert_default();
        match rare.links.len() < MOST {
            true => rare.links.push(link),
            false => rare.leave_out(),
        }
    }

    /// Whether nothing is said.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.rare.is_none()
    }

    /// Lets go of what is said only in reports.
    #[inline]
    pub(super) fn forget_tags(&mut self) {
        if !self.tags.is_empty() {
            self.tags = Vec::new();
        }
    }

    /// Says when the work of a delayed span began.
    pub(super) fn begin(&mut self, at: Timestamp) {
        self.rare.get_or_insert_default().began = Some(at);
    }

    pub(super) fn began(&self) -> Option<Timestamp> {
        self.rare.as_ref().and_then(|rare| rare.began)
    }

    #[inline]
    pub(super) fn metric_tags(&self) -> &[(TagKey, TagKey)] {
        self.rare.as_ref().map_or(&[], |rare| &rare.metric_tags)
    }

    /// Moves everything into the record.
    pub(super) fn move_into(self, record: &mut SpanRecord, tie: &Tie) {
        record.tags = self.tags;
        if let Some(rare) = self.rare {
            let mark = |(at, key)| Mark {
                at: tie.time_of(at),
                key,
            };
            record.metric_tags = rare.metric_tags;
            record.marks = rare.marks.into_iter().map(mark).collect();
            record.links = rare.links;
            record.left_out = rare.left_out;
        }
    }
}

impl Rare {
    fn leave_out(&mut self) {
        self.left_out = self.left_out.saturating_add(1);
    }
}

/// The right to write to a span, until it is dropped. Nothing of the user's may run meanwhile:
/// values are made before and dropped after.
pub(super) struct Locked<'a>(&'a Hold);

impl<'a> Locked<'a> {
    /// Takes over the right that [`State::lock`](crate::trace::state::State::lock) gave.
    pub(super) fn new(span: &'a Hold) -> Self {
        Locked(span)
    }
}

impl Deref for Locked<'_> {
    type Target = Details;

    fn deref(&self) -> &Details {
        // SAFETY: we have the lock.
        self.0.details().with(|details| unsafe { &*details })
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Details {
        // SAFETY: we have the lock.
        self.0
            .details()
            .with_mut(|details| unsafe { &mut *details })
    }
}

impl Drop for Locked<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.state().unlock();
    }
}
