//! Where a span lives: a place in memory that stays when the span goes, and the holds on it.

use std::mem::MaybeUninit;
use std::ops::Deref;
use std::ptr::{self, NonNull};

use crate::sync::statics::{AtomicPtr, AtomicU32, Ordering};
use crate::sync::UnsafeCell;
use crate::trace::body::Body;
use crate::trace::details::{Details, Locked};
use crate::trace::later_names::LaterNames;
use crate::trace::memory;
use crate::trace::names::{self, Name};
use crate::trace::state::{Flags, Released, State};
use crate::trace::work_counts::{Turns, WorkCounts};
use crate::trace::{finish, TagKey};

/// A place for a span: two cache lines that every span uses, and one for what most have none of.
///
/// Places are used again and never given back to the system, so that a [`Watch`] may look at one
/// at any time; there are as many as there were open and unreported spans at once.
#[repr(C, align(64))]
pub(crate) struct Place {
    state: State,
    /// The name that the span was given later; null if there is none. Names that are here stay.
    renamed: AtomicPtr<Name>,
    /// Which span it is that lives here, counted.
    generation: AtomicU32,
    turns: Turns,
    body: UnsafeCell<MaybeUninit<Body>>,
    rest: Rest,
}

/// What most spans have none of. It says nothing in a place that is free, and is not touched by a span
/// that needs none of it: `Flags::SAID` tells of the details and the names, `turns` of the work.
///
/// `details` belongs to whoever has [locked](State::lock) the state, and once the span is finished
/// to whoever finished it, who passes that right on with the
/// [`FinishedSpan`](crate::trace::sink::FinishedSpan).
pub(crate) struct Rest {
    details: UnsafeCell<Details>,
    names: LaterNames,
    /// What the executor did for the span.
    work: WorkCounts,
}

impl Place {
    /// A place in which nobody lives.
    pub(super) fn new() -> Self {
        Place {
            state: State::new(Flags::FINISHED),
            renamed: AtomicPtr::new(ptr::null_mut()),
            generation: AtomicU32::new(0),
            turns: Turns::default(),
            body: UnsafeCell::new(MaybeUninit::uninit()),
            rest: Rest {
                details: UnsafeCell::new(Details::default()),
                names: LaterNames::new(),
                work: WorkCounts::default(),
            },
        }
    }
}

/// A free place, for one span. It is found before the span is made, which is then written there and
/// nowhere else before.
#[must_use = "a place that is not used is lost"]
pub(super) struct Vacancy(NonNull<Place>);

impl Vacancy {
    #[inline(always)]
    pub(super) fn find() -> Vacancy {
        Vacancy(memory::allocate())
    }

    /// Lets a span live here.
    #[inline(always)]
    pub(super) fn fill(self, mut flags: Flags, details: &mut Details, body: Body) -> Hold {
        // SAFETY: the place is free and ours; those who watch it look at its atomics only.
        let place = unsafe { self.0.as_ref() };
        if place.state.flags().any(Flags::SAID) {
            // SAFETY: as above. What was said of the last span is said of the next, most often.
            place.rest.details.with(|said| unsafe { (*said).fetch() });
        }
        // SAFETY: as above.
        place.body.with_mut(|place| unsafe { (*place).write(body) });
        if !details.owns_nothing() {
            flags = flags.and(Flags::SAID);
            // SAFETY: as above.
            let said = |empty: *mut Details| unsafe { (*empty).take_over(details) };
            place.rest.details.with_mut(said);
        }
        place.renamed.store(ptr::null_mut(), Ordering::Relaxed);
        place.state.begin(flags);
        Hold(self.0)
    }
}

/// A counted hold on a span.
#[repr(transparent)]
pub(crate) struct Hold(NonNull<Place>);

// SAFETY: a `Body` and `Details` may be shared and dropped on any thread, `Rest` says whose the
// details are, and all else in a place is atomic.
unsafe impl Send for Hold {}
// SAFETY: as above.
unsafe impl Sync for Hold {}

impl Hold {
    /// How much memory a span takes besides what is said of it.
    pub(crate) const SIZE: usize = size_of::<Place>();

    #[inline(always)]
    fn place(&self) -> &Place {
        // SAFETY: places stay.
        unsafe { self.0.as_ref() }
    }

    /// Whether both hold one and the same.
    #[inline]
    pub(super) fn is_same(&self, other: &Hold) -> bool {
        self.0 == other.0
    }

    #[inline(always)]
    pub(super) fn state(&self) -> &State {
        &self.place().state
    }

    #[inline(always)]
    pub(super) fn flags(&self) -> Flags {
        self.state().flags()
    }

    /// A second hold, of which the count knows already.
    ///
    /// # Safety
    ///
    /// The count must have been raised for it.
    #[inline]
    pub(super) unsafe fn counted(&self) -> Hold {
        Hold(self.0)
    }

    /// Has the processor fetch the place.
    #[inline]
    pub(super) fn fetch(&self) {
        memory::fetch(self.0.as_ptr(), Hold::SIZE);
    }

    /// Has the processor fetch what was said of a span that is finished.
    #[inline]
    pub(super) fn fetch_said(&self) {
        if self.flags().any(Flags::SAID) {
            // SAFETY: the span is finished and the right to its details came with it.
            self.details().with(|details| unsafe { (*details).fetch() });
        }
    }

    /// What is said of a span that is open and that nobody else holds.
    #[inline]
    pub(super) fn alone(&mut self) -> Option<&mut Details> {
        if !self.state().say_alone() {
            return None;
        }
        // SAFETY: there is no other hold, and this one is lent to nobody else.
        Some(self.details().with_mut(|details| unsafe { &mut *details }))
    }

    /// Begins to write. `None` if the span is finished.
    #[inline]
    pub(super) fn lock(&self) -> Option<Locked<'_>> {
        self.state().lock().then(|| Locked::new(self))
    }

    /// Gives the span another name, unless it had too many. Returns whether it is open.
    pub(super) fn rename(&self, name: TagKey) -> bool {
        // Before, and not while the span is locked.
        let kept = ptr::from_ref(names::kept(&name)).cast_mut();
        let Some(mut locked) = self.lock() else {
            return false;
        };
        // SAFETY: we have the lock.
        if unsafe { self.place().rest.names.add(name) } {
            // Ordering: Release pairs with the Acquire in `Watch::name`: who finds the name finds
            // the generation that it belongs to, or a later one.
            self.place().renamed.store(kept, Ordering::Release);
        } else {
            locked.leave_out_name();
        }
        true
    }

    /// The name that it has now.
    #[inline]
    pub(super) fn name(&self) -> &TagKey {
        let later = match self.flags().any(Flags::SAID) {
            true => self.place().rest.names.newest(),
            false => None,
        };
        later.unwrap_or(&self.first_name)
    }

    /// What is said of it; see [`Rest`] for who may look.
    #[inline]
    pub(super) fn details(&self) -> &UnsafeCell<Details> {
        &self.place().rest.details
    }

    /// How often the executor polled for it, and what else it did.
    #[inline]
    pub(super) fn work(&self) -> (&Turns, &WorkCounts) {
        let place = self.place();
        (&place.turns, &place.rest.work)
    }

    /// Lets somebody see from afar what the span is called.
    #[inline]
    pub(super) fn watch(&self) -> Watch {
        let name = names::staying(self.name());
        Watch {
            name,
            place: self.0,
            generation: self.place().generation.load(Ordering::Relaxed),
        }
    }
}

impl Deref for Hold {
    type Target = Body;

    #[inline(always)]
    fn deref(&self) -> &Body {
        // SAFETY: this hold is counted, so somebody lives here; nobody has a `&mut Body`.
        self.place()
            .body
            .with(|body| unsafe { (*body).assume_init_ref() })
    }
}

impl Clone for Hold {
    #[inline]
    fn clone(&self) -> Self {
        self.state().retain();
        Hold(self.0)
    }
}

impl Drop for Hold {
    #[inline]
    fn drop(&mut self) {
        match self.state().release() {
            Released::Others => {}
            // SAFETY: nobody holds the span.
            Released::Last => unsafe { vacate(self.0) },
            Released::Unfinished(flags) => finish::abandoned(Hold(self.0), flags),
        }
    }
}

/// Drops the span that lives here and gives the place to the next one.
///
/// # Safety
///
/// Nobody may hold the span.
#[inline]
unsafe fn vacate(used: NonNull<Place>) {
    // SAFETY: places stay.
    let place = unsafe { used.as_ref() };
    // SAFETY: the span is there, and nobody else is to touch it.
    place
        .body
        .with_mut(|body| unsafe { (*body).assume_init_drop() });
    if place.state.flags().any(Flags::SAID) {
        // SAFETY: as above.
        unsafe { place.rest.forget() };
    }
    place.turns.clear(&place.rest.work);
    // Ordering: nobody else writes. What the next span publishes here is found with this number by
    // those who pair with its Release.
    let generation = place.generation.load(Ordering::Relaxed);
    place
        .generation
        .store(generation.wrapping_add(1), Ordering::Relaxed);
    // SAFETY: the place is free, and we give it away.
    unsafe { memory::free(used) };
}

impl Rest {
    /// Empties it, for the next span.
    ///
    /// # Safety
    ///
    /// Nobody else may use it.
    #[cold]
    unsafe fn forget(&self) {
        // SAFETY: as the caller promises.
        let forget = |details: *mut Details| unsafe { (*details).clear() };
        self.details.with_mut(forget);
        self.names.clear();
    }
}

/// Sees what a span is called without holding it.
#[derive(Clone, Copy)]
pub(crate) struct Watch {
    /// The name when the watch began.
    pub(super) name: &'static str,
    pub(super) place: NonNull<Place>,
    pub(super) generation: u32,
}

// SAFETY: what is looked at is atomic, and stays.
unsafe impl Send for Watch {}
// SAFETY: as above.
unsafe impl Sync for Watch {}

impl Watch {
    /// What the span is called, or was when it went.
    #[inline]
    pub(super) fn name(&self) -> &'static str {
        // SAFETY: places stay. In a model they do not, and nothing is measured there.
        let place = unsafe { self.place.as_ref() };
        // Ordering: Acquire pairs with the Release in `Hold::rename`.
        let renamed = place.renamed.load(Ordering::Acquire);
        // SAFETY: names that were put here stay.
        match unsafe { renamed.as_ref() } {
            // A later span's name comes with that span's generation.
            Some(renamed) if place.generation.load(Ordering::Relaxed) == self.generation => {
                renamed.0
            }
            _ => self.name,
        }
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;
    use crate::trace::{SpanKind, Timestamp, Work};

    #[cfg(target_pointer_width = "64")]
    #[test]
    fn a_span_of_which_nothing_is_said_uses_two_lines() {
        assert_eq!(std::mem::offset_of!(Place, rest), 128);
        assert_eq!(size_of::<Place>(), 192);
    }

    fn fill(details: &mut Details, name: &'static str) -> Hold {
        let body = Body::new(name.into(), SpanKind::Unknown, Timestamp::now());
        Vacancy::find().fill(Flags::NONE, details, body)
    }

    #[test]
    fn nothing_is_left_for_the_next_span() {
        let mut details = Details::default();
        details.tag("key".into(), true.into());
        let first = fill(&mut details, "first");
        assert!(first.rename("renamed".into()));
        let (turns, work) = first.work();
        turns.poll();
        work.add_cpu(turns, 7);
        assert_eq!((&**first.name(), turns.read(work).polls), ("renamed", 1));
        assert!(first.state().finish(Flags::NONE).is_some());
        let place = first.0;
        drop(first);

        let next = fill(&mut Details::default(), "next");
        assert_eq!(next.0, place, "the place that was free last");
        assert_eq!(&**next.name(), "next");
        // Looked at only by those of whom something is said.
        let said = next.lock().expect("it is open");
        assert!(said.tags.is_empty() && said.metric_tags().is_empty());
        drop(said);
        assert_eq!((&**next.name(), next.watch().name()), ("next", "next"));
        let (turns, work) = next.work();
        assert_eq!(turns.read(work), Work::default());
        turns.poll();
        assert_eq!(turns.read(work).cpu, Work::default().cpu);
        assert!(next.state().finish(Flags::NONE).is_some());
    }

    #[test]
    fn what_is_said_first_lies_where_the_last_ones_was() {
        let said = |number: i64| {
            let mut details = Details::default();
            details.tag("number".into(), number.into());
            details.tag_metric("number".into(), number.to_string().into());
            let span = fill(&mut details, "said");
            assert!(details.tags.is_empty(), "they were taken over");
            let said = span.lock().expect("it is open");
            let lies = (said.tags.as_ptr(), said.metric_tags().as_ptr());
            drop(said);
            assert!(span.state().finish(Flags::NONE).is_some());
            lies
        };
        let first = said(1);
        assert_eq!((said(2), said(3)), (first, first));
    }
}
