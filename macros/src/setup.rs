//! `#[early_param]`, `#[setup]` and `obsolete_setup!`: entries of `.init.setup`.

use incipit_linker::record::key;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Error, LitStr, Result};

use crate::declaration::{Declaration, anonymous};
use crate::init_memory::{self, Callee};
use crate::signature::Form;
use crate::{arguments, documentation};

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
    let nothing = Callee {
        name: quote!(()),
        definition: TokenStream::new(),
    };
    Ok(entry(&ident, &[], &name, "obsolete", &nothing))
}

fn expand(form: &Form, name: &LitStr, item: &TokenStream, kind: &str) -> Result<TokenStream> {
    check_name(name)?;
    let mut function = form.parse(item)?;
    let ident = &function.sig.ident;
    let callee = init_memory::callee(&function, form.arguments);
    let entry = entry(ident, &function.attrs, name, kind, &callee);
    let declared = match kind {
        "early" => format!("early option `{}`", name.value()),
        _ => format!("option `{}`", name.value()),
    };
    documentation::declare(&mut function.attrs, &function.vis, &declared);
    Ok(quote!(#function #entry))
}

fn entry(ident: &Ident, attributes: &[Attribute], name: &LitStr, kind: &str, handler: &Callee) -> TokenStream {
    let Callee { name: callee, definition } = handler;
    let declaration = Declaration::new(ident, "setup", &name.value())
        .with(key::TYPE, quote!(#kind))
        .documented(attributes);
    let constructor = format_ident!("{kind}");
    let entry = declaration.entry(
        &quote!(::incipit::init::setup::SetupEntry),
        &quote!(::incipit::init::setup::SetupEntry::#constructor(#name, #callee)),
    );
    let record = declaration.record();
    anonymous(&quote!(#definition #entry #record))
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
