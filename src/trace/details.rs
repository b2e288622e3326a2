//! What is said of a span while it is open: tags, marks and the rest.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};
use std::ptr;

use crate::trace::clock::Tie;
use crate::trace::memory::fetch;
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
    /// Memory for a text, empty.
    text: String,
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

    /// There was no room for another name.
    #[cold]
    pub(super) fn leave_out_name(&mut self) {
        self.rare.get_or_insert_default().leave_out();
    }

    /// Says in a tag, which is not there yet, what is written. It need not be new memory.
    pub(super) fn write_tag(&mut self, key: TagKey, write: impl FnOnce(&mut String)) {
        let rare = self.rare.get_or_insert_default();
        let mut text = std::mem::take(&mut rare.text);
        write(&mut text);
        self.tag(key, TagValue::String(text.into()));
    }

    /// Whether nothing is said and no memory is kept.
    #[inline]
    pub(super) fn owns_nothing(&self) -> bool {
        self.tags.capacity() == 0 && self.rare.is_none()
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

    /// Has the processor fetch what this points at.
    #[inline]
    pub(super) fn fetch(&self) {
        if let Some(rare) = &self.rare {
            fetch(ptr::from_ref::<Rare>(rare), size_of::<Rare>());
        }
        if self.tags.capacity() != 0 {
            fetch(self.tags.as_ptr(), 128);
        }
    }

    /// Takes over what is said, where nothing is said yet and memory may be left for it.
    pub(super) fn take_over(&mut self, said: &mut Details) {
        append(&mut self.tags, &mut said.tags);
        match (&mut self.rare, &mut said.rare) {
            (_, None) => {}
            (Some(rare), Some(said)) => rare.take_over(said),
            (rare, said) => *rare = said.take(),
        }
    }

    /// Moves everything into the record. What an older one has used, which nobody reads any more,
    /// is memory for what is said here next.
    pub(super) fn move_into(
        &mut self,
        record: &mut SpanRecord,
        tie: &Tie,
        mut older: Option<SpanRecord>,
    ) {
        let text = older.as_mut().and_then(|older| empty(&mut older.tags));
        swap(&mut self.tags, &mut record.tags, &mut older, |older| {
            &mut older.tags
        });
        let Some(rare) = &mut self.rare else {
            return;
        };
        swap(
            &mut rare.metric_tags,
            &mut record.metric_tags,
            &mut older,
            |older| &mut older.metric_tags,
        );
        if let Some(text) = text {
            rare.text = text;
        }
        let mark = |(at, key)| Mark {
            at: tie.time_of(at),
            key,
        };
        record.marks = rare.marks.drain(..).map(mark).collect();
        record.links = std::mem::take(&mut rare.links);
        record.left_out = rare.left_out;
    }

    /// Forgets everything, for the next span. Memory that is small stays.
    pub(super) fn clear(&mut self) {
        clear(&mut self.tags);
        if let Some(rare) = &mut self.rare {
            clear(&mut rare.metric_tags);
            clear(&mut rare.marks);
            clear(&mut rare.links);
            (rare.began, rare.left_out) = (None, 0);
        }
    }
}

/// How many of each sort there is memory for in a place that is free: no more than most spans have.
const KEPT: usize = 8;

/// The longest text that there is memory for.
const LONGEST: usize = 256;

fn clear<T>(list: &mut Vec<T>) {
    match list.capacity() <= KEPT {
        true => list.clear(),
        false => *list = Vec::new(),
    }
}

/// Moves everything from one list to another that is empty.
fn append<T>(empty: &mut Vec<T>, list: &mut Vec<T>) {
    match empty.capacity() < list.len() {
        true => *empty = std::mem::take(list),
        false => empty.append(list),
    }
}

/// Moves what is said into a record, and the memory of an older one where it was.
fn swap<T>(
    said: &mut Vec<T>,
    record: &mut Vec<T>,
    older: &mut Option<SpanRecord>,
    list: fn(&mut SpanRecord) -> &mut Vec<T>,
) {
    if said.is_empty() {
        return;
    }
    if let Some(list) = older.as_mut().map(list) {
        clear(list);
        *record = std::mem::take(list);
    }
    std::mem::swap(said, record);
}

/// Takes a text out of tags that nobody reads any more.
fn empty(tags: &mut [(TagKey, TagValue)]) -> Option<String> {
    tags.iter_mut().find_map(|(_, value)| match value {
        TagValue::String(Cow::Owned(text)) if text.capacity() <= LONGEST => {
            let mut text = std::mem::take(text);
            text.clear();
            Some(text)
        }
        _ => None,
    })
}

impl Rare {
    fn take_over(&mut self, said: &mut Rare) {
        append(&mut self.metric_tags, &mut said.metric_tags);
        append(&mut self.marks, &mut said.marks);
        append(&mut self.links, &mut said.links);
        (self.began, self.left_out) = (said.began, said.left_out);
    }

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

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;
    use crate::trace::{SpanId, TraceId};

    #[test]
    fn the_memory_of_an_older_record_is_used_and_nothing_that_it_says() {
        let tie = Tie::current();
        let mut details = Details::default();
        let (mut older, mut places) = (None, Vec::new());
        for number in 0..5_u32 {
            let value = |of| format!("{of} {number}");
            details.write_tag("url".into(), |text| {
                assert_eq!(text, "");
                text.push_str(&value("url"));
            });
            details.tag("tag".into(), value("tag").into());
            details.tag_metric("metric".into(), value("metric").into());
            details.mark(Timestamp::now(), "mark".into());
            let mut record = SpanRecord::new(TraceId::new(1), SpanId::new(1), "work");
            details.move_into(&mut record, &tie, older.take());
            details.clear();
            assert!(details.tags.is_empty() && details.metric_tags().is_empty());

            let tag = |key, of| (TagKey::Borrowed(key), TagValue::from(value(of)));
            assert_eq!(record.tags, [tag("url", "url"), tag("tag", "tag")]);
            let metric = (TagKey::Borrowed("metric"), value("metric").into());
            assert_eq!(record.metric_tags, [metric]);
            assert_eq!((record.marks.len(), record.left_out), (1, 0));
            let url = record.tags[0].1.as_str().map(str::as_ptr);
            let lists = (record.tags.as_ptr(), record.metric_tags.as_ptr());
            places.push((lists, url));
            older = Some(record);
        }
        // Two of each take turns.
        assert_ne!(places[0], places[1]);
        assert_eq!((places[2], places[3]), (places[0], places[1]));
    }

    #[test]
    fn what_is_large_is_not_kept() {
        let mut details = Details::default();
        for number in 0..MOST {
            details.tag(number.to_string().into(), true.into());
        }
        details.clear();
        assert_eq!(details.tags.capacity(), 0);
        let mut long = [("text".into(), "x".repeat(LONGEST + 1).into())];
        assert!(empty(&mut long).is_none());
    }
}
