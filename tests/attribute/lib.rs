//! `#[test]` for tests that run under a `main` of their own, which reports as ignored what cannot run on this machine.

use proc_macro::{TokenStream, TokenTree};

/// Puts a function on the list of all tests, `crate::listed::Test`.
#[proc_macro_attribute]
pub fn test(_: TokenStream, function: TokenStream) -> TokenStream {
    let mut tokens = function.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(word) if word.to_string() == "fn"));
    let Some(TokenTree::Ident(name)) = tokens.next() else {
        return "compile_error!{\"what is tested is a function\"}".parse().unwrap_or_default();
    };
    let entry = format!(
        "::inventory::submit! {{
            crate::listed::Test {{ name: concat!(module_path!(), \"::{name}\"), run: {name} }}
        }}"
    );
    function.into_iter().chain(entry.parse::<TokenStream>().unwrap_or_default()).collect()
}
