//! Which runtime the attribute asks for: arguments checked, and the builder call they become.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Error, Path, Result};

use crate::arguments::{Argument, Arguments};
use crate::expansion::Entry;

const KNOWN: &str = "`flavor`, `worker_threads`, `start_paused`, `name` and `crate`";

/// What to build, and where kamon is.
#[derive(Default)]
pub(crate) struct Runtime {
    flavor: Flavor,
    worker_threads: Option<usize>,
    start_paused: Option<bool>,
    name: Option<String>,
    kamon: Option<Path>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Flavor {
    MultiThread,
    #[default]
    CurrentThread,
    Local,
}

impl Runtime {
    /// Reads the arguments.
    ///
    /// # Errors
    ///
    /// For an argument that is unknown, given twice, of the wrong type or at odds with the flavor.
    pub(crate) fn new(entry: Entry, arguments: &Arguments) -> Result<Self> {
        let mut runtime = Runtime::default();
        let (mut flavor, mut workers_at, mut paused_at) = (None, None, None);
        let mut seen = Vec::new();

        for argument in &arguments.0 {
            let name = argument.name();
            if seen.contains(&name) {
                return Err(argument.error(format_args!("`{name}` is set twice")));
            }
            match name.as_str() {
                "flavor" => flavor = Some(Flavor::parse(argument)?),
                "worker_threads" => {
                    let (number, span) = argument.positive()?;
                    runtime.worker_threads = Some(number);
                    workers_at = Some(span);
                }
                "start_paused" => {
                    let (paused, span) = argument.bool()?;
                    runtime.start_paused = Some(paused);
                    paused_at = Some(span);
                }
                "name" => runtime.name = Some(argument.string()?.0),
                "crate" => runtime.kamon = Some(argument.path()?),
                _ => return Err(argument.error(refusal(entry, &name))),
            }
            seen.push(name);
        }

        runtime.flavor = flavor.unwrap_or(match entry {
            Entry::Main => Flavor::MultiThread,
            Entry::Test => Flavor::CurrentThread,
        });
        let needs = |option, flavor| {
            format!("`{option}` needs the `{flavor}` flavor: `#[{entry}(flavor = \"{flavor}\")]`")
        };
        match (runtime.flavor, workers_at, paused_at) {
            (Flavor::CurrentThread | Flavor::Local, Some(span), _) => {
                Err(Error::new(span, needs("worker_threads", "multi_thread")))
            }
            (Flavor::MultiThread, _, Some(span)) => {
                Err(Error::new(span, needs("start_paused", "current_thread")))
            }
            _ => Ok(runtime),
        }
    }

    /// The expression that builds the runtime. Its tokens carry `span`.
    pub(crate) fn build(&self, span: Span) -> TokenStream {
        let kamon = match &self.kamon {
            Some(path) => quote!(#path),
            None => quote_spanned!(span=> ::kamon),
        };
        let new = match self.flavor {
            Flavor::MultiThread => quote_spanned!(span=> new_multi_thread()),
            Flavor::CurrentThread | Flavor::Local => quote_spanned!(span=> new_current_thread()),
        };
        let build = match self.flavor {
            Flavor::Local => {
                quote_spanned!(span=> build_local(::core::default::Default::default()))
            }
            Flavor::MultiThread | Flavor::CurrentThread => quote_spanned!(span=> build()),
        };
        let worker_threads = self
            .worker_threads
            .map(|number| quote_spanned!(span=> .worker_threads(#number)));
        let start_paused = self
            .start_paused
            .map(|paused| quote_spanned!(span=> .start_paused(#paused)));
        let name = self
            .name
            .as_ref()
            .map(|name| quote_spanned!(span=> .name(#name)));
        quote_spanned! {span=>
            #kamon::runtime::Builder::#new
                #worker_threads
                #start_paused
                #name
                .enable_all()
                .#build
                .expect("Failed building the Runtime")
        }
    }
}

impl Flavor {
    fn parse(argument: &Argument) -> Result<Self> {
        let (name, span) = argument.string()?;
        let message = match name.as_str() {
            "multi_thread" => return Ok(Flavor::MultiThread),
            "current_thread" => return Ok(Flavor::CurrentThread),
            "local" => return Ok(Flavor::Local),
            "threaded_scheduler" => "this flavor is called `multi_thread` today".to_owned(),
            "single_thread" | "basic_scheduler" => {
                "this flavor is called `current_thread`".to_owned()
            }
            _ => format!(
                "no runtime flavor is called `{name}`: \
                 there are `multi_thread`, `current_thread` and `local`"
            ),
        };
        Err(Error::new(span, message))
    }
}

/// Why an argument that [`Runtime::new`] does not take is refused.
fn refusal(entry: Entry, name: &str) -> String {
    match name {
        "unhandled_panic" => "`unhandled_panic` is unstable in tokio and not offered here: \
                              a task's panic reaches whoever awaits its JoinHandle"
            .to_owned(),
        "core_threads" => "this argument is called `worker_threads` today".to_owned(),
        "multi_thread" | "current_thread" | "local" => {
            format!("write the flavor as `#[{entry}(flavor = \"{name}\")]`")
        }
        _ => format!("no argument is called `{name}`: there are {KNOWN}"),
    }
}
