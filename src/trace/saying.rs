//! Saying several things of a span at once, as toolkits do of each request.

use crate::trace::counts;
use crate::trace::details::Details;
use crate::trace::state::Flags;
use crate::trace::{Span, TagKey, TagValue};

/// What is said of a span, for as long as nobody else says anything.
#[allow(dead_code)] // Integrations use it.
pub(crate) struct Saying<'a> {
    details: &'a mut Details,
    is_recorded: bool,
}

#[allow(dead_code)] // Integrations use it.
impl Saying<'_> {
    /// As [`Span::tag`].
    #[inline]
    pub(crate) fn tag(&mut self, key: &'static str, value: impl Into<TagValue>) {
        if self.is_recorded {
            self.details.tag(key.into(), value.into());
        }
    }

    /// As [`Span::tag`], of what is written, where there is no such tag yet. A span that was reported may
    /// have left the memory for it.
    #[inline]
    pub(crate) fn write_tag(&mut self, key: &'static str, write: impl FnOnce(&mut String)) {
        if self.is_recorded {
            self.details.write_tag(key.into(), write);
        }
    }

    /// As [`Span::tag_metric`].
    #[inline]
    pub(crate) fn tag_metric(&mut self, key: &'static str, value: TagKey) {
        self.details.tag_metric(key.into(), value);
    }
}

impl Span {
    /// Says several things. That takes no read-modify-write where nobody else has the span.
    #[allow(dead_code)] // Integrations call it.
    #[inline]
    pub(crate) fn say(&mut self, say: impl FnOnce(&mut Saying<'_>)) {
        const ELSEWHERE: Flags = Flags::REMOTE.and(Flags::SUPPRESSED);
        let Some(body) = self.0.as_mut() else { return };
        let flags = body.flags();
        if flags.any(ELSEWHERE) {
            return;
        }
        let is_recorded = flags.any(Flags::RECORDED);
        if let Some(details) = body.alone() {
            return say(&mut Saying {
                details,
                is_recorded,
            });
        }
        match body.lock() {
            Some(mut details) => say(&mut Saying {
                details: &mut details,
                is_recorded,
            }),
            None => counts::written_too_late(),
        }
    }
}
