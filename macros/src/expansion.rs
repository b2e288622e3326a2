//! From an `async fn` to the function that blocks on its body.

use std::fmt;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Attribute, Error, Result};

use crate::arguments::Arguments;
use crate::function::Function;
use crate::runtime::Runtime;

/// Which of the two attributes is being expanded.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Entry {
    Main,
    Test,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Entry::Main => "kamon::main",
            Entry::Test => "kamon::test",
        })
    }
}

/// Expands the attribute over `item`.
///
/// When something is wrong, the function is emitted all the same beside the error: a missing
/// `main` would only add a second, misleading one, and editors keep completing inside the body.
pub(crate) fn expand(entry: Entry, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => return with_error(item, &error),
    };
    let runtime = check(entry, &function).and_then(|()| {
        let arguments: Arguments = syn::parse2(arguments)?;
        Runtime::new(entry, &arguments)
    });
    match runtime {
        Ok(runtime) => emit(entry, function, &runtime),
        Err(error) => with_error(emit(entry, function, &Runtime::default()), &error),
    }
}

/// Refuses functions that the attribute cannot stand on.
fn check(entry: Entry, function: &Function) -> Result<()> {
    let signature = &function.signature;
    if signature.asyncness.is_none() {
        let message = format!("`#[{entry}]` stands on an `async fn`: `async` is missing");
        return Err(Error::new_spanned(signature.fn_token, message));
    }
    match entry {
        Entry::Main if signature.ident == "main" && !signature.inputs.is_empty() => Err(
            Error::new_spanned(&signature.inputs, "`main` takes no arguments"),
        ),
        Entry::Test if !signature.inputs.is_empty() => Err(Error::new_spanned(
            &signature.inputs,
            "a test takes no arguments",
        )),
        Entry::Test => match function.attributes.iter().find(|it| is_test(it)) {
            Some(second) => Err(Error::new_spanned(
                second,
                "a second test attribute would run this test twice: remove one of them",
            )),
            None => Ok(()),
        },
        Entry::Main => Ok(()),
    }
}

fn emit(entry: Entry, mut function: Function, runtime: &Runtime) -> TokenStream {
    let (first, last) = function.last_statement();
    let runtime = runtime.build(first);
    let output = function.output();
    let nameable = function.output_is_nameable();
    function.signature.asyncness = None;
    let Function {
        attributes,
        visibility,
        signature,
        body,
    } = function;

    let test = match entry {
        Entry::Main => None,
        Entry::Test => Some(quote!(#[::core::prelude::v1::test])),
    };
    // The output's type is said once more, or a wrong one would be reported in terms of
    // `block_on`'s signature instead of the function's. In tests the future is also erased:
    // `block_on` is then compiled once for every test of a crate that returns the same type.
    // One name, wherever the tokens around it come from: those of the body may be another macro's.
    let future = Ident::new("body", Span::mixed_site());
    let body = match (entry, nameable) {
        (_, false) => quote!(let #future = async #body;),
        (Entry::Main, true) => quote! {
            let #future = async #body;
            if false {
                let _: &dyn ::core::future::Future<Output = #output> = &#future;
            }
        },
        (Entry::Test, true) => quote! {
            let #future = ::core::pin::pin!(async #body);
            let #future: ::core::pin::Pin<&mut dyn ::core::future::Future<Output = #output>> =
                #future;
        },
    };
    // `return` makes a mismatch point at the last statement of the user's body.
    let block_on = quote_spanned! {last=>
        #[allow(
            clippy::diverging_sub_expression,
            clippy::expect_used,
            clippy::needless_return,
            clippy::unwrap_in_result
        )]
        {
            return #runtime.block_on(#future);
        }
    };
    quote! {
        #(#attributes)*
        #test
        #visibility #signature {
            #body
            #block_on
        }
    }
}

/// True for `#[test]` and for its full path below `core` or `std`. Attributes of other crates that
/// end in `test` may be anything, and stay.
fn is_test(attribute: &Attribute) -> bool {
    let syn::Meta::Path(path) = &attribute.meta else {
        return false;
    };
    let names: Vec<String> = path
        .segments
        .iter()
        .map(|it| it.ident.to_string())
        .collect();
    match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => path.leading_colon.is_none(),
        ["core" | "std", "prelude", _, "test"] => true,
        _ => false,
    }
}

pub(crate) fn with_error(mut tokens: TokenStream, error: &Error) -> TokenStream {
    tokens.extend(error.to_compile_error());
    tokens
}
