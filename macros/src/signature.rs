//! Checks that an annotated function can be called through its table.
//!
//! What can be seen in the tokens is checked here, with a message that shows the right form; the types themselves are checked by rustc, where the function is
//! put into its entry.

use proc_macro2::TokenStream;
use syn::{Error, FnArg, GenericParam, ItemFn, Result, ReturnType, spanned::Spanned};

use crate::init_memory;

/// How a function of some table looks.
pub struct Form {
    /// The attribute, for messages.
    pub attribute: &'static str,
    /// The function's type as a user writes it, for messages.
    pub shape: &'static str,
    /// How many arguments it takes; behind them it may take `InitMemory<'_>`.
    pub arguments: usize,
    /// Whether it returns a value.
    pub returns: bool,
}

impl Form {
    /// Parses `item` as a function of this form.
    pub fn parse(&self, item: &TokenStream) -> Result<ItemFn> {
        let wrong = |span: &dyn Spanned2, why: &str| {
            Err(Error::new(
                span.place(),
                format!("{why}: `#[{}]` stands on a `{}`", self.attribute, self.shape),
            ))
        };
        let Ok(function) = syn::parse2::<ItemFn>(item.clone()) else {
            return wrong(item, "not a function");
        };
        let signature = &function.sig;
        if signature
            .generics
            .params
            .iter()
            .any(|param| !matches!(param, GenericParam::Lifetime(_)))
        {
            return wrong(&signature.generics, "a generic function has no single address");
        }
        if let Some(asyncness) = &signature.asyncness {
            return wrong(asyncness, "an async function does not run when it is called");
        }
        if let Some(unsafety) = &signature.unsafety {
            return wrong(unsafety, "nobody stands by the conditions of an unsafe function here");
        }
        if let Some(abi) = &signature.abi {
            return wrong(abi, "the function is called as a Rust function");
        }
        if let Some(FnArg::Receiver(receiver)) = signature.inputs.first() {
            return wrong(receiver, "a method has no value to be called on");
        }
        let surplus = signature.inputs.iter().nth(self.arguments);
        let has_proof = surplus.map(init_memory::is_proof).transpose()?.unwrap_or(false);
        if signature.inputs.len() != self.arguments + usize::from(has_proof) {
            return wrong(
                signature,
                &format!(
                    "takes {} where {} is right, and `InitMemory<'_>` may follow",
                    count(signature.inputs.len()),
                    count(self.arguments)
                ),
            );
        }
        match (&signature.output, self.returns) {
            (ReturnType::Default, true) => wrong(signature, "returns nothing"),
            (ReturnType::Type(_, ty), false) => wrong(ty, "returns a value that nobody reads"),
            _ => Ok(function),
        }
    }
}

fn count(arguments: usize) -> String {
    match arguments {
        0 => "no argument".to_owned(),
        1 => "one argument".to_owned(),
        more => format!("{more} arguments"),
    }
}

/// Anything with a place, as a trait object.
trait Spanned2 {
    fn place(&self) -> proc_macro2::Span;
}

impl<T: Spanned> Spanned2 for T {
    fn place(&self) -> proc_macro2::Span {
        self.span()
    }
}
