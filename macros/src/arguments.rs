//! The arguments that several attributes take: names in quotes, and `after(path, …)`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, LitStr, Path, Result, Token, Visibility, parenthesized};

/// Fails if an attribute that takes no arguments has some.
pub fn none(arguments: &TokenStream, attribute: &str) -> Result<()> {
    if arguments.is_empty() {
        Ok(())
    } else {
        Err(Error::new_spanned(arguments, format!("`#[{attribute}]` takes no arguments")))
    }
}

/// The one argument of an attribute that takes a name in quotes.
pub fn name(arguments: TokenStream, attribute: &str) -> Result<LitStr> {
    let wanted = || format!("`#[{attribute}]` takes one name in quotes: `#[{attribute}(\"name\")]`");
    if arguments.is_empty() {
        return Err(Error::new(Span::call_site(), wanted()));
    }
    let literal: LitStr = syn::parse2(arguments.clone()).map_err(|_| Error::new_spanned(&arguments, wanted()))?;
    Ok(literal)
}

/// The items that an entry comes after.
#[derive(Default)]
pub struct After {
    paths: Vec<Path>,
}

impl After {
    /// Reads the parenthesised list behind `after` and adds its paths.
    pub fn extend(&mut self, input: ParseStream<'_>) -> Result<()> {
        let content;
        parenthesized!(content in input);
        self.paths.extend(Punctuated::<Path, Token![,]>::parse_terminated(&content)?);
        Ok(())
    }

    /// The module that stands beside the annotated function, with its name, so that others can come after it: it holds the function's rank and path.
    ///
    /// The rank of an entry is one more than the greatest of those before it: rustc itself refuses a path that does not exist, and a cycle.
    pub fn companion(&self, ident: &Ident, visibility: &Visibility) -> TokenStream {
        let paths = self.paths.iter().map(seen_from_child);
        // Only paths need the names around: with thousands of entries in one module, thousands of modules with thousands of names each take the compiler minutes.
        let names = (!self.paths.is_empty()).then(|| {
            quote!(
                use super::*;
            )
        });
        quote! {
            #[doc(hidden)]
            #[allow(unused_imports, dead_code)]
            #visibility mod #ident {
                #names
                /// One more than the greatest rank that this entry comes after.
                pub const RANK: u32 = ::incipit::__private::rank_after(&[#(#paths::RANK),*]);
                /// The function's path.
                pub const PATH: &str = module_path!();
            }
        }
    }

    /// For each path, the constant with the full path of what it names.
    pub fn full_paths(&self) -> Vec<TokenStream> {
        self.paths.iter().map(|path| quote!(#path::PATH)).collect()
    }
}

/// A path as a child module must write it: `self` and `super` mean one module further up there.
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

/// The arguments of an attribute that takes nothing but `after(…)`.
impl Parse for After {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut after = Self::default();
        while !input.is_empty() {
            let word: Ident = input.parse()?;
            if word != "after" {
                return Err(Error::new(
                    word.span(),
                    format!("unknown argument `{word}`: `after(path, …)` is what can stand here"),
                ));
            }
            after.extend(input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(after)
    }
}
