//! `#[init_ref("reason")]`: what stays and all the same refers to init memory, for a reason that the build can list.

use incipit_linker::layout::{REF_DATA, REF_TEXT};
use incipit_linker::record::key;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Attribute, Error, Item, ItemFn, ItemStatic, LitStr, Result, Visibility, parse_quote};

use crate::declaration::{Declaration, anonymous};
use crate::{documentation, init};

pub fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let reason = reason(&arguments)?;
    match syn::parse2(item.clone()) {
        Ok(Item::Fn(function)) => on_function(function, &reason),
        Ok(Item::Static(data)) => Ok(on_static(data, &reason)),
        _ => Err(Error::new_spanned(&item, "`#[init_ref]` stands on a function or a static")),
    }
}

/// The reason, which must say something.
fn reason(arguments: &TokenStream) -> Result<LitStr> {
    const WANTED: &str = "`#[init_ref]` takes the reason in quotes: `#[init_ref(\"runs the stages, and nothing after them\")]`";
    if arguments.is_empty() {
        return Err(Error::new(Span::call_site(), WANTED));
    }
    let reason: LitStr = syn::parse2(arguments.clone()).map_err(|_| Error::new_spanned(arguments, WANTED))?;
    let text = reason.value();
    if text.trim().is_empty() {
        return Err(Error::new(reason.span(), WANTED));
    }
    match text.chars().find(|character| character.is_control()) {
        Some(character) => Err(Error::new(
            reason.span(),
            format!("the reason is one line of text: {character:?} cannot stand in it"),
        )),
        None => Ok(reason),
    }
}

fn on_function(mut function: ItemFn, reason: &LitStr) -> Result<TokenStream> {
    let (section, ..) = REF_TEXT;
    init::compiled_once(&function, section)?;
    declare(&mut function.attrs, &function.vis, reason);
    // Inside the body, because there is no place for it beside a method.
    let record = anonymous(&record(&function.sig.ident, section, reason));
    function.block.stmts.insert(0, parse_quote!(#record));
    Ok(init::in_section(&function, section))
}

fn on_static(mut data: ItemStatic, reason: &LitStr) -> TokenStream {
    let (section, ..) = REF_DATA;
    declare(&mut data.attrs, &data.vis, reason);
    let record = anonymous(&record(&data.ident, section, reason));
    quote! {
        #[allow(unsafe_code)]
        #[unsafe(link_section = #section)]
        #data
        #record
    }
}

fn declare(attributes: &mut Vec<Attribute>, visibility: &Visibility, reason: &LitStr) {
    documentation::declare(
        attributes,
        visibility,
        &format!("refers to init memory and stays; {}", reason.value()),
    );
}

fn record(ident: &Ident, section: &'static str, reason: &LitStr) -> TokenStream {
    Declaration::without_entry(ident, "init_ref", section)
        .with(key::REASON, quote!(#reason))
        .record()
}
