//! `#[capability]`: an entry of `.capability`, and the type's place in `provides(…)`, `requires(…)` and `wants(…)`.

use incipit_linker::record::key;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Fields, Ident, ItemStruct, Result};

use crate::declaration::{Declaration, anonymous, place};
use crate::documentation;

pub fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let exclusive = parse_exclusive(&arguments)?;
    let Ok(mut declared) = syn::parse2::<ItemStruct>(item.clone()) else {
        return Err(Error::new_spanned(
            &item,
            "not a struct: `#[capability]` stands on a `struct Name;`",
        ));
    };
    if !matches!(declared.fields, Fields::Unit) || !declared.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &declared.ident,
            "a capability is only a name: `#[capability]` stands on a `struct Name;`",
        ));
    }
    let ident = &declared.ident;
    let name = snake_case(&ident.to_string());
    let (file, line) = place(ident.span());
    let mut declaration = Declaration::new(ident, "capability", &name).documented(&declared.attrs);
    if exclusive {
        declaration = declaration.with(key::EXCLUSIVE, quote!("1"));
    }
    let entry = declaration.entry(
        &quote!(::incipit::init::capability::CapabilityEntry),
        &quote!(::incipit::init::capability::CapabilityEntry::new(&INFO)),
    );
    let record = declaration.record();
    let entries = anonymous(&quote! {
        static INFO: ::incipit::init::capability::CapabilityInfo =
            ::incipit::init::capability::CapabilityInfo::new(#name, <#ident as ::incipit::init::capability::Capability>::PATH, #file, #line);
        impl ::incipit::init::capability::Capability for #ident {
            const PATH: &'static str = concat!(module_path!(), "::", stringify!(#ident));
            const INFO: &'static ::incipit::init::capability::CapabilityInfo = &INFO;
        }
        #entry
        #record
    });
    let one = if exclusive { ", of one provider at most" } else { "" };
    documentation::declare(&mut declared.attrs, &declared.vis, &format!("capability `{name}`{one}"));
    Ok(quote! {
        #[allow(dead_code)]
        #declared
        #entries
    })
}

fn parse_exclusive(arguments: &TokenStream) -> Result<bool> {
    if arguments.is_empty() {
        return Ok(false);
    }
    match syn::parse2::<Ident>(arguments.clone()) {
        Ok(word) if word == "exclusive" => Ok(true),
        _ => Err(Error::new_spanned(arguments, "`#[capability]` takes no argument, or `exclusive`")),
    }
}

/// `PciBus` as messages write it: `pci_bus`.
fn snake_case(ident: &str) -> String {
    let mut name = String::with_capacity(ident.len() + 4);
    let mut previous_is_small = false;
    for character in ident.chars() {
        if character.is_uppercase() && previous_is_small {
            name.push('_');
        }
        previous_is_small = character.is_lowercase() || character.is_ascii_digit();
        name.extend(character.to_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn identifiers_become_snake_case() {
        for (ident, name) in [
            ("Pci", "pci"),
            ("PciBus", "pci_bus"),
            ("ACPI", "acpi"),
            ("Net2Link", "net2_link"),
            ("x", "x"),
        ] {
            assert_eq!(snake_case(ident), name);
        }
    }
}
