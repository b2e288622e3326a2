//! The front of a room and the root of the crate: declarations, nothing that does something.

use crate::source::{line_of, tokens, Source};
use crate::Complaint;

/// Complaints about items other than `mod`, `use`, `extern crate` and macros.
pub(crate) fn declarations_only(source: &Source) -> Vec<Complaint> {
    let tokens = tokens(&source.code);
    let mut complaints = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at = skip_attributes(&tokens, at);
        let start = at;
        at = skip_visibility(&tokens, at);
        let word = |at: usize| tokens.get(at).map_or("", |token| token.1);
        match word(at) {
            // The end of an inline module, whose inside is held to the same.
            "}" | "" => at += 1,
            "mod" if word(at + 2) == "{" => at += 3,
            "mod" | "use" => at = skip_item(&tokens, at),
            "extern" if word(at + 1) == "crate" => at = skip_item(&tokens, at),
            "macro_rules" | "compile_error" => at = skip_item(&tokens, at),
            other => {
                let what = format_args!("`{other}`: only modules and re-exports belong here");
                complaints.push(source.at(line_of(&source.code, tokens[start].0), what));
                at = skip_item(&tokens, at);
            }
        }
    }
    complaints
}

fn skip_attributes(tokens: &[(usize, &str)], mut at: usize) -> usize {
    while tokens.get(at).is_some_and(|token| token.1 == "#") {
        at += 1;
        if tokens.get(at).is_some_and(|token| token.1 == "!") {
            at += 1;
        }
        at = skip_group(tokens, at);
    }
    at
}

fn skip_visibility(tokens: &[(usize, &str)], at: usize) -> usize {
    match (tokens.get(at), tokens.get(at + 1)) {
        (Some((_, "pub")), Some((_, "("))) => skip_group(tokens, at + 1),
        (Some((_, "pub")), _) => at + 1,
        _ => at,
    }
}

/// The place after the bracket that closes the one at `at`.
fn skip_group(tokens: &[(usize, &str)], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some((_, token)) = tokens.get(at) {
        match *token {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The place after the item's `;` or after its block. A `use` has braces and ends at `;` all the
/// same.
fn skip_item(tokens: &[(usize, &str)], mut at: usize) -> usize {
    let block_ends = tokens.get(at).is_some_and(|token| token.1 != "use");
    while let Some((_, token)) = tokens.get(at) {
        match *token {
            ";" => return at + 1,
            "{" if block_ends => return skip_group(tokens, at),
            "(" | "[" | "{" => at = skip_group(tokens, at),
            _ => at += 1,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str) -> usize {
        declarations_only(&Source::new("src/task/mod.rs", text)).len()
    }

    #[test]
    fn declarations_are_fine() {
        let text = "//! Tasks.\n#![allow(dead_code)]\n#[cfg(unix)]\nmod id;\npub(crate) mod join;\n\
                    pub use id::{Id, id};\npub(in crate::x) use a::b;\nextern crate self as kamon;\n\
                    pub mod prelude { #[doc(inline)] pub use crate::task::{Id}; }\n\
                    macro_rules! tls { () => { fn a() {} } }\npub(crate) use tls;\n\
                    #[cfg(a)] compile_error!(\"no\");\n";
        assert_eq!(complaints(text), 0);
    }

    #[test]
    fn anything_else_is_not() {
        assert_eq!(complaints("mod id;\nfn a() {}\nuse b;"), 1);
        assert_eq!(complaints("pub struct A { b: u32 }\npub struct C(u32);"), 2);
        assert_eq!(complaints("pub(crate) static A: u32 = 1;"), 1);
        assert_eq!(complaints("impl A { fn a() { mod b; } }"), 1);
        assert_eq!(complaints("mod a { pub use b::c; const D: u32 = 1; }"), 1);
        assert_eq!(complaints("pub type A = B;"), 1);
    }
}
