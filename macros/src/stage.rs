//! `#[stage]`: an entry of `.stage.init`, and what is kept of it.

use incipit_linker::record::key;
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Result};

use crate::arguments;
use crate::declaration::{Declaration, anonymous};
use crate::documentation;
use crate::init_memory::{self, Callee};
use crate::initcall::info;
use crate::relations::{self, Relations};
use crate::signature::Form;

const FORM: Form = Form {
    attribute: "stage",
    shape: "fn()",
    arguments: 0,
    returns: false,
};

/// The arguments: `last` and relations, in any order.
struct Arguments {
    last: bool,
    relations: Relations,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut last, mut relations) = (false, Relations::default());
        arguments::each(input, |word| {
            if word == key::LAST {
                last = true;
            } else if !relations.accept(&word, input)? {
                return Err(Error::new(
                    word.span(),
                    format!("unknown argument `{word}`: `last`, {} are what can stand here", relations::WORDS),
                ));
            }
            Ok(())
        })?;
        relations.check()?;
        Ok(Self { last, relations })
    }
}

pub fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let Arguments { last, relations } = syn::parse2(arguments)?;
    let mut function = FORM.parse(&item)?;
    let ident = &function.sig.ident;
    let Callee { name: callee, definition } = init_memory::callee(&function, FORM.arguments);
    let mut declaration = relations.record(Declaration::new(ident, "stage", &ident.to_string()).documented(&function.attrs));
    if last {
        declaration = declaration.with(key::LAST, quote!("1"));
    }
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
