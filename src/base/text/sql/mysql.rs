//! MySQL's rules for tokens, with comments that it executes (`/*! … */`) left whole.
//!
//! The tokenizer would split such a comment into tokens, and give wrong places for them.

use std::any::TypeId;

use sqlparser::dialect::{Dialect, MySqlDialect};

/// The rules of [`MySqlDialect`], but for those comments.
#[derive(Debug)]
pub(super) struct WholeComments(pub(super) MySqlDialect);

impl Dialect for WholeComments {
    fn dialect(&self) -> TypeId {
        self.0.dialect()
    }

    fn is_identifier_start(&self, letter: char) -> bool {
        self.0.is_identifier_start(letter)
    }

    fn is_identifier_part(&self, letter: char) -> bool {
        self.0.is_identifier_part(letter)
    }

    fn is_delimited_identifier_start(&self, letter: char) -> bool {
        self.0.is_delimited_identifier_start(letter)
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        self.0.supports_string_literal_backslash_escape()
    }

    fn ignores_wildcard_escapes(&self) -> bool {
        self.0.ignores_wildcard_escapes()
    }

    fn supports_numeric_prefix(&self) -> bool {
        self.0.supports_numeric_prefix()
    }

    fn supports_literal_prefix_in_qualified_name(&self) -> bool {
        self.0.supports_literal_prefix_in_qualified_name()
    }

    fn supports_hash_comment(&self) -> bool {
        self.0.supports_hash_comment()
    }

    fn requires_single_line_comment_whitespace(&self) -> bool {
        self.0.requires_single_line_comment_whitespace()
    }

    fn supports_multiline_comment_hints(&self) -> bool {
        false
    }
}
