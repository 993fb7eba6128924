//! Reading steps.

use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use super::super::condition::Condition;
use super::super::program::ProgramTemplate;
use super::super::request::{Find, JsonFind, RequestTemplate};
use super::super::step::{Call, OnRefusal, Saved, Step, StepEnd};
use super::super::template::Template;
use super::super::{GIVEN, LOCATION, OUTPUT, REFUSED, ROWS, STATUS, Script};
use super::Reader;
use super::entries::{Entry, check_keys, fault, table, tables, text, texts};
use super::says::{Says, check_names};
use crate::base::text::document::Fault;
use crate::base::text::nearest::{did_you_mean, shown};
use crate::domain::store_kind::StoreKind;

pub(super) const STEP: [&str; 23] = [
    "name",
    "each",
    "step",
    "sql",
    "redis",
    "lua",
    "keys",
    "arguments",
    "http",
    "command",
    "env",
    "headers",
    "body",
    "form",
    "find",
    "json",
    "when",
    "save",
    "bought_if",
    "sold_out_if",
    "conflict_if",
    "failed_if",
    "if_refused",
];

/// What may stand beside a call of each kind, and beside no other.
const OF_CALLS: [(&str, &[&str]); 3] = [
    ("lua", &["keys", "arguments"]),
    ("http", &["headers", "body", "form", "find", "json"]),
    ("command", &["env", "find", "json"]),
];

/// What may stand in a step that has steps of its own.
const LOOP: [&str; 2] = ["each", "step"];

/// What a loop can go over: the products of the cart.
const EACH: &str = "item";

/// Steps, and those of them that are made for each product of the cart.
#[derive(Default)]
pub(super) struct Steps {
    pub(super) all: Vec<Step>,
    pub(super) loops: Vec<Range<usize>>,
}

/// The most steps of one role.
const MOST_STEPS: usize = 200;

impl Reader<'_> {
    /// Reads steps of which none is repeated. Each knows the values that the steps before it have saved.
    pub(crate) fn steps(&self, says: Says, value: &Entry<'_>) -> Result<Vec<Step>, Fault> {
        let steps = self.steps_of(says, value, GIVEN.map(str::to_owned).to_vec())?;
        match steps.loops.is_empty() {
            true => Ok(steps.all),
            false => fault(value.span(), "`each`: there are no carts yet; leave it out"),
        }
    }

    /// Reads steps. Each knows the values that the steps before it have saved, and the first one these.
    pub(super) fn steps_of(
        &self,
        says: Says,
        value: &Entry<'_>,
        mut known: Vec<String>,
    ) -> Result<Steps, Fault> {
        let mut steps = Steps::default();
        for entry in tables("step", value)? {
            let begins = steps.all.len();
            let within = repeated(entry, &known)?;
            let is_loop = within.is_some();
            for entry in within.unwrap_or_else(|| vec![entry]) {
                let may_be_refused =
                    steps.all.iter().any(|step| step.if_refused == Some(OnRefusal::GoesOn));
                steps.all.push(self.step(says, entry, &mut known, may_be_refused)?);
            }
            if is_loop {
                steps.loops.push(begins..steps.all.len());
            }
        }
        match (1..=MOST_STEPS).contains(&steps.all.len()) {
            true => Ok(steps),
            false => fault(value.span(), format!("there must be between 1 and {MOST_STEPS} steps")),
        }
    }

    /// Reads one step. `may_be_refused` says whether a step before it may be refused without an end of the attempt.
    fn step(
        &self,
        says: Says,
        entry: &Entry<'_>,
        known: &mut Vec<String>,
        may_be_refused: bool,
    ) -> Result<Step, Fault> {
        let keys = table("step", entry)?;
        check_keys(keys, &STEP, "a step")?;
        let name = keys.get("name").map(|value| text("name", value)).transpose()?;
        let call = self.call(says, "the step", entry, keys)?;
        let addresses = match &call.0 {
            Call::Program(_) => self.addresses.unwrap_or_default(),
            _ => &[],
        };
        check_names(&call.0, &[known, addresses].concat(), &call.1)?;
        let condition = |key: &str, known: &[String]| {
            let read = |value: &Entry<'_>| {
                Condition::parse(text(key, value)?, known)
                    .or_else(|why| fault(value.span(), format!("`{key}`: {why}")))
            };
            keys.get(key).map(read).transpose()
        };
        let with_refused = |known: &[String]| {
            let refused = may_be_refused.then(|| REFUSED.to_owned());
            known.iter().cloned().chain(refused).collect::<Vec<_>>()
        };
        let when = condition("when", &with_refused(known))?;
        let mut save = Vec::new();
        for (written, span) in
            keys.get("save").map_or(Ok(Vec::new()), |value| texts("save", value))?
        {
            let name = written.strip_suffix('?').unwrap_or(written);
            let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_')
                && name.starts_with(|c: char| c.is_alphabetic() || c == '_');
            let is_status = says.store == StoreKind::Http && [STATUS, LOCATION].contains(&name);
            let is_output = matches!(call.0, Call::Program(_)) && name == OUTPUT;
            if !is_name
                || is_status
                || is_output
                || [ROWS, REFUSED].contains(&name)
                || GIVEN.contains(&name)
            {
                let why = if is_name { "is taken" } else { "is no name" };
                return fault(
                    span,
                    format!("`save`: `{}` {why}; name a column of the answer", shown(name)),
                );
            }
            known.push(name.to_owned());
            save.push(Saved { name: name.to_owned(), may_be_none: name != written });
        }
        let answered: Vec<&str> = match &call.0 {
            Call::Http(request) => request.found().chain([STATUS, LOCATION]).collect(),
            Call::Program(program) => program.found().chain([STATUS, OUTPUT]).collect(),
            _ => Vec::new(),
        };
        for name in answered {
            known.push(name.to_owned());
            save.push(Saved { name: name.to_owned(), may_be_none: true });
        }
        known.dedup();
        let mut known_here = with_refused(known);
        known_here.push(ROWS.to_owned());
        let mut ends = Vec::new();
        for end in StepEnd::ALL {
            let found = condition(&format!("{}_if", end.name()), &known_here)?;
            ends.extend(found.map(|condition| (condition, end)));
        }
        let if_refused = match keys.get("if_refused") {
            None => None,
            Some(value) => Some(if_refused(says, &call.0, value)?),
        };
        let line = self.source[..entry.span().start].matches('\n').count() + 1;
        Ok(Step { name: name.map(str::to_owned), line, call: call.0, when, save, ends, if_refused })
    }

    /// What a step says, and where it stands.
    pub(super) fn call(
        &self,
        says: Says,
        what: &str,
        entry: &Entry<'_>,
        keys: &DeTable<'_>,
    ) -> Result<(Call, Range<usize>), Fault> {
        let possible = match self.addresses {
            Some(_) => [says.keys(), &["command"]].concat(),
            None => says.keys().to_vec(),
        };
        let known = possible.join("` or `");
        let said: Vec<_> = ["sql", "redis", "lua", "http", "command"]
            .into_iter()
            .filter_map(|key| Some((key, keys.get(key)?)))
            .collect();
        let (key, value) = match said[..] {
            [one] => one,
            [] => {
                let message = format!("{what} says nothing: it needs `{known}`");
                return fault(entry.span(), message);
            }
            [_, (key, second), ..] => {
                let message = format!("{what} says something already; leave out `{key}`");
                return fault(second.span(), message);
            }
        };
        if !possible.contains(&key) {
            let message = match key {
                "command" => format!(
                    "a program buys only in an application's file, which has a table [app]; write `{known}`"
                ),
                _ => {
                    let needed = says.needed_for(key);
                    format!("`{key}` means nothing to {}; write `{known}`{needed}", says.store)
                }
            };
            return fault(value.span(), message);
        }
        let fitting = OF_CALLS.into_iter().find(|(of, _)| *of == key);
        let fitting = fitting.map_or(&[][..], |(_, names)| names);
        for (of, belong) in OF_CALLS {
            let mut idle = belong.iter().filter(|name| !fitting.contains(name));
            if let Some((name, value)) = idle.find_map(|name| Some((name, keys.get(*name)?))) {
                let message = format!("`{name}` belongs to `{of}`, and this step has `{key}`");
                return fault(value.span(), message);
            }
        }
        let list = |key: &str| keys.get(key).map_or(Ok(Vec::new()), |value| texts(key, value));
        let templates = |key: &str| {
            let all = list(key)?.into_iter().map(|(text, _)| Template::parse(text));
            Ok::<Vec<Template>, Fault>(all.collect())
        };
        let call = match key {
            "lua" => {
                let Script { path, text: code } = self.script("lua", value)?;
                let name = Path::new(&path).file_name().unwrap_or_default();
                let name = name.to_string_lossy().into_owned();
                let (keys, arguments) = (templates("keys")?, templates("arguments")?);
                Call::Lua { name, code, keys, arguments }
            }
            "http" => self.request(key, value, keys)?,
            "command" => self.program(key, value, keys)?,
            _ => says
                .call_of(key, text(key, value)?)
                .or_else(|why| fault(value.span(), format!("`{key}`: {why}")))?,
        };
        Ok((call, value.span()))
    }

    /// A request to a running shop, with everything that is said about it beside method and path.
    fn request(&self, key: &str, value: &Entry<'_>, keys: &DeTable<'_>) -> Result<Call, Fault> {
        let expected = "expected a method and a path, such as `POST /checkout`";
        let request = RequestTemplate::parse(text(key, value)?)
            .and_then(|request| request.ok_or_else(|| expected.into()))
            .or_else(|why| fault(value.span(), format!("`{key}`: {why}")))?;
        let mut headers = Vec::new();
        for (header, span) in keys.get("headers").map_or(Ok(Vec::new()), |v| texts("headers", v))? {
            headers.push(
                RequestTemplate::parse_header(header)
                    .or_else(|why| fault(span, format!("`headers`: {why}")))?,
            );
        }
        let body = keys.get("body").map(|value| text("body", value)).transpose()?;
        let mut form = Vec::new();
        for (name, value) in
            keys.get("form").map(|v| table("form", v)).transpose()?.into_iter().flatten()
        {
            let name = name.get_ref().to_string();
            let filled = Template::parse(text(&name, value)?);
            form.push((name, filled));
        }
        if let (Some(value), false) = (keys.get("body"), form.is_empty()) {
            return fault(value.span(), "a form is the body: leave out `body` or `form`");
        }
        let (find, json) = self.sought(keys, &[STATUS, LOCATION])?;
        let body = body.map(Template::parse);
        Ok(Call::Http(RequestTemplate { headers, body, form, find, json, ..request }))
    }

    /// A program, with everything that is said about it beside its words.
    fn program(&self, key: &str, value: &Entry<'_>, keys: &DeTable<'_>) -> Result<Call, Fault> {
        let is_list = value.get_ref().as_array().is_some_and(|words| !words.is_empty());
        if !is_list {
            return fault(
                value.span(),
                format!(
                    "`{key}` must be a list of words: {key} = [\"python3\", \"buy.py\", \"{{buyer}}\"]"
                ),
            );
        }
        let words = texts(key, value)?.into_iter().map(|(word, _)| Template::parse(word)).collect();
        let mut env = Vec::new();
        for (name, value) in
            keys.get("env").map(|v| table("env", v)).transpose()?.into_iter().flatten()
        {
            let name = name.get_ref().to_string();
            let filled = Template::parse(text(&name, value)?);
            env.push((name, filled));
        }
        let (find, json) = self.sought(keys, &[STATUS, OUTPUT])?;
        Ok(Call::Program(ProgramTemplate { words, env, find, json }))
    }

    /// What is looked for in an answer, which has values of these names already.
    fn sought(
        &self,
        keys: &DeTable<'_>,
        taken: &[&str],
    ) -> Result<(Vec<Find>, Vec<JsonFind>), Fault> {
        let find = self.found(keys, "find", taken, Find::parse)?;
        let json = self.found(keys, "json", taken, JsonFind::parse)?;
        let is_found_twice = |one: &&JsonFind| find.iter().any(|it| it.name == one.name);
        if let (Some(JsonFind { name, .. }), Some(value)) =
            (json.iter().find(is_found_twice), keys.get("json"))
        {
            let why = format!("`json.{name}` stands in `find`, too; rename one of them");
            return fault(value.span(), why);
        }
        Ok((find, json))
    }

    /// The values that a table names which are looked for in an answer.
    fn found<T>(
        &self,
        keys: &DeTable<'_>,
        key: &str,
        taken: &[&str],
        parse: fn(&str, &str) -> Result<T, String>,
    ) -> Result<Vec<T>, Fault> {
        let mut found = Vec::new();
        let named = keys.get(key).map(|value| table(key, value)).transpose()?;
        for (name, value) in named.into_iter().flatten() {
            let name: &str = name.get_ref();
            let is_taken =
                taken.contains(&name) || [ROWS, REFUSED].contains(&name) || GIVEN.contains(&name);
            let parsed = match is_taken {
                true => Err("the name is taken; choose another".into()),
                false => parse(name, text(name, value)?),
            };
            found
                .push(parsed.or_else(|why| fault(value.span(), format!("`{key}.{name}`: {why}")))?);
        }
        Ok(found)
    }
}

/// What follows when the store refuses a step.
fn if_refused(says: Says, call: &Call, value: &Entry<'_>) -> Result<OnRefusal, Fault> {
    let written = text("if_refused", value)?;
    let names = OnRefusal::ALL.map(OnRefusal::name);
    let Some(found) = OnRefusal::ALL.into_iter().find(|known| known.name() == written) else {
        let near = did_you_mean(written, names);
        let names = names.join(", ");
        return fault(value.span(), format!("`if_refused` must be one of {names}{near}"));
    };
    if found == OnRefusal::GoesOn && !matches!(call, Call::Sql(_)) {
        let (what, store) = match says.beside {
            Some(beside) => ("step", beside),
            None => ("file", says.store),
        };
        let why = format!("`if_refused`: go_on works only in SQL, and this {what} is for {store}");
        return fault(value.span(), why);
    }
    Ok(found)
}

/// The steps that an entry repeats for each product, if it repeats any: its own, or itself.
fn repeated<'e, 'd>(
    entry: &'e Entry<'d>,
    known: &[String],
) -> Result<Option<Vec<&'e Entry<'d>>>, Fault> {
    let keys = table("step", entry)?;
    let (each, own) = match (keys.get("each"), keys.get("step")) {
        (Some(each), own) => (each, own),
        (None, Some(own)) => {
            return fault(
                own.span(),
                "`step`: steps in a step are repeated; add `each = \"item\"`",
            );
        }
        (None, None) => return Ok(None),
    };
    if text("each", each)? != EACH {
        return fault(each.span(), "`each` must be \"item\": for each product of the cart");
    }
    if !known.iter().any(|name| name == EACH) {
        return fault(each.span(), "`each`: a role that exists once has no cart; leave it out");
    }
    let Some(own) = own else { return Ok(Some(vec![entry])) };
    check_keys(keys, &LOOP, "a step with steps of its own")?;
    let own = tables("step", own)?;
    for step in &own {
        let keys = table("step", step)?;
        if let Some(again) = keys.get("each").or(keys.get("step")) {
            return fault(again.span(), "these steps are repeated already; leave it out");
        }
    }
    match own.is_empty() {
        true => fault(entry.span(), "there is no step to repeat: add [[step.step]]"),
        false => Ok(Some(own)),
    }
}
