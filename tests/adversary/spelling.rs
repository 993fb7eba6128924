//! How people spell things: names with and without quotes, texts with quotes in them, comments, small and capital
//! letters. What a statement does is none of its business.
//!
//! A statement is written once, such as `SELECT n FROM {tally} WHERE id = 1`. What stands in braces is spelled anew at
//! each use; each space may become a line end or a comment, and keywords may be written small.

use std::collections::BTreeMap;

use oversell_sim::StoreKind;

use super::dice::Dice;

/// A table's name: as it is declared, and as it may be written elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) declared: String,
    uses: Vec<String>,
}

impl Name {
    /// One of the ways in which a dialect can write a name that is this word, or one like it.
    pub(crate) fn of(kind: StoreKind, word: &str, dice: &mut Dice) -> Self {
        let plain = |written: &str| Self { declared: written.into(), uses: vec![written.into()] };
        if dice.chance(50) {
            return plain(word);
        }
        let odd = dice.one(&ODD);
        match kind {
            StoreKind::Postgres => {
                let (first, rest) = word.split_at(1);
                let code =
                    format!("U&\"\\{:04x}{rest}\"", first.chars().next().unwrap_or('x') as u32);
                match dice.number(0, 5) {
                    0 => Self::with(word, &[word, &word.to_uppercase(), &quoted(word, '"')]),
                    1 => Self::with(
                        word,
                        &[
                            word,
                            &format!("{ROOM}.{word}"),
                            &format!("{ROOM} . {}", quoted(word, '"')),
                        ],
                    ),
                    2 => Self::with(word, &[&code, word]),
                    3 => plain(&format!("{word}$of")),
                    4 => {
                        let long = format!("{word}_{}", "long_".repeat(12));
                        Self::with(
                            &format!("{long}a"),
                            &[&format!("{long}a"), &format!("{long}b"), &long[..63]],
                        )
                    }
                    _ => plain(&quoted(&format!("{word}{odd}"), '"')),
                }
            }
            StoreKind::Mysql => match dice.number(0, 3) {
                0 => Self::with(word, &[word, &quoted(word, '`'), &format!("{ROOM}.{word}")]),
                1 => {
                    Self::with(word, &[&format!("`{ROOM}`.`{word}`"), &format!("{ROOM} . {word}")])
                }
                2 => Self::with(
                    &format!("{word}$of"),
                    &[&format!("{word}$of"), &format!("`{word}$of`")],
                ),
                _ => plain(&quoted(&format!("{word}{odd}"), '`')),
            },
            _ => match dice.number(0, 3) {
                0 => Self::with(
                    word,
                    &[word, &word.to_uppercase(), &format!("[{word}]"), &format!("`{word}`")],
                ),
                1 => {
                    Self::with(word, &[&format!("main.{word}"), &format!("main.\"{word}\""), word])
                }
                2 => plain(&format!("{word}$of")),
                _ => plain(&quoted(&format!("{word}{odd}"), '"')),
            },
        }
    }

    fn with(declared: &str, uses: &[&str]) -> Self {
        Self {
            declared: declared.to_owned(),
            uses: uses.iter().map(|written| (*written).to_owned()).collect(),
        }
    }
}

/// Where tables of a described checkout are, which a name may be qualified with.
const ROOM: &str = "oversell_sim_checkout";

/// What a quoted name may have in it.
const ODD: [&str; 7] = [" list", "'s", "--x", "/*", "é", "-1", ";"];

fn quoted(name: &str, quote: char) -> String {
    format!("{quote}{name}{quote}")
}

/// How one checkout's statements are written.
pub(crate) struct Spelling {
    pub(crate) kind: StoreKind,
    names: BTreeMap<&'static str, Name>,
    /// Whether keywords are written small.
    is_small: bool,
    /// Of how many gaps in a hundred there is more than a space.
    noise: u32,
}

impl Spelling {
    /// For tables by these words.
    pub(crate) fn of(kind: StoreKind, words: &[&'static str], dice: &mut Dice) -> Self {
        let names = words.iter().map(|word| (*word, Name::of(kind, word, dice))).collect();
        Self { kind, names, is_small: dice.chance(30), noise: dice.one(&[0, 0, 3, 8]) }
    }

    /// A statement as the tool and the server get to see it.
    pub(crate) fn say(&self, template: &str, dice: &mut Dice) -> String {
        let mut written = String::new();
        if dice.chance(self.noise) {
            written += "/* app='shop' */ ";
        }
        let mut rest = template;
        while let Some(letter) = rest.chars().next() {
            if let Some((word, after)) =
                rest.strip_prefix('{').and_then(|inner| inner.split_once('}'))
            {
                written += &self.filled(word, dice);
                rest = after;
                continue;
            }
            match letter {
                ' ' => written += &self.gap(dice),
                'A'..='Z' if self.is_small => written.push(letter.to_ascii_lowercase()),
                letter => written.push(letter),
            }
            rest = &rest[letter.len_utf8()..];
        }
        written
    }

    /// A statement with names as they are declared, and nothing else made of it: for the schema and the audit.
    pub(crate) fn plainly(&self, template: &str) -> String {
        let names = self.names.iter();
        names.fold(template.to_owned(), |text, (word, name)| {
            text.replace(&format!("{{{word}}}"), &name.declared)
        })
    }

    fn filled(&self, word: &str, dice: &mut Dice) -> String {
        match word {
            "text" => self.text(dice),
            "plus" => self.plus_one(dice),
            word => match self.names.get(word) {
                Some(name) => dice.any(&name.uses).clone(),
                None => format!("{{{word}}}"),
            },
        }
    }

    /// A text in quotes, such as a lexer stumbles over.
    fn text(&self, dice: &mut Dice) -> String {
        const ALL: [&str; 7] = ["'it''s'", "'--'", "'/*'", "'a;b'", "':buyer'", "'\"'", "'`'"];
        const POSTGRES: [&str; 7] =
            ["E'it\\'s'", "U&'it\\0027s'", "$$it's$$", "$q$--'$q$", "'\\'", "e'\\\\'", "N'it''s'"];
        const MYSQL: [&str; 7] = [
            "'it\\'s'",
            "\"it's\"",
            "'\\\\'",
            "'#'",
            "N'it\\'s'",
            "\"say \"\"x\"\"\"",
            "_utf8'it\\'s'",
        ];
        const SQLITE: [&str; 2] = ["'\\'", "'it''s -- '"];
        let own: &[&str] = match self.kind {
            StoreKind::Postgres => &POSTGRES,
            StoreKind::Mysql => &MYSQL,
            _ => &SQLITE,
        };
        if dice.chance(50) { dice.one(own).into() } else { dice.one(&ALL).into() }
    }

    /// One more than what stands before it.
    fn plus_one(&self, dice: &mut Dice) -> String {
        let ways: &[&str] = match self.kind {
            StoreKind::Mysql => &[" + 1", "+1", "--1", " - -1"],
            _ => &[" + 1", "+1", " - -1", " + 0x1"]
                [..if self.kind == StoreKind::Sqlite { 4 } else { 3 }],
        };
        dice.one(ways).into()
    }

    /// What stands between two words.
    fn gap(&self, dice: &mut Dice) -> String {
        const ALL: [&str; 7] = [
            "\n  ",
            "\t",
            " /* it's */ ",
            " -- it's\n",
            " /* :buyer; */ ",
            " -- \"x\n",
            " /* -- */ ",
        ];
        const POSTGRES: [&str; 2] = [" /* a /* nested */ it's */ ", " /*/**/*/ "];
        const MYSQL: [&str; 3] = [" # it's\n", " /*!40101 */ ", " #\n"];
        if !dice.chance(self.noise) {
            return " ".into();
        }
        let own: &[&str] = match self.kind {
            StoreKind::Postgres => &POSTGRES,
            StoreKind::Mysql => &MYSQL,
            _ => &ALL,
        };
        if dice.chance(35) { dice.one(own).into() } else { dice.one(&ALL).into() }
    }
}
