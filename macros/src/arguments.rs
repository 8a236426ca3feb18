//! The arguments that several attributes take.

use proc_macro2::{Ident, Span, TokenStream};
use syn::parse::ParseStream;
use syn::{Error, LitStr, Result, Token};

/// Reads words with commas between them to the end; `take` reads what stands behind a word, and refuses a word that it does not know.
pub fn each(input: ParseStream<'_>, mut take: impl FnMut(Ident) -> Result<()>) -> Result<()> {
    while !input.is_empty() {
        take(input.parse()?)?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

/// As [`each`], behind a first argument that was read already.
pub fn each_behind(input: ParseStream<'_>, take: impl FnMut(Ident) -> Result<()>) -> Result<()> {
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    each(input, take)
}

/// Fails if `word` was there before.
pub fn once(word: &Ident, was_there: bool) -> Result<()> {
    if was_there {
        return Err(Error::new(word.span(), format!("`{word}` stands twice")));
    }
    Ok(())
}

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
