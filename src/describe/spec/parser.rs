//! The grammar of a specification: setups, a teardown, sessions with their steps, permutations.

use std::ops::Range;

use super::lexer::{Spanned, Token, tokens};
use super::{SpecSession, SpecStep};
use crate::base::text::document::Fault;
use crate::base::text::nearest::{did_you_mean, shown};

/// The words that mean something where they stand without quotes.
const KEYWORDS: [&str; 6] = ["setup", "teardown", "session", "step", "permutation", "notices"];

/// A name, with its place.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) span: Range<usize>,
}

/// A marker as it is written.
#[derive(Clone, Debug)]
pub(super) enum WrittenMarker {
    Sent,
    Step(Named),
    Notices(Named, u32),
}

/// A file as it is written: names are not yet looked up.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    pub(super) setup: Vec<String>,
    pub(super) teardown: Option<String>,
    pub(super) sessions: Vec<SpecSession>,
    /// The place of each step's name, in order.
    pub(super) steps: Vec<Named>,
    pub(super) permutations: Vec<Vec<(Named, Vec<WrittenMarker>)>>,
}

/// Reads the grammar of a file.
pub(super) fn parse(source: &str) -> Result<Written, Fault> {
    Parser { source, tokens: tokens(source)?, at: 0 }.file()
}

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Spanned>,
    at: usize,
}

impl Parser<'_> {
    fn file(mut self) -> Result<Written, Fault> {
        let mut written = Written::default();
        while self.takes("setup") {
            written.setup.push(self.block("setup")?);
        }
        written.teardown = self.optional("teardown")?;
        while self.takes("session") {
            let session = self.session(&mut written.steps)?;
            written.sessions.push(session);
        }
        if written.sessions.is_empty() {
            return Err(self.unexpected("`setup`, `teardown` or `session`"));
        }
        while self.takes("permutation") {
            let permutation = self.permutation()?;
            written.permutations.push(permutation);
        }
        if self.at == self.tokens.len() {
            return Ok(written);
        }
        Err(self.unexpected(match written.permutations.is_empty() {
            true => "`step`, `teardown`, `session` or `permutation`",
            false => "a step's name, or `permutation`",
        }))
    }

    fn session(&mut self, steps: &mut Vec<Named>) -> Result<SpecSession, Fault> {
        let name = self.name("the session's name")?.name;
        let setup = self.optional("setup")?;
        let mut own = Vec::new();
        while self.takes("step") {
            let named = self.name("the step's name")?;
            let sql = self.block("step")?;
            own.push(SpecStep { name: named.name.clone(), sql });
            steps.push(named);
        }
        if own.is_empty() {
            return Err(self.unexpected(match setup {
                Some(_) => "`step`",
                None => "`setup` or `step`",
            }));
        }
        let teardown = self.optional("teardown")?;
        Ok(SpecSession { name, setup, steps: own, teardown })
    }

    fn permutation(&mut self) -> Result<Vec<(Named, Vec<WrittenMarker>)>, Fault> {
        let mut steps = Vec::new();
        while steps.is_empty() || self.is_name() {
            let step = self.name("a step's name")?;
            let mut markers = Vec::new();
            if self.takes_sign(&Token::Open) {
                markers.push(self.marker()?);
                while self.takes_sign(&Token::Comma) {
                    markers.push(self.marker()?);
                }
                if !self.takes_sign(&Token::Close) {
                    return Err(self.unexpected("`,` or `)`"));
                }
            }
            steps.push((step, markers));
        }
        Ok(steps)
    }

    fn marker(&mut self) -> Result<WrittenMarker, Fault> {
        if self.takes_sign(&Token::Star) {
            return Ok(WrittenMarker::Sent);
        }
        let step = self.name("`*` or a step's name")?;
        if !self.takes("notices") {
            return Ok(WrittenMarker::Step(step));
        }
        match self.tokens.get(self.at) {
            Some((Token::Number(number), _)) => {
                let number = *number;
                self.at += 1;
                Ok(WrittenMarker::Notices(step, number))
            }
            _ => Err(self.unexpected("the number of notices")),
        }
    }

    /// The SQL behind this keyword, if it stands here.
    fn optional(&mut self, keyword: &str) -> Result<Option<String>, Fault> {
        self.takes(keyword).then(|| self.block(keyword)).transpose()
    }

    fn block(&mut self, of: &str) -> Result<String, Fault> {
        match self.tokens.get(self.at) {
            Some((Token::Block(sql), _)) => {
                let sql = sql.clone();
                self.at += 1;
                Ok(sql)
            }
            _ => Err(self.unexpected(&format!("`{{`, and the SQL of the {of}"))),
        }
    }

    fn name(&mut self, expected: &str) -> Result<Named, Fault> {
        match self.tokens.get(self.at) {
            Some((Token::Word { text, .. }, span)) if self.is_name() => {
                let named = Named { name: text.clone(), span: span.clone() };
                self.at += 1;
                Ok(named)
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    /// Whether a name stands here: a word in quotes, or one that is no keyword.
    fn is_name(&self) -> bool {
        match self.tokens.get(self.at) {
            Some((Token::Word { text, is_quoted }, _)) => {
                *is_quoted || !KEYWORDS.contains(&text.as_str())
            }
            _ => false,
        }
    }

    fn takes(&mut self, keyword: &str) -> bool {
        let is_it = matches!(
            self.tokens.get(self.at),
            Some((Token::Word { text, is_quoted: false }, _)) if text == keyword
        );
        self.at += usize::from(is_it);
        is_it
    }

    fn takes_sign(&mut self, sign: &Token) -> bool {
        let is_it = self.tokens.get(self.at).is_some_and(|(token, _)| token == sign);
        self.at += usize::from(is_it);
        is_it
    }

    /// What is wrong with what stands here.
    fn unexpected(&self, expected: &str) -> Fault {
        let Some((token, span)) = self.tokens.get(self.at) else {
            let end = self.source.trim_end().len();
            let message = format!("the file ends here; expected {expected}");
            return Fault { span: end.saturating_sub(1)..end, message };
        };
        let span = span.clone();
        let found = match token {
            Token::Word { text, is_quoted: false } => {
                let near = KEYWORDS.iter().copied().filter(|word| *word != text);
                let is_keyword = KEYWORDS.contains(&text.as_str());
                let hint = match is_keyword {
                    true if expected.contains("name") => {
                        format!("; as a name, it stands in quotes: \"{text}\"")
                    }
                    true => String::new(),
                    false => did_you_mean(text, near),
                };
                return Fault {
                    span,
                    message: format!("expected {expected}, not `{}`{hint}", shown(text)),
                };
            }
            Token::Word { text, .. } => format!("the name \"{}\"", shown(text)),
            Token::Block(_) => {
                return Fault {
                    span: span.start..span.start + 1,
                    message: format!("expected {expected}, not SQL in braces"),
                };
            }
            Token::Number(number) => format!("the number {number}"),
            Token::Open => "`(`".into(),
            Token::Close => "`)`".into(),
            Token::Comma => "`,`".into(),
            Token::Star => "`*`".into(),
        };
        Fault { span, message: format!("expected {expected}, not {found}") }
    }
}
