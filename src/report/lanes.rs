//! The rings of all threads, and what each thread could not put into its own.

use std::cell::OnceCell;
use std::sync::OnceLock;

use crate::queue::{Ahead, Funnel, Producer, Push, Ring};
use crate::report::gate::Gate;
use crate::report::reason::Losses;
use crate::report::settings::SETTINGS;
use crate::report::{DropReason, Dropped};
use crate::sync::statics::Mutex;
use crate::sync::Arc;
use crate::trace::FinishedSpan;

/// How many threads have a ring of their own at a time. Where there are more, the others share one.
const MOST: usize = 128;

/// One thread's ring, with what did not fit. It stays when the thread ends, and with it what is in
/// it; the next new thread continues.
pub(crate) struct Lane {
    ring: Arc<Ring<FinishedSpan>>,
    lost: Losses,
}

/// The rings of all threads.
pub(crate) struct Lanes {
    lanes: Mutex<Vec<Arc<Lane>>>,
    shared: OnceLock<Shared>,
    pub(crate) gate: Gate,
}

/// The ring of threads that have none of their own, or none any more.
struct Shared {
    funnel: Funnel<FinishedSpan>,
    lost: Losses,
}

/// A thread's hold on its lane.
struct Claim {
    producer: Producer<FinishedSpan>,
    lane: Arc<Lane>,
}

/// What the recorder's thread has to do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "nobody else calls the drain"]
pub(crate) enum Next {
    Nothing,
    /// Call the drain: there is a new ring, or one is half full.
    CallDrain,
}

thread_local! {
    /// This thread's lane; `None` inside if all are taken.
    static CLAIM: OnceCell<Option<Claim>> = const { OnceCell::new() };
}

/// The lanes of the process.
pub(crate) static LANES: Lanes = Lanes::new();

impl Lanes {
    const fn new() -> Self {
        Lanes {
            lanes: Mutex::new(Vec::new()),
            shared: OnceLock::new(),
            gate: Gate::new(),
        }
    }

    /// Puts a span into this thread's ring, or drops and counts it.
    #[inline]
    pub(crate) fn record(&'static self, span: FinishedSpan) -> Next {
        let mut span = Some(span);
        let next = CLAIM.try_with(|claim| match claim.get() {
            Some(Some(claim)) => span.take().map(|span| claim.record(span, &self.gate)),
            Some(None) => None,
            None => self.record_first(claim, &mut span),
        });
        match (next, span) {
            (Ok(Some(next)), _) => next,
            (_, Some(span)) => self.record_shared(span),
            (_, None) => Next::Nothing,
        }
    }

    /// The first span of a thread.
    #[cold]
    fn record_first(
        &self,
        cell: &OnceCell<Option<Claim>>,
        span: &mut Option<FinishedSpan>,
    ) -> Option<Next> {
        let claim = cell.get_or_init(|| self.claim()).as_ref()?;
        let span = span.take()?;
        let _called_anyway = claim.record(span, &self.gate);
        Some(Next::CallDrain)
    }

    /// A span of a thread that has no ring: there are too many of them, or it is at its very end.
    #[cold]
    fn record_shared(&self, span: FinishedSpan) -> Next {
        let first = self.shared.get().is_none();
        let shared = self.shared();
        if let Some(reason) = self.gate.refuses(|| span.trace_id()) {
            shared.lost.count_shared(reason);
            return Next::Nothing;
        }
        match shared.funnel.push(span) {
            Push::Done if !first => Next::Nothing,
            Push::Done | Push::HalfFull => Next::CallDrain,
            Push::Full(span) => {
                self.gate.doom(span.trace_id());
                shared.lost.count_shared(DropReason::RingFull);
                Next::Nothing
            }
        }
    }

    /// A lane for this thread: one that another has left, or a new one.
    fn claim(&self) -> Option<Claim> {
        let mut lanes = self.lanes.lock();
        for lane in &*lanes {
            if let Some(producer) = lane.ring.claim() {
                let lane = lane.clone();
                return Some(Claim { producer, lane });
            }
        }
        if lanes.len() == MOST {
            return None;
        }
        let lane = Arc::new(Lane {
            ring: Arc::new(Ring::new(SETTINGS.lock().ring_spans)),
            lost: Losses::default(),
        });
        let producer = lane.ring.claim()?;
        lanes.push(lane.clone());
        Some(Claim { producer, lane })
    }

    /// Takes all spans that were recorded before. Returns how many.
    ///
    /// To be called by one thread at a time, so that the spans of a thread stay in order.
    pub(crate) fn drain(&self, mut take: impl FnMut(FinishedSpan)) -> usize {
        let lanes = self.lanes.lock().clone();
        // Spans were last written to on another core.
        let look = |span: &FinishedSpan, ahead| match ahead {
            Ahead::Far => span.fetch(),
            Ahead::Near => span.fetch_said(),
        };
        let drained = |lane: &Arc<Lane>| lane.ring.drain_ahead(look, &mut take);
        let own = lanes.iter().map(drained).sum();
        match self.shared.get() {
            Some(shared) => shared.funnel.drain(take) + own,
            None => own,
        }
    }

    /// How many spans are in the rings, and how many did not get there.
    pub(crate) fn count(&self) -> (u64, Dropped) {
        let lanes = self.lanes.lock().clone();
        let (mut waiting, mut dropped) = (0, Dropped::default());
        for lane in lanes {
            waiting += lane.ring.len() as u64;
            dropped.add_all(&lane.lost.read());
        }
        if let Some(shared) = self.shared.get() {
            waiting += shared.funnel.len() as u64;
            dropped.add_all(&shared.lost.read());
        }
        (waiting, dropped)
    }

    fn shared(&self) -> &Shared {
        self.shared.get_or_init(|| Shared {
            funnel: Funnel::new(SETTINGS.lock().ring_spans),
            lost: Losses::default(),
        })
    }
}

impl Claim {
    #[inline]
    fn record(&self, span: FinishedSpan, gate: &Gate) -> Next {
        if let Some(reason) = gate.refuses(|| span.trace_id()) {
            self.lane.lost.count(reason);
            return Next::Nothing;
        }
        match self.producer.push(span) {
            Push::Done => Next::Nothing,
            Push::HalfFull => Next::CallDrain,
            Push::Full(span) => {
                gate.doom(span.trace_id());
                self.lane.lost.count(DropReason::RingFull);
                Next::Nothing
            }
        }
    }
}
