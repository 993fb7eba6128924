//! Where in an application's code a statement was made, as tags in its comments say.
//!
//! Libraries add such tags, or a program does by itself. Two forms are read:
//!
//! | form | example |
//! |---|---|
//! | sqlcommenter, also of Rails | `/*controller='orders',file='app%2Fmodels%2Forder.rb',line='12'*/` |
//! | marginalia, and the older form of Rails | `/*controller:orders,line:app/models/order.rb:12:in 'place'*/` |
//!
//! Source: <https://open-telemetry.github.io/opentelemetry-sqlcommenter/specifications>.

use super::super::code_location::CodeLocation;
use super::{Dialect, TokenKind, pieces};

/// Tags that name a file. Those with a dot are OpenTelemetry's.
const FILES: [&str; 4] = ["file", "filepath", "code.filepath", "code.file.path"];

/// Tags that name a line.
const LINES: [&str; 4] = ["line", "lineno", "code.lineno", "code.line.number"];

/// Tags that name both, as `file:12`: of Rails, and of marginalia.
const PLACES: [&str; 2] = ["source_location", "line"];

/// The longest name of a file.
const LONGEST: usize = 300;

/// Where a statement was made, or several that are sent at once; none if tags name different places.
#[must_use]
pub fn code_location(dialect: Dialect, text: &str) -> Option<CodeLocation> {
    let may_have_any = ["/*", "--", "#"].iter().any(|begin| text.contains(begin));
    if !may_have_any {
        return None;
    }
    let pieces = pieces(dialect, text);
    let comments = pieces.iter().filter(|piece| piece.kind == TokenKind::Comment);
    let mut places = comments.filter_map(|comment| of_tags(&tags(inside(comment.text))));
    let first = places.next()?;
    places.all(|place| place == first).then_some(first)
}

/// A comment without the signs around it.
fn inside(comment: &str) -> &str {
    match comment.strip_prefix("/*") {
        Some(inside) => inside.strip_suffix("*/").unwrap_or(inside),
        None => comment.trim_start_matches(['-', '#']),
    }
}

/// The place that some tags name together.
fn of_tags(tags: &[(String, String)]) -> Option<CodeLocation> {
    let value = |names: &[&str]| {
        let mut named = tags.iter().filter(|(name, _)| names.contains(&name.as_str()));
        named.next().map(|(_, value)| value.as_str())
    };
    let place = match (value(&FILES), value(&LINES)) {
        (Some(file), line) => {
            let line = line.and_then(|line| line.parse().ok());
            let (named, in_file) = with_line(file).unwrap_or((file, None));
            CodeLocation { file: named.to_owned(), line: line.or(in_file) }
        }
        (None, _) => {
            let (file, line) = with_line(value(&PLACES[..1]).or_else(|| value(&PLACES[1..]))?)?;
            CodeLocation { file: file.to_owned(), line }
        }
    };
    let is_file = !place.file.is_empty()
        && place.file.len() <= LONGEST
        && !place.file.chars().any(char::is_control)
        && place.line != Some(0);
    is_file.then_some(place)
}

/// A file and its line out of `file:12`, whatever follows after another colon.
fn with_line(place: &str) -> Option<(&str, Option<u32>)> {
    place.match_indices(':').find_map(|(at, _)| {
        let line = place[at + 1..].split(':').next()?.parse().ok()?;
        Some((&place[..at], Some(line)))
    })
}

/// The tags of a comment, by name, in either form.
fn tags(comment: &str) -> Vec<(String, String)> {
    let comment = comment.trim();
    let quoted = quoted_tags(comment);
    match quoted.is_empty() {
        false => quoted,
        true => {
            let tags = comment.split(',').filter_map(|tag| tag.split_once(':'));
            tags.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
        }
    }
}

/// Tags of the form `name='value'`, in which both are URL-encoded, and a quote has a backslash before it.
fn quoted_tags(comment: &str) -> Vec<(String, String)> {
    let mut tags = Vec::new();
    let mut rest = comment;
    while let Some((name, behind)) = rest.split_once("='") {
        let mut escaped = false;
        let end = behind.find(|sign: char| {
            let ends = sign == '\'' && !escaped;
            escaped = sign == '\\' && !escaped;
            ends
        });
        let Some(end) = end else { break };
        let value = behind[..end].replace("\\'", "'");
        let name = name.trim_start_matches(|sign: char| sign == ',' || sign.is_whitespace());
        tags.push((decoded(name), decoded(&value)));
        rest = &behind[end + 1..];
    }
    tags
}

/// A URL-encoded text, decoded as far as it is one.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let pair = behind.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = pair
            .filter(|two| *first == b'%' && two.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> String {
        let place = code_location(Dialect::Postgres, text);
        place.map_or("none".into(), |place| place.to_string())
    }

    #[test]
    fn a_place_is_read_from_every_form_of_tag() {
        for (comment, place) in [
            (
                "/*file='app/models/order.rb',line='12',controller='orders'*/",
                "app/models/order.rb:12",
            ),
            (
                "/*action='place',file='app%2Fmodels%2Forder.rb',line='12',traceparent='00-5bd6-01'*/",
                "app/models/order.rb:12",
            ),
            (
                "/* action='it\\'s, here' , source_location='app%2Fa%20b.rb%3A7%3Ain %60place\\'' */",
                "app/a b.rb:7",
            ),
            (
                "/*application:Shop,controller:orders,action:create,line:app/models/order.rb:12:in 'place'*/",
                "app/models/order.rb:12",
            ),
            ("/*application:Shop, Inc,source_location:app/x.rb:3:in `a'*/", "app/x.rb:3"),
            ("-- file='shop.py',line='31'\n", "shop.py:31"),
            ("/*code.filepath='src/shop.js',code.lineno='8'*/", "src/shop.js:8"),
            ("/*file='src/shop.js:8:21'*/", "src/shop.js:8"),
            ("/*file='C:\\shop\\order.cs',line='4'*/", "C:\\shop\\order.cs:4"),
            ("/*file='shop.py'*/", "shop.py"),
        ] {
            assert_eq!(told(&format!("SELECT 1 {comment}")), place, "{comment}");
            assert_eq!(told(&format!("{comment} SELECT 1")), place, "{comment}");
        }
    }

    #[test]
    fn a_comment_without_a_place_and_a_text_that_is_no_comment_name_none() {
        for text in [
            "SELECT 1",
            "SELECT '/*file=''shop.py'',line=''1''*/'",
            "SELECT 1 /*controller='index',framework='django%3A2.2.4',route='%5Epolls/%24'*/",
            "SELECT 1 /*application:Shop,line:*/",
            "SELECT 1 /* at 12:30, see file */",
            "SELECT 1 /*file='',line='1'*/",
            "SELECT 1 /*file='a%0Ab',line='1'*/",
            "SELECT 1 /*file='shop.py',line='0'*/",
            "SELECT 1 /*file='shop.py",
        ] {
            assert_eq!(told(text), "none", "{text}");
        }
        assert_eq!(told("SELECT 1 /* why */ /*file='a.py',line='2'*/"), "a.py:2");
    }

    proptest! {
        #[test]
        fn whatever_a_comment_says_is_no_error(text in "[-/*'=,:%\\\\ a-fé0-9]{0,60}") {
            for comment in [format!("/*{text}*/"), format!("-- {text}"), format!("/*file='{text}'*/")] {
                let _ = code_location(Dialect::Mysql, &comment);
            }
        }
    }
}
