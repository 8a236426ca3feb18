//! `#[exception_entry]`: gives the accesses of an `asm!` entries in `__ex_table`.
//!
//! The entry has Linux's layout: three 32-bit words, the first two relative to themselves. Its type is Linux's `EX_TYPE_IMM_REG`, "set a register to an
//! immediate and go on at the fixup", so a fault needs no code of its own beside the access.

use incipit_linker::tables;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::visit_mut::{self, VisitMut};
use syn::{Error, ItemFn, LitStr, Macro, Path, Result, Token, parenthesized};

use crate::{arguments, documentation};

/// The first of the local labels that accesses get; numbers that nobody writes by hand.
const FIRST_LABEL: u32 = 7710;
/// The local label behind the last line of a template.
const END_LABEL: u32 = 7799;
/// The type of the entries, `EX_TYPE_IMM_REG`.
const TYPE_IMM_REG: u32 = 17;

/// The registers that an entry can name, in the order of their numbers in the instruction set (and in `pt_regs` look-up by number).
const REGISTERS: [[&str; 4]; 16] = [
    ["rax", "eax", "ax", "al"],
    ["rcx", "ecx", "cx", "cl"],
    ["rdx", "edx", "dx", "dl"],
    ["rbx", "ebx", "bx", "bl"],
    ["rsp", "esp", "sp", "spl"],
    ["rbp", "ebp", "bp", "bpl"],
    ["rsi", "esi", "si", "sil"],
    ["rdi", "edi", "di", "dil"],
    ["r8", "r8d", "r8w", "r8b"],
    ["r9", "r9d", "r9w", "r9b"],
    ["r10", "r10d", "r10w", "r10b"],
    ["r11", "r11d", "r11w", "r11b"],
    ["r12", "r12d", "r12w", "r12b"],
    ["r13", "r13d", "r13w", "r13b"],
    ["r14", "r14d", "r14w", "r14b"],
    ["r15", "r15d", "r15w", "r15b"],
];

pub fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    arguments::none(&arguments, "exception_entry")?;
    let mut function: ItemFn = syn::parse2(item.clone()).map_err(|_| {
        Error::new_spanned(
            &item,
            "`#[exception_entry]` stands on a function with an `asm!` that has an access `may_fault!(\"…\")`",
        )
    })?;
    let generics = &function.sig.generics;
    if generics.type_params().next().is_some() || generics.const_params().next().is_some() {
        return Err(Error::new_spanned(
            generics,
            "a generic function has its access once for each type: write one function for each, or put the access into one that is not generic",
        ));
    }
    let mut rewriter = Rewriter { accesses: 0, error: None };
    rewriter.visit_block_mut(&mut function.block);
    if let Some(error) = rewriter.error {
        return Err(error);
    }
    if rewriter.accesses == 0 {
        return Err(Error::new_spanned(
            &function.sig,
            "no access to guard: an `asm!` in the body must have a line `may_fault!(\"…\")` and the operand `error = out(\"…\") variable`",
        ));
    }
    documentation::declare(&mut function.attrs, &function.vis, "a fault of its access is an error");
    Ok(function.into_token_stream())
}

/// Rewrites every `asm!` that has an access.
struct Rewriter {
    accesses: u32,
    error: Option<Error>,
}

impl VisitMut for Rewriter {
    fn visit_macro_mut(&mut self, invocation: &mut Macro) {
        if invocation.path.segments.last().is_none_or(|segment| segment.ident != "asm") {
            return visit_mut::visit_macro_mut(self, invocation);
        }
        match invocation
            .parse_body::<Assembly>()
            .and_then(|assembly| assembly.rewrite(invocation))
        {
            Ok(None) => {}
            Ok(Some((accesses, tokens))) => {
                self.accesses += accesses;
                invocation.tokens = tokens;
            }
            Err(error) => self.error = Some(error),
        }
    }
}

/// The arguments of an `asm!`, told apart as far as needed.
struct Assembly {
    lines: Vec<Line>,
    outcome: Option<Outcome>,
    operands: Vec<TokenStream>,
}

/// A line of the template.
enum Line {
    Plain(TokenStream),
    Access(Access),
}

/// `may_fault!("instruction", error = EIO)` or `may_fault!("instruction" => "label")`.
struct Access {
    instruction: LitStr,
    fixup: Option<LitStr>,
    errno: Option<Path>,
}

/// `error = out("register") variable`, or `inout` for a register that comes with a value of its own.
struct Outcome {
    number: u32,
    operand: TokenStream,
    /// The line that makes it 0, unless it comes with a value.
    clear: Option<String>,
}

impl Parse for Access {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let instruction = input.parse()?;
        let mut access = Self {
            instruction,
            fixup: None,
            errno: None,
        };
        if input.parse::<Option<Token![=>]>>()?.is_some() {
            access.fixup = Some(input.parse()?);
        }
        if input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let word: Ident = input.parse()?;
            if word != "error" {
                return Err(Error::new(
                    word.span(),
                    format!("unknown argument `{word}`: `error = ERRNO` is what can stand here"),
                ));
            }
            input.parse::<Token![=]>()?;
            access.errno = Some(input.parse()?);
        }
        Ok(access)
    }
}

impl Parse for Assembly {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut assembly = Self {
            lines: Vec::new(),
            outcome: None,
            operands: Vec::new(),
        };
        while !input.is_empty() {
            let argument = argument(input)?;
            assembly.take(argument)?;
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(assembly)
    }
}

/// The tokens up to the next comma.
fn argument(input: ParseStream<'_>) -> Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    Ok(tokens)
}

impl Assembly {
    /// Puts one argument where it belongs: a line of the template, the outcome, or an operand that is left as it is.
    fn take(&mut self, argument: TokenStream) -> Result<()> {
        if let Ok(invocation) = syn::parse2::<Macro>(argument.clone()) {
            let line = if invocation.path.is_ident("may_fault") {
                Line::Access(invocation.parse_body()?)
            } else {
                Line::Plain(argument)
            };
            self.lines.push(line);
        } else if syn::parse2::<LitStr>(argument.clone()).is_ok() {
            self.lines.push(Line::Plain(argument));
        } else if argument
            .clone()
            .into_iter()
            .next()
            .is_some_and(|first| matches!(&first, TokenTree::Ident(word) if word == "error"))
        {
            self.outcome = Some(syn::parse2(argument)?);
        } else {
            self.operands.push(argument);
        }
        Ok(())
    }

    /// The arguments with the entries added, and how many those are; nothing if the template has no access.
    fn rewrite(self, invocation: &Macro) -> Result<Option<(u32, TokenStream)>> {
        let accesses = self.lines.iter().filter(|line| matches!(line, Line::Access(_))).count();
        if accesses == 0 {
            return match self.outcome {
                Some(outcome) => Err(Error::new_spanned(
                    outcome.operand,
                    "`error` without an access: mark the line that may fault with `may_fault!(\"…\")`",
                )),
                None => Ok(None),
            };
        }
        let Some(outcome) = self.outcome else {
            return Err(Error::new_spanned(
                &invocation.path,
                "an access without an outcome: add the operand `error = out(\"r8d\") variable` (any register that is free)",
            ));
        };
        let (mut lines, mut entries, mut constants) = (Vec::new(), Vec::new(), Vec::new());
        lines.extend(outcome.clear.map(|clear| quote!(#clear)));
        let mut label = FIRST_LABEL;
        for line in self.lines {
            match line {
                Line::Plain(tokens) => lines.push(tokens),
                Line::Access(access) => {
                    let (entry, constant) = access.entry(label, outcome.number);
                    let marked = LitStr::new(&format!("{label}: {}", access.instruction.value()), access.instruction.span());
                    lines.push(quote!(#marked));
                    entries.push(entry);
                    constants.push(constant);
                    label += 1;
                }
            }
        }
        let end = format!("{END_LABEL}:");
        lines.push(quote!(#end));
        lines.extend(entries.iter().map(|entry| quote!(#entry)));
        let (named, others) = self.operands.into_iter().partition::<Vec<_>, _>(is_named);
        let operand = outcome.operand;
        let (explicit, options) = others.into_iter().partition::<Vec<_>, _>(|operand| !is_option(operand));
        Ok(Some((
            label - FIRST_LABEL,
            quote!(#(#lines,)* #(#named,)* #(#constants,)* #(#explicit,)* #operand #(, #options)*),
        )))
    }
}

impl Access {
    /// The lines that make the entry of the access at `label`, and the operand with the entry's data word.
    fn entry(&self, label: u32, register: u32) -> (String, TokenStream) {
        let section = tables::EX_TABLE.parts[0].section;
        let align = tables::EX_TABLE.entry_align;
        let fixup = self
            .fixup
            .as_ref()
            .map_or_else(|| format!("{END_LABEL}b"), |label| with_direction(&label.value()));
        let name = Ident::new(&format!("data_{label}"), Span::mixed_site());
        let errno = self.errno.as_ref().map_or_else(|| quote!(EFAULT), |errno| quote!(#errno));
        let entry = format!(
            ".pushsection {section}, \"a\", @progbits\n.balign {align}\n.long {label}b - .\n.long {fixup} - .\n.long {{{name}}}\n.popsection"
        );
        let data = quote!(#name = const ::incipit::__private::exception_data(#TYPE_IMM_REG, #register, ::incipit::prelude::Errno::#errno));
        (entry, data)
    }
}

/// A local label as it must be written behind its definition.
fn with_direction(label: &str) -> String {
    if label.ends_with(|last: char| last.is_ascii_digit()) {
        format!("{label}b")
    } else {
        label.to_owned()
    }
}

/// `name = in(…) …`, and not an operand with a register of its own.
fn is_named(operand: &TokenStream) -> bool {
    let mut tokens = operand.clone().into_iter();
    matches!((tokens.next(), tokens.next()), (Some(TokenTree::Ident(_)), Some(TokenTree::Punct(equals))) if equals.as_char() == '=')
}

/// `options(…)` or `clobber_abi(…)`.
fn is_option(operand: &TokenStream) -> bool {
    matches!(operand.clone().into_iter().next(), Some(TokenTree::Ident(word)) if word == "options" || word == "clobber_abi")
}

impl Parse for Outcome {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        input.parse::<Ident>()?;
        input.parse::<Token![=]>()?;
        let direction: Ident = input.parse()?;
        if direction != "out" && direction != "inout" {
            return Err(Error::new(
                direction.span(),
                format!("the outcome must be `out(\"…\")`: with `{direction}` its register could be one of the operands'"),
            ));
        }
        let content;
        parenthesized!(content in input);
        let register: LitStr = content.parse().map_err(|error| {
            Error::new(
                error.span(),
                "the outcome needs a register of its own: `error = out(\"r8d\") variable`",
            )
        })?;
        let name = register.value();
        let found = REGISTERS.iter().enumerate().find(|(_, names)| names.contains(&name.as_str()));
        let Some((number, names)) = found.filter(|(number, _)| !matches!(number, 4 | 5)) else {
            return Err(Error::new(
                register.span(),
                format!("`{name}` cannot hold the outcome: name a general register"),
            ));
        };
        let variable: TokenStream = input.parse()?;
        let number = u32::try_from(number).unwrap_or_default();
        Ok(Self {
            number,
            clear: (direction == "out").then(|| format!("mov {}, 0", names[0])),
            operand: quote!(#direction(#register) #variable),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(item: TokenStream) -> String {
        expand(TokenStream::new(), item).expect_err("a mistake").to_string()
    }

    #[test]
    fn an_access_gets_an_entry_behind_the_template() {
        let item = quote! { fn f() { unsafe { asm!(may_fault!("rdmsr", error = EIO), in("ecx") m, out("eax") l, error = out("r8d") e, options(nomem)) } } };
        let text = expand(TokenStream::new(), item).expect("a function").to_string();
        for piece in [
            "\"mov r8, 0\"",
            "\"7710: rdmsr\"",
            "\"7799:\"",
            ".long 7710b - .",
            ".long 7799b - .",
            "Errno :: EIO",
            "out (\"r8d\") e",
        ] {
            assert!(text.contains(piece), "{piece} in {text}");
        }
        assert!(
            text.find("data_7710 = const").unwrap() < text.find("in (\"ecx\")").unwrap(),
            "named operands stand before explicit ones: {text}"
        );
    }

    #[test]
    fn a_register_that_comes_with_a_value_keeps_it() {
        let item = quote! { fn f() { unsafe { asm!(may_fault!("mov edx, [rdx]"), error = inout("rdx") a => l) } } };
        let text = expand(TokenStream::new(), item).expect("a function").to_string();
        assert!(text.contains("inout (\"rdx\") a => l") && !text.contains("mov rdx, 0"), "{text}");
    }

    #[test]
    fn a_fixup_label_is_where_the_entry_leads() {
        let item = quote! { fn f() { unsafe { asm!(may_fault!("rep movsb" => "4"), "4:", error = out("rax") e) } } };
        assert!(
            expand(TokenStream::new(), item)
                .expect("a function")
                .to_string()
                .contains(".long 4b - .")
        );
    }

    #[test]
    fn mistakes_are_named() {
        assert!(messages(quote! { fn f() {} }).contains("no access to guard"));
        assert!(messages(quote! { fn f() { unsafe { asm!(may_fault!("nop")) } } }).contains("an access without an outcome"));
        assert!(messages(quote! { fn f() { unsafe { asm!("nop", error = out("eax") e) } } }).contains("`error` without an access"));
        assert!(
            messages(quote! { fn f() { unsafe { asm!(may_fault!("nop"), error = out("rsp") e) } } }).contains("cannot hold the outcome")
        );
        assert!(messages(quote! { fn f() { unsafe { asm!(may_fault!("nop"), error = lateout("eax") e) } } }).contains("must be `out"));
        assert!(messages(quote! { fn f<T>() {} }).contains("a generic function"));
        assert!(messages(quote! { static X: u8 = 0; }).contains("stands on a function"));
    }
}
