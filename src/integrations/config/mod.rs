//! The configuration: from a file, then from environment variables, then from code.
#![doc = include_str!("README.md")]
#![forbid(unsafe_code)]

mod codecs;
mod draft;
mod duration;
mod file;
mod given;
mod loader;
mod otel;
mod problem;
mod sampling;
mod settings;
mod variables;

pub use self::loader::Loader;
