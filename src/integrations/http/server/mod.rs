//! The server's side: a span for each request that comes in.

mod layer;
mod metrics;
mod service;
mod settings;
mod side;

pub use self::layer::ServerLayer;
pub use self::service::ServerService;
pub use self::side::ServerSide;
