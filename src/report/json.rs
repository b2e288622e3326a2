//! Text as JSON writes it.

use std::fmt::{self, Write};

/// A text between quotes, with everything escaped that JSON wants escaped.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                control if u32::from(control) < 0x20 => {
                    write!(f, "\\u{:04x}", u32::from(control))?;
                }
                other => f.write_char(other)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_json_wants_escaped_is() {
        let text = "a \"b\" \\ \n \t \u{1} ü";
        let expected = r#""a \"b\" \\ \n \u0009 \u0001 ü""#;
        assert_eq!(Quoted(text).to_string(), expected);
    }
}
