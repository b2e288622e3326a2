//! A thread's memory of the timers that it used last for spans.
//!
//! What most spans are called, and what a toolkit says of each request, is part of the program: the
//! name, the tags and their values, each as one of few texts. They are told apart by where they lie,
//! without a look at the text.

use std::cell::RefCell;
use std::ptr;

use crate::metrics::{ThreadTimer, Timer};
use crate::trace::measure::{failure, timers_of_work};
use crate::trace::TagKey;

/// What tells the timers apart.
#[derive(Clone, Copy)]
pub(super) struct Tagged<'a> {
    pub(super) operation: &'a TagKey,
    pub(super) parent: Option<&'static str>,
    pub(super) failed: bool,
    pub(super) tags: &'a [(TagKey, TagKey)],
}

/// Spans with more tags are looked up by what these say.
const MOST: usize = 4;
/// They are used in pairs.
const SLOTS: usize = 128;

struct Known {
    operation: &'static str,
    parent: Option<&'static str>,
    failed: bool,
    tags: [(&'static str, &'static str); MOST],
    count: usize,
    timer: ThreadTimer,
    /// Those of what the executor did, where it has said so.
    work: Option<Box<[ThreadTimer; 3]>>,
}

type Slots = [Option<Known>; SLOTS];

thread_local! {
    static KNOWN: RefCell<Slots> = const { RefCell::new([const { None }; SLOTS]) };
}

impl Tagged<'_> {
    /// Records the duration of such a span in the timer with these tags, unless one of them is not
    /// part of the program.
    #[inline]
    pub(super) fn record(self, base: &Timer, nanos: u64, work: Option<[u64; 3]>) -> bool {
        // In a model all threads are one thread of the system, whose memory would outlive it.
        let slot = match self.slot() {
            Some(slot) if !cfg!(kamon_loom) => slot,
            _ => return false,
        };
        let recorded = KNOWN.try_with(|known| {
            let Ok(mut known) = known.try_borrow_mut() else {
                return false;
            };
            let is_here = |slot: &usize| known[*slot].as_ref().is_some_and(|one| one.is(&self));
            let slot = match [slot, slot ^ 1].iter().find(|slot| is_here(slot)) {
                Some(found) => *found,
                None => match self.learn(base) {
                    Some(new) => {
                        // The one that was here goes next door, so that two do not oust each other.
                        let older = known[slot].replace(new);
                        if let Some(older) = older.filter(|one| !one.timer.is_removed()) {
                            known[slot ^ 1] = Some(older);
                        }
                        slot
                    }
                    None => return false,
                },
            };
            if let Some(known) = &mut known[slot] {
                known.timer.record_nanos(nanos);
                if let Some(work) = work {
                    known.record_work(work);
                }
            }
            true
        });
        recorded.unwrap_or(false)
    }

    /// Where such a timer is remembered.
    #[inline]
    fn slot(&self) -> Option<usize> {
        if self.tags.len() > MOST {
            return None;
        }
        let mut mixed = place(staying(self.operation)?) ^ u64::from(self.failed);
        mixed ^= self.parent.map_or(0, place).rotate_left(32);
        for (_, value) in self.tags {
            mixed = mixed.rotate_left(13) ^ place(staying(value)?);
        }
        let mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Some((mixed >> (u64::BITS - SLOTS.trailing_zeros())) as usize)
    }

    #[cold]
    fn learn(&self, base: &Timer) -> Option<Known> {
        let operation = staying(self.operation)?;
        let mut timer = base.with_tag("operation", operation);
        timer = timer.with_tag("error", failure(self.failed));
        if let Some(parent) = self.parent {
            timer = timer.with_tag("parentOperation", parent);
        }
        let mut tags = [("", ""); MOST];
        for (tag, (key, value)) in tags.iter_mut().zip(self.tags) {
            *tag = (staying(key)?, staying(value)?);
            timer = timer.with_tag(tag.0, tag.1);
        }
        Some(Known {
            operation,
            parent: self.parent,
            failed: self.failed,
            tags,
            count: self.tags.len(),
            timer: ThreadTimer::of(&timer),
            work: None,
        })
    }
}

impl Known {
    #[inline]
    fn is(&self, asked: &Tagged<'_>) -> bool {
        let same = |known: &str, asked: &TagKey| ptr::eq(known, &**asked);
        let parents = match (self.parent, asked.parent) {
            (Some(known), Some(asked)) => ptr::eq(known, asked),
            (known, asked) => known.is_none() && asked.is_none(),
        };
        let tags = self.tags.iter().zip(asked.tags);
        parents
            && self.count == asked.tags.len()
            && same(self.operation, asked.operation)
            && self.failed == asked.failed
            && tags.fold(true, |all, (known, (key, value))| {
                all && same(known.0, key) && same(known.1, value)
            })
            && !self.timer.is_removed()
    }
}

/// The text, if it is part of the program. Other text is never where that lies.
impl Known {
    #[cold]
    fn record_work(&mut self, times: [u64; 3]) {
        let known = self.work.as_deref();
        if known.is_none_or(|timers| timers.iter().any(ThreadTimer::is_removed)) {
            let timers = timers_of_work(self.operation);
            self.work = Some(Box::new(timers.each_ref().map(ThreadTimer::of)));
        }
        for (timer, nanos) in self.work.iter_mut().flat_map(|work| &mut **work).zip(times) {
            timer.record_nanos(nanos);
        }
    }
}

#[inline]
fn staying(text: &TagKey) -> Option<&'static str> {
    match text {
        TagKey::Borrowed(text) => Some(text),
        TagKey::Owned(_) => None,
    }
}

#[inline]
fn place(text: &str) -> u64 {
    text.as_ptr() as usize as u64
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;
    use crate::metrics::{subscribe, timer, Value};
    use std::collections::BTreeMap;
    use std::sync::LazyLock;
    use std::time::Duration;

    /// What there is in the timer of this name: by tags, how often it was recorded.
    fn counts(name: &'static str, record: impl FnOnce(&Timer)) -> BTreeMap<String, u64> {
        let mut seen = subscribe(name, Duration::from_secs(86_400));
        record(&timer(name));
        let period = seen.snapshot();
        let all = period.instruments().iter();
        let counted = all.filter_map(|one| match one.value() {
            Value::Distribution(seen) => Some((one.tags().to_string(), seen.count())),
            _ => None,
        });
        counted.collect()
    }

    fn tagged<'a>(operation: &'a TagKey, tags: &'a [(TagKey, TagKey)]) -> Tagged<'a> {
        Tagged {
            operation,
            parent: None,
            failed: false,
            tags,
        }
    }

    /// More names than there are slots, as if they were part of the program.
    fn names() -> impl Iterator<Item = &'static str> {
        static NAMES: LazyLock<Vec<String>> =
            LazyLock::new(|| (0..3 * SLOTS).map(|number| number.to_string()).collect());
        NAMES.iter().map(String::as_str)
    }

    #[test]
    fn each_part_tells_timers_apart() {
        let operation = TagKey::Borrowed("work");
        let tag = |key, value| (TagKey::Borrowed(key), TagKey::Borrowed(value));
        let found = counts("known.timers.apart", |timer| {
            for _ in 0..3 {
                let one = [tag("a", "x")];
                let other = [tag("b", "x")];
                let both = [tag("a", "x"), tag("b", "x")];
                for tags in [&[][..], &one, &other, &both] {
                    assert!(tagged(&operation, tags).record(timer, 1, None));
                }
                let all = tagged(&operation, &one);
                let failed = Tagged {
                    failed: true,
                    ..all
                };
                let parent = Some("parent");
                assert!(failed.record(timer, 1, None));
                assert!(Tagged { parent, ..all }.record(timer, 1, None));
            }
        });
        assert_eq!(found.len(), 6, "{found:?}");
        assert!(found.values().all(|count| *count == 3), "{found:?}");
        let all = r#"{a="x", error="false", operation="work", parentOperation="parent"}"#;
        assert!(found.contains_key(all), "{found:?}");
    }

    #[test]
    fn two_in_one_slot_are_both_remembered() {
        let names: Vec<TagKey> = names().map(TagKey::Borrowed).collect();
        let slot = |name| tagged(name, &[]).slot();
        let pair = names.iter().enumerate().find_map(|(place, one)| {
            let other = names[..place].iter().find(|other| slot(other) == slot(one));
            Some([one, other?])
        });
        let pair = pair.expect("there are more names than slots");
        counts("known.timers.pair", |timer| {
            let learnt = || {
                let known = |known: &RefCell<Slots>| {
                    let known = known.borrow();
                    let timers = known.iter().flatten();
                    timers.map(|one| one.operation.as_ptr()).collect::<Vec<_>>()
                };
                KNOWN.with(known)
            };
            for name in pair {
                assert!(tagged(name, &[]).record(timer, 1, None));
            }
            let before = learnt();
            for name in pair.repeat(3) {
                assert!(tagged(name, &[]).record(timer, 1, None));
                // Learnt again, it would have changed places with the other.
                assert_eq!(learnt(), before);
            }
        });
    }

    #[test]
    fn more_than_are_remembered_are_told_apart() {
        let names: Vec<&'static str> = names().collect();
        let found = counts("known.timers.many", |timer| {
            for _ in 0..2 {
                for name in &names {
                    let (work, name) = (TagKey::Borrowed("work"), TagKey::Borrowed(name));
                    let tags = [(TagKey::Borrowed("a"), name.clone())];
                    assert!(tagged(&work, &tags).record(timer, 1, None));
                    assert!(tagged(&name, &[]).record(timer, 1, None));
                }
            }
        });
        assert_eq!(found.len(), 2 * names.len());
        assert!(found.values().all(|count| *count == 2), "{found:?}");
    }

    #[test]
    fn what_is_not_part_of_the_program_is_not_remembered() {
        let (known, made) = (TagKey::Borrowed("x"), TagKey::Owned("x".into()));
        let found = counts("known.timers.made", |timer| {
            let key = [(made.clone(), known.clone())];
            let value = [(known.clone(), made.clone())];
            let good = [(known.clone(), known.clone())];
            let many = [const { (TagKey::Borrowed("y"), TagKey::Borrowed("z")) }; MOST + 1];
            assert!(tagged(&known, &good).record(timer, 1, None));
            assert!(!tagged(&known, &key).record(timer, 1, None));
            assert!(!tagged(&known, &value).record(timer, 1, None));
            assert!(!tagged(&known, &many).record(timer, 1, None));
            assert!(!tagged(&made, &good).record(timer, 1, None));
        });
        assert_eq!(found.into_values().sum::<u64>(), 1);
    }
}
