//! The spans of a trace, from all services that had to do with it: they must be one chain.

use serde_json::Value;

/// A span, as each service tells of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Link {
    pub(crate) service: String,
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) parent_id: Option<String>,
}

impl Link {
    /// Reads the list that a service answers with.
    pub(crate) fn read(list: &Value) -> Option<Vec<Link>> {
        let text = |span: &Value, name: &str| Some(span[name].as_str()?.to_owned());
        let link = |span: &Value| {
            Some(Link {
                service: text(span, "service")?,
                kind: text(span, "kind")?,
                id: text(span, "id")?,
                parent_id: text(span, "parent_id"),
            })
        };
        list.as_array()?.iter().map(link).collect()
    }
}

/// Checks that the spans are those of a request that went from one of these services to the next,
/// each the parent of the one behind it: a server's in each, and a client's in all but the last.
///
/// # Errors
///
/// Says where the chain is broken.
pub(crate) fn check(mut spans: Vec<Link>, root: &str, services: &[&str]) -> Result<(), String> {
    let kinds = services
        .iter()
        .flat_map(|name| [(name, "server"), (name, "client")]);
    let mut parent = root.to_owned();
    for (service, kind) in kinds.take(2 * services.len() - 1) {
        let next = spans
            .iter()
            .position(|span| span.parent_id.as_deref() == Some(&parent));
        let Some(next) = next else {
            return Err(format!("nothing is below {parent}, of {spans:?}"));
        };
        let span = spans.swap_remove(next);
        if span.service != **service || span.kind != kind {
            return Err(format!("not a {kind} of {service}: {span:?}"));
        }
        parent = span.id;
    }
    match spans.is_empty() {
        true => Ok(()),
        false => Err(format!("left over: {spans:?}")),
    }
}
