//! The word in the slot: what is current, and what the end of the present frame has to look after.

use std::ptr;

use crate::context::node::Header;
use crate::context::overlay::Overlay;

/// What is current, borrowed, and two facts about the present frame in the lowest bits of the pointer.
///
/// So a frame swaps one word, and finds in what it swaps whether that is all: see
/// [`is_plain_in`](Word::is_plain_in).
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Word(*const Header);

/// It points at an [`Overlay`] and not at a Context. Never together with one of the others.
const OVERLAY: usize = 1;
/// A Scope is open in the present frame, and it is the newest such whose Context this is: the top of the
/// slot's chain.
const SCOPED: usize = 1 << 1;
/// Holds were taken, or are kept, on what is current: see [`credits`](crate::context::credits). Set also
/// where they have gone since.
const OWING: usize = 1 << 2;

const TAGS: usize = OVERLAY | SCOPED | OWING;
const _: () = assert!(align_of::<Header>() > TAGS && align_of::<Overlay<'static>>() > TAGS);

impl Word {
    /// The empty Context.
    pub(super) const EMPTY: Word = Word(ptr::null());

    /// A Context that the frame's owner has.
    #[inline(always)]
    pub(super) fn of_context(raw: *const Header) -> Word {
        debug_assert!(raw.addr() & TAGS == 0);
        Word(raw)
    }

    /// An overlay.
    #[inline(always)]
    pub(super) fn of_overlay(overlay: &Overlay<'_>) -> Word {
        let raw = ptr::from_ref(overlay).cast::<Header>();
        Word(raw.map_addr(|address| address | OVERLAY))
    }

    /// The Context of the newest open Scope.
    #[inline]
    pub(super) fn of_scope(raw: *const Header) -> Word {
        Word(raw.map_addr(|address| address | SCOPED))
    }

    /// The same Context, where the end of the frame has holds on it to give back.
    #[inline(always)]
    pub(super) fn owing(self) -> Word {
        debug_assert!(!self.is_overlay());
        Word(self.0.map_addr(|address| address | OWING))
    }

    /// The pointer to what is current: see [`is_overlay`](Self::is_overlay).
    #[inline(always)]
    pub(super) fn raw(self) -> *const Header {
        self.0.map_addr(|address| address & !TAGS)
    }

    /// The same thing current, as the base of a frame.
    #[inline(always)]
    pub(super) fn as_base(self) -> Word {
        Word(self.0.map_addr(|address| address & !(SCOPED | OWING)))
    }

    #[inline(always)]
    pub(super) fn is_overlay(self) -> bool {
        self.0.addr() & OVERLAY != 0
    }

    /// Whether a Scope is open in the frame whose word this is.
    #[inline(always)]
    pub(super) fn is_scoped(self) -> bool {
        self.0.addr() & SCOPED != 0
    }

    /// Whether a frame that ends with this word has nothing to do but to write that of the frame around
    /// it: no Scope is open here, nor around it, where it may be closed by now; and no holds are to be given back.
    #[inline(always)]
    pub(super) fn is_plain_in(self, outer: Word) -> bool {
        (self.0.addr() & (SCOPED | OWING)) | (outer.0.addr() & SCOPED) == 0
    }
}
