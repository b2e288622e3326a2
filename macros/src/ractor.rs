//! From a type of messages to `ractor::Message` with the Context inside.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DataEnum, DeriveInput, Error, Fields, Ident, Result, Type};

/// Expands the derive, with or without the way to other processes.
pub(crate) fn derive(input: TokenStream, cluster: bool) -> TokenStream {
    let expanded = syn::parse2(input).and_then(|input: DeriveInput| emit(&input, cluster));
    expanded.unwrap_or_else(Error::into_compile_error)
}

fn emit(input: &DeriveInput, cluster: bool) -> Result<TokenStream> {
    let name = &input.ident;
    let (generics, parameters, bounds) = input.generics.split_for_impl();
    let labels = labels(input)?;
    let (wire, over_the_wire) = match cluster {
        true => wire(input)?,
        false => (quote!(), quote!()),
    };
    let receivers = match input.generics.params.is_empty() {
        true => quote! {
            static RECEIVERS: ::kamon::ractor::hooks::Receivers =
                ::kamon::ractor::hooks::Receivers::new();
            &RECEIVERS
        },
        // A static would be one for all parameters, and others may take messages with others.
        false => quote!(::kamon::ractor::hooks::receivers_of::<Self>()),
    };
    let send = match cluster {
        true => quote!(send_anywhere),
        false => quote!(send),
    };
    Ok(quote! {
        const _: () = {
            #wire

            #[automatically_derived]
            impl #generics ::kamon::ractor::hooks::Labelled for #name #parameters #bounds {
                fn label(&self) -> &'static ::kamon::ractor::hooks::Label {
                    #labels
                }

                fn receivers() -> &'static ::kamon::ractor::hooks::Receivers {
                    #receivers
                }
            }

            #[automatically_derived]
            impl #generics ::kamon::ractor::library::Message for #name #parameters #bounds {
                fn box_message(
                    self,
                    to: &::kamon::ractor::library::ActorId,
                ) -> ::core::result::Result<
                    ::kamon::ractor::library::message::BoxedMessage,
                    ::kamon::ractor::library::message::BoxedDowncastErr,
                > {
                    ::kamon::ractor::hooks::#send(self, to)
                }

                fn from_boxed(
                    boxed: ::kamon::ractor::library::message::BoxedMessage,
                ) -> ::core::result::Result<
                    Self,
                    ::kamon::ractor::library::message::BoxedDowncastErr,
                > {
                    ::kamon::ractor::hooks::receive(boxed)
                }

                #over_the_wire
            }
        };
    })
}

/// The expression for what a message is called: its variant, and whether it asks.
fn labels(input: &DeriveInput) -> Result<TokenStream> {
    let label = |name: &Ident, fields: &Fields| {
        let asks = fields.iter().any(|field| is_port(&field.ty));
        let name = syn::ext::IdentExt::unraw(name).to_string();
        let verb = if asks { "ask" } else { "tell" };
        let operation = format!("{verb}({name})");
        quote!(&::kamon::ractor::hooks::Label { operation: #operation, message: #name, asks: #asks })
    };
    match &input.data {
        Data::Struct(data) => Ok(label(&input.ident, &data.fields)),
        Data::Enum(data) if data.variants.is_empty() => Ok(quote!(match *self {})),
        Data::Enum(data) => {
            let arms = data.variants.iter().map(|variant| {
                let (name, label) = (&variant.ident, label(&variant.ident, &variant.fields));
                quote!(Self::#name { .. } => #label)
            });
            Ok(quote!(match self { #(#arms,)* }))
        }
        Data::Union(_) => {
            let message = "a union does not say which message it is";
            Err(Error::new_spanned(&input.ident, message))
        }
    }
}

/// Whether the type is called `RpcReplyPort<..>`, however far its path.
fn is_port(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.is_some_and(|segment| segment.ident == "RpcReplyPort")
        }
        // Around what a macro by example was given.
        Type::Group(group) => is_port(&group.elem),
        _ => false,
    }
}

/// A twin of the enum, for which ractor_cluster's own macro does the work, and the methods that go
/// through it.
fn wire(input: &DeriveInput) -> Result<(TokenStream, TokenStream)> {
    let Data::Enum(data) = &input.data else {
        let message = "only an enum is understood by ractor_cluster";
        return Err(Error::new_spanned(&input.ident, message));
    };
    let name = &input.ident;
    let mut twin = input.clone();
    twin.ident = format_ident!("__{}", name);
    let twin_name = twin.ident.clone();
    // Other attributes are for other macros, which have seen the enum itself.
    twin.attrs.clear();
    if let Data::Enum(data) = &mut twin.data {
        for variant in &mut data.variants {
            variant
                .attrs
                .retain(|attribute| attribute.path().is_ident("rpc"));
            variant
                .fields
                .iter_mut()
                .for_each(|field| field.attrs.clear());
        }
    }
    let (generics, parameters, bounds) = input.generics.split_for_impl();
    let there = convert(data, quote!(#name), quote!(#twin_name));
    let back = convert(data, quote!(#twin_name), quote!(#name));
    let wire = quote! {
        #[allow(dead_code)]
        #[derive(::ractor_cluster::RactorClusterMessage)]
        #twin

        impl #generics ::core::convert::From<#name #parameters> for #twin_name #parameters #bounds {
            fn from(message: #name #parameters) -> Self {
                #there
            }
        }

        impl #generics ::core::convert::From<#twin_name #parameters> for #name #parameters #bounds {
            fn from(message: #twin_name #parameters) -> Self {
                #back
            }
        }
    };
    let library = quote!(::kamon::ractor::library);
    let over_the_wire = quote! {
        fn serializable() -> bool {
            true
        }

        fn serialize(self) -> ::core::result::Result<
            #library::message::SerializedMessage,
            #library::message::BoxedDowncastErr,
        > {
            let message = #twin_name::from(self);
            #library::Message::serialize(message).map(::kamon::ractor::hooks::stamp)
        }

        fn deserialize(message: #library::message::SerializedMessage) -> ::core::result::Result<
            Self,
            #library::message::BoxedDowncastErr,
        > {
            let message: #twin_name #parameters = #library::Message::deserialize(message)?;
            ::core::result::Result::Ok(#name::from(message))
        }
    };
    Ok((wire, over_the_wire))
}

/// The expression that moves `message` from one enum to the other.
fn convert(data: &DataEnum, from: TokenStream, to: TokenStream) -> TokenStream {
    if data.variants.is_empty() {
        return quote!(match message {});
    }
    let arms = data.variants.iter().map(|variant| {
        let name = &variant.ident;
        // `Variant { 0: a }` is what tuples look like, too.
        let fields: Vec<_> = variant.fields.members().collect();
        let values: Vec<_> = (0..fields.len())
            .map(|at| format_ident!("__{}", at))
            .collect();
        quote! {
            #from::#name { #(#fields: #values),* } => #to::#name { #(#fields: #values),* }
        }
    });
    quote!(match message { #(#arms,)* })
}
