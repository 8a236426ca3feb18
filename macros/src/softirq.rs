//! `#[softirq]`: an entry of `incipit::softirq::SOFTIRQS`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Error, Result};

use crate::declaration::anonymous;
use crate::documentation;
use crate::signature::Form;

const FORM: Form = Form {
    attribute: "softirq",
    shape: "fn()",
    arguments: 0,
    returns: false,
};

/// The softirqs that there are, in their order.
const SOFTIRQS: [&str; 10] = [
    "Hi", "Timer", "NetTx", "NetRx", "Block", "IrqPoll", "Tasklet", "Sched", "Hrtimer", "Rcu",
];

pub fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let choice = || SOFTIRQS.join(", ");
    let softirq: Ident = match syn::parse2(arguments.clone()) {
        Ok(softirq) => softirq,
        Err(_) if arguments.is_empty() => {
            let message = format!("`#[softirq]` takes the softirq: {}", choice());
            return Err(Error::new(Span::call_site(), message));
        }
        Err(_) => {
            let message = format!("`#[softirq]` takes one softirq and nothing else: {}", choice());
            return Err(Error::new_spanned(arguments, message));
        }
    };
    if !SOFTIRQS.iter().any(|name| softirq == name) {
        let message = format!("unknown softirq `{softirq}`: must be one of {}", choice());
        return Err(Error::new(softirq.span(), message));
    }
    let mut function = FORM.parse(&item)?;
    if function.sig.inputs.len() != FORM.arguments {
        let message = "softirqs run as long as the kernel does: there is no proof of init memory for them";
        return Err(Error::new_spanned(&function.sig.inputs, message));
    }
    let ident = &function.sig.ident;
    let entry = anonymous(&quote! {
        #[::incipit::__private::linkme::distributed_slice(::incipit::softirq::SOFTIRQS)]
        #[linkme(crate = ::incipit::__private::linkme)]
        static ACTION: ::incipit::softirq::SoftirqAction = ::incipit::softirq::SoftirqAction {
            nr: ::incipit::softirq::Softirq::#softirq,
            handler: #ident,
        };
    });
    documentation::declare(&mut function.attrs, &function.vis, &format!("handler of the softirq `{softirq}`"));
    Ok(quote!(#function #entry))
}
