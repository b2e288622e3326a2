//! The function under the attribute, parsed no deeper than the macros need.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{AttrStyle, Attribute, Result, ReturnType, Signature, Visibility};

/// A function whose body stays a heap of tokens: parsing large test bodies would cost the users'
/// build time and gain nothing.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    /// The body with its braces, without the inner attributes: those stand in `attributes`.
    pub(crate) body: Group,
}

impl Function {
    /// The type that the function returns.
    pub(crate) fn output(&self) -> TokenStream {
        match &self.signature.output {
            ReturnType::Default => quote::quote!(()),
            ReturnType::Type(_, output) => output.to_token_stream(),
        }
    }

    /// True if the returned type can be written in the type of a variable: `!` and `impl Trait`
    /// cannot.
    pub(crate) fn output_is_nameable(&self) -> bool {
        match &self.signature.output {
            ReturnType::Default => true,
            ReturnType::Type(_, output) => {
                !matches!(**output, syn::Type::Never(_)) && !mentions_impl(output.to_token_stream())
            }
        }
    }

    /// The places of the first and the last token of the last statement. A mismatch between body
    /// and return type is best shown there.
    pub(crate) fn last_statement(&self) -> (Span, Span) {
        let (mut first, mut last) = (None, None);
        let mut statement_ended = true;
        for token in self.body.stream() {
            if statement_ended {
                first = Some(token.span());
            }
            statement_ended = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ';');
            last = Some(token.span());
        }
        let fallback = Span::call_site();
        (first.unwrap_or(fallback), last.unwrap_or(fallback))
    }
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        // Of a body that went through a `macro_rules!` as `$body:block`, there are invisible braces around
        // the braces, which this looks through.
        let (inside, braces) = input.step(|cursor| match cursor.group(Delimiter::Brace) {
            Some((inside, braces, rest)) => Ok(((inside.token_stream(), braces.join()), rest)),
            None => Err(cursor.error("expected the function's body")),
        })?;
        let (inner, body) = split_body.parse2(inside)?;
        // The body becomes an `async` block, which takes no inner attributes.
        attributes.extend(inner.into_iter().map(|attribute| Attribute {
            style: AttrStyle::Outer,
            ..attribute
        }));
        let mut body = Group::new(Delimiter::Brace, body);
        body.set_span(braces);
        Ok(Function {
            attributes,
            visibility,
            signature,
            body,
        })
    }
}

/// A statement that never returns anything, and says at the beginning of an `async` block what type is
/// returned from it: as in a function's body, `?` and what is to become a `Box<dyn ..>` need to know.
pub(crate) fn returns(output: &TokenStream) -> TokenStream {
    let returned = Ident::new("returned", Span::mixed_site());
    quote::quote! {
        if let ::core::option::Option::Some(#returned) = ::core::option::Option::<#output>::None {
            return #returned;
        }
    }
}

fn split_body(input: ParseStream<'_>) -> Result<(Vec<Attribute>, TokenStream)> {
    Ok((input.call(Attribute::parse_inner)?, input.parse()?))
}

fn mentions_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "impl",
        TokenTree::Group(group) => mentions_impl(group.stream()),
        _ => false,
    })
}
