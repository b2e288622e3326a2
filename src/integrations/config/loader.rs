//! What puts a configuration together.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::integrations::config::draft::Draft;
use crate::integrations::config::variables::Variables;
use crate::integrations::config::{file, otel, variables};
use crate::propagation::{BinaryCodec, Codec, CodecsBuilder};
use crate::report::{Config, ConfigError};

/// Names the file.
const FILE_VARIABLE: &str = "KAMON_CONFIG";
/// The file where nobody names another one.
const FILE: &str = "kamon.toml";

/// Puts a configuration together: from a file, then from environment variables.
///
/// What is registered here can be named there. What code has to say last is said of the
/// [`Config`] that [`load`](Loader::load) returns, and to
/// [`adjust_codecs`](Loader::adjust_codecs).
///
/// # Examples
///
/// ```
/// use kamon::config::Loader;
///
/// let config = Loader::new()
///     .text("kamon.toml", r#"
///         [kamon.trace]
///         sampler = "random"
///         [kamon.context.codecs.http-headers-keys]
///         span = ["w3c", "b3"]
///     "#)
///     .load()?;
/// kamon::init(config.recent_spans(1000))?;
/// # Ok::<(), kamon::ConfigError>(())
/// ```
#[must_use = "a loader does nothing before `load`"]
pub struct Loader {
    source: Source,
    variables: Variables,
    codecs: CodecsBuilder,
    adjust: Vec<Adjust>,
}

/// Where the file's text comes from.
#[derive(Debug)]
enum Source {
    /// The file that the environment names, or the one in the working directory.
    Found,
    File(PathBuf),
    Text {
        name: String,
        text: String,
    },
}

/// What code has to say of codecs.
type Adjust = Box<dyn FnOnce(CodecsBuilder) -> CodecsBuilder>;

impl Loader {
    /// Begins with the file that `KAMON_CONFIG` names, or with `kamon.toml` in the working directory
    /// if there is one, and with the variables of this process.
    pub fn new() -> Self {
        Loader {
            source: Source::Found,
            variables: Variables::Process,
            codecs: CodecsBuilder::with_defaults(),
            adjust: Vec::new(),
        }
    }

    /// Takes this file, which must be there, whatever the environment says.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.source = Source::File(path.into());
        self
    }

    /// Takes this text in place of a file; the name stands in errors.
    pub fn text(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.source = Source::Text {
            name: name.into(),
            text: text.into(),
        };
        self
    }

    /// Takes these variables in place of the process's.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::config::Loader;
    ///
    /// let error = Loader::new()
    ///     .variables([("KAMON_TRACE_SAMPLER", "sometimes")])
    ///     .load()
    ///     .unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "`KAMON_TRACE_SAMPLER`: expected one of \"always\", \"never\", \"random\", \"adaptive\", \
    ///      found \"sometimes\"",
    /// );
    /// ```
    pub fn variables<N, V>(mut self, variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<OsString>,
    {
        let variables = variables.into_iter();
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        self.variables = Variables::Given(variables.collect());
        self
    }

    /// Registers a codec of headers under the name that the configuration may use.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::config::Loader;
    /// use kamon::propagation::{Codec, CodecError, HeaderReader, HeaderWriter};
    /// use kamon::Context;
    ///
    /// struct Session;
    ///
    /// impl Codec for Session {
    ///     fn encode(&self, _: &Context, headers: &mut dyn HeaderWriter) -> Result<(), CodecError> {
    ///         headers.set("X-Session", "42")
    ///     }
    ///
    ///     fn decode(&self, _: &dyn HeaderReader, context: &Context) -> Result<Context, CodecError> {
    ///         Ok(context.clone())
    ///     }
    /// }
    ///
    /// let text = "[kamon.context.codecs.http-headers-keys]\nsession = \"session\"";
    /// assert!(Loader::new().text("kamon.toml", text).load().is_err());
    /// Loader::new().codec("session", Session).text("kamon.toml", text).load()?;
    /// # Ok::<(), kamon::ConfigError>(())
    /// ```
    pub fn codec(mut self, name: impl Into<String>, codec: impl Codec + 'static) -> Self {
        self.codecs = self.codecs.codec(name, codec);
        self
    }

    /// Registers a codec of bytes under the name that the configuration may use.
    pub fn binary_codec(
        mut self,
        name: impl Into<String>,
        codec: impl BinaryCodec + 'static,
    ) -> Self {
        self.codecs = self.codecs.binary_codec(name, codec);
        self
    }

    /// Changes what file and variables have said of codecs.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::config::Loader;
    /// use kamon::propagation::Codecs;
    /// use kamon::{Context, Key};
    ///
    /// static TENANT: Key<Option<String>> = Key::broadcast_string("tenant");
    ///
    /// let config = Loader::new()
    ///     .adjust_codecs(|codecs| codecs.string_key("tenant", "X-Tenant"))
    ///     .load()?;
    /// kamon::init(config)?;
    /// let context = Codecs::current().decode_headers(&[("x-tenant", "blue")]);
    /// assert_eq!(context.get(&TENANT).as_deref(), Some("blue"));
    /// # Ok::<(), kamon::ConfigError>(())
    /// ```
    pub fn adjust_codecs(
        mut self,
        change: impl FnOnce(CodecsBuilder) -> CodecsBuilder + 'static,
    ) -> Self {
        self.adjust.push(Box::new(change));
        self
    }

    /// Returns what file and variables say. Nothing is put in force yet: that is what
    /// [`init`](crate::init) does.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is no TOML; if it names a setting that there is not, or gives
    /// one what it cannot be; if one of our own variables does. The error names file, line and
    /// setting, or the variable. That `kamon.toml` is not there is no error.
    pub fn load(self) -> Result<Config, ConfigError> {
        let mut draft = Draft::new(self.codecs);
        if let Some((name, text)) = self.source.read(&self.variables)? {
            file::read(&mut draft, &name, &text)?;
        }
        otel::read(&mut draft, &self.variables);
        variables::read(&mut draft, &self.variables)?;
        for adjust in self.adjust {
            draft.change_codecs(adjust);
        }
        draft.finish()
    }
}

impl Source {
    /// The file's name and text; none if it need not be there and is not.
    fn read(self, variables: &Variables) -> Result<Option<(String, String)>, ConfigError> {
        let (path, needed) = match self {
            Source::Text { name, text } => return Ok(Some((name, text))),
            Source::File(path) => (path, true),
            Source::Found => match variables.get(FILE_VARIABLE) {
                Some(path) => (path.into(), true),
                None => (Path::new(FILE).to_owned(), false),
            },
        };
        match file::text_of(&path) {
            Ok(text) => Ok(Some((path.display().to_string(), text))),
            Err(error) if !needed && error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file::unreadable(&path, &error)),
        }
    }
}

impl Config {
    /// Returns what file and environment variables say: [`Loader::load`](crate::config::Loader::load)
    /// of a loader that nothing was told.
    ///
    /// # Errors
    ///
    /// If they say what cannot be; see there.
    ///
    /// # Examples
    ///
    /// ```
    /// let kamon = kamon::init(kamon::Config::load()?)?;
    /// # drop(kamon);
    /// # Ok::<(), kamon::ConfigError>(())
    /// ```
    pub fn load() -> Result<Config, ConfigError> {
        Loader::new().load()
    }
}

impl Default for Loader {
    fn default() -> Self {
        Loader::new()
    }
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader")
            .field("source", &self.source)
            .field("codecs", &self.codecs)
            .finish_non_exhaustive()
    }
}
