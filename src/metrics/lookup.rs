//! From tags that are known only when something is recorded to the instrument they stand for.
//!
//! Each thread remembers what it looked up last. Text that is part of the program is recognized by
//! its address, other text by what it says; so one instrument may be remembered twice, which does
//! no harm. A hit takes no lock, no reference count and no memory.

use std::borrow::Cow;
use std::cell::RefCell;

use crate::metrics::handle::Handle;
use crate::metrics::histogram::HistogramCell;
use crate::metrics::metric::Metric;
use crate::metrics::series::{AnySeries, Series};
use crate::metrics::tags::Tags;
use crate::sync::Arc;

/// Text of a tag.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text<'a> {
    /// Is there for as long as the program runs.
    Static(&'static str),
    /// Goes away.
    Passing(&'a str),
}

impl<'a> From<&'a Cow<'static, str>> for Text<'a> {
    #[inline]
    fn from(text: &'a Cow<'static, str>) -> Text<'a> {
        match text {
            Cow::Borrowed(text) => Text::Static(text),
            Cow::Owned(text) => Text::Passing(text),
        }
    }
}

/// Calls `record` with what the tags, on top of the handle's, stand for.
#[inline]
pub(crate) fn with(
    handle: &Handle<HistogramCell>,
    tags: &[(Text<'_>, Text<'_>)],
    record: impl Fn(&HistogramCell),
) {
    // In a model all threads are one thread of the system, and what it remembers would outlive it.
    let done = cfg!(not(kamon_loom))
        && KNOWN
            .try_with(|known| {
                let Ok(mut known) = known.try_borrow_mut() else {
                    return false;
                };
                match known.find(handle, tags) {
                    Some(series) => record(&series.cell),
                    None => record(&known.learn(handle, tags).cell),
                }
                true
            })
            .unwrap_or(false);
    if !done {
        // At the very end of a thread.
        record(&resolve(handle, tags).cell);
    }
}

/// Slots of a thread's memory: a power of two.
const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 8;

thread_local! {
    static KNOWN: RefCell<Known> = const { RefCell::new(Known { slots: None }) };
}

/// What a thread remembers.
struct Known {
    slots: Option<Box<[Option<Entry>; SLOTS]>>,
}

struct Entry {
    hash: u64,
    /// Metrics are never freed, so addresses tell them apart.
    metric: *const Metric<HistogramCell>,
    base: Tags,
    tags: Box<[(Kept, Kept)]>,
    series: Arc<Series<HistogramCell>>,
}

/// Text that is remembered.
enum Kept {
    Static(&'static str),
    Owned(Box<str>),
}

impl Known {
    #[inline]
    fn find(
        &mut self,
        handle: &Handle<HistogramCell>,
        tags: &[(Text<'_>, Text<'_>)],
    ) -> Option<&Series<HistogramCell>> {
        let hash = hash(handle, tags);
        let slots = self.slots.as_deref()?;
        // Two slots for each hash.
        for slot in [first_slot(hash), first_slot(hash) ^ 1] {
            if let Some(entry) = &slots[slot % SLOTS] {
                if entry.hash == hash && entry.is_for(handle, tags) {
                    return Some(&entry.series);
                }
            }
        }
        None
    }

    /// Puts what was newest in the slot into the other one, and what is new in its place.
    #[cold]
    fn learn(
        &mut self,
        handle: &Handle<HistogramCell>,
        tags: &[(Text<'_>, Text<'_>)],
    ) -> Arc<Series<HistogramCell>> {
        let series = resolve(handle, tags);
        let kept = tags.iter().map(|(key, value)| (key.keep(), value.keep()));
        let hash = hash(handle, tags);
        let entry = Entry {
            hash,
            metric: Arc::as_ptr(&handle.metric),
            base: handle.tags.clone(),
            tags: kept.collect(),
            series: series.clone(),
        };
        let nothing = || Box::new([const { None }; SLOTS]);
        let slots = self.slots.get_or_insert_with(nothing);
        let slot = first_slot(hash);
        let newest = slots[slot].replace(entry);
        slots[slot ^ 1] = newest.filter(|entry| !entry.series.is_removed());
        series
    }
}

#[inline]
fn first_slot(hash: u64) -> usize {
    (hash >> (u64::BITS - SLOT_BITS)) as usize
}

impl Entry {
    #[inline]
    fn is_for(&self, handle: &Handle<HistogramCell>, tags: &[(Text<'_>, Text<'_>)]) -> bool {
        std::ptr::eq(self.metric, Arc::as_ptr(&handle.metric))
            && self.base.is_same(&handle.tags)
            && self.tags.len() == tags.len()
            && self
                .tags
                .iter()
                .zip(tags)
                .all(|(known, asked)| known.0.is(asked.0) && known.1.is(asked.1))
            && !self.series.is_removed()
    }
}

impl Text<'_> {
    fn keep(self) -> Kept {
        match self {
            Text::Static(text) => Kept::Static(text),
            Text::Passing(text) => Kept::Owned(text.into()),
        }
    }

    #[inline]
    fn as_str(&self) -> &str {
        match self {
            Text::Static(text) | Text::Passing(text) => text,
        }
    }

    fn into_cow(self) -> Cow<'static, str> {
        match self {
            Text::Static(text) => text.into(),
            Text::Passing(text) => text.to_owned().into(),
        }
    }
}

impl Kept {
    /// Text that is part of the program is the same where it has the same address. No other text
    /// has the address of what is kept here.
    #[inline]
    fn is(&self, asked: Text<'_>) -> bool {
        let asked = asked.as_str();
        match self {
            Kept::Static(known) => std::ptr::eq(*known, asked),
            Kept::Owned(known) => **known == *asked,
        }
    }
}

#[cold]
fn resolve(
    handle: &Handle<HistogramCell>,
    tags: &[(Text<'_>, Text<'_>)],
) -> Arc<Series<HistogramCell>> {
    let more = tags.iter();
    let more = more.map(|(key, value)| (key.into_cow(), value.into_cow()));
    handle.metric.series(&handle.tags.with_all(more))
}

/// Mixes the metric and the values. Keys seldom differ where these do not.
#[inline]
fn hash(handle: &Handle<HistogramCell>, tags: &[(Text<'_>, Text<'_>)]) -> u64 {
    let mut hash = Arc::as_ptr(&handle.metric) as u64;
    for (_, value) in tags {
        let (text, is_static) = match value {
            Text::Static(text) => (*text, true),
            Text::Passing(text) => (*text, false),
        };
        // A bijection of all that came before, so nothing is forgotten; the product at the end
        // spreads it.
        hash = hash.rotate_left(23) ^ ((text.len() as u64) << 48);
        if is_static {
            hash ^= text.as_ptr() as u64;
        } else {
            hash = mix(hash, text.as_bytes());
        }
    }
    hash.wrapping_mul(SPREAD)
}

/// Mixes what a text says. Not inlined, for the sake of text that is known by its address.
#[inline(never)]
fn mix(mut hash: u64, text: &[u8]) -> u64 {
    let mut words = text.chunks_exact(8);
    for word in &mut words {
        let word = word.try_into().map_or(0, u64::from_le_bytes);
        hash = (hash.rotate_left(5) ^ word).wrapping_mul(SPREAD);
    }
    // What is left, with some of what was before it: the length is mixed in already.
    let rest = match (text.last_chunk(), text.first_chunk(), text.last_chunk()) {
        (Some(last), _, _) => u64::from_le_bytes(*last),
        (None, Some(first), Some(last)) => {
            let first = u64::from(u32::from_le_bytes(*first));
            first << 32 | u64::from(u32::from_le_bytes(*last))
        }
        _ => text
            .iter()
            .fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    (hash.rotate_left(5) ^ rest).wrapping_mul(SPREAD)
}

/// An odd number of which no run of bits is regular: the golden ratio's.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;
    use crate::metrics::{subscribe, timer, Subscription, Timer};
    use std::time::Duration;

    const NEVER: Duration = Duration::from_secs(86_400);

    /// The instruments of the next snapshot that recorded something, a line each.
    fn lines(subscription: &mut Subscription) -> Vec<String> {
        let period = subscription.snapshot();
        let all = period.instruments().iter();
        let lines = all.filter_map(|one| match one.value() {
            crate::metrics::Value::Distribution(seen) if !seen.is_empty() => {
                Some(format!("{} {}", one.tags(), seen.count()))
            }
            _ => None,
        });
        lines.collect()
    }

    fn record(timer: &Timer, tags: &[(&'static str, Cow<'static, str>)]) {
        let tags: Vec<_> = tags
            .iter()
            .map(|(key, value)| (Text::Static(key), Text::from(value)))
            .collect();
        timer.record_tagged(&tags, 1);
    }

    #[test]
    fn one_instrument_however_the_text_is_kept() {
        let mut seen = subscribe("lookup.text", NEVER);
        let timer = timer("lookup.text");
        for _ in 0..3 {
            record(&timer, &[("a", "x".into()), ("b", "y".into())]);
            record(
                &timer,
                &[("a", String::from("x").into()), ("b", "y".into())],
            );
            record(&timer, &[("b", "y".into()), ("a", "x".into())]);
        }
        assert_eq!(lines(&mut seen), [r#"{a="x", b="y"} 9"#]);
    }

    #[test]
    fn keys_values_and_handles_tell_instruments_apart() {
        let mut seen = subscribe("lookup.apart*", NEVER);
        let one = timer("lookup.apart");
        for _ in 0..2 {
            record(&one, &[]);
            record(&one, &[("a", "x".into())]);
            record(&one, &[("b", "x".into())]);
            record(&one, &[("a", "".into())]);
            record(&one, &[("a", "x".into()), ("a", "y".into())]);
            record(&one.with_tag("own", 1), &[("a", "x".into())]);
            record(&one.with_tag("a", 1), &[("a", "x".into())]);
            record(&timer("lookup.apart.other"), &[("a", "x".into())]);
        }
        let expected = [
            r#"{} 2"#,
            r#"{a=""} 2"#,
            r#"{a="x"} 4"#,
            r#"{a="x", own="1"} 2"#,
            r#"{a="y"} 2"#,
            r#"{b="x"} 2"#,
            r#"{a="x"} 2"#,
        ];
        assert_eq!(lines(&mut seen), expected);
    }

    #[test]
    fn more_than_a_thread_remembers() {
        let mut seen = subscribe("lookup.many", NEVER);
        let timer = timer("lookup.many").with_series_limit(3 * SLOTS);
        for _ in 0..3 {
            for number in 0..3 * SLOTS {
                record(&timer, &[("number", number.to_string().into())]);
            }
        }
        let lines = lines(&mut seen);
        assert_eq!(lines.len(), 3 * SLOTS);
        assert!(lines.iter().all(|line| line.ends_with("} 3")), "{lines:?}");
    }

    #[test]
    fn what_was_removed_is_looked_up_again() {
        let mut seen = subscribe("lookup.removed", NEVER);
        let timer = timer("lookup.removed");
        for times in 1..4 {
            record(&timer, &[("a", "x".into())]);
            assert!(timer.with_tag("a", "x").remove());
            assert_eq!(lines(&mut seen), [r#"{a="x"} 1"#], "{times}");
        }
    }

    #[test]
    fn a_thread_may_record_in_its_last_moments() {
        struct Last(Timer);

        impl Drop for Last {
            fn drop(&mut self) {
                record(&self.0, &[("a", "x".into())]);
            }
        }

        thread_local! {
            static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
        }

        let mut seen = subscribe("lookup.last", NEVER);
        let timer = timer("lookup.last");
        std::thread::scope(|scope| {
            let timer = &timer;
            // Destructors of thread-locals run in the order in which they were first used.
            let early = scope.spawn(move || {
                LAST.set(Some(Last(timer.clone())));
                record(timer, &[("a", "x".into())]);
            });
            let late = scope.spawn(move || {
                record(timer, &[("a", "x".into())]);
                LAST.set(Some(Last(timer.clone())));
            });
            // A scope's end does not wait for destructors, a join does.
            early.join().unwrap();
            late.join().unwrap();
        });
        assert_eq!(lines(&mut seen), [r#"{a="x"} 4"#]);
    }
}
