//! What a parameter starts as, in words, from the expression that its static is made with.

use quote::ToTokens;
use syn::{Expr, ExprCall, ExprLit, ExprMacro, Lit};

/// The value in `AtomicU32::new(17)`: `17`. Without one, as in `Charp::none()`, that is what it says: `none`. Any other expression stands for itself.
pub fn value(expression: &Expr) -> String {
    let Expr::Call(ExprCall { func, args, .. }) = expression else {
        return written(expression);
    };
    let mut arguments = args.iter();
    match (arguments.next(), arguments.next()) {
        (None, _) => function_name(func).unwrap_or_else(|| written(expression)),
        (Some(value), None) => written(value),
        (Some(values), Some(count)) => given(values, count).unwrap_or_else(|| written(expression)),
    }
}

/// The first `count` of the array `values`, as the command line has them.
fn given(values: &Expr, count: &Expr) -> Option<String> {
    let Expr::Lit(ExprLit { lit: Lit::Int(count), .. }) = count else {
        return None;
    };
    let count = count.base10_parse().ok()?;
    let given: Vec<_> = match values {
        Expr::Array(values) => values.elems.iter().take(count).map(written).collect(),
        Expr::Repeat(value) => vec![written(&value.expr); count],
        _ => return None,
    };
    Some(if given.is_empty() { "none".to_owned() } else { given.join(",") })
}

fn function_name(function: &Expr) -> Option<String> {
    match function {
        Expr::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

/// The expression in one line; a literal without quotes and without its type.
fn written(expression: &Expr) -> String {
    match expression {
        Expr::Lit(ExprLit { lit, .. }) => match lit {
            Lit::Str(text) => text.value().split(char::is_control).collect::<Vec<_>>().join(" "),
            Lit::Int(number) => {
                let text = number.to_string();
                text.strip_suffix(number.suffix()).unwrap_or(&text).trim_end_matches('_').to_owned()
            }
            other => other.to_token_stream().to_string(),
        },
        Expr::Unary(negated) => format!("{}{}", negated.op.to_token_stream(), written(&negated.expr)),
        Expr::Group(inner) => written(&inner.expr),
        // A switch of the configuration reads better by its name.
        Expr::Macro(ExprMacro { mac, .. }) if mac.path.is_ident("cfg") => mac.tokens.to_string(),
        other => other.to_token_stream().to_string().replace(" :: ", "::"),
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_str;

    use super::*;

    #[test]
    fn values_read_as_on_the_command_line() {
        for (expression, text) in [
            ("AtomicBool::new(false)", "false"),
            ("AtomicU32::new(17_u32)", "17"),
            ("AtomicU64::new(0x1f)", "0x1f"),
            ("AtomicI8::new(-5)", "-5"),
            ("Charp::none()", "none"),
            ("Charp::new(\"a b\")", "a b"),
            ("ParamArray::new([1, 2, 0], 2, 1)", "1,2"),
            ("ParamArray::new([0, 0], 0, 0)", "none"),
            ("ParamArray::new([7; 8], 2, 0)", "7,7"),
            ("AtomicU64::new(1 << 20)", "1 << 20"),
            ("AtomicU32::new(limits::MOST)", "limits::MOST"),
            ("OTHER", "OTHER"),
            ("AtomicBool::new(cfg!(CONFIG_X))", "CONFIG_X"),
        ] {
            assert_eq!(value(&parse_str(expression).unwrap()), text, "{expression}");
        }
    }

    #[test]
    fn what_is_no_value_stands_for_itself() {
        assert_eq!(value(&parse_str("ParamArray::new(A, 0)").unwrap()), "ParamArray::new (A , 0)");
    }
}
