//! What a configuration says of codecs and of the executor, which reporting does not see.

use crate::executor::set_default_worker_threads;
use crate::propagation::Codecs;
use crate::report::Config;

impl Config {
    /// Gives the process its codecs: [`Codecs::set_current`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::propagation::Codecs;
    ///
    /// let codecs = Codecs::builder().http_headers("span", ["w3c"]).build();
    /// kamon::init(kamon::Config::new().codecs(codecs))?;
    ///
    /// let headers = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    /// assert!(!Codecs::current().decode_headers(&headers).is_empty());
    /// # Ok::<(), kamon::ConfigError>(())
    /// ```
    pub fn codecs(self, codecs: Codecs) -> Self {
        self.also("codecs", || Codecs::set_current(codecs))
    }

    /// Sets the number of worker threads of runtimes that are built later, the global one among
    /// them, where their builder does not say one. Zero is for nobody having said any.
    ///
    /// The runtime of `#[kamon::main]` is there before its first line runs. For that one there are
    /// its argument `worker_threads` and the environment variable `KAMON_WORKER_THREADS`.
    ///
    /// # Examples
    ///
    /// ```
    /// kamon::init(kamon::Config::new().worker_threads(2))?;
    /// let runtime = kamon::runtime::Builder::new_multi_thread().build().unwrap();
    /// assert_eq!(runtime.metrics().num_workers(), 2);
    /// # Ok::<(), kamon::ConfigError>(())
    /// ```
    pub fn worker_threads(self, number: usize) -> Self {
        self.also("worker threads", move || set_default_worker_threads(number))
    }
}
