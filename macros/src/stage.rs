//! `#[stage]`: an entry of `.stage.init`, and what is kept of it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Result;

use crate::declaration::{Declaration, anonymous};
use crate::documentation;
use crate::init_memory::{self, Callee};
use crate::initcall::info;
use crate::relations::Relations;
use crate::signature::Form;

const FORM: Form = Form {
    attribute: "stage",
    shape: "fn()",
    arguments: 0,
    returns: false,
};

pub fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let relations: Relations = syn::parse2(arguments)?;
    let mut function = FORM.parse(&item)?;
    let ident = &function.sig.ident;
    let Callee { name: callee, definition } = init_memory::callee(&function, FORM.arguments);
    let declaration = relations.record(Declaration::new(ident, "stage", &ident.to_string()).documented(&function.attrs));
    let entry = declaration.entry(
        &quote!(::incipit::init::stage::StageEntry),
        &quote!(::incipit::init::stage::StageEntry::new(#callee, &INFO)),
    );
    let (companion, record) = (relations.companion(ident, &function.vis), declaration.record());
    let info = info(
        ident,
        "stage_info",
        &quote!(::incipit::init::info::Level::Stage),
        &relations,
        &quote!(Warn),
    );
    let entries = anonymous(&quote!(#info #definition #entry #record));
    let declared = format!("stage of `start_kernel`{}", relations.in_words());
    documentation::declare(&mut function.attrs, &function.vis, &declared);
    Ok(quote!(#function #companion #entries))
}
