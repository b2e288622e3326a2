//! Queues: a worker's own ([`LocalQueue`], [`Stealer`], [`LifoSlot`]), the one for everybody else
//! ([`Injector`]), and the bounded ones that carry finished spans to the reporters ([`Ring`] from
//! one thread, [`Funnel`] from many).
//!
//! What the rest of the crate sees is this room's interface, so that each queue can be replaced.
//! The deque is `crossbeam-deque`'s, which loom cannot see. Under `cfg(kamon_loom)` stand-ins on the
//! facade's lock take its place, and the injector's, which has models of its own, to keep those of the
//! executor small. The real ones are run together under ThreadSanitizer
//! and AddressSanitizer.

mod block;
mod funnel;
mod injector;
mod lifo;
#[cfg(not(kamon_loom))]
mod local;
#[cfg(kamon_loom)]
mod modelled;
mod ring;

pub(crate) use funnel::Funnel;
#[cfg(not(kamon_loom))]
pub(crate) use injector::Injector;
pub(crate) use lifo::LifoSlot;
#[cfg(not(kamon_loom))]
pub(crate) use local::{LocalQueue, Stealer};
#[cfg(kamon_loom)]
pub use modelled::{
    make_weak_queues, ParcelFunnel, ParcelInjector, ParcelProducer, ParcelRing, Parcels,
};
#[cfg(kamon_loom)]
pub(crate) use modelled::{Injector, LocalQueue, Stealer};
pub(crate) use ring::{Ahead, Producer, Push, Ring};
