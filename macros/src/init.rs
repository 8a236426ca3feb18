//! `#[init]` and `#[initdata]`: code and data that are given back after the boot.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Error, Ident, ItemFn, ItemStatic, Result};

use crate::{arguments, documentation};

/// What both are declared as.
const INIT: &str = "in init memory, gone after the boot";

/// The input section of the code that is given back.
const TEXT: &str = ".init.text";

pub fn expand_function(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    arguments::none(&arguments, "init")?;
    let mut function: ItemFn = syn::parse2(item.clone())
        .map_err(|_| Error::new_spanned(&item, "`#[init]` stands on a function; for a static there is `#[initdata]`"))?;
    compiled_once(&function, TEXT)?;
    documentation::declare(&mut function.attrs, &function.vis, INIT);
    Ok(of_the_boot(&function))
}

/// `function`, in the memory that is given back.
pub fn of_the_boot(function: &ItemFn) -> TokenStream {
    in_section(function, TEXT)
}

/// `function`, in the section `section` and not inlined elsewhere, unless it says itself how it is to be inlined: what lies where does not depend on the optimiser.
pub fn in_section(function: &ItemFn, section: &str) -> TokenStream {
    let says_itself = |attribute: &Attribute| attribute.path().is_ident("inline");
    let inline = (!function.attrs.iter().any(says_itself)).then(|| quote!(#[inline(never)]));
    quote! {
        #inline
        #[allow(unsafe_code)]
        #[unsafe(link_section = #section)]
        #function
    }
}

/// Refuses a generic function, which has no place of its own.
pub fn compiled_once(function: &ItemFn, section: &str) -> Result<()> {
    let generics = &function.sig.generics;
    if generics.type_params().next().is_some() || generics.const_params().next().is_some() {
        return Err(Error::new_spanned(
            generics,
            format!("a generic function is compiled where it is used, so it cannot be put into `{section}`"),
        ));
    }
    Ok(())
}

pub fn expand_data(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let section = if arguments.is_empty() {
        ".init.data"
    } else {
        let word: Ident = syn::parse2(arguments.clone())
            .ok()
            .filter(|word| word == "readonly")
            .ok_or_else(|| Error::new_spanned(&arguments, "`#[initdata]` takes no argument, or `readonly`"))?;
        let _ = word;
        ".init.rodata"
    };
    let mut data: ItemStatic = syn::parse2(item.clone())
        .map_err(|_| Error::new_spanned(&item, "`#[initdata]` stands on a static; for a function there is `#[init]`"))?;
    documentation::declare(&mut data.attrs, &data.vis, INIT);
    Ok(quote! {
        #[allow(unsafe_code)]
        #[unsafe(link_section = #section)]
        #data
    })
}
