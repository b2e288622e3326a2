//! The outside worlds, one each; every cargo feature lives here.

#[cfg(feature = "tokio")]
pub mod tokio;

#[cfg(feature = "tokio")]
pub(crate) use self::tokio::make_driver;
#[cfg(not(feature = "tokio"))]
pub(crate) use crate::executor::driver::make_thread_driver as make_driver;
