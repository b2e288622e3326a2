//! The memory behind a Context: one block per `with_key`, holding one value and a table of all entries.
//!
//! ```text
//!   [ entry n-1 | … | entry 1 | entry 0 ][ header ][ value ]
//!                                        ^ the pointer
//! ```
//!
//! The table grows down from the header, newest entry nearest to it, so that a lookup finds it
//! without another load; the value's place after the header depends on its type alone.
//!
//! An entry names a key and the *cell* (the block) its value lies in. A block has two counts:
//!
//! - `shown`: the Contexts, and the blocks built on top of it, that show its whole table;
//! - `kept`: the blocks that show its value and not its table, plus one for all of `shown` together.
//!
//! When `shown` ends, the block lets go of what its table shows; when `kept` ends, the value is
//! dropped and the memory freed. A block either stands on a parent (it shows all the parent shows,
//! plus its value: one count taken) or is *flat* (it keeps the cell of each entry by itself).
//! Flat ones are made wherever an entry disappears, so no Context keeps alive what it cannot show.

use std::alloc::{alloc, dealloc, handle_alloc_error, Layout};
use std::marker::PhantomData;
use std::mem::{align_of, size_of};
use std::ptr::{self, NonNull};

use crate::context::key::Flags;
#[cfg(kamon_loom)]
use crate::context::live;
use crate::context::registry::KeyId;
use crate::context::tally;
use crate::sync::atomic::AtomicUsize;

/// A pointer to a block, without a count of its own: whoever stores one says who holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub(crate) struct Node(NonNull<Header>);

/// What all blocks have, whatever the type of their value.
pub(crate) struct Header {
    pub(super) shown: AtomicUsize,
    pub(super) kept: AtomicUsize,
    shape: &'static Shape,
    pub(super) parent: Option<Node>,
    len: u32,
    /// The flags of all entries together: one test tells whether a filter has anything to do.
    flags: Flags,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) key: KeyId,
    pub(crate) flags: Flags,
    /// Where the value is. Equal cells are the same value.
    pub(crate) cell: Node,
}

/// What must be known of a value's type to free its block.
struct Shape {
    /// From the header's start to the value's end.
    size: usize,
    align: usize,
    drop: unsafe fn(Node),
}

struct ShapeOf<T>(PhantomData<T>);

impl<T> ShapeOf<T> {
    const VALUE_OFFSET: usize = round_up(size_of::<Header>(), align_of::<T>());

    const SHAPE: &'static Shape = &Shape {
        size: Self::VALUE_OFFSET + size_of::<T>(),
        align: max(
            max(align_of::<Header>(), align_of::<Entry>()),
            align_of::<T>(),
        ),
        // SAFETY: `destroy` calls it once, for a block that was allocated with a value of this type.
        drop: |node| unsafe { ptr::drop_in_place(node.value_ptr::<T>()) },
    };
}

impl Node {
    /// A block that shows `value` and all that `parent` shows. The caller owns one `shown`.
    ///
    /// # Safety
    ///
    /// `parent` must be held by the caller, and must not show `key`.
    pub(crate) unsafe fn link<T: Send + Sync + 'static>(
        parent: Option<Node>,
        key: KeyId,
        flags: Flags,
        value: T,
    ) -> Node {
        let (below, below_flags) = match parent {
            // SAFETY: the caller holds the parent.
            Some(parent) => unsafe { (parent.len(), parent.flags()) },
            None => (0, Flags::LOCAL),
        };
        let node = Node::allocate(value, parent, below + 1, below_flags.union(flags));
        // SAFETY: the block was made for `below + 1` entries and nobody else knows it yet. The
        // parent's table lies in one piece, and so does its copy. The count is for `node.parent`.
        unsafe {
            node.entry_ptr(0).write(Entry {
                key,
                flags,
                cell: node,
            });
            if let Some(parent) = parent {
                parent.show();
                let (from, to) = (parent.table_start(), node.table_start());
                ptr::copy_nonoverlapping(from, to, below);
            }
        }
        node
    }

    /// A block with the entries of `source` that `keep` chooses, and `value` under its key on top.
    /// The caller owns one `shown`.
    ///
    /// # Safety
    ///
    /// `source` must be held by the caller, and `keep` must not choose `key`.
    pub(crate) unsafe fn flat_with<T: Send + Sync + 'static>(
        source: Node,
        keep: impl Fn(&Entry) -> bool,
        key: KeyId,
        flags: Flags,
        value: T,
    ) -> Node {
        // SAFETY: as the caller promises.
        unsafe { Node::flat(source, keep, Some((key, flags)), value) }
    }

    /// A block with the entries of `source` that `keep` chooses; none if there are none. The
    /// caller owns one `shown`.
    ///
    /// # Safety
    ///
    /// `source` must be held by the caller.
    pub(crate) unsafe fn filtered(source: Node, keep: impl Fn(&Entry) -> bool) -> Option<Node> {
        // SAFETY: as the caller promises.
        unsafe {
            if !source.entries().any(|entry| keep(&entry)) {
                return None;
            }
            Some(Node::flat(source, keep, None, ()))
        }
    }

    /// # Safety
    ///
    /// As for [`Node::flat_with`].
    unsafe fn flat<T>(
        source: Node,
        keep: impl Fn(&Entry) -> bool,
        own: Option<(KeyId, Flags)>,
        value: T,
    ) -> Node {
        // SAFETY: the caller holds the source.
        let chosen = || unsafe { source.entries() }.filter(&keep);
        let own_flags = own.map_or(Flags::LOCAL, |(_, flags)| flags);
        let (len, flags) = chosen().fold(
            (usize::from(own.is_some()), own_flags),
            |(len, all), entry| (len + 1, all.union(entry.flags)),
        );
        let node = Node::allocate(value, None, len, flags);
        let own = own.map(|(key, flags)| Entry {
            key,
            flags,
            cell: node,
        });
        for (index, entry) in own.into_iter().chain(chosen()).enumerate() {
            debug_assert!(index < len);
            // SAFETY: the block was made for `len` entries, `keep` chooses the same ones twice
            // (it looks at nothing but the entry), and nobody else knows the block yet.
            unsafe { node.entry_ptr(index).write(entry) };
            if entry.cell != node {
                // SAFETY: the source shows the entry, so its cell is alive.
                unsafe { entry.cell.keep() };
            }
        }
        node
    }

    /// The cell that holds the value of `key`, if the block shows one.
    ///
    /// # Safety
    ///
    /// The block must be shown by somebody during the call.
    #[inline(always)]
    pub(crate) unsafe fn find(self, key: KeyId) -> Option<Node> {
        // SAFETY: the block is alive, and `index` stays within its table.
        unsafe {
            let len = self.len();
            let mut index = 0;
            while index < len {
                let entry = self.entry_ptr(index);
                if (*entry).key == key {
                    return Some((*entry).cell);
                }
                index += 1;
            }
            None
        }
    }

    /// The table, newest entry first.
    ///
    /// # Safety
    ///
    /// The block must be shown by somebody for as long as the iterator is used.
    pub(crate) unsafe fn entries(self) -> impl Iterator<Item = Entry> {
        // SAFETY: as the caller promises.
        let len = unsafe { self.len() };
        // SAFETY: `index` is within the table, and the table is only written before it is shared.
        (0..len).map(move |index| unsafe { self.entry_ptr(index).read() })
    }

    /// The value of a cell.
    ///
    /// # Safety
    ///
    /// The cell must be kept by somebody for as long as the reference lives, and its value must
    /// be a `T`: keys are filed by name *and* type, so a cell found under a `Key<T>` is one.
    #[inline(always)]
    pub(crate) unsafe fn value<'a, T>(self) -> &'a T {
        // SAFETY: as the caller promises.
        unsafe { &*self.value_ptr::<T>() }
    }

    /// The number of entries.
    ///
    /// # Safety
    ///
    /// The block must be alive.
    #[inline(always)]
    pub(crate) unsafe fn len(self) -> usize {
        // SAFETY: as the caller promises.
        unsafe { self.header() }.len as usize
    }

    /// The flags of all entries together.
    ///
    /// # Safety
    ///
    /// The block must be alive.
    #[inline(always)]
    pub(crate) unsafe fn flags(self) -> Flags {
        // SAFETY: as the caller promises.
        unsafe { self.header() }.flags
    }

    #[inline(always)]
    pub(crate) fn as_ptr(self) -> *const Header {
        self.0.as_ptr()
    }

    #[inline(always)]
    pub(crate) fn from_ptr(raw: *const Header) -> Option<Node> {
        NonNull::new(raw.cast_mut()).map(Node)
    }

    fn allocate<T>(value: T, parent: Option<Node>, len: usize, flags: Flags) -> Node {
        let shape = ShapeOf::<T>::SHAPE;
        let (layout, prefix) = layout(shape, len);
        // SAFETY: a header has a size, so the layout has one.
        let block = unsafe { alloc(layout) };
        if block.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: the header starts `prefix` bytes into the block, aligned because `prefix` is a
        // multiple of the block's alignment; the value follows it at an offset aligned for it.
        let node = unsafe {
            let header = block.add(prefix).cast::<Header>();
            header.write(Header {
                shown: AtomicUsize::new(1),
                kept: AtomicUsize::new(1),
                shape,
                parent,
                len: u32::try_from(len).expect("fewer than 2^32 entries"),
                flags,
            });
            let node = Node(NonNull::new_unchecked(header));
            node.value_ptr::<T>().write(value);
            node
        };
        tally::born();
        #[cfg(kamon_loom)]
        live::born(node);
        node
    }

    /// # Safety
    ///
    /// The block must be alive for as long as the reference is used.
    #[inline(always)]
    pub(super) unsafe fn header<'a>(self) -> &'a Header {
        // SAFETY: as the caller promises.
        unsafe { self.0.as_ref() }
    }

    /// # Safety
    ///
    /// The block must have at least `index + 1` entries.
    #[inline(always)]
    pub(super) unsafe fn entry_ptr(self, index: usize) -> *mut Entry {
        // SAFETY: entry `index` lies `index + 1` places before the header, in the same block.
        unsafe { self.0.as_ptr().cast::<Entry>().sub(index + 1) }
    }

    /// # Safety
    ///
    /// The block must be alive.
    unsafe fn table_start(self) -> *mut Entry {
        // SAFETY: the table ends where the header starts.
        unsafe { self.0.as_ptr().cast::<Entry>().sub(self.len()) }
    }

    /// # Safety
    ///
    /// The block must have been made with a `T`.
    #[inline(always)]
    unsafe fn value_ptr<T>(self) -> *mut T {
        // SAFETY: the offset depends on `T` alone, and the block was made with a `T`.
        unsafe {
            self.0
                .as_ptr()
                .cast::<u8>()
                .add(ShapeOf::<T>::VALUE_OFFSET)
                .cast::<T>()
        }
    }

    /// Drops the value and frees the block, also when the value's destructor panics.
    ///
    /// # Safety
    ///
    /// Nobody may keep the cell any more.
    pub(super) unsafe fn destroy(self) {
        struct Free(Node, Layout, usize);
        impl Drop for Free {
            fn drop(&mut self) {
                let Free(node, layout, prefix) = *self;
                #[cfg(kamon_loom)]
                live::died(node);
                tally::died();
                // SAFETY: the block was allocated with this layout and this much before the
                // header, and nobody knows it any more.
                unsafe {
                    ptr::drop_in_place(node.0.as_ptr());
                    dealloc(node.0.as_ptr().cast::<u8>().sub(prefix), layout);
                }
            }
        }
        // SAFETY: the block is alive until `Free` goes.
        let header = unsafe { self.header() };
        let (layout, prefix) = layout(header.shape, header.len as usize);
        let _free = Free(self, layout, prefix);
        // SAFETY: the value is there, and this is the only place that drops it.
        unsafe { (header.shape.drop)(self) };
    }
}

/// The block for `len` entries, and how much of it lies before the header.
fn layout(shape: &Shape, len: usize) -> (Layout, usize) {
    let sizes = len
        .checked_mul(size_of::<Entry>())
        .and_then(|table| table.checked_next_multiple_of(shape.align))
        .and_then(|prefix| Some((prefix.checked_add(shape.size)?, prefix)));
    let (size, prefix) = sizes.expect("a Context of sensible size");
    let layout = Layout::from_size_align(size, shape.align).expect("a Context of sensible size");
    (layout, prefix)
}

const fn round_up(size: usize, align: usize) -> usize {
    (size + align - 1) & !(align - 1)
}

const fn max(a: usize, b: usize) -> usize {
    if a > b {
        a
    } else {
        b
    }
}
