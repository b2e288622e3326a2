//! `log`: every entry says whose it is.
//!
//! [`wrap`] puts a logger of your choice (env_logger, log4rs, your own) into one that adds the trace token, the
//! ids of trace and span, and keys of your choice to each entry, as key-values.
//!
//! ```
//! use kamon::Key;
//!
//! static USER: Key<String> = Key::local("user", || "nobody".into());
//!
//! let logger = env_logger::Builder::new().filter_level(log::LevelFilter::Info).build();
//! let level = logger.filter();
//! kamon::log::wrap(logger).with_key(&USER).install(level).unwrap();
//! // [2026-01-01T12:00:00Z INFO  shop] paid amount=12 trace_token=undefined user=ada
//! kamon::with_context_key(&USER, "ada".into(), || log::info!(amount = 12; "paid"));
//! ```
//!
//! The Context is looked at when the statement is made. A logger that hands entries to another thread hands the
//! key-values over as well if it takes the [`log::Record`] apart, as it must; one of your own can
//! send the Context itself in an [`Envelope`](crate::channel::Envelope).

mod logger;
mod pairs;

pub use self::logger::{wrap, ContextLogger};
