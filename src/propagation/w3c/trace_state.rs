//! The value of `tracestate`: what other tracing systems keep in the request, handed through.

use crate::propagation::header::BLANKS;

/// The text has us discard a list with more.
const MOST_MEMBERS: usize = 32;
/// How much the text asks us to hand on at least, and no more is.
const MOST_BYTES: usize = 512;
/// Members longer than this are the first to go, says the text, when not all can be handed on.
const LONG_MEMBER: usize = 128;
const LONGEST_KEY: usize = 256;
const LONGEST_VALUE: usize = 256;
/// What stands before and after the at sign of a key with two parts.
const LONGEST_TENANT: usize = 241;
const LONGEST_SYSTEM: usize = 14;

/// Gathers the members of one list out of however many headers it came in.
#[derive(Default)]
pub(super) struct TraceState<'a> {
    members: Vec<&'a str>,
    refused: bool,
}

impl<'a> TraceState<'a> {
    /// Adds a header's members.
    pub(super) fn add(&mut self, value: &'a str) {
        for member in value.split(',') {
            let member = member.trim_matches(BLANKS);
            if self.refused || member.is_empty() {
                continue;
            }
            // The text leaves it open whether one bad member takes the others with it, and what
            // becomes of a key that is there twice. A list that was mangled on the way is not to be
            // trusted in parts.
            self.refused =
                self.members.len() == MOST_MEMBERS || !is_member(member) || self.has_key(member);
            self.members.push(member);
        }
    }

    /// Whether there is a member with the same key. There are few, so this is quick.
    fn has_key(&self, member: &str) -> bool {
        let key = key(member);
        self.members.iter().any(|other| self::key(other) == key)
    }

    /// The list as it goes out; none if it is empty or was refused.
    pub(super) fn finish(mut self) -> Option<String> {
        if self.refused || self.members.is_empty() {
            return None;
        }
        while length(&self.members) > MOST_BYTES {
            let long = self.members.iter().rposition(|m| m.len() > LONG_MEMBER);
            self.members.remove(long.unwrap_or(self.members.len() - 1));
        }
        Some(self.members.join(",")).filter(|list| !list.is_empty())
    }
}

fn length(members: &[&str]) -> usize {
    let commas = members.len().saturating_sub(1);
    members.iter().map(|member| member.len()).sum::<usize>() + commas
}

fn key(member: &str) -> Option<&str> {
    member.split_once('=').map(|(key, _)| key)
}

fn is_member(member: &str) -> bool {
    let Some((key, value)) = member.split_once('=') else {
        return false;
    };
    is_key(key.as_bytes()) && is_value(value.as_bytes())
}

// Level 2's grammar, in which a key may begin with a digit. Its at sign may stand anywhere, and in
// Level 1 only between a tenant and a system: here too, because W3C's own tests want it so, and who
// reads the list behind us may have been written by Level 1.
fn is_key(key: &[u8]) -> bool {
    let Some(at) = key.iter().position(|&byte| byte == b'@') else {
        return is_name(key, LONGEST_KEY);
    };
    let (tenant, system) = (&key[..at], &key[at + 1..]);
    is_name(tenant, LONGEST_TENANT)
        && is_name(system, LONGEST_SYSTEM)
        && system[0].is_ascii_lowercase()
}

fn is_name(name: &[u8], longest: usize) -> bool {
    let begins = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.first().copied().is_some_and(begins)
        && name.len() <= longest
        && name
            .iter()
            .all(|&byte| begins(byte) || b"_-*/".contains(&byte))
}

fn is_value(value: &[u8]) -> bool {
    // A blank at the end was trimmed with the member.
    (1..=LONGEST_VALUE).contains(&value.len())
        && value
            .iter()
            .all(|&byte| matches!(byte, b' '..=b'~') && byte != b'=')
}
