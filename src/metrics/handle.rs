//! What users hold of an instrument.

use std::borrow::Cow;
use std::fmt;
use std::ptr;

use crate::metrics::metric::Metric;
use crate::metrics::series::{Cell, Series};
use crate::metrics::tags::{TagText, Tags};
use crate::sync::atomic::{AtomicPtr, Ordering};
use crate::sync::Arc;

/// A metric and tags, and the instrument from the first recording on.
///
/// The instrument comes into being when something is recorded: what is only on the way to more tags
/// is in no snapshot and takes no room in its metric.
pub(crate) struct Handle<C> {
    pub(crate) metric: Arc<Metric<C>>,
    pub(crate) tags: Tags,
    /// An `Arc`'s, or null.
    series: AtomicPtr<Series<C>>,
}

// SAFETY: a handle is a shared instrument, behind a pointer.
unsafe impl<C: Cell> Sync for Handle<C> {}
// SAFETY: as above.
unsafe impl<C: Cell> Send for Handle<C> {}

impl<C: Cell> Handle<C> {
    pub(crate) fn new(metric: Arc<Metric<C>>, tags: Tags) -> Arc<Handle<C>> {
        Arc::new(Handle {
            metric,
            tags,
            series: AtomicPtr::new(ptr::null_mut()),
        })
    }

    pub(crate) fn with_tag(&self, key: Cow<'static, str>, value: TagText) -> Arc<Handle<C>> {
        Handle::new(self.metric.clone(), self.tags.with(key, value))
    }

    /// What records.
    #[inline]
    pub(crate) fn series(&self) -> &Series<C> {
        // Ordering: Acquire pairs with the Release in `resolve`: the instrument is seen whole.
        let series = self.series.load(Ordering::Acquire);
        // SAFETY: the handle owns a reference from when the pointer is set until it goes itself.
        match unsafe { series.as_ref() } {
            Some(series) => series,
            None => self.resolve(),
        }
    }

    /// What records, for somebody else to keep.
    pub(crate) fn share(&self) -> Arc<Series<C>> {
        let series = ptr::from_ref(self.series());
        // SAFETY: it came from an `Arc`, of which the handle owns a reference.
        unsafe {
            Arc::increment_strong_count(series);
            Arc::from_raw(series)
        }
    }

    #[cold]
    fn resolve(&self) -> &Series<C> {
        let series = Arc::into_raw(self.metric.series(&self.tags)).cast_mut();
        // Ordering: Release pairs with the Acquire in `series`. Acquire, if another thread was
        // first, pairs with the Release of that one.
        let owned = match self.series.compare_exchange(
            ptr::null_mut(),
            series,
            Ordering::Release,
            Ordering::Acquire,
        ) {
            Ok(_) => series,
            Err(first) => {
                // SAFETY: the reference was made above, and nobody else knows of it.
                drop(unsafe { Arc::from_raw(series) });
                first
            }
        };
        // SAFETY: as in `series`.
        unsafe { &*owned }
    }
}

impl<C> Drop for Handle<C> {
    fn drop(&mut self) {
        // Ordering: whoever drops has exclusive access, and thereby comes after all others.
        let series = self.series.load(Ordering::Relaxed);
        if !series.is_null() {
            // SAFETY: this is the reference that the handle owns.
            drop(unsafe { Arc::from_raw(series) });
        }
    }
}

impl<C: Cell> fmt::Debug for Handle<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.metric.about().name(), self.tags)
    }
}

/// What all instruments have in common.
macro_rules! instrument {
    ($(#[$meta:meta])* $name:ident, $cell:ty) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name {
            handle: crate::sync::Arc<crate::metrics::handle::Handle<$cell>>,
        }

        impl $name {
            pub(crate) fn of(
                metric: crate::sync::Arc<crate::metrics::metric::Metric<$cell>>,
            ) -> Self {
                let tags = crate::metrics::tags::Tags::empty();
                $name {
                    handle: crate::metrics::handle::Handle::new(metric, tags),
                }
            }

            /// Returns the instrument of this metric with one more tag, which takes the place of one
            /// with the same key.
            ///
            /// Each distinct set of tags is an instrument of its own, so values must be few:
            /// not identifiers, not paths. Keep the handle where it is used often.
            #[must_use = "the instrument is returned, not changed in place"]
            pub fn with_tag(
                &self,
                key: impl Into<std::borrow::Cow<'static, str>>,
                value: impl Into<crate::metrics::tags::TagText>,
            ) -> Self {
                $name {
                    handle: self.handle.with_tag(key.into(), value.into()),
                }
            }

            /// Returns the instrument of this metric without tags.
            #[must_use = "the instrument is returned, not changed in place"]
            pub fn without_tags(&self) -> Self {
                $name::of(self.handle.metric.clone())
            }

            /// Says what the metric is for. The first to say so is believed.
            #[must_use = "the handle is handed on"]
            pub fn with_description(
                self,
                description: impl Into<std::borrow::Cow<'static, str>>,
            ) -> Self {
                self.handle.metric.about().describe(description.into());
                self
            }

            /// Says how many instruments the metric may have, those that were removed not counted;
            /// [`DEFAULT_SERIES_LIMIT`](crate::metrics::DEFAULT_SERIES_LIMIT) if nobody does.
            ///
            /// Beyond that, recordings go to one with the tag `kamon.overflow="true"`, and the
            /// counter `kamon.metrics.overflows` says, by `metric`, how many handles were sent
            /// there. They stay with it.
            #[must_use = "the handle is handed on"]
            pub fn with_series_limit(self, limit: usize) -> Self {
                self.handle.metric.set_limit(limit);
                self
            }

            /// Returns the name of the metric.
            pub fn name(&self) -> &str {
                self.handle.metric.about().name()
            }

            /// Returns the tags.
            pub fn tags(&self) -> &crate::metrics::tags::Tags {
                &self.handle.tags
            }

            /// Removes the instrument with these tags from its metric, and returns whether there
            /// was one.
            ///
            /// Every subscriber sees what was recorded before, and then no more of it. Handles that
            /// have recorded stay with what was removed; a new one begins anew.
            pub fn remove(&self) -> bool {
                self.handle.metric.remove(&self.handle.tags)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.handle)
            }
        }
    };
}
pub(crate) use instrument;

/// What all instruments have in common that can be of any unit.
macro_rules! any_unit {
    ($name:ident) => {
        impl $name {
            /// Says what the values of the metric measure. The first to say so is believed.
            #[must_use = "the handle is handed on"]
            pub fn with_unit(self, unit: crate::metrics::unit::Unit) -> Self {
                self.handle.metric.about().set_unit(unit);
                self
            }
        }
    };
}
pub(crate) use any_unit;
