//! A program that is a step of a checkout: `["python3", "buy.py", "{buyer}"]`, run to its end.

use super::request::{Find, JsonFind};
use super::template::Template;

/// A program with holes.
#[derive(Clone, Debug)]
pub struct ProgramTemplate {
    /// The program and its arguments.
    pub words: Vec<Template>,
    /// What is added to its environment.
    pub env: Vec<(String, Template)>,
    /// What is looked for in what it prints.
    pub find: Vec<Find>,
    /// What is taken out of it, if it is JSON.
    pub json: Vec<JsonFind>,
}

impl ProgramTemplate {
    /// The names of the values that are looked for in what it prints.
    pub fn found(&self) -> impl Iterator<Item = &str> {
        let between = self.find.iter().map(|find| find.name.as_str());
        between.chain(self.json.iter().map(|find| find.name.as_str()))
    }

    /// The names of the values that it needs.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let env = self.env.iter().map(|(_, value)| value);
        self.words.iter().chain(env).flat_map(Template::names)
    }

    /// Its words, with something in the place of each value.
    #[must_use]
    pub fn shown(&self, text_of: impl Fn(&str) -> String) -> String {
        let words = self.words.iter().map(|word| word.filled_with(&text_of));
        words.collect::<Vec<_>>().join(" ")
    }
}
