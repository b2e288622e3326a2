//! The calls that a request asks for.

use serde_json::Value;

/// A call that a request asks for.
pub(crate) struct Call {
    pub(crate) url: String,
    /// What is sent along.
    pub(crate) arguments: Value,
}

/// Reads the body of a request: a list of calls, or nothing.
///
/// # Errors
///
/// Says in one line what is wrong with it.
pub(crate) fn read(body: &[u8]) -> Result<Vec<Call>, String> {
    let body = serde_json::from_slice(body).map_err(|error| format!("not JSON: {error}"))?;
    match body {
        Value::Null => Ok(Vec::new()),
        Value::Array(calls) => calls.into_iter().map(call).collect(),
        other => Err(format!("not a list of calls: {other}")),
    }
}

fn call(mut call: Value) -> Result<Call, String> {
    let Some(url) = call["url"].as_str().map(str::to_owned) else {
        return Err(format!("a call without a URL: {call}"));
    };
    let arguments = match call["arguments"].take() {
        Value::Null => Value::Array(Vec::new()),
        arguments => arguments,
    };
    Ok(Call { url, arguments })
}
