//! What an entry says of its place among the others: `after(…)`, `before(…)`, `provides(…)`, `requires(…)`, `wants(…)`.
//!
//! Functions are named by path, and rustc holds those relations: a path that is missing does not compile, nor does a cycle. Capabilities are types, so that
//! nobody names a function that a configuration may remove; what provides them is known only when the image is linked, and the post-link step holds those.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Path, Result, Token, Visibility, parenthesized};

use incipit_linker::record::key;

use crate::declaration::Declaration;

/// The relations of one entry. Paths are functions in `after` and `before`, and types that implement `Capability` in the others.
#[derive(Default)]
pub struct Relations {
    after: Vec<Path>,
    before: Vec<Path>,
    provides: Vec<Path>,
    requires: Vec<Path>,
    wants: Vec<Path>,
}

/// The relations in words, for messages about arguments that are none.
pub const WORDS: &str =
    "`after(path, …)`, `before(path, …)`, `provides(Capability, …)`, `requires(Capability, …)` and `wants(Capability, …)`";

impl Relations {
    /// Reads the parenthesised list behind `word` if that is a relation; `false` if it is none, with nothing read.
    pub fn accept(&mut self, word: &Ident, input: ParseStream<'_>) -> Result<bool> {
        let list = match word.to_string().as_str() {
            key::AFTER => &mut self.after,
            key::BEFORE => &mut self.before,
            key::PROVIDES => &mut self.provides,
            key::REQUIRES => &mut self.requires,
            key::WANTS => &mut self.wants,
            _ => return Ok(false),
        };
        let content;
        parenthesized!(content in input);
        let paths = Punctuated::<Path, Token![,]>::parse_terminated(&content)?;
        if paths.is_empty() {
            return Err(Error::new(word.span(), format!("`{word}(…)` names nothing")));
        }
        list.extend(paths);
        Ok(true)
    }

    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        [&self.after, &self.before, &self.provides, &self.requires, &self.wants]
            .iter()
            .all(|list| list.is_empty())
    }

    /// Refuses what contradicts itself within one attribute. What contradicts another one's is found by rustc, or when the image is linked.
    pub fn check(&self) -> Result<()> {
        for path in &self.before {
            if contains(&self.after, path) {
                return Err(Error::new(
                    path.span(),
                    "stands in `after(…)` and in `before(…)`: it can be one of the two",
                ));
            }
        }
        for path in self.requires.iter().chain(&self.wants) {
            if contains(&self.provides, path) {
                return Err(Error::new(
                    path.span(),
                    "is what this function provides itself: it cannot wait for it",
                ));
            }
        }
        Ok(())
    }

    /// The module that stands beside the annotated function, with its name, so that others can name the function.
    ///
    /// `RANK` is made of the `RANK` of all that the function comes after, and `HEIGHT` likewise of what it comes before: rustc itself refuses a path that does
    /// not exist, and a cycle. Both are plain numbers, because rustc walks through all that a constant refers to, for each constant anew.
    pub fn companion(&self, ident: &Ident, visibility: &Visibility) -> TokenStream {
        let after: Vec<_> = self.after.iter().map(seen_from_child).collect();
        let before: Vec<_> = self.before.iter().map(seen_from_child).collect();
        // Only paths that start with a name need the names around: with thousands of entries, thousands of modules with thousands of names each take the
        // compiler minutes.
        let names = self.after.iter().chain(&self.before).any(starts_with_a_name).then(|| {
            quote!(
                use super::*;
            )
        });
        let contradictions = before.iter().map(|path| {
            quote_spanned! {path.span()=>
                const _: () = assert!(
                    !comes_after(&mut ::incipit::__private::Search::for_function(#path::PATH, #path::RANK)),
                    "a cycle: `before(…)` names a function that `after(…)` puts first",
                );
            }
        });
        quote! {
            #[doc(hidden)]
            #[allow(unused_imports, dead_code, non_snake_case)]
            #visibility mod #ident {
                #names
                /// The function's path.
                pub const PATH: &str = module_path!();
                /// One more than the greatest rank that the function comes after.
                pub const RANK: u32 = ::incipit::__private::rank_after(&[#(#after::RANK),*]);
                /// One more than the greatest height that the function comes before.
                pub const HEIGHT: u32 = ::incipit::__private::rank_after(&[#(#before::HEIGHT),*]);
                /// Whether the function comes after the one that is looked for.
                #[inline]
                pub const fn comes_after(search: &mut ::incipit::__private::Search) -> bool {
                    search.goes_behind(RANK) && (false #(|| search.is_at(#after::PATH) || #after::comes_after(search))*)
                }
                #(#contradictions)*
            }
        }
    }

    /// The relations for people, each with `; ` before it.
    pub fn in_words(&self) -> String {
        let lists = [
            ("after", &self.after),
            ("before", &self.before),
            ("provides", &self.provides),
            ("requires", &self.requires),
            ("wants", &self.wants),
        ];
        let given = lists.iter().filter(|(_, paths)| !paths.is_empty());
        given
            .map(|(word, paths)| {
                let names: Vec<_> = paths
                    .iter()
                    .filter_map(|path| path.segments.last())
                    .map(|last| format!("`{}`", last.ident))
                    .collect();
                format!("; {word} {}", names.join(", "))
            })
            .collect()
    }

    /// Adds the relations to the record.
    pub fn record<'a>(&self, declaration: Declaration<'a>) -> Declaration<'a> {
        let functions = |paths: &[Path]| paths.iter().map(|path| quote!(#path::PATH)).collect();
        let capabilities = |paths: &[Path]| paths.iter().map(|path| capability(path, &quote!(PATH))).collect();
        declaration
            .list(key::AFTER, functions(&self.after))
            .list(key::BEFORE, functions(&self.before))
            .list(key::PROVIDES, capabilities(&self.provides))
            .list(key::REQUIRES, capabilities(&self.requires))
            .list(key::WANTS, capabilities(&self.wants))
    }

    /// The static `DEPENDENCIES`, which the kernel reads, and the expression for where it is; nothing of either for an entry without relations.
    pub fn dependencies(&self) -> (TokenStream, TokenStream) {
        if self.is_empty() {
            return (TokenStream::new(), quote!(::core::option::Option::None));
        }
        let (after, before) = (&self.after, &self.before);
        let [provides, requires, wants] = [&self.provides, &self.requires, &self.wants]
            .map(|paths| paths.iter().map(|path| capability(path, &quote!(INFO))).collect::<Vec<_>>());
        let declared = quote! {
            static DEPENDENCIES: ::incipit::init::info::Dependencies = ::incipit::init::info::Dependencies {
                after: &[#(#after::PATH),*],
                before: &[#(#before::PATH),*],
                provides: &[#(#provides),*],
                requires: &[#(#requires),*],
                wants: &[#(#wants),*],
            };
        };
        (declared, quote!(::core::option::Option::Some(&DEPENDENCIES)))
    }
}

/// Whether `paths` has `path`, spelled the same way.
fn contains(paths: &[Path], path: &Path) -> bool {
    let spelled = |path: &Path| path.to_token_stream().to_string();
    paths.iter().any(|other| spelled(other) == spelled(path))
}

/// A constant of the capability at `path`; what is no capability is refused at its place.
fn capability(path: &Path, constant: &TokenStream) -> TokenStream {
    quote_spanned!(path.span()=> <#path as ::incipit::init::capability::Capability>::#constant)
}

/// Whether `path` means something only where the names of its module are in scope.
fn starts_with_a_name(path: &Path) -> bool {
    let first = path.segments.first().map(|segment| segment.ident.to_string());
    path.leading_colon.is_none() && !matches!(first.as_deref(), Some("crate" | "self" | "super"))
}

/// For each path, the way a child module must write it: `self` and `super` mean one module further up there.
fn seen_from_child(path: &Path) -> TokenStream {
    let first = path.segments.first().map(|segment| segment.ident.to_string());
    match first.as_deref() {
        Some("self") => {
            let rest = path.segments.iter().skip(1);
            quote!(super #(::#rest)*)
        }
        Some("super") => quote!(super::#path),
        _ => path.to_token_stream(),
    }
}
