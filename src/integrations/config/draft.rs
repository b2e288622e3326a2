//! The configuration while it is being put together.

use std::mem;
use std::time::Duration;

use crate::integrations::config::sampling::Sampling;
use crate::propagation::CodecsBuilder;
use crate::report::{Config, ConfigError};
use crate::trace::{IdScheme, Settings};

/// The configuration while it is being put together: what is said later replaces what was said
/// before.
pub(super) struct Draft {
    config: Config,
    codecs: CodecsBuilder,
    /// Whether anything was said of codecs.
    has_codecs: bool,
    pub(super) worker_threads: Option<usize>,
    pub(super) tracing: Tracing,
    pub(super) warnings: Vec<String>,
}

/// What is said of how spans are made.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Tracing {
    pub(super) sampling: Option<Sampling>,
    pub(super) probability: Option<f64>,
    pub(super) throughput: Option<f64>,
    pub(super) ids: Option<IdScheme>,
    pub(super) trust: Option<bool>,
    pub(super) ignored: Option<Vec<String>>,
    pub(super) measure_ignored: Option<bool>,
    pub(super) keep_failed: Option<usize>,
    pub(super) keep_slow: Option<Duration>,
}

impl Draft {
    /// Begins with the defaults and these codecs.
    pub(super) fn new(codecs: CodecsBuilder) -> Self {
        Draft {
            config: Config::new(),
            // What the defaults name may be another one.
            has_codecs: codecs.gives_another_meaning(),
            codecs,
            worker_threads: None,
            tracing: Tracing::default(),
            warnings: Vec::new(),
        }
    }

    /// Changes what is reported.
    pub(super) fn report(&mut self, change: impl FnOnce(Config) -> Config) {
        self.config = change(mem::take(&mut self.config));
    }

    /// Changes which codecs there are.
    pub(super) fn change_codecs(&mut self, change: impl FnOnce(CodecsBuilder) -> CodecsBuilder) {
        let codecs = mem::replace(&mut self.codecs, CodecsBuilder::new());
        self.codecs = change(codecs);
        self.has_codecs = true;
    }

    pub(super) fn codecs(&self) -> &CodecsBuilder {
        &self.codecs
    }

    /// Says what was ignored.
    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// The configuration. What nobody has said anything of is left as it is in the process.
    pub(super) fn finish(self) -> Result<Config, ConfigError> {
        let mut config = self.config;
        config.warnings = self.warnings;
        if let Some(settings) = self.tracing.settings() {
            config = config.tracing(settings);
        }
        if let Some(number) = self.worker_threads {
            config = config.worker_threads(number);
        }
        if self.has_codecs {
            let codecs = self.codecs.try_build();
            config = config.codecs(codecs.map_err(|unknown| ConfigError::UnknownCodec {
                key: unknown.key().to_owned(),
                codec: unknown.codec().to_owned(),
            })?);
        }
        Ok(config)
    }
}

impl Tracing {
    /// The settings; none if there is nothing to set.
    fn settings(self) -> Option<Settings> {
        if self == Tracing::default() {
            return None;
        }
        let mut settings = Settings::new();
        if let Some(sampling) = self.sampling {
            settings = sampling.set(settings, self.probability, self.throughput);
        }
        if let Some(ids) = self.ids {
            settings = settings.ids(ids);
        }
        if self.trust == Some(false) {
            settings = settings.distrust_remote_decisions();
        }
        if let Some(ignored) = self.ignored {
            settings = settings.ignore_operations(ignored);
        }
        if self.measure_ignored == Some(true) {
            settings = settings.measure_ignored_operations();
        }
        if let Some(failures) = self.keep_failed {
            settings = settings.keep_failed_traces(failures);
        }
        if let Some(duration) = self.keep_slow {
            settings = settings.keep_slow_traces(duration);
        }
        Some(settings)
    }
}
