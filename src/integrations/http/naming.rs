//! What operations are called.

use std::fmt;
use std::sync::Arc;

use http::Extensions;

use crate::context::contain::{contain, discard};
use crate::integrations::http::{names, words, RequestHead};
use crate::trace::TagKey;

/// What operations are called: the first that knows decides.
#[derive(Clone, Default)]
pub(super) struct Naming {
    given: Option<Arc<Given>>,
    route: Option<Arc<Route>>,
}

type Given = dyn Fn(&RequestHead<'_>) -> Option<TagKey> + Send + Sync;
type Route = dyn Fn(&Extensions) -> Option<&str> + Send + Sync;

impl Naming {
    pub(super) fn by<F>(&mut self, name: F)
    where
        F: Fn(&RequestHead<'_>) -> Option<TagKey> + Send + Sync + 'static,
    {
        self.given = Some(Arc::new(name));
    }

    pub(super) fn by_route<E: Send + Sync + 'static>(&mut self, route: fn(&E) -> &str) {
        self.route = Some(Arc::new(move |extensions| extensions.get().map(route)));
    }

    /// The name by what the user said, or the route.
    pub(super) fn name(&self, head: &RequestHead<'_>) -> Option<TagKey> {
        if let Some(name) = self.given.as_ref().and_then(|given| ask(given, head)) {
            return Some(names::said(name));
        }
        let route = self.route.as_ref()?(head.extensions())?;
        Some(names::route(words::method(head.method()), route))
    }
}

/// The name by the gRPC method.
pub(super) fn of_grpc(head: &RequestHead<'_>) -> Option<TagKey> {
    head.grpc_method().map(|method| method.to_owned().into())
}

/// As Kamon has it, what names operations cannot harm them.
fn ask(given: &Arc<Given>, head: &RequestHead<'_>) -> Option<TagKey> {
    contain(|| given(head)).unwrap_or_else(|payload| {
        discard(payload);
        None
    })
}

impl fmt::Debug for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Naming")
            .field("given", &self.given.is_some())
            .field("route", &self.route.is_some())
            .finish()
    }
}
