//! `#[percpu]`: a static becomes the template of a variable that each CPU has for itself.

use incipit_linker::layout::{PAGE, PERCPU_PIECES};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Error, Ident, ItemStatic, Result, StaticMutability, spanned::Spanned};

use crate::documentation;

pub fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let (section, align) = piece(&arguments)?;
    let mut variable: ItemStatic = syn::parse2(item.clone())
        .map_err(|_| Error::new_spanned(&item, "`#[percpu]` stands on a static: `#[percpu] static NAME: T = …;`"))?;
    if let StaticMutability::Mut(word) = &variable.mutability {
        return Err(Error::new_spanned(
            word,
            "a per-CPU variable is changed through its cells or atomics: leave `mut` out",
        ));
    }
    let variant = if arguments.is_empty() {
        String::new()
    } else {
        format!(", {arguments}")
    };
    documentation::declare(&mut variable.attrs, &variable.vis, &format!("one for each CPU{variant}"));
    let ItemStatic {
        attrs,
        vis,
        ident,
        ty,
        expr,
        ..
    } = &variable;
    let span = ty.span();
    let checks = align.map(|align| {
        let align = usize::try_from(align).unwrap_or(usize::MAX);
        let message = format!("this variant of `#[percpu]` needs a type aligned to {align} bytes: use `#[repr(align({align}))]`");
        quote_spanned!(span=> const _: () = assert!(::core::mem::align_of::<#ty>() >= #align, #message);)
    });
    Ok(quote! {
        #checks
        const _: () = assert!(::core::mem::size_of::<#ty>() != 0, "a per-CPU variable without a size has no place");
        #(#attrs)*
        #[allow(unsafe_code)]
        #[unsafe(link_section = #section)]
        // SAFETY: the attribute has put it into the per-CPU template.
        #vis static #ident: ::incipit::percpu::PerCpu<#ty> = unsafe { ::incipit::percpu::PerCpu::new(#expr) };
    })
}

/// The section of the variant that `arguments` name, and the alignment that a type must bring itself.
fn piece(arguments: &TokenStream) -> Result<(&'static str, Option<u64>)> {
    let variant = if arguments.is_empty() {
        String::new()
    } else {
        syn::parse2::<Ident>(arguments.clone())?.to_string()
    };
    let found = PERCPU_PIECES
        .iter()
        .find(|(name, ..)| *name == variant && (arguments.is_empty() || !name.is_empty()));
    let Some((name, section, align)) = found else {
        let names: Vec<_> = PERCPU_PIECES
            .iter()
            .map(|(name, ..)| *name)
            .filter(|name| !name.is_empty())
            .collect();
        return Err(Error::new_spanned(
            arguments,
            format!("unknown variant `{variant}`: must be one of {}", names.join(", ")),
        ));
    };
    let strict = matches!(*name, "page_aligned" | "shared_aligned");
    debug_assert!(*name != "page_aligned" || *align == PAGE);
    Ok((section, strict.then_some(*align)))
}
