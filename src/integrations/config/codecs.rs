//! The tables in which keys of the Context are told which codec to use.

use crate::integrations::config::draft::Draft;
use crate::integrations::config::given::Given;
use crate::integrations::config::problem::Problem;
use crate::propagation::check_header;

/// A table in which the names are those of keys of the Context.
pub(super) struct KeyTable {
    pub(super) path: &'static str,
    set: fn(&mut Draft, &str, &Given<'_>) -> Result<(), Problem>,
}

pub(super) const HEADERS: KeyTable = KeyTable {
    path: "kamon.context.codecs.http-headers-keys",
    set: set_headers,
};

/// All of them.
pub(super) const KEY_TABLES: &[KeyTable] = &[
    HEADERS,
    KeyTable {
        path: "kamon.context.codecs.binary-keys",
        set: set_binary,
    },
    KeyTable {
        path: "kamon.context.codecs.string-keys",
        set: set_string,
    },
];

/// The one entry that a variable says too.
pub(super) const SPAN_IN_HEADERS: &str = "kamon.context.codecs.http-headers-keys.span";

impl KeyTable {
    /// Sets what the key of this name is given.
    pub(super) fn set(
        &self,
        draft: &mut Draft,
        key: &str,
        given: &Given<'_>,
    ) -> Result<(), Problem> {
        (self.set)(draft, key, given)
    }
}

fn set_headers(draft: &mut Draft, key: &str, given: &Given<'_>) -> Result<(), Problem> {
    let names = given.texts()?;
    for (name, at) in &names {
        if !draft.codecs().names().contains(name) {
            return Err(unknown(*at, name, &draft.codecs().names()));
        }
    }
    let names = names.into_iter().map(|(name, _)| name);
    draft.change_codecs(|codecs| codecs.http_headers(key, names));
    Ok(())
}

fn set_binary(draft: &mut Draft, key: &str, given: &Given<'_>) -> Result<(), Problem> {
    let name = given.text()?;
    if !draft.codecs().binary_names().contains(&name) {
        return Err(unknown(given.at, name, &draft.codecs().binary_names()));
    }
    draft.change_codecs(|codecs| codecs.binary(key, name));
    Ok(())
}

fn set_string(draft: &mut Draft, key: &str, given: &Given<'_>) -> Result<(), Problem> {
    let header = header(given)?;
    draft.change_codecs(|codecs| codecs.string_key(key, header));
    Ok(())
}

/// The name of a header.
pub(super) fn header<'a>(given: &Given<'a>) -> Result<&'a str, Problem> {
    let name = given.text()?;
    match check_header(name, "") {
        Ok(()) => Ok(name),
        Err(error) => Err(Problem::new(given.at, format!("{name:?}: {error}"))),
    }
}

fn unknown(at: usize, name: &str, known: &[&str]) -> Problem {
    let known = known.join(", ");
    Problem::new(
        at,
        format!("no codec is called {name:?}: there are {known}"),
    )
}
