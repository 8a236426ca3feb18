//! `#[ktest]`: an entry of `.kunit_test_suites`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Result;

use crate::declaration::{Declaration, anonymous, place};
use crate::init;
use crate::init_memory::{self, Callee};
use crate::signature::Form;
use crate::{arguments, documentation};

const FORM: Form = Form {
    attribute: "ktest",
    shape: "fn()",
    arguments: 0,
    returns: false,
};

pub fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    arguments::none(&arguments, "ktest")?;
    let mut function = FORM.parse(&item)?;
    if !cfg!(CONFIG_KUNIT) {
        // Compiled, so that it does not rot, and used by nobody, so that nothing of it is linked.
        return Ok(quote!(#[allow(dead_code)] #function));
    }
    let ident = &function.sig.ident;
    let name = ident.to_string();
    let (file, line) = place(ident.span());
    let Callee { name: callee, definition } = init_memory::callee(&function, FORM.arguments);
    let declaration = Declaration::new(ident, "ktest", &name).documented(&function.attrs);
    let entry = declaration.entry(
        &quote!(::incipit::init::ktest::KtestEntry),
        &quote!(::incipit::init::ktest::KtestEntry::new(#callee, &INFO)),
    );
    let record = declaration.record();
    let entries = anonymous(&quote! {
        #[unsafe(link_section = ".init.rodata")]
        static INFO: ::incipit::init::ktest::KtestInfo = ::incipit::init::ktest::KtestInfo { name: #name, module: module_path!(), file: #file, line: #line };
        #definition
        #entry
        #record
    });
    documentation::declare(&mut function.attrs, &function.vis, "test, run with `kunit.enable=1`");
    // A test is gone with its table.
    let function = init::of_the_boot(&function);
    Ok(quote!(#[allow(dead_code)] #function #entries))
}
