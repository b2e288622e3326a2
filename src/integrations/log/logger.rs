//! The logger around a logger.

use std::fmt;

use log::{LevelFilter, Log, Metadata, Record, SetLoggerError};

use crate::context::{slot, Key};
use crate::integrations::log::pairs::Pairs;
use crate::integrations::statement::{Entries, Fields};

/// Returns a logger that passes each entry to `logger` with more key-values: `trace_token`, `trace_id`, `span_id`
/// and those that are chosen with [`ContextLogger::with_key`].
///
/// It also counts the entries that `logger` is enabled for: the counter `log.events`, by level.
///
/// # Examples
///
/// ```
/// use log::{Log as _, Record};
///
/// let logger = kamon::log::wrap(env_logger::Builder::new().parse_filters("info").build());
/// let statement = Record::builder().args(format_args!("paid")).build();
/// logger.log(&statement); // paid trace_token=undefined
/// ```
pub fn wrap<L: Log>(logger: L) -> ContextLogger<L> {
    ContextLogger {
        logger,
        fields: Fields::default(),
        entries: Some(Entries::of("log")),
    }
}

/// Adds the Context to each entry: made by [`wrap`].
///
/// `trace_token` is that of [`trace_token`](crate::propagation::trace_token), or `undefined`; `trace_id` and
/// `span_id` are there where a span is. All values are text. A key-value that the statement has itself comes first.
pub struct ContextLogger<L> {
    logger: L,
    fields: Fields,
    entries: Option<Entries>,
}

impl<L: Log> ContextLogger<L> {
    /// Adds the value of `key`, by the key's name; the key's default where there is none.
    pub fn with_key<T>(mut self, key: &'static Key<T>) -> Self
    where
        T: fmt::Display + Send + Sync + 'static,
    {
        self.fields.add_key(key);
        self
    }

    /// Adds the value of `key`, by the key's name, where there is one.
    pub fn with_optional_key<T>(mut self, key: &'static Key<Option<T>>) -> Self
    where
        T: fmt::Display + Send + Sync + 'static,
    {
        self.fields.add_optional_key(key);
        self
    }

    /// Leaves the entries uncounted.
    pub fn without_metrics(mut self) -> Self {
        self.entries = None;
        self
    }

    /// Makes this the program's logger, for entries up to `level`.
    ///
    /// # Errors
    ///
    /// When the program has a logger already; that one stays.
    pub fn install(self, level: LevelFilter) -> Result<(), SetLoggerError>
    where
        L: 'static,
    {
        log::set_boxed_logger(Box::new(self))?;
        log::set_max_level(level);
        Ok(())
    }
}

impl<L: Log> Log for ContextLogger<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.logger.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        if let Some(entries) = &self.entries {
            // The levels of `log` count from 1, the gravest first.
            entries.count(record.level() as usize - 1);
        }
        slot::with_current(|context| {
            let mut added = Vec::new();
            let fields = self.fields.each(context, |name, value| {
                added.push((name, value));
                Ok::<(), std::convert::Infallible>(())
            });
            let Ok(()) = fields;
            let said = record.key_values();
            let pairs = Pairs { said, added };
            let record = record.to_builder().key_values(&pairs).build();
            self.logger.log(&record);
        });
    }

    fn flush(&self) {
        self.logger.flush();
    }
}

impl<L> fmt::Debug for ContextLogger<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextLogger")
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}
