//! A request to a running shop: `POST /cart/{buyer}`, with headers and a body.

use serde_json::Value as Json;
use serde_json_path::JsonPath;

use super::template::Template;
use super::value::StoreValue;

/// The methods that a request can have.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

/// A request with holes.
#[derive(Clone, Debug)]
pub struct RequestTemplate {
    /// `POST`.
    pub method: &'static str,
    /// What stands behind the shop's address; begins with a slash.
    pub path: Template,
    /// Names and values.
    pub headers: Vec<(String, Template)>,
    /// What is sent; none for a request without a body.
    pub body: Option<Template>,
    /// Fields of a form, which are sent as its body.
    pub form: Vec<(String, Template)>,
    /// What is looked for in the answer.
    pub find: Vec<Find>,
    /// What is taken out of an answer in JSON.
    pub json: Vec<JsonFind>,
}

/// A value that stands somewhere in an answer, between two texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Find {
    /// What it is called.
    pub name: String,
    /// What stands before it.
    pub before: String,
    /// What stands behind it; empty if the value is the rest of the answer.
    pub after: String,
}

impl Find {
    /// Reads `name="token" value="{}"`.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        match text.split_once("{}") {
            Some((before, after)) if !before.is_empty() => {
                let (name, before, after) = (name.to_owned(), before.to_owned(), after.to_owned());
                Ok(Self { name, before, after })
            }
            _ => Err("expected the text around the value, with {} in its place".into()),
        }
    }

    /// The first such value in a text.
    #[must_use]
    pub fn within<'t>(&self, text: &'t str) -> Option<&'t str> {
        let (_, rest) = text.split_once(&self.before)?;
        match self.after.as_str() {
            "" => Some(rest),
            after => rest.split_once(after).map(|(value, _)| value),
        }
    }
}

/// A value that stands in an answer in JSON at a path (RFC 9535).
#[derive(Clone, Debug, PartialEq)]
pub struct JsonFind {
    /// What it is called.
    pub name: String,
    path: JsonPath,
    /// The path as it is written: the parser's own form of it need not be one that the parser reads.
    written: String,
}

impl JsonFind {
    /// Reads `$.data.order.id`.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(name: &str, path: &str) -> Result<Self, String> {
        if nesting(path) > MOST_DEPTH {
            return Err(format!("brackets may be nested {MOST_DEPTH} deep at most"));
        }
        let (name, written) = (name.to_owned(), path.to_owned());
        let path = JsonPath::parse(path).map_err(|error| {
            format!("expected a path as RFC 9535 has it, such as $.order.id: {error}")
        })?;
        Ok(Self { name, path, written })
    }

    /// The path, as the file writes it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.written
    }

    /// The first value at the path.
    #[must_use]
    pub fn within<'j>(&self, json: &'j Json) -> Option<&'j Json> {
        self.path.query(json).first()
    }
}

/// The deepest nesting of brackets in a path. What stands in some is read twice, and so on.
const MOST_DEPTH: usize = 8;

/// How deep brackets are nested in a path, at most: one in a text counts, too.
fn nesting(path: &str) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    for sign in path.bytes() {
        match sign {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

impl RequestTemplate {
    /// Reads `POST /cart/{buyer}`; none if it does not begin with a method.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let Some((method, path)) = text.trim().split_once(char::is_whitespace) else {
            return Ok(None);
        };
        let Some(method) = METHODS.into_iter().find(|known| *known == method) else {
            return Ok(None);
        };
        let path = path.trim();
        if !path.starts_with('/') || path.contains(char::is_whitespace) {
            return Err(format!(
                "expected a path behind {method}, such as {method} /cart/{{buyer}}"
            ));
        }
        let path = Template::parse(path);
        let (headers, form) = (Vec::new(), Vec::new());
        let (find, json) = (Vec::new(), Vec::new());
        Ok(Some(Self { method, path, headers, body: None, form, find, json }))
    }

    /// Reads `Idempotency-Key: {key}`.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse_header(text: &str) -> Result<(String, Template), String> {
        let (name, value) = text
            .split_once(':')
            .ok_or("expected a name and a value, such as \"Idempotency-Key: {key}\"")?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(is_name) {
            return Err("a header's name has only letters, digits and dashes".into());
        }
        Ok((name.to_owned(), Template::parse(value.trim())))
    }

    /// The names of the values that are looked for in the answer.
    pub fn found(&self) -> impl Iterator<Item = &str> {
        let between = self.find.iter().map(|find| find.name.as_str());
        between.chain(self.json.iter().map(|find| find.name.as_str()))
    }

    /// The names of the values that it needs.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let values = self.headers.iter().chain(&self.form).map(|(_, value)| value);
        std::iter::once(&self.path).chain(values).chain(&self.body).flat_map(Template::names)
    }

    /// The path, in which every value stays within its segment.
    #[must_use]
    pub fn path_with(&self, value_of: &dyn Fn(&str) -> StoreValue) -> String {
        self.path.filled_with(|name| in_path(&value_of(name).text()))
    }

    /// The body. In JSON every value stays within its quotes, if it stands in some.
    #[must_use]
    pub fn body_with(&self, value_of: &dyn Fn(&str) -> StoreValue) -> Option<String> {
        if !self.form.is_empty() {
            let field = |(name, value): &(String, Template)| {
                format!("{}={}", in_path(name), in_path(&value.filled(value_of)))
            };
            return Some(self.form.iter().map(field).collect::<Vec<_>>().join("&"));
        }
        let body = self.body.as_ref()?;
        let is_json = body.filled_with(|_| String::new()).trim_start().starts_with(['{', '[']);
        Some(body.filled_with(|name| {
            let text = value_of(name).text();
            if is_json { in_json(&text) } else { text }
        }))
    }
}

fn in_path(text: &str) -> String {
    let mut written = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                written.push(byte.into());
            }
            byte => written += &format!("%{byte:02X}"),
        }
    }
    written
}

fn in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_where_it_is_put() {
        let value_of = |_: &str| StoreValue::Text("a/b\"?".into());
        let mut request = RequestTemplate::parse("POST /cart/{id}").unwrap().unwrap();
        assert_eq!(request.path_with(&value_of), "/cart/a%2Fb%22%3F");
        request.body = Some(Template::parse("{\"id\": \"{id}\", \"in\": {\"n\": 1}}"));
        let body = request.body_with(&value_of).unwrap();
        assert_eq!(body, "{\"id\": \"a/b\\\"?\", \"in\": {\"n\": 1}}");
        request.body = Some(Template::parse("id={id}"));
        assert_eq!(request.body_with(&value_of).unwrap(), "id=a/b\"?");
    }

    #[test]
    fn a_form_keeps_its_values_apart_and_a_value_is_found_between_two_texts() {
        let mut request = RequestTemplate::parse("POST /login").unwrap().unwrap();
        request.form = vec![
            ("user".into(), Template::parse("u{id}@e.com")),
            ("word".into(), Template::plain("a&b")),
        ];
        let body = request.body_with(&|_| StoreValue::Int(1)).unwrap();
        assert_eq!(body, "user=u1%40e.com&word=a%26b");
        let find = Find::parse("token", "name=\"t\" value=\"{}\"").unwrap();
        assert_eq!(find.within("<input name=\"t\" value=\"xyz\">"), Some("xyz"));
        assert_eq!(find.within("<input name=\"u\" value=\"xyz\">"), None);
        assert!(Find::parse("token", "no hole").is_err());
    }

    #[test]
    fn a_value_deep_in_json_is_found_by_its_path() {
        let json = serde_json::json!({"data": {"orders": [{"id": 7}, {"id": 8}]}});
        let find = |path: &str| JsonFind::parse("id", path).unwrap();
        assert_eq!(find("$.data.orders[0].id").within(&json), Some(&Json::from(7)));
        assert_eq!(find("$.data.orders[?@.id > 7].id").within(&json), Some(&Json::from(8)));
        assert_eq!(find("$.data.id").within(&json), None);
        for path in ["$.data.id", "$[?match(@.a, \"x\")].id"] {
            assert_eq!(find(path).path(), path);
        }
        let wrong = JsonFind::parse("id", "data.id").unwrap_err();
        assert!(wrong.starts_with("expected a path as RFC 9535 has it"), "{wrong}");
    }

    #[test]
    fn a_path_that_is_nested_too_deep_is_refused_at_once() {
        for part in ["length(", "@[?", "(", "count(@["] {
            let wrong = JsonFind::parse("id", &format!("$[?{}", part.repeat(10_000))).unwrap_err();
            assert_eq!(wrong, "brackets may be nested 8 deep at most");
        }
        assert!(JsonFind::parse("id", "$.a[?@.b[?@.c == 1] && (@.d[0] == 2)][1:2]").is_ok());
    }

    #[test]
    fn what_is_no_request_is_told_apart_from_what_is_a_wrong_one() {
        assert!(RequestTemplate::parse("SELECT 1").unwrap().is_none());
        assert!(RequestTemplate::parse("GET").unwrap().is_none());
        assert!(RequestTemplate::parse("GET stock").is_err());
        assert!(RequestTemplate::parse("GET /a b").is_err());
        assert!(RequestTemplate::parse_header("no colon").is_err());
        assert!(RequestTemplate::parse_header("a b: c").is_err());
    }
}
