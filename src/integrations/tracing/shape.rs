//! Where in a line the fields go, as text and as JSON.

use std::borrow::Cow;
use std::fmt::{self, Write};

use crate::report::Quoted;

/// Text whose last end of line is held back, so that there is room for more before it.
pub(super) struct Text<W> {
    line: W,
    held: bool,
}

impl<W: Write> Text<W> {
    pub(super) fn new(line: W) -> Self {
        Text { line, held: false }
    }

    /// Writes a field at the end of the line.
    pub(super) fn field(&mut self, name: &str, value: &str) -> fmt::Result {
        match is_plain(value) {
            true => write!(self.line, " {name}={value}"),
            // It may have come from outside: nothing in it may look like a field or an end of line.
            false => write!(self.line, " {name}={value:?}"),
        }
    }

    /// Writes the end of line that was held back.
    pub(super) fn end(mut self) -> fmt::Result {
        match self.held {
            true => self.line.write_char('\n'),
            false => Ok(()),
        }
    }
}

fn is_plain(value: &str) -> bool {
    let plain = |it: char| !it.is_whitespace() && it != '=' && it.escape_debug().len() == 1;
    !value.is_empty() && value.chars().all(plain)
}

impl<W: Write> Write for Text<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.held) {
            self.line.write_char('\n')?;
        }
        match text.strip_suffix('\n') {
            Some(text) => {
                self.held = true;
                self.line.write_str(text)
            }
            None => self.line.write_str(text),
        }
    }
}

/// A JSON object into which fields are put before those that it has.
pub(super) struct Json<'a, W> {
    line: W,
    fields: Vec<(&'static str, Cow<'a, str>)>,
    state: State,
}

enum State {
    /// Nothing was written.
    Before,
    /// The brace and the new fields were written.
    Opened,
    /// All is written as it comes.
    Passing,
}

impl<'a, W: Write> Json<'a, W> {
    pub(super) fn new(line: W, fields: Vec<(&'static str, Cow<'a, str>)>) -> Self {
        Json {
            line,
            fields,
            state: State::Before,
        }
    }

    fn open(&mut self) -> fmt::Result {
        self.line.write_char('{')?;
        let mut separator = "";
        for (name, value) in &self.fields {
            write!(self.line, "{separator}{}:{}", Quoted(name), Quoted(value))?;
            separator = ",";
        }
        Ok(())
    }
}

impl<W: Write> Write for Json<'_, W> {
    fn write_str(&mut self, mut text: &str) -> fmt::Result {
        if let State::Before = self.state {
            match text.strip_prefix('{') {
                Some(rest) => {
                    self.open()?;
                    self.state = State::Opened;
                    text = rest;
                }
                // No object.
                None if !text.is_empty() => self.state = State::Passing,
                None => {}
            }
        }
        if let (State::Opened, Some(first)) = (&self.state, text.chars().next()) {
            if first != '}' {
                self.line.write_char(',')?;
            }
            self.state = State::Passing;
        }
        self.line.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(parts: &[&str], value: &str) -> String {
        let mut line = String::new();
        let mut text = Text::new(&mut line);
        parts.iter().for_each(|part| text.write_str(part).unwrap());
        text.field("key", value).unwrap();
        text.end().unwrap();
        line
    }

    #[test]
    fn a_field_goes_before_the_end_of_the_line() {
        assert_eq!(text(&["said", "\n"], "1"), "said key=1\n");
        assert_eq!(text(&["said\n", ""], "1"), "said key=1\n");
        assert_eq!(text(&["one\n", "two", "\n"], "1"), "one\ntwo key=1\n");
        assert_eq!(text(&["no end"], "1"), "no end key=1");
    }

    #[test]
    fn a_value_cannot_be_taken_for_something_else() {
        for (value, expected) in [
            ("plain-1.0/ü", r"plain-1.0/ü"),
            ("", r#""""#),
            ("two words", r#""two words""#),
            ("a=b", r#""a=b""#),
            ("\"", r#""\"""#),
            ("end\nINFO forged", r#""end\nINFO forged""#),
            ("\u{1b}[31m", r#""\u{1b}[31m""#),
            ("\u{202e}", r#""\u{202e}""#),
        ] {
            assert_eq!(text(&["said\n"], value), format!("said key={expected}\n"));
        }
    }

    fn json(parts: &[&str]) -> String {
        let mut line = String::new();
        let fields = vec![("a", "1".into()), ("b", "\"\n".into())];
        let mut json = Json::new(&mut line, fields);
        parts.iter().for_each(|part| json.write_str(part).unwrap());
        line
    }

    #[test]
    fn an_object_begins_with_the_new_fields() {
        let expected = r#"{"a":"1","b":"\"\n","c":{}}"#;
        assert_eq!(json(&[r#"{"c":{}}"#]), expected);
        assert_eq!(json(&["", "{", "", r#""c":"#, "{", "}", "}"]), expected);
        assert_eq!(json(&["{", "}", "\n"]), "{\"a\":\"1\",\"b\":\"\\\"\\n\"}\n");
        assert_eq!(json(&["[", "{}]"]), "[{}]");
    }
}
