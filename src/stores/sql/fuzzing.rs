//! What a fuzz target asks of the analyzer of SQL.

use std::sync::Arc;

use parking_lot::RwLock;

use super::analyzer::SqlAnalyzer;
use super::executor::DatabaseInfo;
use super::independence::Catalog;
use crate::base::text::sql::{Dialect, TokenKind, pieces, statements};
use crate::describe::checkout::{Answer, StoreValue};
use crate::domain::isolation::Isolation;
use crate::domain::store_kind::StoreKind;
use crate::proxy::{ClientStatement, StatementAnalyzer, TransactionState};
use crate::scheduler::{Footprint, Resources};

/// Analyzes statements as one connection sends them, to a database with two tables. One that cannot be read counts as
/// touching each of them, and anything that anyone changes there.
pub(crate) fn analyze_statements(dialect: Dialect, text: &str) {
    let kind = match dialect {
        Dialect::Postgres => StoreKind::Postgres,
        Dialect::Mysql => StoreKind::Mysql,
        Dialect::Sqlite => return,
    };
    let parts = [
        ["table", "product", ""],
        ["table", "purchase", ""],
        ["key", "product", "id"],
        ["column", "product", "id:int"],
        ["column", "product", "name:text"],
        ["reference", "purchase", "product"],
    ];
    let parts = parts.map(|row| row.map(|word| StoreValue::Text(word.into())).to_vec());
    let parts = Answer::found(Vec::new(), parts.into());
    let catalog = Catalog::of(kind, &parts, Isolation::ReadCommitted, std::iter::empty(), 0);
    let known = DatabaseInfo { catalog: Arc::new(catalog), ..DatabaseInfo::default() };
    let mut analyzer = SqlAnalyzer::new(kind, &Arc::new(RwLock::new(known)));
    let values = vec!["1".to_owned(), "it's".to_owned()];
    for statement in statements(dialect, text) {
        let said = ClientStatement {
            text: statement.into(),
            values: values.clone(),
            ..Default::default()
        };
        let seen = analyzer.see(&said);
        let mut tokens = pieces(dialect, statement).into_iter();
        if tokens.any(|token| token.kind == TokenKind::Unreadable) {
            let others = Footprint::writing(Resources::table(0));
            assert!(seen.footprint.conflicts_with(&others), "{statement}");
        }
        analyzer.settle(TransactionState::NONE);
        analyzer.see(&said);
    }
    let said = ClientStatement { text: text.into(), values, ..Default::default() };
    analyzer.see(&said).pending(1);
}
