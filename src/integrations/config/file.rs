//! The configuration in a file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use toml::de::{DeTable, DeValue};
use toml::Spanned;

use crate::integrations::config::codecs::KEY_TABLES;
use crate::integrations::config::draft::Draft;
use crate::integrations::config::given::{Given, Value};
use crate::integrations::config::problem::Problem;
use crate::integrations::config::settings::SETTINGS;
use crate::report::ConfigError;

/// A file that is larger is none of ours, and may have no end.
const LARGEST_FILE: u64 = 1 << 20;

/// Reads a file's text.
pub(super) fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let mut file = File::open(path)?.take(LARGEST_FILE + 1);
    file.read_to_string(&mut text)?;
    match text.len() as u64 {
        0..=LARGEST_FILE => Ok(text),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("more than {LARGEST_FILE} bytes are no configuration"),
        )),
    }
}

/// The error that a file cannot be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> ConfigError {
    ConfigError::File {
        file: path.display().to_string(),
        line: None,
        key: String::new(),
        problem: format!("cannot be read: {error}"),
    }
}

/// Sets what the text says.
pub(super) fn read(draft: &mut Draft, file: &str, text: &str) -> Result<(), ConfigError> {
    let error = |key: &[&str], problem: Problem| ConfigError::File {
        file: file.to_owned(),
        line: Some(line(text, problem.at)),
        key: key.join("."),
        problem: problem.what,
    };
    let table = DeTable::parse(text).map_err(|broken| {
        let at = broken.span().map_or(0, |span| span.start);
        error(&[], Problem::new(at, broken.message()))
    })?;
    let mut path = Vec::new();
    read_table(draft, &mut path, table.get_ref()).map_err(|problem| error(&path, problem))
}

/// Sets what a table says. When it fails, the path is that of the entry which cannot be.
fn read_table<'a>(
    draft: &mut Draft,
    path: &mut Vec<&'a str>,
    table: &'a DeTable<'_>,
) -> Result<(), Problem> {
    // In the order of the file, so that the first mistake is the one that is told.
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        path.push(key.get_ref());
        read_entry(draft, path, key.span().start, value)?;
        path.pop();
    }
    Ok(())
}

fn read_entry<'a>(
    draft: &mut Draft,
    path: &mut Vec<&'a str>,
    at: usize,
    value: &'a Spanned<DeValue<'_>>,
) -> Result<(), Problem> {
    if let Some(setting) = SETTINGS.iter().find(|setting| is(setting.key, path)) {
        return (setting.set)(draft, &given(value));
    }
    if let [above @ .., key] = &path[..] {
        if let Some(table) = KEY_TABLES.iter().find(|table| is(table.path, above)) {
            return table.set(draft, key, &given(value));
        }
    }
    let inside = names_inside(path);
    match value.get_ref() {
        _ if inside.is_empty() && !KEY_TABLES.iter().any(|table| is(table.path, path)) => {
            let known = names_inside(&path[..path.len() - 1]).join(", ");
            Err(Problem::new(
                at,
                format!("there is no such setting; here is {known}"),
            ))
        }
        DeValue::Table(table) => read_table(draft, path, table),
        _ => Err(given(value).is_no("a table")),
    }
}

/// Whether the path is the one of this name.
fn is(name: &str, path: &[&str]) -> bool {
    name.split('.').eq(path.iter().copied())
}

/// The names that are known in the table at this path.
fn names_inside(path: &[&str]) -> Vec<&'static str> {
    let settings = SETTINGS.iter().map(|setting| setting.key);
    let names = settings.chain(KEY_TABLES.iter().map(|table| table.path));
    let mut inside: Vec<&str> = names
        .filter_map(|name| {
            let mut parts = name.split('.');
            let above = path.iter().all(|part| parts.next() == Some(part));
            parts.next().filter(|_| above)
        })
        .collect();
    inside.sort_unstable();
    inside.dedup();
    inside
}

fn given<'a>(value: &'a Spanned<DeValue<'_>>) -> Given<'a> {
    Given {
        at: value.span().start,
        value: match value.get_ref() {
            DeValue::String(text) => Value::Text(text),
            DeValue::Integer(number) => {
                Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok())
            }
            DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(value) => Value::Boolean(*value),
            DeValue::Datetime(_) => Value::Date,
            DeValue::Array(list) => Value::List(list.iter().map(given).collect()),
            DeValue::Table(_) => Value::Table,
        },
    }
}

/// The line in which the byte stands, counted from 1.
fn line(text: &str, at: usize) -> usize {
    let before = &text.as_bytes()[..at.min(text.len())];
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}
