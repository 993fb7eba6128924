//! Texts with holes: `stock:{item}`. What fills a hole stays inside the word it stands in.

use super::value::Value;

/// A text with holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// What stands before the first hole; then each hole's name, and what stands behind it.
    first: String,
    holes: Vec<(String, String)>,
}

impl Template {
    /// A text without holes.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Self { first: text.to_owned(), holes: Vec::new() }
    }

    /// Reads one. Braces that are meant as such are doubled.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut template = Self { first: String::new(), holes: Vec::new() };
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            template.last().push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                template.last().push_str(brace);
                rest = after;
                continue;
            }
            let name = rest.split('}').next().unwrap_or_default();
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            if brace == "}" || !is_name || name.len() == rest.len() {
                return Err(format!(
                    "a `{brace}` that begins no name such as {{buyer}}; where it stands for itself, write \
                     {brace}{brace}"
                ));
            }
            template.holes.push((name.to_owned(), String::new()));
            rest = &rest[name.len() + 1..];
        }
        template.last().push_str(rest);
        Ok(template)
    }

    fn last(&mut self) -> &mut String {
        match self.holes.last_mut() {
            Some((_, after)) => after,
            None => &mut self.first,
        }
    }

    /// The names of its holes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.holes.iter().map(|(name, _)| name.as_str())
    }

    /// The text with its holes filled.
    #[must_use]
    pub fn filled(&self, value_of: impl Fn(&str) -> Value) -> String {
        self.filled_with(|name| value_of(name).text())
    }

    /// The same with texts.
    #[must_use]
    pub fn filled_with(&self, text_of: impl Fn(&str) -> String) -> String {
        let mut filled = self.first.clone();
        for (name, after) in &self.holes {
            filled += &text_of(name);
            filled += after;
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_and_doubled_braces_stand_for_themselves() {
        let template = Template::parse("a:{x}:{{b}}{y}").unwrap();
        assert_eq!(template.names().collect::<Vec<_>>(), ["x", "y"]);
        let filled = template.filled(|name| Value::Text(format!("<{name}>")));
        assert_eq!(filled, "a:<x>:{b}<y>");
    }

    #[test]
    fn a_brace_that_begins_no_name_is_told() {
        for text in ["{", "}", "a{b", "{}", "{a b}", "{a{b}}"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
