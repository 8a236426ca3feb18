//! `#[cpu_state]`: an entry of a section's part of `__cpu_state`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Error, LitStr, Path, Result, Token};

use crate::arguments;
use crate::declaration::{Declaration, anonymous};
use crate::documentation;
use crate::relations::Relations;
use crate::signature::Form;

const FORM: Form = Form {
    attribute: "cpu_state",
    shape: "fn(usize) -> Result<(), Errno>",
    arguments: 1,
    returns: true,
};

/// The sections, and the parts that they fill.
const SECTIONS: [(&str, &str); 3] = [
    ("prepare", "cpu_state_prepare"),
    ("starting", "cpu_state_starting"),
    ("online", "cpu_state_online"),
];

/// The arguments: a section, then a name, a teardown and relations in any order.
struct Arguments {
    section: Ident,
    part: &'static str,
    name: Option<LitStr>,
    teardown: Option<Path>,
    relations: Relations,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.is_empty() {
            return Err(Error::new(
                Span::call_site(),
                format!("`#[cpu_state]` takes a section: {}", sections()),
            ));
        }
        let section: Ident = input.parse()?;
        let part = SECTIONS.iter().find(|(name, _)| section == name).map(|(_, part)| *part);
        let part = part.ok_or_else(|| {
            Error::new(
                section.span(),
                format!("unknown section `{section}`: must be one of {}", sections()),
            )
        })?;
        let (mut name, mut teardown, mut relations) = (None, None, Relations::default());
        arguments::each_behind(input, |word| {
            match word.to_string().as_str() {
                "name" => {
                    arguments::once(&word, name.is_some())?;
                    input.parse::<Token![=]>()?;
                    name = Some(input.parse()?);
                }
                "teardown" => {
                    arguments::once(&word, teardown.is_some())?;
                    input.parse::<Token![=]>()?;
                    teardown = Some(input.parse()?);
                }
                "after" | "before" if relations.accept(&word, input)? => {}
                _ => {
                    return Err(Error::new(
                        word.span(),
                        format!(
                            "unknown argument `{word}`: `name = \"…\"`, `teardown = path`, `after(path, …)`, `before(path, …)` are what can stand behind the section"
                        ),
                    ));
                }
            }
            Ok(())
        })?;
        relations.check()?;
        Ok(Self {
            section,
            part,
            name,
            teardown,
            relations,
        })
    }
}

fn sections() -> String {
    SECTIONS.map(|(name, _)| name).join(", ")
}

pub fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let Arguments {
        section,
        part,
        name,
        teardown,
        relations,
    } = syn::parse2(arguments)?;
    let mut function = FORM.parse(&item)?;
    let ident = &function.sig.ident;
    let name = name.map_or_else(|| ident.to_string(), |name| name.value());
    let teardown = teardown.map_or_else(
        || quote!(::core::option::Option::None),
        |path| quote!(::core::option::Option::Some(#path)),
    );
    if !cfg!(CONFIG_SMP) {
        // Compiled, so that it does not rot; with one CPU nobody comes or goes.
        return Ok(quote!(#[allow(dead_code)] #function const _: ::core::option::Option<fn(usize)> = #teardown;));
    }
    let declaration = relations.record(Declaration::new(ident, part, &name).documented(&function.attrs));
    let entry = declaration.entry(
        &quote!(::incipit::cpu::CpuState),
        &quote!(::incipit::cpu::CpuState::new(#ident, #teardown, #name)),
    );
    let (companion, record) = (relations.companion(ident, &function.vis), declaration.record());
    let entries = anonymous(&quote!(#entry #record));
    let declared = format!("state of a CPU, section `{section}`{}", relations.in_words());
    documentation::declare(&mut function.attrs, &function.vis, &declared);
    Ok(quote!(#function #companion #entries))
}
