//! A checkout as data: it can be written to files, and made smaller.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use oversell_sim::StoreKind;

/// A described checkout, as `docs/reference/checkout.md` has it.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    /// What it is about.
    pub(crate) title: String,
    pub(crate) store: StoreKind,
    /// Statements that make the tables, and what fills them; neither in Redis.
    pub(crate) schema: Vec<String>,
    pub(crate) seed: Vec<String>,
    /// What is said before each order; only in Redis.
    pub(crate) setup: Vec<String>,
    pub(crate) alike: bool,
    pub(crate) buyers: usize,
    pub(crate) retries: usize,
    pub(crate) isolation: Option<&'static str>,
    pub(crate) roles: Vec<Role>,
    /// The audit's questions about stock and orders.
    pub(crate) audit: Option<(String, String)>,
    /// Rules by their names, each a question that must find nothing.
    pub(crate) never: Vec<(String, String)>,
}

/// What one of them does.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) name: &'static str,
    pub(crate) buys: bool,
    pub(crate) steps: Vec<Line>,
}

/// One step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    /// A statement or a command; of a script what is in it.
    pub(crate) text: String,
    /// The keys and arguments of a script; none for anything else.
    pub(crate) script: Option<(Vec<&'static str>, Vec<&'static str>)>,
    pub(crate) save: Option<&'static str>,
    /// `when`, and conditions that end the attempt, each by its key.
    pub(crate) conditions: Vec<(&'static str, &'static str)>,
    pub(crate) if_refused: Option<&'static str>,
}

/// A step that says this.
pub(crate) fn line(text: &str) -> Line {
    Line { text: text.to_owned(), ..Line::default() }
}

impl Line {
    pub(crate) fn save(self, name: &'static str) -> Self {
        Self { save: Some(name), ..self }
    }

    pub(crate) fn sold_out(self, condition: &'static str) -> Self {
        self.condition("sold_out_if", condition)
    }

    pub(crate) fn conflict(self, condition: &'static str) -> Self {
        self.condition("conflict_if", condition)
    }

    pub(crate) fn when(self, condition: &'static str) -> Self {
        self.condition("when", condition)
    }

    pub(crate) fn refused(self, end: &'static str) -> Self {
        Self { if_refused: Some(end), ..self }
    }

    pub(crate) fn script(self, keys: &[&'static str], arguments: &[&'static str]) -> Self {
        Self { script: Some((keys.to_vec(), arguments.to_vec())), ..self }
    }

    fn condition(mut self, key: &'static str, condition: &'static str) -> Self {
        self.conditions.push((key, condition));
        self
    }
}

impl Recipe {
    /// Writes it to a folder; says where its `checkout.toml` is.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<PathBuf> {
        fs::create_dir_all(folder)?;
        if self.store.is_sql() {
            let script = |statements: &[String]| {
                statements.iter().map(|statement| statement.clone() + ";\n").collect::<String>()
            };
            fs::write(folder.join("schema.sql"), script(&self.schema))?;
            fs::write(folder.join("seed.sql"), script(&self.seed))?;
        }
        let path = folder.join("checkout.toml");
        fs::write(&path, self.document(folder)?)?;
        Ok(path)
    }

    /// The file itself. Scripts are written beside it.
    fn document(&self, folder: &Path) -> io::Result<String> {
        let mut file = format!("title = {}\nstore = \"{}\"\n", quoted(&self.title), self.store);
        if self.store.is_sql() {
            file += "schema = \"schema.sql\"\nseed = \"seed.sql\"\n";
        }
        if !self.setup.is_empty() {
            let lines: Vec<String> = self.setup.iter().map(|command| quoted(command)).collect();
            let _ = writeln!(file, "setup = [{}]", lines.join(", "));
        }
        if self.alike {
            file += "alike = true\n";
        }
        let _ = writeln!(file, "buyers = {}\nretries = {}", self.buyers, self.retries);
        if let Some(level) = self.isolation {
            let _ = writeln!(file, "isolation = \"{level}\"");
        }
        for (number, role) in self.roles.iter().enumerate() {
            let is_only = self.roles.len() == 1;
            if !is_only {
                let _ =
                    writeln!(file, "\n[[role]]\nname = \"{}\"\nbuys = {}", role.name, role.buys);
            }
            for (place, step) in role.steps.iter().enumerate() {
                file += if is_only { "\n[[step]]\n" } else { "\n[[role.step]]\n" };
                self.step(step, &mut file, folder, &format!("script-{number}-{place}.lua"))?;
            }
        }
        file += "\n[audit]\n";
        if let Some((stock, orders)) = &self.audit {
            let _ = writeln!(file, "stock = {}\norders = {}", quoted(stock), quoted(orders));
        }
        file += "\n[audit.never]\n";
        for (name, question) in &self.never {
            let _ = writeln!(file, "{} = {}", quoted(name), quoted(question));
        }
        Ok(file)
    }

    fn step(&self, step: &Line, file: &mut String, folder: &Path, lua: &str) -> io::Result<()> {
        match &step.script {
            Some((keys, arguments)) => {
                fs::write(folder.join(lua), &step.text)?;
                let _ =
                    writeln!(file, "lua = \"{lua}\"\nkeys = {keys:?}\narguments = {arguments:?}");
            }
            None if self.store.is_sql() => {
                let _ = writeln!(file, "sql = {}", quoted(&step.text));
            }
            None => {
                let _ = writeln!(file, "redis = {}", quoted(&step.text));
            }
        }
        if let Some(name) = step.save {
            let _ = writeln!(file, "save = \"{name}\"");
        }
        for (key, condition) in &step.conditions {
            let _ = writeln!(file, "{key} = \"{condition}\"");
        }
        if let Some(end) = step.if_refused {
            let _ = writeln!(file, "if_refused = \"{end}\"");
        }
        Ok(())
    }

    /// The same without one thing, for each thing that can be left out: a role, a step, a rule, a third buyer.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut smaller = Vec::new();
        let mut without = |change: &dyn Fn(&mut Self)| {
            let mut one = self.clone();
            change(&mut one);
            smaller.push(one);
        };
        for role in 0..self.roles.len() {
            let goes_on =
                self.roles.iter().enumerate().any(|(other, kept)| other != role && kept.buys);
            if self.roles.len() > 1 && (goes_on || self.audit.is_none()) {
                without(&|one| {
                    one.roles.remove(role);
                    if one.roles.iter().all(|role| !role.buys) {
                        one.roles[0].buys = true;
                    }
                });
            }
        }
        if self.buyers > 2 {
            without(&|one| one.buyers = 2);
        }
        for role in 0..self.roles.len() {
            for step in 0..self.roles[role].steps.len() {
                if self.roles[role].steps.len() > 1 {
                    without(&|one| drop(one.roles[role].steps.remove(step)));
                }
            }
        }
        for rule in 0..self.never.len() {
            without(&|one| drop(one.never.remove(rule)));
        }
        if self.audit.is_some() {
            without(&|one| one.audit = None);
        }
        if self.retries > 0 {
            without(&|one| one.retries = 0);
        }
        smaller
    }

    /// How many orders of its statements there are if no buyer ever waits or leaves early.
    pub(crate) fn orders(&self) -> u64 {
        let (mut orders, mut said) = (1_u64, 0_u64);
        for buyer in 0..self.buyers {
            for step in 1..=self.roles[buyer % self.roles.len()].steps.len() as u64 {
                said += 1;
                orders = orders.saturating_mul(said) / step;
            }
        }
        orders
    }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    let mut written = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => written += "\\\"",
            '\\' => written += "\\\\",
            letter if letter.is_control() => {
                let _ = write!(written, "\\u{:04X}", letter as u32);
            }
            letter => written.push(letter),
        }
    }
    written.push('"');
    written
}
