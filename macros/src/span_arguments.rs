//! What stands between the parentheses of `#[kamon::span(..)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{parenthesized, token, Error, Expr, Ident, LitStr, Path, Result, Token};

const KNOWN: &str = "`name`, `kind`, `tags`, `err` and `crate`";

/// The kinds of spans and the variants they are.
const KINDS: &[(&str, &str)] = &[
    ("server", "Server"),
    ("client", "Client"),
    ("producer", "Producer"),
    ("consumer", "Consumer"),
    ("internal", "Internal"),
];

/// How the span is built, and where kamon is.
#[derive(Default)]
pub(crate) struct SpanArguments {
    pub(crate) name: Option<LitStr>,
    pub(crate) kind: Option<Ident>,
    pub(crate) tags: Vec<Tag>,
    /// Whether an `Err` is an error of the span.
    pub(crate) err: bool,
    kamon: Option<Path>,
}

/// A tag: its name, and the expression that makes its value.
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: Expr,
}

impl SpanArguments {
    /// The path to kamon.
    pub(crate) fn kamon(&self) -> TokenStream {
        match &self.kamon {
            Some(path) => quote!(#path),
            None => quote!(::kamon),
        }
    }

    fn read(&mut self, seen: &mut Vec<String>, input: ParseStream<'_>) -> Result<()> {
        if input.peek(LitStr) {
            let name = input.parse()?;
            if seen.iter().any(|known| known == "name") {
                return Err(Error::new_spanned(name, "`name` is set twice"));
            }
            seen.push("name".to_owned());
            self.name = Some(name);
            return Ok(());
        }
        let argument = input.call(Ident::parse_any).map_err(|error| {
            let message = format!("expected the operation's name in quotes, or one of {KNOWN}");
            Error::new(error.span(), message)
        })?;
        let known = argument.to_string();
        if seen.contains(&known) {
            return Err(Error::new_spanned(
                &argument,
                format_args!("`{known}` is set twice"),
            ));
        }
        match known.as_str() {
            "name" => self.name = Some(text(&argument, input)?),
            "kind" => self.kind = Some(kind(&text(&argument, input)?)?),
            "crate" => self.kamon = Some(path(&text(&argument, input)?)?),
            "err" => self.err = true,
            "tags" => self.tags = tags(&argument, input)?,
            _ => {
                let message = format!("no argument is called `{known}`: there are {KNOWN}");
                return Err(Error::new_spanned(&argument, message));
            }
        }
        seen.push(known);
        Ok(())
    }
}

impl Parse for SpanArguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut arguments = SpanArguments::default();
        let mut seen = Vec::new();
        while !input.is_empty() {
            arguments.read(&mut seen, input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(arguments)
    }
}

impl Parse for Tag {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let key = if input.peek(LitStr) {
            input.parse::<LitStr>()?.value()
        } else {
            let words = Punctuated::<Ident, Token![.]>::parse_separated_nonempty_with(
                input,
                Ident::parse_any,
            )
            .map_err(|error| Error::new(error.span(), "expected a tag: `name = value`"))?;
            let words: Vec<String> = words.iter().map(|word| word.unraw().to_string()).collect();
            words.join(".")
        };
        if !input.peek(Token![=]) {
            return Err(input.error(format_args!("the tag `{key}` needs a value: `{key} = ..`")));
        }
        input.parse::<Token![=]>()?;
        Ok(Tag {
            key,
            value: input.parse()?,
        })
    }
}

fn tags(argument: &Ident, input: ParseStream<'_>) -> Result<Vec<Tag>> {
    if !input.peek(token::Paren) {
        return Err(Error::new_spanned(
            argument,
            "write tags as `tags(name = value, ..)`",
        ));
    }
    let inside;
    parenthesized!(inside in input);
    let list = Punctuated::<Tag, Token![,]>::parse_terminated(&inside)?;
    Ok(list.into_iter().collect())
}

/// The string after `argument =`.
fn text(argument: &Ident, input: ParseStream<'_>) -> Result<LitStr> {
    let expected = || Error::new_spanned(argument, format_args!("write `{argument} = \"..\"`"));
    if !input.peek(Token![=]) {
        return Err(expected());
    }
    input.parse::<Token![=]>()?;
    input.parse().map_err(|_| expected())
}

fn kind(text: &LitStr) -> Result<Ident> {
    let name = text.value();
    match KINDS.iter().find(|(known, _)| *known == name) {
        Some((_, variant)) => Ok(Ident::new(variant, text.span())),
        None => {
            let known: Vec<_> = KINDS
                .iter()
                .map(|(known, _)| format!("`{known}`"))
                .collect();
            let known = known.join(", ");
            let message = format!("no span is of the kind `{name}`: there are {known}");
            Err(Error::new(text.span(), message))
        }
    }
}

fn path(text: &LitStr) -> Result<Path> {
    text.parse_with(Path::parse_mod_style).map_err(|_| {
        let message = format!("`crate` needs a path, not {:?}", text.value());
        Error::new(text.span(), message)
    })
}
