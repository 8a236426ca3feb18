//! `#[init]` and `#[initdata]`: code and data that are given back after the boot.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Ident, ItemFn, ItemStatic, Result};

use crate::{arguments, documentation};

/// What both are declared as.
const INIT: &str = "in init memory, gone after the boot";

pub fn expand_function(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    arguments::none(&arguments, "init")?;
    let mut function: ItemFn = syn::parse2(item.clone())
        .map_err(|_| Error::new_spanned(&item, "`#[init]` stands on a function; for a static there is `#[initdata]`"))?;
    let generics = &function.sig.generics;
    if generics.type_params().next().is_some() || generics.const_params().next().is_some() {
        return Err(Error::new_spanned(
            generics,
            "a generic function is compiled where it is used, so it cannot be put into `.init.text`",
        ));
    }
    documentation::declare(&mut function.attrs, &function.vis, INIT);
    Ok(quote! {
        #[allow(unsafe_code)]
        #[unsafe(link_section = ".init.text")]
        #function
    })
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
