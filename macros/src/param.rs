//! `#[param]`: an entry of `__param`, and what is known of the parameter.

use std::ffi::CString;

use incipit_linker::record::key;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, ItemStatic, LitInt, LitStr, Result, StaticMutability, Token};

use crate::declaration::{Declaration, anonymous, crate_name, place};
use crate::setup::check_name;
use crate::{arguments, documentation, initcall, initial};

/// Linux's bound: the longest name of a module, and a name behind it.
const LONGEST_NAME: usize = 56;

#[derive(Default)]
struct Arguments {
    name: Option<LitStr>,
    module: Option<LitStr>,
    perm: Option<LitInt>,
    level: Option<Ident>,
    dangerous: bool,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut parsed = Self::default();
        arguments::each(input, |word| {
            arguments::once(&word, parsed.has(&word))?;
            if word == "dangerous" {
                parsed.dangerous = true;
            } else {
                parsed.parse_value(&word, input)?;
            }
            Ok(())
        })?;
        Ok(parsed)
    }
}

impl Arguments {
    /// Whether the argument was given already.
    fn has(&self, word: &Ident) -> bool {
        match word.to_string().as_str() {
            "name" => self.name.is_some(),
            "module" => self.module.is_some(),
            "perm" => self.perm.is_some(),
            "level" => self.level.is_some(),
            "dangerous" => self.dangerous,
            _ => false,
        }
    }

    fn parse_value(&mut self, word: &Ident, input: ParseStream<'_>) -> Result<()> {
        let known = ["name", "module", "perm", "level"];
        if !known.iter().any(|name| word == name) {
            return Err(Error::new(
                word.span(),
                format!("unknown argument `{word}`: `name`, `module`, `perm`, `level` and `dangerous` are what can stand here"),
            ));
        }
        input.parse::<Token![=]>()?;
        match word.to_string().as_str() {
            "name" => self.name = Some(input.parse()?),
            "module" => self.module = Some(input.parse()?),
            "perm" => self.perm = Some(input.parse()?),
            _ => self.level = Some(input.parse()?),
        }
        Ok(())
    }

    /// The permissions, checked as Linux's `VERIFY_OCTAL_PERMISSIONS` does.
    fn permissions(&self) -> Result<u16> {
        let Some(literal) = &self.perm else { return Ok(0) };
        let mode: u16 = literal.base10_parse()?;
        let (user, group, other) = (mode >> 6, mode >> 3 & 7, mode & 7);
        let why = if mode > 0o777 {
            "is no file mode: must be at most 0o777"
        } else if other & 0o2 != 0 {
            "lets everybody write the parameter"
        } else if user & 0o4 < group & 0o4 || group & 0o4 < other & 0o4 {
            "lets others read what the owner may not"
        } else if user & 0o2 < group & 0o2 {
            "lets the group write what the owner may not"
        } else if !literal.to_string().starts_with("0o") && mode != 0 {
            "is not octal: write 0o644"
        } else {
            return Ok(mode);
        };
        Err(Error::new(literal.span(), format!("the mode {literal} {why}")))
    }

    /// The level before which the parameter is parsed, as the kernel counts: -1 is the start.
    fn level(&self) -> Result<i8> {
        match &self.level {
            None => Ok(-1),
            Some(level) => initcall::parameter_level(level),
        }
    }
}

pub fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let arguments: Arguments = syn::parse2(arguments)?;
    let mut variable: ItemStatic = syn::parse2(item.clone())
        .map_err(|_| Error::new_spanned(&item, "`#[param]` stands on a static: `#[param] static NAME: AtomicBool = …;`"))?;
    if let StaticMutability::Mut(word) = &variable.mutability {
        return Err(Error::new_spanned(
            word,
            "a parameter is changed through its atomics: leave `mut` out",
        ));
    }
    let ItemStatic { ident, ty, expr, .. } = &variable;
    let name = arguments
        .name
        .clone()
        .unwrap_or_else(|| LitStr::new(&ident.to_string().to_lowercase(), ident.span()));
    let module = module(&arguments, ident.span());
    for part in [Some(&name), module.as_ref()].into_iter().flatten() {
        check_part(part)?;
    }
    let (perm, level) = (arguments.permissions()?, arguments.level()?);
    let full = module
        .as_ref()
        .map_or_else(|| name.value(), |module| format!("{}.{}", module.value(), name.value()));
    let thin = CString::new(full.as_bytes()).map_err(|error| Error::new(name.span(), error))?;
    let thin = Literal::c_string(&thin);
    let flags = if arguments.dangerous { quote!(DANGEROUS) } else { quote!(NONE) };

    let octal = format!("{perm:04o}");
    let initial = initial::value(expr);
    let mut declaration = Declaration::new(ident, "param", &full)
        .with(key::PERM, quote!(#octal))
        .with(key::DEFAULT, quote!(#initial))
        .constant(key::TYPE, quote!(ENTRY.type_name()))
        .documented(&variable.attrs);
    if let Some(level) = arguments.level.as_ref().map(Ident::to_string) {
        declaration = declaration.with(key::LEVEL, quote!(#level));
    }
    let (file, line) = place(ident.span());
    let entry = declaration.entry(
        &quote!(::incipit::init::param::KernelParam),
        &quote_spanned! {ty.span()=>
            ::incipit::init::param::KernelParam::new::<#ty>(#thin, &INFO, #perm, #level, ::incipit::init::param::Flags::#flags, &#ident)
        },
    );
    let record = declaration.record();
    let entries = anonymous(&quote! {
        static INFO: ::incipit::init::param::ParamInfo = ::incipit::init::param::ParamInfo::new(#file, #line);
        #entry
        #record
    });
    documentation::declare(&mut variable.attrs, &variable.vis, &format!("parameter `{full}=`, mode {octal}"));
    Ok(quote!(#variable #entries))
}

/// The module that the parameter belongs to: as written, or the crate; none in the kernel itself, nor where it is written as empty.
fn module(arguments: &Arguments, span: Span) -> Option<LitStr> {
    if let Some(module) = &arguments.module {
        return Some(module.clone()).filter(|module| !module.value().is_empty());
    }
    let name = crate_name();
    (name != "incipit").then(|| LitStr::new(name.strip_prefix("incipit_").unwrap_or(&name), span))
}

/// A name, or the name of a module, can stand on the command line: no blanks, no quotes, no `=`.
fn check_part(part: &LitStr) -> Result<()> {
    check_name(part)?;
    if part.value().contains('=') {
        return Err(Error::new(part.span(), "a parameter is named without `=`"));
    }
    if part.value().len() > LONGEST_NAME {
        return Err(Error::new(part.span(), format!("the name is longer than {LONGEST_NAME} bytes")));
    }
    Ok(())
}
