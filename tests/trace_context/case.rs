//! What is sent to the service, and what must then go out of it.

use axum::http::HeaderMap;

/// The trace and the span that most requests come with.
pub(crate) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
pub(crate) const SPAN: &str = "00f067aa0ba902b7";

/// A rule, and requests that show whether it is kept.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) exchanges: Vec<Exchange>,
}

/// A rule, and requests that show whether it is kept.
pub(crate) fn case(name: &'static str, exchanges: impl Into<Vec<Exchange>>) -> Case {
    let exchanges = exchanges.into();
    Case { name, exchanges }
}

/// A request, and what goes out because of it.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) headers: Vec<(String, String)>,
    /// How many calls the service is to make.
    pub(crate) calls: usize,
    /// Whether the trace goes on, or another one begins.
    goes_on: bool,
    state: Option<String>,
    flags: Option<&'static str>,
}

/// A request with these headers, after which a new trace must begin.
pub(crate) fn headers(headers: &[(&str, &str)]) -> Exchange {
    let headers = headers.iter();
    Exchange {
        headers: headers
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect(),
        calls: 1,
        goes_on: false,
        state: None,
        flags: None,
    }
}

/// A request with this `traceparent`, after which a new trace must begin.
pub(crate) fn parent(value: &str) -> Exchange {
    headers(&[("traceparent", value)])
}

/// A request of a trace that goes on, with these headers `tracestate`, of which nothing is kept.
pub(crate) fn states<S: AsRef<str>>(states: &[S]) -> Exchange {
    let mut exchange = parent(&format!("00-{TRACE}-{SPAN}-00")).goes_on();
    for state in states {
        let state = state.as_ref().to_owned();
        exchange.headers.push(("tracestate".to_owned(), state));
    }
    exchange
}

impl Exchange {
    /// The trace must go on.
    pub(crate) fn goes_on(mut self) -> Self {
        self.goes_on = true;
        self
    }

    /// This must be the state that goes out.
    pub(crate) fn keeps(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// These must be the flags that go out.
    pub(crate) fn flags(mut self, flags: &'static str) -> Self {
        self.flags = Some(flags);
        self
    }

    /// The service makes more calls than one.
    pub(crate) fn calls(mut self, calls: usize) -> Self {
        self.calls = calls;
        self
    }

    /// Compares with the headers of the calls that were made.
    pub(crate) fn check(&self, seen: &[HeaderMap]) -> Result<(), String> {
        if seen.len() != self.calls {
            return Err(format!("{} calls were made", seen.len()));
        }
        let mut spans = vec![SPAN.to_owned()];
        for headers in seen {
            let (trace, span, flags) = traceparent(headers)?;
            if (trace == TRACE) != self.goes_on {
                return Err(format!("the trace is {trace}"));
            }
            if spans.contains(&span) {
                return Err(format!("the span {span} is not new"));
            }
            spans.push(span);
            if self.flags.is_some_and(|expected| expected != flags) {
                return Err(format!("the flags are {flags}"));
            }
            let mut states = headers.get_all("tracestate").iter();
            let state = states.next().map(|state| state.to_str().unwrap());
            if state != self.state.as_deref() || states.next().is_some() {
                return Err(format!("the state is {:?}", headers.get_all("tracestate")));
            }
        }
        Ok(())
    }
}

/// The trace, the span and the flags of the one `traceparent` that must be there.
fn traceparent(headers: &HeaderMap) -> Result<(String, String, String), String> {
    let all: Vec<_> = headers.get_all("traceparent").iter().collect();
    let wrong = || format!("traceparent is {all:?}");
    let [value] = all[..] else {
        return Err(wrong());
    };
    let fields: Vec<&str> = value.to_str().map_err(|_| wrong())?.split('-').collect();
    let ["00", trace, span, flags] = fields[..] else {
        return Err(wrong());
    };
    for (field, length) in [(trace, 32), (span, 16), (flags, 2)] {
        let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_zero = length > 2 && field.bytes().all(|byte| byte == b'0');
        if field.len() != length || !field.bytes().all(lower_hex) || is_zero {
            return Err(wrong());
        }
    }
    Ok((trace.to_owned(), span.to_owned(), flags.to_owned()))
}
