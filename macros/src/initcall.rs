//! `#[initcall]`: an entry of a level's part of `.initcall.init`, or of `.con_initcall.init`, and what is kept of it.

use incipit_linker::record::key;
use incipit_linker::tables::{self, INITCALL_LEVELS};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Error, Result, parenthesized};

use crate::arguments;
use crate::declaration::{Declaration, anonymous, place};
use crate::documentation;
use crate::init_memory::{self, Callee};
use crate::relations::{self, Relations};
use crate::signature::Form;

const FORM: Form = Form {
    attribute: "initcall",
    shape: "fn() -> Result<(), Errno>",
    arguments: 0,
    returns: true,
};

/// The arguments: a level, then `sync`, `on_error(…)` and relations in any order.
struct Arguments {
    level: Ident,
    part: String,
    sync: bool,
    policy: Option<Ident>,
    relations: Relations,
}

/// What `on_error(…)` can say, and the variant of `OnError` that it means.
const POLICIES: [(&str, &str); 4] = [
    ("ignore", "Ignore"),
    ("warn", "Warn"),
    ("skip_dependents", "SkipDependents"),
    ("panic", "Panic"),
];

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.is_empty() {
            return Err(Error::new(Span::call_site(), format!("`#[initcall]` takes a level: {}", levels())));
        }
        let level: Ident = input.parse()?;
        let part = part_of(&level)?;
        let (mut sync, mut policy, mut relations) = (None, None, Relations::default());
        arguments::each_behind(input, |word| {
            match word.to_string().as_str() {
                "sync" => {
                    arguments::once(&word, sync.is_some())?;
                    sync = Some(word);
                }
                key::ON_ERROR => {
                    arguments::once(&word, policy.is_some())?;
                    policy = Some(parse_policy(input)?);
                }
                _ if relations.accept(&word, input)? => {}
                _ => {
                    return Err(Error::new(
                        word.span(),
                        format!(
                            "unknown argument `{word}`: `sync`, `on_error(policy)`, {} are what can stand behind the level",
                            relations::WORDS
                        ),
                    ));
                }
            }
            Ok(())
        })?;
        relations.check()?;
        if let Some(word) = sync.as_ref().filter(|_| tables::part_named(&format!("{part}s")).is_none()) {
            return Err(Error::new(word.span(), format!("the level `{level}` has no `sync` variant")));
        }
        Ok(Self {
            level,
            part,
            sync: sync.is_some(),
            policy,
            relations,
        })
    }
}

/// The policy in the parentheses behind `on_error`.
fn parse_policy(input: ParseStream<'_>) -> Result<Ident> {
    let content;
    parenthesized!(content in input);
    let policy: Ident = content.parse()?;
    if !content.is_empty() {
        return Err(content.error("`on_error(…)` takes one policy"));
    }
    if POLICIES.iter().any(|(word, _)| policy == word) {
        return Ok(policy);
    }
    let words = POLICIES.map(|(word, _)| word).join(", ");
    Err(Error::new(
        policy.span(),
        format!("unknown policy `{policy}`: must be one of {words}"),
    ))
}

/// The part that the level fills.
fn part_of(level: &Ident) -> Result<String> {
    if level == "console" {
        return Ok("con_initcall".to_owned());
    }
    INITCALL_LEVELS
        .iter()
        .find_map(|(name, part)| (level == name).then(|| (*part).to_owned()))
        .ok_or_else(|| Error::new(level.span(), format!("unknown level `{level}`: must be one of {}", levels())))
}

fn levels() -> String {
    let mut names: Vec<_> = INITCALL_LEVELS.iter().map(|(name, _)| *name).collect();
    names.push("console");
    names.join(", ")
}

pub fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let Arguments {
        level,
        part,
        sync,
        policy,
        relations,
    } = syn::parse2(arguments)?;
    let mut function = FORM.parse(&item)?;
    let ident = &function.sig.ident;
    let part = if sync { format!("{part}s") } else { part };
    let declared = in_words(&level, sync, policy.as_ref(), &relations);
    let Callee { name: callee, definition } = init_memory::callee(&function, FORM.arguments);
    let mut declaration = relations.record(Declaration::new(ident, &part, &ident.to_string()).documented(&function.attrs));
    if let Some(policy) = policy.as_ref().map(Ident::to_string) {
        declaration = declaration.with(key::ON_ERROR, quote!(#policy));
    }
    let entry = declaration.entry(
        &quote!(::incipit::init::initcall::InitcallEntry),
        &quote!(::incipit::init::initcall::InitcallEntry::new(#callee, &INFO)),
    );
    let (companion, record) = (relations.companion(ident, &function.vis), declaration.record());
    let variant = format_ident!("{}", variant_of(&level.to_string(), sync));
    let kept = if level == "console" { "con_initcall_info" } else { "initcall_info" };
    let policy = POLICIES
        .iter()
        .find(|(word, _)| policy.as_ref().is_some_and(|policy| policy == word))
        .map_or("Warn", |(_, variant)| variant);
    let policy = format_ident!("{policy}").to_token_stream();
    let info = info(ident, kept, &quote!(::incipit::init::info::Level::#variant), &relations, &policy);
    let entries = anonymous(&quote!(#info #definition #entry #record));
    documentation::declare(&mut function.attrs, &function.vis, &declared);
    Ok(quote!(#function #companion #entries))
}

/// The declaration for people.
fn in_words(level: &Ident, sync: bool, policy: Option<&Ident>, relations: &Relations) -> String {
    let sync = if sync { ", sync" } else { "" };
    let policy = policy.map(|policy| format!("; on an error `{policy}`")).unwrap_or_default();
    format!("initcall, level `{level}`{sync}{}{policy}", relations.in_words())
}

/// The number of the level before which a parameter is parsed, as the kernel counts them.
pub fn parameter_level(level: &Ident) -> Result<i8> {
    const NUMBERED: [&str; 8] = ["pure", "core", "postcore", "arch", "subsys", "fs", "device", "late"];
    let at = NUMBERED.iter().position(|name| level == name);
    at.and_then(|at| i8::try_from(at).ok()).ok_or_else(|| {
        Error::new(
            level.span(),
            format!("parameters are not parsed before `{level}`: must be one of {}", NUMBERED.join(", ")),
        )
    })
}

/// The variant of `Level`: the level's name with a capital, `Sync` behind it for the second half.
fn variant_of(level: &str, sync: bool) -> String {
    let mut name = level[..1].to_uppercase() + &level[1..];
    if sync {
        name.push_str("Sync");
    }
    name
}

/// The static `INFO`, a slot of the table `kept`: what remains known of an entry when the entry is gone. `policy` is a variant of `OnError`.
pub fn info(ident: &Ident, kept: &str, level: &TokenStream, relations: &Relations, policy: &TokenStream) -> TokenStream {
    let section = tables::part_named(kept).map_or_else(|| panic!("no table has the part `{kept}`"), |(_, part)| part.section);
    let (file, line) = place(ident.span());
    let name = ident.to_string();
    let (declared, dependencies) = relations.dependencies();
    quote! {
        #declared
        #[used]
        #[unsafe(link_section = #section)]
        static INFO: ::incipit::init::info::EntryInfo = ::incipit::init::info::EntryInfo::new(
            #name, #ident::PATH, #file, #line, #level, ::incipit::init::info::OnError::#policy, #dependencies
        );
    }
}
