//! The client's side: a span for each request that goes out.

mod layer;
mod service;
mod settings;
mod side;

pub use self::layer::ClientLayer;
pub use self::service::ClientService;
pub use self::side::ClientSide;
