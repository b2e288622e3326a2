//! Kamon's binary formats: the Context and the span, as Kamon 2 on the JVM writes and reads them.
//!
//! Both are [Colfer](https://github.com/pascaldekloe/colfer): a struct is a run of fields in
//! ascending order, each a header byte with its index and then its value, and ends with `7f`.
//! Fields of the zero value are left out.

mod codec;
mod error;
mod message;
mod read;
mod span;
mod tags;
mod write;

pub(super) use codec::Colfer;
pub(super) use message::Message;
