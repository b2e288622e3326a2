//! One member of the baggage: a name, a value, and properties, which are handed through where the member is
//! no key of this process.

use crate::propagation::baggage::percent;
use crate::propagation::header::{is_token, BLANKS};

/// One member of the baggage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) value: String,
    /// As they came, each with its semicolon before it.
    pub(super) properties: String,
}

impl Member {
    pub(super) fn new(key: &str, value: &str) -> Self {
        Member {
            key: key.to_owned(),
            value: value.to_owned(),
            properties: String::new(),
        }
    }

    /// Reads a member; none if it is not as the text's grammar has it.
    pub(super) fn parse(member: &str) -> Option<Member> {
        let (pair, properties) = match member.split_once(';') {
            Some((pair, properties)) => (pair, Some(properties)),
            None => (member, None),
        };
        let (key, value) = parse_pair(pair)?;
        let mut handed_on = String::new();
        for property in properties.into_iter().flat_map(|all| all.split(';')) {
            let property = property.trim_matches(BLANKS);
            match parse_pair(property) {
                Some(_) => {}
                None if is_key(property) => {}
                None => return None,
            }
            handed_on.push(';');
            handed_on.push_str(property);
        }
        Some(Member {
            key: key.to_owned(),
            // The percent signs of a key are its own, those of a value are not.
            value: percent::decode(value).into_owned(),
            properties: handed_on,
        })
    }

    /// Writes the member. `None` if its key cannot stand there.
    pub(super) fn print(&self) -> Option<String> {
        if !is_key(&self.key) {
            return None;
        }
        let mut member = format!("{}=", self.key);
        percent::encode(&self.value, &mut member);
        member.push_str(&self.properties);
        Some(member)
    }
}

fn parse_pair(pair: &str) -> Option<(&str, &str)> {
    let (key, value) = pair.split_once('=')?;
    let (key, value) = (key.trim_matches(BLANKS), value.trim_matches(BLANKS));
    (is_key(key) && value.bytes().all(percent::is_octet)).then_some((key, value))
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(is_token)
}
