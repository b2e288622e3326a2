//! Runtimes: building them, holding on to them, reading their numbers.
//!
//! Most programs need none of this: [`kamon::block_on`](crate::block_on) and
//! [`kamon::spawn`](crate::spawn) use the global runtime, which starts itself with one worker
//! thread for each core, or as many as the environment variable `KAMON_WORKER_THREADS` says.
//!
//! # Examples
//!
//! ```
//! let runtime = kamon::runtime::Builder::new_multi_thread()
//!     .worker_threads(2)
//!     .enable_all()
//!     .build()?;
//! let answer = runtime.block_on(async { kamon::spawn(async { 6 * 7 }).await });
//! assert_eq!(answer.unwrap(), 42);
//! # std::io::Result::Ok(())
//! ```

mod builder;
mod handle;
mod local_runtime;
mod metrics;
#[allow(clippy::module_inception)]
mod runtime;
mod shutdown_error;

pub use crate::executor::enter::EnterGuard;
pub use crate::executor::worker::worker_index;
pub use crate::task::TaskMeta;
pub use builder::Builder;
pub use handle::{Handle, Id, RuntimeFlavor, TryCurrentError};
pub use local_runtime::{LocalOptions, LocalRuntime};
pub use metrics::RuntimeMetrics;
pub(crate) use metrics::WeakMetrics;
pub use runtime::Runtime;
pub use shutdown_error::is_rt_shutdown_err;
