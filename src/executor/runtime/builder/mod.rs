//! Building a runtime.

mod build;
mod callbacks;
mod intervals;
mod settings;

pub use settings::Builder;
