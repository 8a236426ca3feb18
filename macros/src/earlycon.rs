//! `#[earlycon]`: an entry of `__earlycon_table`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Result;

use crate::declaration::{Declaration, anonymous};
use crate::init_memory::{self, Callee};
use crate::setup::check_name;
use crate::signature::Form;
use crate::{arguments, documentation};

const FORM: Form = Form {
    attribute: "earlycon",
    shape: "fn(&EarlyconDevice) -> Result<&'static dyn Console, Errno>",
    arguments: 1,
    returns: true,
};

pub fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let name = arguments::name(arguments, "earlycon")?;
    check_name(&name)?;
    let mut function = FORM.parse(&item)?;
    let ident = &function.sig.ident;
    let Callee { name: callee, definition } = init_memory::callee(&function, FORM.arguments);
    let declaration = Declaration::new(ident, "earlycon", &name.value()).documented(&function.attrs);
    let entry = declaration.entry(
        &quote!(::incipit::console::EarlyconEntry),
        &quote!(::incipit::console::EarlyconEntry { name: #name, setup: #callee }),
    );
    let record = declaration.record();
    let entries = anonymous(&quote!(#definition #entry #record));
    documentation::declare(&mut function.attrs, &function.vis, &format!("early console `{}`", name.value()));
    Ok(quote!(#function #entries))
}
