//! OpenTelemetry's environment variables.
//!
//! They are a whole fleet's, so what nobody here knows is ignored with a warning, as OpenTelemetry's
//! specification has it.

use crate::integrations::config::draft::Draft;
use crate::integrations::config::sampling::Sampling;
use crate::integrations::config::variables::Variables;
use crate::propagation::{Baggage, Codecs, CodecsBuilder};

/// The attribute that is the service's name.
const SERVICE: &str = "service.name";

/// Sets what the variables say.
pub(super) fn read(draft: &mut Draft, variables: &Variables) {
    let mut text = |name: &str| -> Option<String> {
        match variables.get(name)?.into_string() {
            Ok(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Err(_) => {
                draft.warn(format!("{name} is not UTF-8 and is ignored"));
                None
            }
        }
    };
    let disabled = text("OTEL_SDK_DISABLED");
    let attributes = text("OTEL_RESOURCE_ATTRIBUTES");
    let service = text("OTEL_SERVICE_NAME");
    let propagators = text("OTEL_PROPAGATORS");
    let sampler = text("OTEL_TRACES_SAMPLER");
    let argument = text("OTEL_TRACES_SAMPLER_ARG");

    let in_attributes = attributes.and_then(|attributes| {
        let service = service_in(&attributes);
        if service.is_none() && names_service(&attributes) {
            draft.warn(format!(
                "OTEL_RESOURCE_ATTRIBUTES: the service.name in {attributes:?} is ignored; values have %20 for \
                 a blank, and so on"
            ));
        }
        service
    });
    if let Some(name) = service.or(in_attributes) {
        draft.report(|config| config.service_name(name));
    }
    if let Some(names) = propagators {
        set_propagators(draft, &names);
    }
    if let Some(name) = sampler {
        set_sampler(draft, &name, argument.as_deref());
    }
    if let Some(value) = disabled {
        disable(draft, &value);
    }
}

/// The service's name among the attributes of the resource, which are written as baggage is, but without
/// properties: a semicolon is the value's.
fn service_in(attributes: &str) -> Option<String> {
    let attributes = attributes.replace(';', "%3B");
    let codecs = Codecs::builder().http_headers(Baggage::key().name(), ["baggage"]);
    let context = codecs.build().decode_headers(&[("baggage", &*attributes)]);
    let name = context.get(Baggage::key()).get(SERVICE)?;
    Some(name.to_owned()).filter(|name| !name.is_empty())
}

/// Whether one of the attributes is the service's name, as others only begin like it:
/// `service.namespace`.
fn names_service(attributes: &str) -> bool {
    let mut members = attributes.split(',');
    members.any(|member| {
        member
            .split('=')
            .next()
            .is_some_and(|key| key.trim() == SERVICE)
    })
}

fn set_propagators(draft: &mut Draft, names: &str) {
    let names: Vec<String> = names
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    let none = names == ["none"];
    let (mut span, mut baggage) = (Vec::new(), Vec::new());
    for name in &names {
        let (list, codec) = match &**name {
            "tracecontext" => (&mut span, "w3c"),
            "b3" => (&mut span, "otel-b3"),
            "b3multi" => (&mut span, "otel-b3multi"),
            "baggage" => (&mut baggage, "baggage"),
            _ if none => continue,
            other => {
                draft.warn(format!(
                    "OTEL_PROPAGATORS: {other:?} is ignored; known are tracecontext, baggage, b3, b3multi, \
                     and none alone"
                ));
                continue;
            }
        };
        if !list.contains(&codec) {
            list.push(codec);
        }
    }
    // If nothing of it is known, nothing is said.
    if span.is_empty() && baggage.is_empty() && !none {
        return;
    }
    draft.change_codecs(|codecs| {
        let codecs = codecs.http_headers("span", span);
        let codecs = codecs.http_headers(Baggage::key().name(), baggage);
        match none {
            true => codecs.http_headers(CodecsBuilder::TRACE_TOKEN, [""; 0]),
            false => codecs,
        }
    });
}

fn set_sampler(draft: &mut Draft, name: &str, argument: Option<&str>) {
    let known = name.to_ascii_lowercase();
    let (of_roots, by_parents) = match known.strip_prefix("parentbased_") {
        Some(of_roots) => (of_roots, true),
        None => (&*known, false),
    };
    let sampling = match of_roots {
        "always_on" => Sampling::Always,
        "always_off" => Sampling::Never,
        "traceidratio" => Sampling::Ratio(ratio(draft, argument)),
        _ => {
            draft.warn(format!(
                "OTEL_TRACES_SAMPLER: {name:?} is ignored; known are always_on, always_off and traceidratio, \
                 each also with parentbased_ before it"
            ));
            return;
        }
    };
    draft.tracing.sampling = Some(sampling);
    draft.tracing.trust = Some(by_parents);
}

/// The share of traces, all of them where nobody says one that can be.
fn ratio(draft: &mut Draft, argument: Option<&str>) -> f64 {
    let Some(argument) = argument else { return 1.0 };
    match argument.parse() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
        _ => {
            draft.warn(format!(
                "OTEL_TRACES_SAMPLER_ARG: {argument:?} is no number from 0 to 1 and is ignored"
            ));
            1.0
        }
    }
}

/// Has nothing reported. Propagation is not to be touched by this.
fn disable(draft: &mut Draft, value: &str) {
    if value.eq_ignore_ascii_case("true") {
        draft.report(|config| config.silent());
    } else if !value.eq_ignore_ascii_case("false") {
        draft.warn(format!(
            "OTEL_SDK_DISABLED: {value:?} is neither true nor false and is ignored"
        ));
    }
}
