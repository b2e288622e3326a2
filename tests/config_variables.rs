//! A configuration in environment variables: OpenTelemetry's by its specification, and our own.
#![cfg(feature = "config")]

mod configured;

use kamon::config::Loader;
use kamon::propagation::{Baggage, Codecs};
use kamon::{Config, ConfigError, Context, Span, SpanContext, SpanId, TraceId};

use crate::configured::{in_force, names_sent};

/// W3C's header with a decision that is another one than a sampler's.
const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const NOT_SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

/// No file but this one, and these variables.
fn loader(text: &str, variables: &[(&str, &str)]) -> Loader {
    let variables = variables.iter().copied();
    Loader::new().text("kamon.toml", text).variables(variables)
}

fn load(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    loader("", variables).load()
}

#[test]
fn otel_propagators() {
    let b3 = &["x-b3-sampled", "x-b3-spanid", "x-b3-traceid"][..];
    let token = "x-trace-token";
    let cases: &[(&str, &[&str])] = &[
        ("tracecontext", &["traceparent", token]),
        ("tracecontext,baggage", &["baggage", "traceparent", token]),
        ("b3", &["b3", token]),
        ("b3multi", &[b3, &[token]].concat()),
        (" tracecontext , b3 ", &["b3", "traceparent", token]),
        ("none", &[]),
        ("baggage", &["baggage", token]),
        (
            "tracecontext,b3,tracecontext",
            &["b3", "traceparent", token],
        ),
        ("TraceContext", &["traceparent", token]),
        // What is not known is ignored; if there is nothing else, all is as it was.
        ("xray,tracecontext", &["traceparent", token]),
        ("jaeger", &[b3, &[token]].concat()),
        ("none,b3", &["b3", token]),
    ];
    for (value, expected) in cases {
        let _in_force = in_force(loader("", &[("OTEL_PROPAGATORS", value)]));
        let span = kamon::build_span("sent").start();
        let context = Context::empty()
            .with_key(Span::key(), span.clone())
            .with_key(Baggage::key(), Baggage::default().with("shard", "7"));
        span.finish();
        let names: Vec<String> = configured::sent(&context)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, *expected, "{value}");
    }
}

/// Whether traces are sampled that begin here, that came in sampled, and that came in not sampled.
fn sampled() -> [bool; 3] {
    let codecs = Codecs::builder().http_headers("span", ["w3c"]).build();
    let parents = [None, Some(SAMPLED), Some(NOT_SAMPLED)];
    parents.map(|parent| {
        let context = parent.map_or_else(Context::empty, |parent| {
            codecs.decode_headers(&[("traceparent", parent)])
        });
        let span = kamon::with_context(context, || kamon::build_span("sampled?").start());
        span.finish();
        span.is_sampled()
    })
}

#[test]
fn otel_traces_sampler() {
    let cases: &[(&str, Option<&str>, [bool; 3])] = &[
        ("always_on", None, [true, true, true]),
        ("always_off", None, [false, false, false]),
        ("Always_Off", None, [false, false, false]),
        ("traceidratio", None, [true, true, true]),
        ("traceidratio", Some("0"), [false, false, false]),
        ("parentbased_always_on", None, [true, true, false]),
        ("parentbased_always_off", None, [false, true, false]),
        ("parentbased_traceidratio", Some("0"), [false, true, false]),
        ("parentbased_traceidratio", Some("1.0"), [true, true, false]),
        // A ratio that is none is ignored.
        ("parentbased_traceidratio", Some("2"), [true, true, false]),
        (
            "parentbased_traceidratio",
            Some("half"),
            [true, true, false],
        ),
        // And so is a sampler that is not known: this is the default.
        ("jaeger_remote", None, [true, true, false]),
        ("", None, [true, true, false]),
    ];
    for (sampler, argument, expected) in cases {
        let mut variables = vec![("OTEL_TRACES_SAMPLER", *sampler)];
        variables.extend(argument.map(|argument| ("OTEL_TRACES_SAMPLER_ARG", argument)));
        let _in_force = in_force(loader("", &variables));
        assert_eq!(sampled(), *expected, "{variables:?}");
    }
}

#[test]
fn a_ratio_goes_by_the_traces_id() {
    // Whoever is asked about a trace says the same, and a larger share has the smaller one in it.
    let of = |ratio: &str| {
        let variables = [
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", ratio),
        ];
        let _in_force = in_force(loader("", &variables));
        let sampled = |last: u64| {
            let id = TraceId::new(0x4bf9_2f35_77b3_4da6 << 64 | u128::from(last));
            let remote = SpanContext::new(id, SpanId::new(7));
            let builder = kamon::build_span("sampled?").as_child_of(&Span::remote(remote));
            let span = builder.start();
            span.finish();
            span.is_sampled()
        };
        // Quarters of what the last eight bytes can be.
        [0x01, 0x3f, 0x41, 0x7f, 0x81, 0xc1, 0xff].map(|byte| sampled(byte << 56))
    };
    assert_eq!(of("0.25"), [true, true, false, false, false, false, false]);
    assert_eq!(of("0.5"), [true, true, true, true, false, false, false]);
    assert_eq!(of("0.75"), [true, true, true, true, true, false, false]);
    assert_eq!(of("1"), [true; 7]);
}

#[test]
fn otel_service_name() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("OTEL_SERVICE_NAME", "users")], "users"),
        (
            &[(
                "OTEL_RESOURCE_ATTRIBUTES",
                "deployment.environment=test,service.name=my%20users",
            )],
            "my users",
        ),
        // Nothing follows a value here, as properties do in baggage.
        (
            &[("OTEL_RESOURCE_ATTRIBUTES", "service.name=a;b=1,c=d")],
            "a;b=1",
        ),
        (
            &[
                ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a"),
                ("OTEL_SERVICE_NAME", "b"),
            ],
            "b",
        ),
        (
            &[("OTEL_SERVICE_NAME", "b"), ("KAMON_SERVICE_NAME", "c")],
            "c",
        ),
        (&[("OTEL_SERVICE_NAME", "")], "in the file"),
    ];
    for (variables, expected) in cases {
        let file = "kamon.environment.service = \"in the file\"";
        let _in_force = in_force(loader(file, variables));
        assert_eq!(
            kamon::report::service_name().as_deref(),
            Some(*expected),
            "{variables:?}"
        );
    }
}

#[test]
fn otel_sdk_disabled() {
    for (value, silent) in [
        ("true", true),
        ("TRUE", true),
        ("false", false),
        ("1", false),
        ("", false),
    ] {
        let variables = [
            ("OTEL_SDK_DISABLED", value),
            ("OTEL_TRACES_SAMPLER", "always_on"),
            ("KAMON_TRACE_TRUST_REMOTE_SAMPLING_DECISION", "false"),
        ];
        let _in_force = in_force(loader("", &variables));
        let name = format!("disabled {value:?}");
        kamon::build_span(name.clone()).start().finish();
        let kept = kamon::recent_spans()
            .iter()
            .any(|span| span.operation == name);
        assert_eq!(kept, !silent, "{value:?}");
        // Propagation is not touched: what passes through keeps its decision.
        if silent {
            assert_eq!(sampled(), [false, true, false]);
        }
        assert_eq!(names_sent().len(), 4, "{value:?}");
    }
}

#[test]
fn what_otels_variables_say_that_is_not_known_is_a_warning() {
    let cases = [
        ("OTEL_PROPAGATORS", "tracecontext,jaeger", "\"jaeger\""),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=my svc,a=b",
            "my svc",
        ),
        ("OTEL_PROPAGATORS", "none,b3", "\"none\""),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "a=b, service.name",
            "service.name",
        ),
        ("OTEL_TRACES_SAMPLER", "xray", "\"xray\""),
        ("OTEL_SDK_DISABLED", "yes", "\"yes\""),
    ];
    for (variable, value, named) in cases {
        let config = load(&[(variable, value)]).unwrap();
        let [warning] = config.warnings() else {
            panic!("{variable}: {:?}", config.warnings())
        };
        assert!(
            warning.contains(variable) && warning.contains(named),
            "{warning}"
        );
    }
    let known = [
        ("OTEL_PROPAGATORS", "tracecontext,baggage,b3,b3multi"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_SDK_DISABLED", "false"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.namespace=shop,peer.service.name=a,team=service.name",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"),
    ];
    assert!(load(&known).unwrap().warnings().is_empty());
}

#[test]
fn our_own_come_last() {
    let file =
        "kamon.trace.sampler = \"always\"\nkamon.context.codecs.http-headers-keys.span = \"b3\"";
    let variables = [
        ("OTEL_TRACES_SAMPLER", "always_on"),
        ("OTEL_PROPAGATORS", "b3multi"),
        ("KAMON_TRACE_SAMPLER", "never"),
        ("KAMON_SPAN_CODECS", "w3c, b3-single"),
        ("KAMON_TRACE_IGNORED_OPERATIONS", "a,b*"),
    ];
    let _in_force = in_force(loader(file, &variables));
    assert!(!sampled()[0]);
    assert_eq!(names_sent(), ["b3", "traceparent", "x-trace-token"]);
}

#[test]
fn a_mistake_in_our_own_is_named_with_the_variable() {
    let cases = [
        (
            "KAMON_WORKER_THREADS",
            "0",
            "expected a whole number from 1 to 32768, found \"0\"",
        ),
        (
            "KAMON_WORKER_THREADS",
            "many",
            "expected a whole number from 1 to 32768, found \"many\"",
        ),
        (
            "KAMON_TRACE_SAMPLER",
            "some",
            "expected one of \"always\", ",
        ),
        (
            "KAMON_TRACE_RANDOM_SAMPLER_PROBABILITY",
            "2",
            "expected a number from 0 to 1, found \"2\"",
        ),
        (
            "KAMON_TRACE_TRUST_REMOTE_SAMPLING_DECISION",
            "yes",
            "expected one of \"true\", \"false\", found \"yes\"",
        ),
        ("KAMON_REPORT_BACKOFF", "5", "expected a duration, as "),
        (
            "KAMON_SPAN_CODECS",
            "w3c,w2c",
            "no codec is called \"w2c\": there are ",
        ),
        (
            "KAMON_TRACE_TOKEN_HEADER",
            "a b",
            "\"a b\": the name of a header is a token",
        ),
    ];
    for (variable, value, expected) in cases {
        let said = load(&[(variable, value)]).unwrap_err().to_string();
        let expected = format!("`{variable}`: {expected}");
        assert!(said.starts_with(&expected), "{said}");
    }
    // These are not ours, though they look it.
    let cluster = [
        ("KAMON_PORT", "tcp://10.0.0.1:80"),
        ("KAMON_SERVICE_HOST", "10.0.0.1"),
    ];
    assert!(load(&cluster).is_ok());
}

#[cfg(unix)]
#[test]
fn what_is_no_text_is_named_too() {
    use std::os::unix::ffi::OsStringExt as _;
    let bad = || std::ffi::OsString::from_vec(vec![b'a', 0xff]);
    let with = |name: &str| {
        Loader::new()
            .text("kamon.toml", "")
            .variables([(name, bad())])
            .load()
    };
    let said = with("KAMON_SERVICE_NAME").unwrap_err().to_string();
    assert_eq!(
        said,
        "`KAMON_SERVICE_NAME`: expected UTF-8, found \"a\u{fffd}\""
    );
    let config = with("OTEL_SERVICE_NAME").unwrap();
    assert_eq!(
        config.warnings(),
        ["OTEL_SERVICE_NAME is not UTF-8 and is ignored"]
    );
}
