//! From an `impl Actor` of kameo to one whose methods run in the Context they belong to.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned, ToTokens as _};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned;
use syn::{
    parse_quote, Attribute, DeriveInput, Error, FnArg, ImplItem, ImplItemFn, ItemImpl, Meta, Pat,
    Path, Result, ReturnType,
};

use crate::arguments::Arguments;
use crate::expansion::with_error;
use crate::function::returns;

/// What the attribute is told.
struct Options {
    kamon: TokenStream,
    spans: bool,
    /// What actors are called: only of a derive.
    name: Option<String>,
}

/// Expands `#[actor]` over an `impl Actor`.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = syn::parse2(item.clone()).and_then(|implementation| {
        let options = options(&syn::parse2(arguments)?, None)?;
        emit(implementation, &options)
    });
    expanded.unwrap_or_else(|error| with_error(item, &error))
}

/// Expands `#[derive(Actor)]` to what kameo's own derives, under the attribute.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let expanded = syn::parse2(input).and_then(|input: DeriveInput| {
        let attributes = input.attrs.iter();
        let mut attributes = attributes.filter(|it| it.path().is_ident("actor"));
        let arguments = match attributes.next() {
            Some(attribute) => attribute.parse_args()?,
            None => Arguments(Vec::new()),
        };
        if let Some(second) = attributes.next() {
            return Err(Error::new_spanned(second, "one `#[actor(..)]` says it all"));
        }
        let called = input.ident.unraw().to_string();
        let options = options(&arguments, Some(called))?;
        let called = &options.name;
        let library = quote_library(&options);
        let name = &input.ident;
        let (generics, parameters, bounds) = input.generics.split_for_impl();
        let implementation = quote! {
            #[automatically_derived]
            impl #generics #library::Actor for #name #parameters #bounds {
                type Args = Self;
                type Error = #library::error::Infallible;

                fn name() -> &'static str {
                    #called
                }

                async fn on_start(
                    state: Self::Args,
                    _: #library::actor::ActorRef<Self>,
                ) -> ::core::result::Result<Self, Self::Error> {
                    ::core::result::Result::Ok(state)
                }
            }
        };
        emit(syn::parse2(implementation)?, &options)
    });
    expanded.unwrap_or_else(Error::into_compile_error)
}

fn quote_library(options: &Options) -> TokenStream {
    let kamon = &options.kamon;
    quote!(#kamon::kameo::library)
}

/// Reads the arguments of an attribute, or those of a derive for actors that are called so if nothing
/// else is said.
fn options(arguments: &Arguments, called: Option<String>) -> Result<Options> {
    let mut options = Options {
        kamon: quote!(::kamon),
        spans: false,
        name: called,
    };
    let is_derive = options.name.is_some();
    for argument in &arguments.0 {
        match argument.name().as_str() {
            "spans" => options.spans = argument.flag()?,
            "crate" => {
                let path: Path = argument.path()?;
                options.kamon = quote!(#path);
            }
            "name" if is_derive => options.name = Some(argument.string()?.0),
            other => {
                let known = match is_derive {
                    true => "`name`, `spans` and `crate`",
                    false => "`spans` and `crate`",
                };
                let message = format!("no argument is called `{other}`: there are {known}");
                return Err(argument.error(message));
            }
        }
    }
    Ok(options)
}

fn emit(mut implementation: ItemImpl, options: &Options) -> Result<TokenStream> {
    match &implementation.trait_ {
        Some((path, _))
            if path
                .segments
                .last()
                .is_some_and(|name| name.ident == "Actor") => {}
        _ => {
            let message = "this goes above an `impl Actor for ..`";
            return Err(Error::new_spanned(&implementation.self_ty, message));
        }
    }
    for (method, mut default) in defaults(options) {
        let there = implementation.items.iter().filter_map(|item| match item {
            ImplItem::Fn(f) if f.sig.ident == method => Some(conditions(&f.attrs)),
            _ => None,
        });
        let there: Vec<_> = there.collect();
        if there.iter().any(Vec::is_empty) {
            continue;
        }
        if !there.is_empty() {
            // In a build that leaves them out.
            let left_out = parse_quote!(#[cfg(not(any(#(all(#(#there),*)),*)))]);
            default.attrs.push(left_out);
        }
        implementation.items.push(ImplItem::Fn(default));
    }
    for item in &mut implementation.items {
        if let ImplItem::Fn(method) = item {
            if let Some(hook) = hook(method, options) {
                surround(method, &hook)?;
            }
        }
    }
    let messages = messages(&implementation, options);
    Ok(quote!(#implementation #messages))
}

/// What the builds must be that have what these attributes stand on: all of it.
fn conditions(attributes: &[Attribute]) -> Vec<TokenStream> {
    let conditions = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::List(list) if list.path.is_ident("cfg") => Some(list.tokens.clone()),
            _ => None,
        });
    conditions.collect()
}

/// The methods that have to be there, because the library tells of failures by them.
fn defaults(options: &Options) -> Vec<(&'static str, ImplItemFn)> {
    let kamon = &options.kamon;
    let library = quote_library(options);
    let decision = quote! {
        ::core::result::Result<
            ::core::ops::ControlFlow<#library::error::ActorStopReason>,
            Self::Error,
        >
    };
    vec![
        (
            "on_message",
            parse_quote! {
                async fn on_message(
                    &mut self,
                    message: #library::message::BoxMessage<Self>,
                    actor: #library::actor::ActorRef<Self>,
                    reply: ::core::option::Option<#library::reply::BoxReplySender>,
                    stop: &mut bool,
                ) -> ::core::result::Result<(), ::std::boxed::Box<dyn #library::reply::ReplyError>> {
                    message.handle_dyn(self, actor, reply, stop).await
                }
            },
        ),
        (
            "on_panic",
            parse_quote! {
                async fn on_panic(
                    &mut self,
                    _: #library::actor::WeakActorRef<Self>,
                    error: #library::error::PanicError,
                ) -> #decision {
                    ::core::result::Result::Ok(#kamon::kameo::hooks::panicked(error))
                }
            },
        ),
        (
            "on_link_died",
            parse_quote! {
                async fn on_link_died(
                    &mut self,
                    _: #library::actor::WeakActorRef<Self>,
                    id: #library::actor::ActorId,
                    reason: #library::error::ActorStopReason,
                ) -> #decision {
                    ::core::result::Result::Ok(#kamon::kameo::hooks::link_died(id, reason))
                }
            },
        ),
        (
            "on_stop",
            parse_quote! {
                async fn on_stop(
                    &mut self,
                    _: #library::actor::WeakActorRef<Self>,
                    _: #library::error::ActorStopReason,
                ) -> ::core::result::Result<(), Self::Error> {
                    ::core::result::Result::Ok(())
                }
            },
        ),
    ]
}

/// The call that a method's body is handed to, up to the body. Arguments are called `__0`, `__1`.
fn hook(method: &ImplItemFn, options: &Options) -> Option<TokenStream> {
    let kamon = &options.kamon;
    let hooks = quote!(#kamon::kameo::hooks);
    let argument = |at| argument_name(at);
    let (first, second) = (argument(0), argument(1));
    Some(match method.sig.ident.to_string().as_str() {
        "on_start" => quote!(#hooks::on_start::<Self, _>(#second.clone())),
        "on_message" => quote!(#hooks::on_message(#second.id())),
        "on_panic" => quote!(#hooks::on_panic::<Self, _>(#first.id())),
        "on_link_died" => quote!(#hooks::on_link_died::<Self, _>(#first.id(), #second)),
        "on_stop" => quote!(#hooks::on_stop::<Self, _>(#first.id())),
        _ => return None,
    })
}

fn argument_name(at: usize) -> Ident {
    format_ident!("__{}", at, span = Span::mixed_site())
}

/// Puts the hook around the method's body. The arguments get names of ours first, and theirs inside.
fn surround(method: &mut ImplItemFn, hook: &TokenStream) -> Result<()> {
    let mut bindings = TokenStream::new();
    let mut at = 0;
    for input in &mut method.sig.inputs {
        let FnArg::Typed(typed) = input else { continue };
        let name = argument_name(at);
        let pattern = std::mem::replace(&mut *typed.pat, Pat::Verbatim(quote!(#name)));
        bindings.extend(quote_spanned!(pattern.span()=> let #pattern = #name;));
        at += 1;
    }
    if at == 0 {
        let message = "a method of kameo's `Actor` has arguments";
        return Err(Error::new_spanned(&method.sig, message));
    }
    let body = &method.block;
    let is_async = method.sig.asyncness.is_some();
    let waits = is_async.then(|| quote!(.await));
    let inside = match (is_async, &method.sig.output) {
        (true, ReturnType::Type(_, output)) => {
            let known = returns(&output.to_token_stream());
            quote!(#known #body)
        }
        (true, ReturnType::Default) => quote!(#body),
        (false, _) => quote!((#body).await),
    };
    // The hook's call ends with the body's future as its last argument.
    let call = with_last_argument(hook, quote!(async move { #bindings #inside }));
    method.block = parse_quote!({ #call #waits });
    Ok(())
}

/// `f(a)` to `f(a, last)`.
fn with_last_argument(call: &TokenStream, last: TokenStream) -> TokenStream {
    let mut tokens: Vec<_> = call.clone().into_iter().collect();
    let Some(proc_macro2::TokenTree::Group(arguments)) = tokens.pop() else {
        return quote!(#call);
    };
    let arguments = arguments.stream();
    let path: TokenStream = tokens.into_iter().collect();
    quote!(#path(#arguments, #last))
}

/// The one implementation that handles all messages with their Context.
fn messages(implementation: &ItemImpl, options: &Options) -> TokenStream {
    let kamon = &options.kamon;
    let library = quote_library(options);
    let spans = options.spans;
    let actor = &implementation.self_ty;
    let (own, _, bounds) = implementation.generics.split_for_impl();
    let mut generics = implementation.generics.clone();
    generics.params.push(parse_quote!(__M));
    let clause = generics.make_where_clause();
    clause
        .predicates
        .push(parse_quote!(Self: #library::message::Message<__M>));
    clause
        .predicates
        .push(parse_quote!(__M: ::core::marker::Send + 'static));
    let (with_message, _, with_bounds) = generics.split_for_impl();
    let reply = quote!(<Self as #library::message::Message<__M>>::Reply);
    let is_one = options.name.is_some() || implementation.generics.params.is_empty();
    let class = match is_one {
        true => quote! {
            static CLASS: ::std::sync::OnceLock<&'static #kamon::kameo::Class> =
                ::std::sync::OnceLock::new();
            CLASS.get_or_init(#kamon::kameo::hooks::class::<Self>)
        },
        // A static would be one for all parameters, and actors with others may have other names.
        false => quote!(#kamon::kameo::hooks::class::<Self>()),
    };
    quote! {
        #[automatically_derived]
        impl #own #kamon::kameo::Instrumented for #actor #bounds {
            const SPANS: bool = #spans;

            fn class() -> &'static #kamon::kameo::Class {
                #class
            }
        }

        #[automatically_derived]
        impl #with_message #library::message::Message<#kamon::kameo::Traced<__M>> for #actor
        #with_bounds
        {
            type Reply = #reply;

            fn name() -> &'static str {
                <Self as #library::message::Message<__M>>::name()
            }

            async fn handle(
                &mut self,
                message: #kamon::kameo::Traced<__M>,
                ctx: &mut #library::message::Context<Self, #reply>,
            ) -> #reply {
                #kamon::kameo::hooks::handle(self, message, ctx).await
            }
        }
    }
}
