//! The rivals, set up as in production: spans go to a thread in the background, which drops them.

use std::sync::{Mutex, OnceLock};

use fastrace::collector::{Config, Reporter, SpanContext, SpanId, SpanRecord, TraceId};
use opentelemetry::trace::{Span as _, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, SpanData,
    SpanExporter,
};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::Registry;

use crate::span::BUFFER;

/// Drops the spans of fastrace.
struct FastraceNowhere;

impl Reporter for FastraceNowhere {
    fn report(&mut self, _: Vec<SpanRecord>) {}
}

/// Drops the spans of OpenTelemetry.
#[derive(Debug)]
struct OpenTelemetryNowhere;

impl SpanExporter for OpenTelemetryNowhere {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

/// A trace of fastrace's: `children` run in its root.
pub(super) fn fastrace(children: impl FnOnce()) {
    report_fastrace();
    let context = SpanContext::new(TraceId::random(), SpanId::default());
    let root = fastrace::Span::root("root", context);
    let _current = root.set_local_parent();
    children();
}

static FASTRACE: OnceLock<()> = OnceLock::new();
static PROVIDERS: Mutex<Vec<SdkTracerProvider>> = Mutex::new(Vec::new());

/// Sends out the spans of the rivals that are set up.
pub(super) fn flush() {
    if FASTRACE.get().is_some() {
        fastrace::flush();
    }
    for provider in &*PROVIDERS.lock().expect("nobody panics with the lock") {
        provider.force_flush().expect("nothing fails to be dropped");
    }
}

/// Has fastrace's spans dropped by its thread.
pub(crate) fn report_fastrace() {
    FASTRACE.get_or_init(|| fastrace::set_reporter(FastraceNowhere, Config::default()));
}

/// OpenTelemetry's tracer, for traces that are sampled or not.
pub(super) fn tracer(sampled: bool) -> &'static SdkTracer {
    static SAMPLED: OnceLock<SdkTracer> = OnceLock::new();
    static NOT_SAMPLED: OnceLock<SdkTracer> = OnceLock::new();
    let (cell, sampler) = match sampled {
        true => (&SAMPLED, Sampler::AlwaysOn),
        false => (&NOT_SAMPLED, Sampler::AlwaysOff),
    };
    cell.get_or_init(|| {
        let batches = BatchConfigBuilder::default().with_max_queue_size(BUFFER);
        let processor = BatchSpanProcessor::builder(OpenTelemetryNowhere)
            .with_batch_config(batches.build())
            .build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_sampler(sampler)
            .build();
        let tracer = provider.tracer("benches");
        let mut providers = PROVIDERS.lock().expect("nobody panics with the lock");
        providers.push(provider);
        tracer
    })
}

/// A trace of OpenTelemetry's: `children` run in its root.
pub(super) fn opentelemetry(sampled: bool, children: impl FnOnce(&SdkTracer)) {
    let tracer = tracer(sampled);
    let root = tracer.start("root");
    let context = opentelemetry::Context::current_with_span(root);
    let _current = context.attach();
    children(tracer);
}

/// A child of OpenTelemetry's, which is not made current.
pub(super) fn opentelemetry_child(tracer: &SdkTracer) {
    tracer.start("child").end();
}

/// A trace of `tracing`'s, whose spans go to OpenTelemetry: `children` run in its root.
pub(super) fn tracing(children: impl FnOnce()) {
    subscribe_opentelemetry();
    let root = tracing::info_span!("root");
    let _current = root.enter();
    children();
}

/// Has the spans of `tracing` go to OpenTelemetry.
pub(crate) fn subscribe_opentelemetry() {
    static SET: OnceLock<()> = OnceLock::new();
    SET.get_or_init(|| {
        let layer = tracing_opentelemetry::layer().with_tracer(tracer(true).clone());
        // Fails where there is another one, and then that is measured: each has its own process.
        let _ = tracing::subscriber::set_global_default(Registry::default().with(layer));
    });
}

/// Has the spans of `tracing` kept by its registry, for nobody.
pub(crate) fn subscribe_registry() {
    static SET: OnceLock<()> = OnceLock::new();
    SET.get_or_init(|| {
        // As above.
        let _ = tracing::subscriber::set_global_default(Registry::default());
    });
}
