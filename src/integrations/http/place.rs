//! Where a server is: the tags of all its metrics.

use std::borrow::Cow;
use std::net::SocketAddr;

use crate::metrics::{Counter, Histogram, RangeSampler, TagText, Timer};

/// Where a server is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) component: Cow<'static, str>,
    pub(super) address: Option<SocketAddr>,
}

impl Place {
    /// What a server is called unless it says otherwise.
    pub(super) const COMPONENT: &'static str = "http.server";

    /// The server that listens there.
    pub(super) fn of(address: Option<SocketAddr>) -> Self {
        Place {
            component: Place::COMPONENT.into(),
            address,
        }
    }

    /// The instrument of this server.
    pub(super) fn tag<I: Tagged>(&self, instrument: I) -> I {
        let instrument = instrument.tagged("component", self.component.clone().into());
        match self.address {
            Some(address) => instrument
                .tagged("interface", address.ip().to_string().into())
                .tagged("port", address.port().into()),
            None => instrument,
        }
    }
}

/// An instrument of any kind.
pub(super) trait Tagged: Sized {
    fn tagged(self, key: &'static str, value: TagText) -> Self;
}

macro_rules! tagged {
    ($($instrument:ty)*) => {
        $(impl Tagged for $instrument {
            fn tagged(self, key: &'static str, value: TagText) -> Self {
                self.with_tag(key, value)
            }
        })*
    };
}

tagged!(Counter Histogram RangeSampler Timer);
