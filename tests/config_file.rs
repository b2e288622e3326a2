//! A configuration in a file: what it says is done, and what it cannot say is an error that names
//! file, line and key.
#![cfg(feature = "config")]

mod configured;

use std::time::Duration;

use kamon::config::Loader;
use kamon::propagation::{
    trace_token, BinaryCodec, Codec, CodecError, Codecs, HeaderReader, HeaderWriter,
};
use kamon::runtime::Builder;
use kamon::{Config, ConfigError, Context, Key, Span};

use crate::configured::{in_force, names_sent, sent};

static REQUEST_ID: Key<Option<String>> = Key::broadcast_string("request-id");

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const B3: &str = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1";

fn loader(text: &str) -> Loader {
    // Whatever the environment of the tests says.
    let none: [(&str, &str); 0] = [];
    Loader::new().variables(none).text("kamon.toml", text)
}

/// As it stands in the documentation of the formats.
const SEED: &str = r#"
[kamon.context.codecs.http-headers-keys]
span = "b3"                       # or "w3c", "b3-single", "trace-token"; a list tries each on the way in and writes each on the way out
[kamon.context.codecs.binary-keys]
span = "colfer"
[kamon.context.codecs.string-keys]
request-id = "X-Request-ID"
"#;

#[test]
fn the_seed_works_as_written() {
    let _in_force = in_force(loader(SEED));
    let came_in = Codecs::current().decode_headers(&[
        ("X-B3-TraceId", TRACE),
        ("X-B3-SpanId", "00f067aa0ba902b7"),
        ("X-Request-ID", "1234"),
    ]);
    assert_eq!(came_in.get(Span::key()).trace_id().to_string(), TRACE);
    // The key needs no code but the one place where it is read.
    assert_eq!(came_in.get(&REQUEST_ID).as_deref(), Some("1234"));
    let bytes = Codecs::current().encode_binary(&came_in);
    let again = Codecs::current().decode_binary(&bytes);
    assert_eq!(again.get(Span::key()), came_in.get(Span::key()));
    assert_eq!(again.get(&REQUEST_ID).as_deref(), Some("1234"));
    let names: Vec<String> = sent(&came_in).into_iter().map(|(name, _)| name).collect();
    let expected = [
        "x-b3-spanid",
        "x-b3-traceid",
        "x-request-id",
        "x-trace-token",
    ];
    assert_eq!(names, expected);
}

#[test]
fn each_codec_of_headers_has_its_name() {
    let multi = &["x-b3-sampled", "x-b3-spanid", "x-b3-traceid"][..];
    let cases: [(&str, &[&str]); 7] = [
        ("\"w3c\"", &["traceparent"]),
        ("\"b3\"", multi),
        ("\"b3-single\"", &["b3"]),
        ("\"trace-token\"", &[]),
        ("[\"w3c\"]", &["traceparent"]),
        ("[\"b3-single\", \"w3c\"]", &["b3", "traceparent"]),
        ("[]", &[]),
    ];
    for (codecs, expected) in cases {
        let text = format!("kamon.context.codecs.http-headers-keys.span = {codecs}");
        let _in_force = in_force(loader(&text));
        // The token has a key of its own, and goes out unless it is turned off.
        let expected: Vec<&str> = expected.iter().copied().chain(["x-trace-token"]).collect();
        assert_eq!(names_sent(), expected, "{codecs}");
    }
}

#[test]
fn a_list_is_tried_on_the_way_in() {
    let text = "[kamon.context.codecs.http-headers-keys]\nspan = [\"w3c\", \"b3-single\"]";
    let _in_force = in_force(loader(text));
    for header in [("traceparent", PARENT), ("b3", B3)] {
        let context = Codecs::current().decode_headers(&[header]);
        assert_eq!(
            context.get(Span::key()).trace_id().to_string(),
            TRACE,
            "{header:?}"
        );
    }
    // The first that is there is the one.
    let other = "11111111111111111111111111111111-2222222222222222-1";
    let context = Codecs::current().decode_headers(&[("b3", other), ("traceparent", PARENT)]);
    assert_eq!(context.get(Span::key()).trace_id().to_string(), TRACE);
}

#[test]
fn the_token_is_there_unless_it_is_turned_off() {
    let of = |text: &str| {
        let _in_force = in_force(loader(text));
        let context =
            Codecs::current().decode_headers(&[("X-Trace-Token", "cart-7"), ("X-Token", "8")]);
        trace_token(&context).map(String::from)
    };
    assert_eq!(of("").as_deref(), Some("cart-7"));
    assert_eq!(of(SEED).as_deref(), Some("cart-7"));
    assert_eq!(
        of("kamon.context.codecs.trace-token-header = \"X-Token\"").as_deref(),
        Some("8")
    );
    let off = "kamon.context.codecs.http-headers-keys.trace-token = []";
    assert_eq!(of(off), None);
}

/// Writes and reads a fixed text.
struct Own;

static OWN: Key<Option<String>> = Key::broadcast_string("own");

impl Codec for Own {
    fn encode(&self, _: &Context, headers: &mut dyn HeaderWriter) -> Result<(), CodecError> {
        headers.set("X-Own", "written")
    }

    fn decode(&self, headers: &dyn HeaderReader, context: &Context) -> Result<Context, CodecError> {
        let text = headers.first("X-Own").map(String::from);
        Ok(context.with_key(&OWN, text))
    }
}

impl BinaryCodec for Own {
    fn encode(&self, _: &Context, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
        bytes.extend(b"written");
        Ok(())
    }

    fn decode(&self, bytes: &[u8], context: &Context) -> Result<Context, CodecError> {
        Ok(context.with_key(&OWN, Some(String::from_utf8(bytes.into())?)))
    }
}

#[test]
fn a_codec_of_ones_own_is_known_by_its_name() {
    let text = r#"
        [kamon.context.codecs]
        http-headers-keys = { own = "mine" }
        binary-keys = { own = "mine" }
    "#;
    let error = loader(text).load().unwrap_err().to_string();
    assert_eq!(
        error,
        "kamon.toml:3: `kamon.context.codecs.http-headers-keys.own`: no codec is called \"mine\": there are \
         b3, b3-single, baggage, otel-b3, otel-b3multi, trace-token, w3c"
    );
    let _in_force = in_force(loader(text).codec("mine", Own).binary_codec("mine", Own));
    let came_in = Codecs::current().decode_headers(&[("x-own", "read")]);
    assert_eq!(came_in.get(&OWN).as_deref(), Some("read"));
    assert_eq!(
        sent(&came_in),
        [("x-own".to_string(), "written".to_string())]
    );
    let bytes = Codecs::current().encode_binary(&came_in);
    let again = Codecs::current().decode_binary(&bytes);
    assert_eq!(again.get(&OWN).as_deref(), Some("written"));
}

#[test]
fn what_it_says_is_done() {
    let text = r#"
        [kamon]
        environment.service = "users"
        executor = { worker-threads = 3 }

        [kamon.trace]
        sampler = "random"
        random-sampler.probability = 0
        identifier-scheme = "single"
        ignored-operations = ["GET /health"]
        trust-remote-sampling-decision = false

        [kamon.report]
        recent-spans = 0x10
    "#;
    let _in_force = in_force(loader(text));
    assert_eq!(kamon::report::service_name().as_deref(), Some("users"));
    let runtime = Builder::new_multi_thread().build().unwrap();
    assert_eq!(runtime.metrics().num_workers(), 3);
    // What is said in code counts more.
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    assert_eq!(runtime.metrics().num_workers(), 1);

    let span = kamon::build_span("not sampled").start();
    assert!(!span.is_sampled());
    assert_eq!(span.trace_id().get() >> 64, 0);
    span.finish();
    let parent = Codecs::current().decode_headers(&[
        ("X-B3-TraceId", TRACE),
        ("X-B3-SpanId", "00f067aa0ba902b7"),
        ("X-B3-Sampled", "1"),
    ]);
    let span = kamon::build_span("child")
        .as_child_of(parent.get(Span::key()))
        .start();
    assert!(!span.is_sampled());
    span.finish();
}

#[test]
fn what_is_ignored_and_what_is_kept_is_said_there() {
    let text = r#"
        [kamon.trace]
        ignored-operations = ["GET /health", "ping*"]
        [kamon.report]
        recent-spans = 3
        drain-interval = "10ms"
        patience = "2s"
    "#;
    let _in_force = in_force(loader(text));
    for name in ["GET /health", "pinged", "a", "b", "c", "d"] {
        kamon::build_span(name).start().finish();
    }
    let spans = kamon::recent_spans();
    let names: Vec<&str> = spans.iter().map(|span| &*span.operation).collect();
    assert_eq!(names, ["b", "c", "d"]);
}

#[test]
fn a_context_that_is_larger_is_not_written() {
    let context = Context::empty().with_key(&REQUEST_ID, Some("1234".into()));
    for (largest, is_written) in [(16, false), (4096, true)] {
        let text = format!("{SEED}[kamon.context.codecs]\nlargest-message = {largest}");
        let _in_force = in_force(loader(&text));
        let bytes = Codecs::current().encode_binary(&context);
        assert_eq!(!bytes.is_empty(), is_written, "{largest}");
    }
}

#[cfg(feature = "test-util")]
#[test]
fn an_adaptive_sampler_is_told_how_much() {
    let sampled = |throughput: u32| {
        let text = format!("sampler = \"adaptive\"\nadaptive-sampler.throughput = {throughput}");
        let _in_force = in_force(loader(&format!("[kamon.trace]\n{text}")));
        let clock = kamon::trace::FrozenClock::new();
        let traces = (0..10).filter(|_| {
            clock.advance(Duration::from_secs(1));
            let span = kamon::build_span("adaptive").start();
            span.finish();
            span.is_sampled()
        });
        traces.count()
    };
    assert_eq!(sampled(0), 1, "the first of its operation");
    assert_eq!(sampled(60), 10, "one a second");
}

#[test]
fn code_has_the_last_word() {
    let text = "[kamon.trace]\nsampler = \"never\"\nidentifier-scheme = \"single\"";
    let codecs = "[kamon.context.codecs.http-headers-keys]\nspan = \"w3c\"";
    let config = loader(&format!("{text}\n{codecs}"))
        .adjust_codecs(|codecs| codecs.http_headers("span", ["b3-single"]))
        .load()
        .unwrap();
    let config = config.adjust_tracing(|settings| settings.sampler(kamon::trace::AlwaysSampler));
    let _in_force = in_force(loader(""));
    kamon::init(config).unwrap();
    let span = kamon::build_span("sampled").start();
    assert!(span.is_sampled());
    // What code does not mention is as the file has it.
    assert_eq!(span.trace_id().get() >> 64, 0);
    span.finish();
    assert_eq!(names_sent(), ["b3", "x-trace-token"]);
}

#[test]
fn what_nobody_mentions_is_left_alone() {
    let _in_force = in_force(loader(""));
    let w3c = Codecs::builder().http_headers("span", ["w3c"]).build();
    kamon::init(Config::new().codecs(w3c).worker_threads(2)).unwrap();
    kamon::init(loader("[kamon.report]\nattempts = 2").load().unwrap()).unwrap();
    assert_eq!(names_sent(), ["traceparent"]);
    let runtime = Builder::new_multi_thread().build().unwrap();
    assert_eq!(runtime.metrics().num_workers(), 2);
}

#[test]
fn a_mistake_is_named_with_file_line_and_key() {
    let words = "\"always\", \"never\", \"random\", \"adaptive\"";
    let cases: &[(&str, &str)] = &[
        ("[kamon.trace]\n\nsampler = \"sometimes\"", &format!("3: `kamon.trace.sampler`: expected one of {words}, found \"sometimes\"")),
        ("kamon.trace.sampler = 3", &format!("1: `kamon.trace.sampler`: expected one of {words}, found 3")),
        ("[kamon.trace]\nsample = \"never\"", "2: `kamon.trace.sample`: there is no such setting; "),
        ("[kamom.trace]\nsampler = \"never\"", "1: `kamom`: there is no such setting; here is kamon"),
        ("[kamon]\n[kamon.trace.sampler]\nname = 1", &format!("2: `kamon.trace.sampler`: expected one of {words}, found a table")),
        ("[kamon]\ntrace = true", "2: `kamon.trace`: expected a table, found true"),
        ("kamon = [1]", "1: `kamon`: expected a table, found a list"),
        ("[kamon.context.codecs]\nhttp-headers-keys = \"b3\"", "2: `kamon.context.codecs.http-headers-keys`: expected a table, found \"b3\""),
        ("[kamon.context.codecs.http-headers-keys]\nspan = [\n\"w3c\",\n\"w2c\"]", "4: `kamon.context.codecs.http-headers-keys.span`: no codec is called \"w2c\": there are "),
        ("[kamon.context.codecs.http-headers-keys]\nspan = 3", "2: `kamon.context.codecs.http-headers-keys.span`: expected a text or a list of texts, found 3"),
        ("[kamon.context.codecs.http-headers-keys]\nspan = [1979-05-27]", "2: `kamon.context.codecs.http-headers-keys.span`: expected a text with something in it, found a date"),
        ("[kamon.context.codecs.http-headers-keys]\nspan = \" \"", "2: `kamon.context.codecs.http-headers-keys.span`: expected a text with something in it, found \" \""),
        ("[kamon.context.codecs.binary-keys]\nspan = \"protobuf\"", "2: `kamon.context.codecs.binary-keys.span`: no codec is called \"protobuf\": there are colfer"),
        ("[kamon.context.codecs.binary-keys]\nspan = [\"colfer\"]", "2: `kamon.context.codecs.binary-keys.span`: expected a text with something in it, found a list"),
        ("[kamon.context.codecs.string-keys]\nuser = \"X User\"", "2: `kamon.context.codecs.string-keys.user`: \"X User\": the name of a header is a token"),
        ("[kamon.executor]\nworker-threads = 0", "2: `kamon.executor.worker-threads`: expected a whole number from 1 to 32768, found 0"),
        ("[kamon.executor]\nworker-threads = -1", "2: `kamon.executor.worker-threads`: expected a whole number from 1 to 32768, found -1"),
        ("[kamon.executor]\nworker-threads = \"4\"", "2: `kamon.executor.worker-threads`: expected a whole number from 1 to 32768, found \"4\""),
        ("[kamon.executor]\nworker-threads = 99999999999999999999", "2: `kamon.executor.worker-threads`: expected a whole number from 1 to 32768, found a number beyond 64 bits"),
        ("[kamon.report]\nattempts = 1.5", "2: `kamon.report.attempts`: expected a whole number from 1, found 1.5"),
        ("[kamon.report]\nring-spans = 2000000", "2: `kamon.report.ring-spans`: expected a whole number from 1 to 1048576, found 2000000"),
        ("[kamon.report]\ndrain-interval = \"0s\"", "2: `kamon.report.drain-interval`: expected a duration above zero, as \"250ms\", \"5s\" or \"2m\", found \"0s\""),
        ("[kamon.report]\nbackoff = 5", "2: `kamon.report.backoff`: expected a duration, as \"250ms\", \"5s\" or \"2m\", found 5"),
        ("[kamon.trace]\nrandom-sampler.probability = 1.1", "2: `kamon.trace.random-sampler.probability`: expected a number from 0 to 1, found 1.1"),
        ("[kamon.trace]\nrandom-sampler.probability = nan", "2: `kamon.trace.random-sampler.probability`: expected a number from 0 to 1, found NaN"),
        ("[kamon.trace]\nadaptive-sampler.throughput = -1", "2: `kamon.trace.adaptive-sampler.throughput`: expected a number from 0, found -1"),
        ("[kamon.trace]\ntrust-remote-sampling-decision = \"true\"", "2: `kamon.trace.trust-remote-sampling-decision`: expected true or false, found \"true\""),
        ("[kamon.environment]\nservice = \"\"", "2: `kamon.environment.service`: expected a text with something in it, found \"\""),
        // The first of two.
        ("[kamon.trace]\nzampler = 1\n[kamon.report]\nattempt = 2", "2: `kamon.trace.zampler`: there is no such setting; "),
        // No TOML.
        ("[kamon.trace]\nsampler = \"never\"\nsampler = \"always\"", "3: duplicate key"),
        ("[kamon.trace]\nsampler = never", "2: "),
        ("[kamon", "1: "),
    ];
    for (text, expected) in cases {
        let said = loader(text).load().unwrap_err().to_string();
        let rest = said.strip_prefix("kamon.toml:").unwrap_or_default();
        assert!(rest.starts_with(expected), "{text}\n{said}\n{expected}");
    }
}

#[test]
fn errors_are_values() {
    let error = loader("\nkamon.report.attempts = true").load().unwrap_err();
    assert_eq!(
        error,
        ConfigError::File {
            file: "kamon.toml".into(),
            line: Some(2),
            key: "kamon.report.attempts".into(),
            problem: "expected a whole number from 1, found true".into(),
        }
    );
    let adjust = |codecs: kamon::propagation::CodecsBuilder| codecs.binary("span", "json");
    let error = loader("").adjust_codecs(adjust).load().unwrap_err();
    assert_eq!(error.to_string(), "`span`: no codec is called \"json\"");
}

#[test]
fn all_that_is_a_number_of_times_is_read() {
    let text = r#"
        [kamon.report]
        drain-interval = "1.5s"
        backoff = "100 ms"
        patience = "1m"
        queue-spans = 1_000
        ring-spans = 64
        attempts = 7
        [kamon.trace]
        sampler = "adaptive"
        adaptive-sampler.throughput = 60.5
        keep-failed-traces = 2
        keep-slow-traces = "2s"
        track-metrics-on-ignored-operations = true
        [kamon.context.codecs]
        largest-message = 4096
    "#;
    let by_hand = Config::new()
        .drain_interval(Duration::from_millis(1500))
        .backoff(Duration::from_millis(100))
        .patience(Duration::from_secs(60))
        .queue_spans(1000)
        .ring_spans(64)
        .attempts(7)
        .tracing(
            kamon::trace::Settings::new()
                .sampler(kamon::trace::AdaptiveSampler::new(60.5))
                .keep_failed_traces(2)
                .keep_slow_traces(Duration::from_secs(2))
                .measure_ignored_operations(),
        )
        .codecs(Codecs::default());
    let read = loader(text).load().unwrap();
    assert_eq!(format!("{read:?}"), format!("{by_hand:?}"));
}
