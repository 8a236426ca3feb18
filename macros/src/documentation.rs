//! The documentation of annotated items: its first paragraph goes into the record, and a line behind it says how the item is declared.
//!
//! So `cargo doc`, and an editor at every use of the item, show what no source line near that use says.

use syn::{Attribute, Expr, ExprLit, Lit, Meta, Visibility, parse_quote};

/// What the added line begins with: an attribute that expands behind another one takes it for nobody's documentation.
const MARK: &str = "**Declared**: ";

/// The first paragraph that `attributes` document, in one line; empty if there is none.
pub fn first_paragraph(attributes: &[Attribute]) -> String {
    let lines = lines(attributes);
    let paragraph = lines
        .iter()
        .map(|line| line.trim())
        .skip_while(|line| line.is_empty())
        .take_while(|line| !line.is_empty() && !line.starts_with(MARK.trim_end()));
    let text = paragraph.collect::<Vec<_>>().join(" ");
    text.split(char::is_control).collect::<Vec<_>>().join(" ")
}

/// Adds a line that says how the item is declared; not to a public item without documentation, of which rustc could not tell then that it is missing.
pub fn declare(attributes: &mut Vec<Attribute>, visibility: &Visibility, declared: &str) {
    let documented = !lines(attributes).is_empty();
    if !documented && matches!(visibility, Visibility::Public(_)) {
        return;
    }
    if documented {
        attributes.push(parse_quote!(#[doc = ""]));
    }
    let line = format!("{MARK}{declared}.");
    attributes.push(parse_quote!(#[doc = #line]));
}

/// The lines of documentation, as written.
fn lines(attributes: &[Attribute]) -> Vec<String> {
    let texts = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    texts
        .flat_map(|text| {
            if text.is_empty() {
                vec![text]
            } else {
                text.lines().map(str::to_owned).collect()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use syn::ItemFn;

    use super::*;

    fn described(mut function: ItemFn) -> (String, Vec<String>) {
        declare(&mut function.attrs, &function.vis, "a test");
        (first_paragraph(&function.attrs), lines(&function.attrs))
    }

    #[test]
    fn the_line_stands_behind_the_documentation() {
        let (paragraph, lines) = described(parse_quote! {
            /// What it does,
            /// in two lines.
            ///
            /// More.
            pub fn f() {}
        });
        assert_eq!(paragraph, "What it does, in two lines.");
        assert_eq!(
            lines,
            [" What it does,", " in two lines.", "", " More.", "", "**Declared**: a test."]
        );
    }

    #[test]
    fn the_line_of_another_attribute_is_no_documentation() {
        let (paragraph, lines) = described(parse_quote! {
            #[inline]
            fn f() {}
        });
        assert_eq!((paragraph.as_str(), lines), ("", vec!["**Declared**: a test.".to_owned()]));
    }

    #[test]
    fn a_public_item_without_documentation_stays_without() {
        let of_a_crate: ItemFn = parse_quote!(
            pub(crate) fn f() {}
        );
        let of_all: ItemFn = parse_quote!(
            pub fn f() {}
        );
        assert_eq!((described(of_all).1.len(), described(of_a_crate).1.len()), (0, 1));
    }

    #[test]
    fn documentation_in_one_piece_has_lines_too() {
        let (paragraph, _) = described(parse_quote! {
            #[doc = "\n One\tline,\n another.\n\n More."]
            fn f() {}
        });
        assert_eq!(paragraph, "One line, another.");
    }
}
