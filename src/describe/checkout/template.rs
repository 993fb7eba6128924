//! Texts with holes: `stock:{item}`. What fills a hole stays inside the word it stands in.

use super::value::StoreValue;

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

    /// Reads one. A hole is a name in braces; any other brace stands for itself, and so does `{name}` in braces of its
    /// own: `{{name}}`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut template = Self::plain("");
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, braced) = rest.split_at(at);
            template.last().push_str(before);
            rest = if let Some((name, after)) = hole(braced) {
                template.holes.push((name.to_owned(), String::new()));
                after
            } else if let Some((name, after)) = braced.get(1..).and_then(hole)
                && let Some(after) = after.strip_prefix('}')
            {
                template.last().push_str(&format!("{{{name}}}"));
                after
            } else {
                template.last().push('{');
                &braced[1..]
            };
        }
        template.last().push_str(rest);
        template
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
    pub fn filled(&self, value_of: impl Fn(&str) -> StoreValue) -> String {
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

/// The name in the hole that a text begins with, and what comes after it.
fn hole(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
    let begins = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    (begins && name.chars().all(is_of_name)).then_some((name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        Template::parse(text).filled(|name| StoreValue::Text(format!("<{name}>")))
    }

    #[test]
    fn holes_are_filled_and_every_other_brace_stands_for_itself() {
        assert_eq!(filled("a:{x}:{{b}}{y}"), "a:<x>:{b}<y>");
        assert_eq!(filled("{\"a\": {\"b\": {x}}}"), "{\"a\": {\"b\": <x>}}");
        assert_eq!(filled("{\"a\":{{x}}}"), "{\"a\":{x}}");
        for text in ["{", "}", "a{b", "{}", "{a b}", "{1}", "{{", "{a"] {
            assert_eq!(filled(text), text);
        }
    }
}
