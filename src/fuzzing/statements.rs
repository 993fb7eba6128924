//! SQL, and what a checkout's file makes of answers.

use serde_json::Value;

use super::{assert_line, text};
use crate::base::text::chance::may_decide;
use crate::base::text::sql::{
    Dialect, RewriteOutcome, Rewriting, ScriptPlace, StatementCure, code_location, filled,
    guard_for, has_others_inside, in_brief, on_one_line, parameters, pieces, script_fault, shape,
    statements, with_parameters,
};
use crate::describe::checkout::{Condition, Find, JsonFind, RequestTemplate, StoreValue, Template};
use crate::stores::analyze_statements;

/// In every dialect: the tokens of a text are the text; its statements are parts of it, in order; a statement whose
/// parameters are replaced by themselves stays as it is; a shape has no shape but itself; a cure goes into each statement
/// that it is meant for, and adds none. Whatever is analyzed does not panic.
pub fn sql(data: &[u8]) {
    let text = &*text(data);
    for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
        let all: String = pieces(dialect, text).iter().map(|piece| piece.text).collect();
        assert_eq!(all, text);
        let found = statements(dialect, text);
        let mut end = 0;
        for one in &found {
            let at = one.as_ptr() as usize - text.as_ptr() as usize;
            assert!(end <= at && text.get(at..at + one.len()) == Some(one), "{one}");
            end = at + one.len();
            let _ = has_others_inside(dialect, one);
            let _ = in_brief(&on_one_line(dialect, one, |name| format!(":{name}")));
        }
        assert_eq!(with_parameters(dialect, text, |name| format!(":{name}")), text);
        let named = parameters(dialect, text);
        assert!(named.iter().all(|name| !name.is_empty()), "{named:?}");
        let _ = filled(dialect, text, &["it's".into(), "null".into(), "7".into()]);
        let _ = in_brief(text);
        if let Some(place) = code_location(dialect, text) {
            assert_line(&place.to_string());
        }
        let length = text.len();
        for place in [
            ScriptPlace::Unknown,
            ScriptPlace::Byte(length / 2),
            ScriptPlace::Byte(length),
            ScriptPlace::Line(1 + length % 4),
            ScriptPlace::Statement { number: length % 3, line: 1 + length % 4 },
        ] {
            assert_line(&script_fault(dialect, "x.sql", text, place, "no"));
        }
        cure(dialect, text, &found);
        analyze_statements(dialect, text);
    }
    let _ = may_decide(text);
}

/// The cures of the first statement, read as an UPDATE after the last as a query.
fn cure(dialect: Dialect, text: &str, found: &[&str]) {
    let (Some(first), Some(last)) = (found.first(), found.last()) else { return };
    let guard = guard_for(dialect, first, last).ok();
    let lock = StatementCure::Lock { table: "product".into() };
    for cure in guard.into_iter().chain([lock, StatementCure::Enough]) {
        let rewriting = Rewriting { shape: shape(dialect, first), cure };
        let _ = rewriting.reads(dialect, last);
        let (cured, outcome) = rewriting.apply(dialect, text, Some("1"));
        match cured {
            None => assert_ne!(outcome, RewriteOutcome::Done),
            Some(cured) => {
                assert_eq!(outcome, RewriteOutcome::Done);
                assert!(cured.len() > text.len(), "{cured}");
                assert_eq!(statements(dialect, &cured).len(), found.len(), "{cured}");
            }
        }
    }
}

/// Lines: a path in JSON, a text around a value, a condition, a template, a request, a header; and an answer behind them.
/// A value stays in the part of a request that it is put into.
pub fn conditions(data: &[u8]) {
    let text = &*text(data);
    let mut rest = text.splitn(7, '\n');
    let mut line = || rest.next().unwrap_or("");
    let (path, around, condition) = (line(), line(), line());
    let (template, request, header, answer) = (line(), line(), line(), line());
    let json: Option<Value> = serde_json::from_str(answer).ok();
    let parsed = JsonFind::parse("id", path).inspect_err(|why| assert!(!why.is_empty()));
    if let (Ok(find), Some(json)) = (parsed, &json) {
        assert_eq!(find.within(json), find.within(json));
    }
    let found =
        Find::parse("id", around).ok().and_then(|find| find.within(answer).map(str::to_owned));
    let value_of = |name: &str| match name {
        "stock" => StoreValue::Int(1),
        "qty" => StoreValue::Decimal("1.50".into()),
        "found" => found.clone().map_or(StoreValue::Null, StoreValue::Text),
        _ => StoreValue::Text(answer.into()),
    };
    let known: Vec<String> =
        ["stock", "qty", "found", "rows", "answer", "refused"].map(Into::into).into();
    match Condition::parse(condition, &known) {
        Err(why) => assert_line(&why),
        Ok(condition) => {
            let _ = condition.holds(value_of);
            condition.goes_by("stock");
        }
    }
    let template = Template::parse(template);
    assert!(template.names().all(|name| !name.is_empty()));
    let _ = template.filled(value_of);
    if let Ok((name, value)) = RequestTemplate::parse_header(header) {
        assert!(name.is_ascii());
        let _ = value.filled(value_of);
    }
    match RequestTemplate::parse(request) {
        Err(why) => assert_line(&why),
        Ok(None) => {}
        Ok(Some(mut request)) => {
            let slashes = |path: &str| path.matches(['/', '?', '#', ' ']).count();
            let empty = request.path_with(&|_| StoreValue::Null);
            assert_eq!(slashes(&request.path_with(&value_of)), slashes(&empty));
            request.body = Some(Template::parse("{\"a\": \"{found}\", \"b\": \"{answer}\"}"));
            let body = request.body_with(&value_of).expect("it has one");
            serde_json::from_str::<Value>(&body).expect("a value stays within its quotes");
            request.form = vec![("a".into(), template), ("b".into(), Template::parse("{answer}"))];
            let body = request.body_with(&value_of).expect("it has one");
            assert_eq!(body.matches(['&', '=']).count(), 3, "{body}");
        }
    }
}
