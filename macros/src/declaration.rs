//! What every attribute adds to the annotated item: an entry in a table and a record for the tools.
//!
//! Knows sections and symbols through `incipit-linker`; an attribute cannot fill a table that is not described there.

use incipit_linker::record::{self, key};
use incipit_linker::tables;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Attribute;

use crate::documentation;

/// One declaration: which part of which table, and what the tools are told.
pub struct Declaration<'a> {
    ident: &'a Ident,
    part: &'static str,
    section: &'static str,
    unique: String,
    pairs: Vec<(&'static str, TokenStream)>,
    constants: Vec<(&'static str, TokenStream)>,
    lists: Vec<(&'static str, Vec<TokenStream>)>,
}

impl<'a> Declaration<'a> {
    /// A declaration of the item `ident` in the part called `part`, known to users as `name`.
    ///
    /// # Panics
    ///
    /// If no table has such a part: an attribute names a table that is not described.
    pub fn new(ident: &'a Ident, part: &str, name: &str) -> Self {
        let (_, described) = tables::part_named(part).unwrap_or_else(|| panic!("no table has the part `{part}`"));
        let declaration = Self::in_section(ident, described.name, described.section, name);
        let symbol = declaration.entry_symbol();
        declaration.with(key::ENTRY, quote!(#symbol))
    }

    /// A declaration that leaves a record and nothing else: that the item `ident` is in `section`, by the attribute called `attribute`.
    pub fn without_entry(ident: &'a Ident, attribute: &'static str, section: &'static str) -> Self {
        Self::in_section(ident, attribute, section, &ident.to_string())
    }

    fn in_section(ident: &'a Ident, part: &'static str, section: &'static str, name: &str) -> Self {
        Self {
            ident,
            part,
            section,
            unique: unique_name(ident),
            pairs: vec![(key::NAME, quote!(#name))],
            constants: Vec::new(),
            lists: Vec::new(),
        }
    }

    /// Adds a pair to the record; `value` is a literal or a macro that becomes one.
    pub fn with(mut self, key: &'static str, value: TokenStream) -> Self {
        self.pairs.push((key, value));
        self
    }

    /// Adds what the item's own documentation says first, if it has any.
    pub fn documented(self, attributes: &[Attribute]) -> Self {
        match documentation::first_paragraph(attributes) {
            text if text.is_empty() => self,
            text => self.with(key::DOC, quote!(#text)),
        }
    }

    /// Adds a pair to the record whose value is a constant of type `&str`.
    pub fn constant(mut self, key: &'static str, value: TokenStream) -> Self {
        self.constants.push((key, value));
        self
    }

    /// Adds a list to the record, a comma behind each item: constants of type `&str`. An empty list is left out.
    pub fn list(mut self, key: &'static str, items: Vec<TokenStream>) -> Self {
        if !items.is_empty() {
            self.lists.push((key, items));
        }
        self
    }

    /// The entry: a static of type `ty` with the value `value`, in the part's section.
    pub fn entry(&self, ty: &TokenStream, value: &TokenStream) -> TokenStream {
        let (section, symbol) = (self.section, self.entry_symbol());
        quote! {
            const _: () = assert!(::core::mem::size_of::<#ty>() != 0, "an entry without a size is lost");
            #[used]
            #[unsafe(link_section = #section)]
            #[unsafe(export_name = #symbol)]
            static ENTRY: #ty = #value;
        }
    }

    /// The record, which the tools read from the image's file.
    pub fn record(&self) -> TokenStream {
        let ident = self.ident;
        let (section, table) = (record::SECTION, self.section);
        let symbol = format!(
            "{}{}{}.{}{}",
            record::SYMBOL_PREFIX,
            record::RECORD_PART,
            self.part,
            self.unique,
            record::SYMBOL_END
        );
        let pair = |key: &str| format!("{}{key}=", record::SEPARATOR as char);
        let (keys, values): (Vec<_>, Vec<_>) = self.pairs.iter().map(|(key, value)| (pair(key), value)).unzip();
        let begin = format!("{}{}=", record::BEGIN as char, key::TABLE);
        let [path_key, file_key, line_key] = [key::PATH, key::FILE, key::LINE].map(pair);
        let (file, line) = place(ident.span());
        let name = ident.to_string();
        let end = (record::END as char).to_string();
        let constants = self.constants.iter().map(|(key, value)| {
            let key = pair(key);
            quote! { #key, #value, }
        });
        let lists = self.lists.iter().map(|(key, items)| {
            let key = pair(key);
            quote! { #key, #(#items, ",",)* }
        });
        quote! {
            const PIECES: &[&str] = &[
                concat!(#begin, #table, #path_key, module_path!(), "::", #name, #file_key, #file, #line_key, #line #(, #keys, #values)*),
                #(#constants)*
                #(#lists)*
                #end,
            ];
            #[used]
            #[unsafe(link_section = #section)]
            #[unsafe(export_name = #symbol)]
            static RECORD: [u8; ::incipit::__private::length(PIECES)] = ::incipit::__private::concat(PIECES);
        }
    }

    fn entry_symbol(&self) -> String {
        format!("{}{}.{}{}", record::SYMBOL_PREFIX, self.part, self.unique, record::SYMBOL_END)
    }
}

/// Wraps `content` so that its names meet no others.
pub fn anonymous(content: &TokenStream) -> TokenStream {
    quote! {
        #[allow(unsafe_code)]
        const _: () = { #content };
    }
}

/// Tokens that become the file and the line of `span`.
pub fn place(span: Span) -> (TokenStream, TokenStream) {
    (quote_spanned!(span=> file!()), quote_spanned!(span=> line!()))
}

/// A name that no other declaration of the image has: the crate, the item, and where it stands.
fn unique_name(ident: &Ident) -> String {
    let (crate_name, span) = (crate_name(), ident.span().unwrap());
    let file = std::path::PathBuf::from(span.file());
    let stem = file
        .file_stem()
        .map(|stem| {
            stem.to_string_lossy()
                .replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "_")
        })
        .unwrap_or_default();
    format!("{crate_name}.{stem}.{ident}.{}_{}", span.line(), span.column())
}

/// The name of the crate that is being compiled.
pub fn crate_name() -> String {
    std::env::var("CARGO_CRATE_NAME").unwrap_or_else(|_| "unknown".to_owned())
}
