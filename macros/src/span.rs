//! From a function to one whose body is the work of a span.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::quote;
use syn::{Error, Result, ReturnType, Type};

use crate::expansion::with_error;
use crate::function::{returns, Function};
use crate::span_arguments::SpanArguments;

/// Expands the attribute over `item`. When something is wrong the function stays as it is, beside
/// the error.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let checked = syn::parse2(item.clone()).and_then(|function: Function| {
        check(&function)?;
        Ok(emit(function, &syn::parse2(arguments)?))
    });
    checked.unwrap_or_else(|error| with_error(item, &error))
}

/// Refuses functions that no span can go around.
fn check(function: &Function) -> Result<()> {
    let signature = &function.signature;
    if let Some(constness) = &signature.constness {
        let message = "a `const fn` may run in the compiler, where there are no spans";
        return Err(Error::new_spanned(constness, message));
    }
    match &signature.output {
        ReturnType::Type(_, output) if matches!(**output, Type::Never(_)) => {
            let message = "a function that never returns never finishes its span";
            Err(Error::new_spanned(output, message))
        }
        _ => Ok(()),
    }
}

fn emit(function: Function, arguments: &SpanArguments) -> TokenStream {
    let kamon = arguments.kamon();
    let built = build(&function, arguments);
    let output = function.output_is_nameable().then(|| function.output());
    let is_async = function.signature.asyncness.is_some();
    let Function {
        attributes,
        visibility,
        signature,
        body,
    } = function;

    // Names that the body cannot see.
    let name = |name| Ident::new(name, Span::mixed_site());
    let (span, work, result, error) = (name("span"), name("work"), name("result"), name("error"));
    let note = quote! {
        if let ::core::result::Result::Err(#error) = &#result {
            #kamon::current_span().add_error(#error);
        }
    };
    let body = match (is_async, arguments.err) {
        (true, err) => {
            let known = output.map(|output| returns(&output));
            let statements = body.stream();
            let mut known_body = Group::new(Delimiter::Brace, quote!(#known #statements));
            known_body.set_span(body.span());
            let noted = err.then(|| {
                quote! {
                    let #work = async move {
                        let #result = #work.await;
                        #note
                        #result
                    };
                }
            });
            quote! {
                let #span = #built;
                let #work = async move #known_body;
                #noted
                #kamon::ContextFutureExt::in_span(#work, #span).await
            }
        }
        (false, err) => {
            let output = output.map(|output| quote!(-> #output));
            // A closure with a written output type takes a block, which the body is. It stands where one is
            // expected that is called once, or it could not change its arguments and hand out what is in
            // them.
            let work = match err {
                false => quote!(move || #output #body),
                true => quote! {
                    move || {
                        let ::core::option::Option::Some(#result) =
                            ::core::option::Option::Some(()).map(move |()| #output #body)
                        else {
                            ::core::unreachable!()
                        };
                        #note
                        #result
                    }
                },
            };
            quote! {
                let #span = #built;
                #kamon::with_span_finishing(#span, #work)
            }
        }
    };
    quote! {
        #(#attributes)*
        #[allow(clippy::needless_return, clippy::redundant_closure_call, clippy::let_and_return)]
        #visibility #signature {
            #body
        }
    }
}

/// The expression that makes the span. The function's arguments are still there for it.
fn build(function: &Function, arguments: &SpanArguments) -> TokenStream {
    let kamon = arguments.kamon();
    let name = match &arguments.name {
        Some(name) => quote!(#name),
        None => {
            let name = syn::ext::IdentExt::unraw(&function.signature.ident).to_string();
            quote!(#name)
        }
    };
    let kind = arguments
        .kind
        .as_ref()
        .map(|kind| quote!(.with_kind(#kamon::SpanKind::#kind)));
    let tags = arguments.tags.iter().map(|tag| {
        let (key, value) = (&tag.key, &tag.value);
        quote!(.with_tag(#key, #value))
    });
    quote!(#kamon::build_span(#name) #kind #(#tags)* .start())
}
