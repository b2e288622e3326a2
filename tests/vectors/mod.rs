//! What other implementations did with the same headers and bytes; see `README.md` here.

use serde_json::Value;

/// One of the files, whole.
pub(crate) fn load(name: &str) -> Value {
    let path = format!("{}/tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The cases of one section of a file.
pub(crate) fn section<'a>(file: &'a Value, name: &str) -> &'a [Value] {
    let cases = file[name].as_array().unwrap();
    assert!(!cases.is_empty(), "{name} has no cases");
    cases
}

/// A text, empty where there is none.
#[allow(dead_code)] // Not all tests want it.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// A list of pairs: headers.
#[allow(dead_code)] // Not all tests want it.
pub(crate) fn pairs(value: &Value) -> Vec<(String, String)> {
    let pair = |pair: &Value| Some((pair[0].as_str()?.into(), pair[1].as_str()?.into()));
    let pairs = value.as_array().unwrap().iter();
    pairs
        .map(|one| pair(one).expect("a whole header"))
        .collect()
}

/// Bytes in hexadecimal digits: parts with blanks between them, and `@rep:XX:N` for N times XX.
#[allow(dead_code)] // Not all tests want it.
pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let byte =
        |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    let plain = |part: &str| part.as_bytes().chunks(2).map(byte).collect::<Vec<u8>>();
    let part = |part: &str| match part.strip_prefix("@rep:") {
        None => plain(part),
        Some(repeat) => {
            let (unit, times) = repeat.split_once(':').unwrap();
            plain(unit).repeat(times.parse().unwrap())
        }
    };
    hex.split_whitespace().flat_map(part).collect()
}
