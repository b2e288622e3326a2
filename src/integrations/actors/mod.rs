//! Actors: what the libraries of actors have in common, seen from here.
//!
//! Neither library knows of Contexts, and neither is changed. What a message brings along
//! ([`Origin`]) travels inside the message; the actor's own methods are put into the right Context
//! where the library calls them ([`deliver`]); and the Context in which an actor failed waits in a
//! table ([`Failures`]) for whoever deals with the failure.
#![forbid(unsafe_code)]

mod class;
mod deliver;
mod failures;
mod launch;
mod names;
mod origin;

#[allow(unused_imports)] // Each library uses some.
pub use self::class::Class;
#[allow(unused_imports)]
pub(crate) use self::deliver::{deliver, Arrival};
#[allow(unused_imports)]
pub(crate) use self::failures::Failures;
#[allow(unused_imports)]
pub(crate) use self::launch::launch;
#[allow(unused_imports)]
pub(crate) use self::names::short_name;
#[allow(unused_imports)]
pub(crate) use self::origin::Origin;
