//! A span's life in one word: who holds it, who writes to it, and what became of it.

use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::spin;

/// Facts about a span. All but the first three may only be changed while it is not finished.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags(u64);

#[rustfmt::skip]
impl Flags {
    pub(crate) const NONE: Flags = Flags(0);
    /// Nobody may write any more, and whoever set this owns the data.
    pub(crate) const FINISHED: Flags = Flags(1);
    /// Somebody is writing.
    const LOCKED: Flags = Flags(1 << 1);
    /// An error was added.
    pub(crate) const FAILED: Flags = Flags(1 << 2);
    /// Its metrics are recorded.
    pub(crate) const MEASURED: Flags = Flags(1 << 3);
    /// It keeps tags, marks and links, to be reported.
    pub(crate) const RECORDED: Flags = Flags(1 << 4);
    /// It is recorded, though its trace is not sampled: whether to report it is seen at the end.
    pub(crate) const PROVISIONAL: Flags = Flags(1 << 5);
    /// It lives in another process. Never finished, never written to.
    pub(crate) const REMOTE: Flags = Flags(1 << 6);
    /// Stands where spans are not to be made: empty to whoever looks.
    pub(crate) const SUPPRESSED: Flags = Flags(1 << 7);
    /// The decision is another process's to make. Remote spans only.
    pub(crate) const UNDECIDED: Flags = Flags(1 << 8);
    pub(crate) const PARENT_IS_REMOTE: Flags = Flags(1 << 9);
    /// The outcomes other than finished as it should.
    pub(crate) const CANCELLED: Flags = Flags(1 << 10);
    pub(crate) const PANICKED: Flags = Flags(1 << 11);
    pub(crate) const UNFINISHED: Flags = Flags(1 << 12);
    /// It was made and its work has not begun: see [`DelayedSpan`](crate::trace::DelayedSpan).
    pub(crate) const DELAYED: Flags = Flags(1 << 13);
    /// Something was said of it: there is more to look at than most spans have.
    pub(crate) const SAID: Flags = Flags(1 << 14);
    /// What this process has decided for all that is below it. Remote spans only, and one of the two.
    pub(crate) const SAMPLED_HERE: Flags = Flags(1 << 15);
    pub(crate) const NOT_SAMPLED_HERE: Flags = Flags(1 << 16);
}

impl Flags {
    #[inline]
    pub(crate) const fn and(self, more: Flags) -> Flags {
        Flags(self.0 | more.0)
    }

    #[inline]
    pub(crate) const fn without(self, fewer: Flags) -> Flags {
        Flags(self.0 & !fewer.0)
    }

    #[inline]
    pub(crate) const fn only(self, these: Flags) -> Flags {
        Flags(self.0 & these.0)
    }

    /// Whether one of `these` is set.
    #[inline]
    pub(crate) const fn any(self, these: Flags) -> bool {
        self.0 & these.0 != 0
    }
}

/// One holder, counted above the flags.
const ONE: u64 = 1 << 32;
/// Beyond this somebody forgets handles in a loop, and the count would wrap.
const MOST: u64 = 1 << 63;

/// The word.
///
/// | from | to | by |
/// |---|---|---|
/// | open | open, `LOCKED` | [`lock`](State::lock) |
/// | `LOCKED` | open | [`unlock`](State::unlock) |
/// | open | `FINISHED` | [`finish`](State::finish), [`finish_alone`](State::finish_alone), and the last [`release`](State::release) |
/// | any | one holder more or fewer | `retain`, `release` |
///
/// There is no way from `LOCKED` to `FINISHED` nor out of `FINISHED`: the one who takes the span
/// there finds the data whole and has it alone from then on.
#[derive(Debug)]
pub(crate) struct State(AtomicU64);

/// What a holder that went leaves behind.
#[must_use]
pub(crate) enum Released {
    /// Others hold the span.
    Others,
    /// Nobody does: its memory can go.
    Last,
    /// Nobody did, and nobody has finished it. It is finished now and the caller holds it again.
    Unfinished(Flags),
}

impl State {
    /// The state of a span with one holder.
    #[inline]
    pub(crate) fn new(flags: Flags) -> Self {
        State(AtomicU64::new(ONE | flags.0))
    }

    /// Begins anew, with one holder. Nobody else may know of the word.
    #[inline]
    pub(crate) fn begin(&self, flags: Flags) {
        self.0.store(ONE | flags.0, Ordering::Relaxed);
    }

    /// What is known at the moment.
    #[inline]
    pub(crate) fn flags(&self) -> Flags {
        Flags(self.0.load(Ordering::Relaxed) & (ONE - 1))
    }

    /// Counts one holder more.
    #[inline]
    pub(crate) fn retain(&self) {
        // Ordering: who has a handle may make another; whatever orders the use orders this.
        let before = self.0.fetch_add(ONE, Ordering::Relaxed);
        if before >= MOST {
            std::process::abort();
        }
    }

    /// Counts one holder less.
    #[inline]
    pub(crate) fn release(&self) -> Released {
        // Ordering: Acquire pairs with the Release below, of the holders that went before: what
        // they did comes before the end. One that is alone stays alone: it gives no handle away.
        let alone = self.0.load(Ordering::Acquire);
        if alone >> 32 == 1 {
            return self.end(Flags(alone & (ONE - 1)));
        }
        // Ordering: Release, see above.
        let before = self.0.fetch_sub(ONE, Ordering::Release);
        if before >> 32 != 1 {
            return Released::Others;
        }
        // Ordering: Acquire, as the load above. ThreadSanitizer does not know fences.
        self.0.load(Ordering::Acquire);
        self.end(Flags(before & (ONE - 1)))
    }

    /// The last holder is about to go, and nobody else can reach the word.
    #[inline]
    fn end(&self, flags: Flags) -> Released {
        if flags.any(Flags::FINISHED.and(Flags::REMOTE).and(Flags::SUPPRESSED)) {
            return Released::Last;
        }
        let flags = flags.and(Flags::FINISHED).and(Flags::UNFINISHED);
        self.0.store(ONE | flags.0, Ordering::Relaxed);
        Released::Unfinished(flags)
    }

    /// Finishes the span, once: the caller owns its data from then on, and one more hold if it is
    /// recorded. `None` if somebody was first.
    #[inline]
    pub(crate) fn finish(&self, more: Flags) -> Option<Flags> {
        let set = more.and(Flags::FINISHED).0;
        self.change(|flags| {
            let hold = if flags.any(Flags::RECORDED) { ONE } else { 0 };
            set | hold
        })
    }

    /// As [`finish`](Self::finish) with nothing more, by the only holder there is, who gives its hold to
    /// whatever comes next: no other one is counted. `None` if there are others, or somebody was first.
    ///
    /// The caller must own its handle and lend it to nobody meanwhile.
    #[inline]
    pub(crate) fn finish_alone(&self) -> Option<Flags> {
        // Ordering: Acquire pairs with the Release in `release` and `unlock`: what the others said
        // before they went is whole. One that is alone stays alone: it gives no handle away.
        let alone = self.0.load(Ordering::Acquire);
        let flags = Flags(alone & (ONE - 1));
        if alone >> 32 != 1 || flags.any(Flags::FINISHED) {
            return None;
        }
        let flags = flags.and(Flags::FINISHED);
        self.0.store(ONE | flags.0, Ordering::Relaxed);
        Some(flags)
    }

    /// As [`finish_alone`](Self::finish_alone), by one who keeps its hold: whatever comes next has
    /// another, if the span is recorded.
    #[inline]
    pub(crate) fn finish_kept(&self) -> Option<Flags> {
        // Ordering: as in `finish_alone`.
        let alone = self.0.load(Ordering::Acquire);
        let flags = Flags(alone & (ONE - 1));
        if alone >> 32 != 1 || flags.any(Flags::FINISHED) {
            return None;
        }
        let flags = flags.and(Flags::FINISHED);
        let more = if flags.any(Flags::RECORDED) { ONE } else { 0 };
        self.0.store((ONE + more) | flags.0, Ordering::Relaxed);
        Some(flags)
    }

    /// Begins to write, by the only holder there is, who lends its handle to nobody meanwhile. It ends
    /// by itself. `false` if there are others, or the span is finished.
    #[inline]
    pub(crate) fn say_alone(&self) -> bool {
        // Ordering: Acquire, as in `finish_alone`.
        let alone = self.0.load(Ordering::Acquire);
        let flags = Flags(alone & (ONE - 1));
        if alone >> 32 != 1 || flags.any(Flags::FINISHED) {
            return false;
        }
        if !flags.any(Flags::SAID) {
            self.0
                .store(ONE | flags.and(Flags::SAID).0, Ordering::Relaxed);
        }
        true
    }

    /// Adds facts, if the span is not finished. Tells whether it did.
    #[inline]
    pub(crate) fn set(&self, flags: Flags) -> bool {
        self.update(|known| known.and(flags))
    }

    /// Adds facts, unless one of `others` is known, or the span is finished.
    pub(crate) fn set_unless(&self, others: Flags, flags: Flags) {
        self.update(|known| match known.any(others) {
            true => known,
            false => known.and(flags),
        });
    }

    /// Takes facts away, if the span is not finished. Tells whether it did.
    #[inline]
    pub(crate) fn clear(&self, flags: Flags) -> bool {
        self.update(|known| known.without(flags))
    }

    /// Begins to write: nobody else does and nobody finishes the span until [`unlock`](Self::unlock).
    /// `false` if it is finished.
    #[inline]
    pub(crate) fn lock(&self) -> bool {
        self.change(|_| Flags::LOCKED.and(Flags::SAID).0).is_some()
    }

    /// Ends writing.
    #[inline]
    pub(crate) fn unlock(&self) {
        // Ordering: Release pairs with the Acquire of whoever locks or finishes next.
        self.0.fetch_and(!Flags::LOCKED.0, Ordering::Release);
    }

    /// Sets bits that are not set, while nobody writes and the span is not finished.
    #[inline]
    fn change(&self, bits: impl Fn(Flags) -> u64) -> Option<Flags> {
        let mut known = self.0.load(Ordering::Relaxed);
        let mut turns = 0;
        loop {
            let flags = Flags(known & (ONE - 1));
            if flags.any(Flags::FINISHED) {
                return None;
            }
            if flags.any(Flags::LOCKED) {
                wait(&mut turns);
                known = self.0.load(Ordering::Relaxed);
                continue;
            }
            let bits = bits(flags);
            let new = (known + (bits & !(ONE - 1))) | (bits & (ONE - 1));
            // Ordering: Acquire pairs with the Release in `unlock`: the writer's data is whole.
            match self
                .0
                .compare_exchange_weak(known, new, Ordering::Acquire, Ordering::Relaxed)
            {
                Ok(_) => return Some(Flags(new & (ONE - 1))),
                Err(current) => known = current,
            }
        }
    }

    #[inline]
    fn update(&self, f: impl Fn(Flags) -> Flags) -> bool {
        let mut known = self.0.load(Ordering::Relaxed);
        loop {
            let flags = Flags(known & (ONE - 1));
            if flags.any(Flags::FINISHED) {
                return false;
            }
            let new = known & !(ONE - 1) | f(flags).0;
            // Ordering: the flag is all there is to see; the data has the lock.
            match self
                .0
                .compare_exchange_weak(known, new, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return true,
                Err(current) => known = current,
            }
        }
    }
}

/// Waits for a writer, who pushes to a list and runs none of the user's code. One that was put off
/// its core in the middle needs ours.
#[cold]
fn wait(turns: &mut u32) {
    *turns += 1;
    if cfg!(not(kamon_loom)) && *turns > 64 {
        std::thread::yield_now();
    } else {
        spin();
    }
}
