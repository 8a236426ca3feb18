//! The arguments that several attributes take.

use proc_macro2::{Span, TokenStream};
use syn::{Error, LitStr, Result};

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
