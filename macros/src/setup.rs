//! `#[early_param]`, `#[setup]` and `obsolete_setup!`: entries of `.init.setup`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Error, LitStr, Result};

use crate::arguments;
use crate::declaration::{Declaration, anonymous};
use crate::signature::Form;

const EARLY: Form = Form {
    attribute: "early_param",
    shape: "fn(Option<&'static str>) -> Result<(), Errno>",
    arguments: 1,
    returns: true,
};
const SETUP: Form = Form {
    attribute: "setup",
    shape: "fn(&'static str) -> SetupResult",
    arguments: 1,
    returns: true,
};

pub fn expand_early(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let name = arguments::name(arguments, "early_param")?;
    if name.value().contains('=') {
        return Err(Error::new(
            name.span(),
            "an early option is named without `=`: its value is the argument",
        ));
    }
    expand(&EARLY, &name, &item, "early")
}

pub fn expand_setup(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let name = arguments::name(arguments, "setup")?;
    expand(&SETUP, &name, &item, "setup")
}

pub fn expand_obsolete(arguments: TokenStream) -> Result<TokenStream> {
    let name: LitStr = syn::parse2(arguments.clone()).map_err(|_| {
        Error::new_spanned(
            &arguments,
            "`obsolete_setup!` takes one name in quotes: `obsolete_setup!(\"name=\")`",
        )
    })?;
    check_name(&name)?;
    let ident = Ident::new("obsolete", name.span());
    Ok(entry(&ident, &name, "obsolete", &quote!(())))
}

fn expand(form: &Form, name: &LitStr, item: &TokenStream, kind: &str) -> Result<TokenStream> {
    check_name(name)?;
    let function = form.parse(item)?;
    let ident = &function.sig.ident;
    let entry = entry(ident, name, kind, &quote!(#ident));
    Ok(quote!(#function #entry))
}

fn entry(ident: &Ident, name: &LitStr, kind: &str, handler: &TokenStream) -> TokenStream {
    let declaration = Declaration::new(ident, "setup", &name.value()).with("type", quote!(#kind));
    let constructor = format_ident!("{kind}");
    let entry = declaration.entry(
        &quote!(::incipit::init::setup::SetupEntry),
        &quote!(::incipit::init::setup::SetupEntry::#constructor(#name, #handler)),
    );
    anonymous(&[entry, declaration.record()].into_iter().collect())
}

/// A name can stand on the command line: no blanks, no quotes, nothing invisible.
pub fn check_name(name: &LitStr) -> Result<()> {
    let text = name.value();
    if text.is_empty() || text.starts_with('=') {
        return Err(Error::new(name.span(), "the name is empty"));
    }
    match text.chars().find(|c| !c.is_ascii_graphic() || *c == '"') {
        Some(c) => Err(Error::new(name.span(), format!("{c:?} cannot stand in the name of an option"))),
        None => Ok(()),
    }
}
