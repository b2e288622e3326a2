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
            // The text leaves it open whether one bad member takes the others with it. It does:
            // a list that was mangled on the way is not to be trusted in parts.
            self.refused = self.members.len() == MOST_MEMBERS || !is_member(member);
            self.members.push(member);
        }
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

// Level 2's grammar; Level 1 knew fewer keys.
fn is_member(member: &str) -> bool {
    let Some((key, value)) = member.split_once('=') else {
        return false;
    };
    is_key(key.as_bytes()) && is_value(value.as_bytes())
}

fn is_key(key: &[u8]) -> bool {
    let begins = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    key.first().copied().is_some_and(begins)
        && key.len() <= LONGEST_KEY
        && key
            .iter()
            .all(|&byte| begins(byte) || b"_-*/@".contains(&byte))
}

fn is_value(value: &[u8]) -> bool {
    // A blank at the end was trimmed with the member.
    (1..=LONGEST_VALUE).contains(&value.len())
        && value
            .iter()
            .all(|&byte| matches!(byte, b' '..=b'~') && byte != b'=')
}
