//! `name = literal` lists: what stands between the parentheses of `#[kamon::main(..)]`.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{token, Error, Ident, Lit, Path, Result, Token};

/// Every argument, in the order written.
pub(crate) struct Arguments(pub(crate) Vec<Argument>);

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let list = Punctuated::<Argument, Token![,]>::parse_terminated(input)?;
        Ok(Arguments(list.into_iter().collect()))
    }
}

/// One argument. The value is absent when only the name was written.
pub(crate) struct Argument {
    name: Ident,
    value: Option<Lit>,
}

impl Argument {
    /// The name as written. `crate` is a keyword, so this is not always a plain identifier.
    pub(crate) fn name(&self) -> String {
        self.name.to_string()
    }

    /// An error that points at the name.
    pub(crate) fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::new(self.name.span(), message)
    }

    /// The value as a string, and where it stands.
    pub(crate) fn string(&self) -> Result<(String, Span)> {
        match self.literal()? {
            Lit::Str(text) => Ok((text.value(), text.span())),
            other => Err(self.expected("a string", other)),
        }
    }

    /// The value as an integer above zero, and where it stands.
    pub(crate) fn positive(&self) -> Result<(usize, Span)> {
        let literal = self.literal()?;
        let number = match literal {
            Lit::Int(number) => number.base10_parse::<usize>().ok(),
            _ => None,
        };
        match number {
            Some(0) => {
                let message = format!("`{}` may not be 0", self.name);
                Err(Error::new(literal.span(), message))
            }
            Some(number) => Ok((number, literal.span())),
            None => Err(self.expected("an integer", literal)),
        }
    }

    /// The value as a bool, and where it stands.
    pub(crate) fn bool(&self) -> Result<(bool, Span)> {
        match self.literal()? {
            Lit::Bool(value) => Ok((value.value, value.span)),
            other => Err(self.expected("`true` or `false`", other)),
        }
    }

    /// True for the name alone, and otherwise the value as a bool.
    pub(crate) fn flag(&self) -> Result<bool> {
        match self.value {
            None => Ok(true),
            Some(_) => Ok(self.bool()?.0),
        }
    }

    /// The value, a string, as a path.
    pub(crate) fn path(&self) -> Result<Path> {
        match self.literal()? {
            Lit::Str(text) => text.parse_with(Path::parse_mod_style).map_err(|_| {
                let message = format!("`{}` needs a path, not {:?}", self.name, text.value());
                Error::new(text.span(), message)
            }),
            other => Err(self.expected("a path in a string", other)),
        }
    }

    fn literal(&self) -> Result<&Lit> {
        self.value
            .as_ref()
            .ok_or_else(|| self.error(format_args!("`{0}` needs a value: `{0} = ..`", self.name)))
    }

    fn expected(&self, what: &str, found: &Lit) -> Error {
        Error::new(
            found.span(),
            format_args!("`{}` needs {what} as its value", self.name),
        )
    }
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input
            .call(Ident::parse_any)
            .map_err(|error| Error::new(error.span(), "expected an argument: `name = literal`"))?;
        if input.peek(token::Paren) || input.peek(Token![::]) {
            return Err(Error::new(
                name.span(),
                format_args!("write arguments as `{name} = literal`"),
            ));
        }
        let value = match input.parse::<Option<Token![=]>>()? {
            None => None,
            Some(_) => {
                let start = input.span();
                let literal = input.parse::<Lit>().ok();
                let ended = input.is_empty() || input.peek(Token![,]);
                if literal.is_none() || !ended {
                    let message = format_args!("the value of `{name}` must be a literal");
                    return Err(Error::new(start, message));
                }
                literal
            }
        };
        Ok(Argument { name, value })
    }
}
