//! The argument `InitMemory<'_>`: the proof that init memory is there, which each function that a table of the boot holds may take behind its other arguments.
//!
//! An entry holds a function without that argument. One that takes it gets a companion in init memory, which the entry holds instead, so that an entry whose
//! function does without has no cost by this.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, FnArg, GenericArgument, ItemFn, PathArguments, PathSegment, Result, Type, parse_quote};

use crate::init;

/// What an entry holds, and what must be defined for it.
pub struct Callee {
    /// What stands for it in the entry: the name of the annotated function, or of the companion.
    pub name: TokenStream,
    /// The companion, if there is one.
    pub definition: TokenStream,
}

/// What the entry of `function` holds; `arguments` are those that it takes besides the proof.
pub fn callee(function: &ItemFn, arguments: usize) -> Callee {
    let (signature, name) = (&function.sig, &function.sig.ident);
    let Some(proof) = signature.inputs.iter().nth(arguments) else {
        return Callee {
            name: name.to_token_stream(),
            definition: TokenStream::new(),
        };
    };
    let companion = Ident::new("with_init_memory", Span::call_site());
    let (names, types): (Vec<_>, Vec<_>) = (signature.inputs.iter().take(arguments).enumerate())
        .filter_map(|(index, argument)| match argument {
            FnArg::Typed(argument) => Some((format_ident!("argument_{index}"), &argument.ty)),
            FnArg::Receiver(_) => None,
        })
        .unzip();
    let (generics, output) = (&signature.generics, &signature.output);
    // What is wrong with the type is said where it stands.
    let call = quote_spanned!(proof.span()=> #name(#(#names,)* init));
    let companion_item: ItemFn = parse_quote! {
        fn #companion #generics (#(#names: #types),*) #output {
            ::incipit::__private::with_init_memory(|init| #call)
        }
    };
    Callee {
        name: companion.to_token_stream(),
        definition: init::of_the_boot(&companion_item),
    }
}

/// Whether `argument` is the proof.
///
/// # Errors
///
/// If it is to last for ever.
pub fn is_proof(argument: &FnArg) -> Result<bool> {
    let FnArg::Typed(argument) = argument else { return Ok(false) };
    let Type::Path(path) = &*argument.ty else { return Ok(false) };
    let Some(segment) = path.path.segments.last().filter(|segment| segment.ident == "InitMemory") else {
        return Ok(false);
    };
    if lasts_for_ever(segment) {
        return Err(Error::new_spanned(
            &argument.ty,
            "init memory ends with the boot: the argument is `InitMemory<'_>`",
        ));
    }
    Ok(true)
}

fn lasts_for_ever(segment: &PathSegment) -> bool {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return false;
    };
    let is_static = |argument: &GenericArgument| matches!(argument, GenericArgument::Lifetime(lifetime) if lifetime.ident == "static");
    arguments.args.iter().any(is_static)
}
