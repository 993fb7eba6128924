//! The programs of buyers, and their code in tests. Each is run to its end, and reaches the databases at addresses that are
//! its buyer's own: whatever comes through a proxy of its own is known to be this buyer's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::launch::{Named, command};
use crate::base::error::Error;
use crate::base::text::nearest::shown;
use crate::describe::app::App;
use crate::describe::checkout::{
    Answer, Call, Checkout, CodeContext, CodeEnd, OUTPUT, ProgramTemplate, STATUS, StoreValue,
    Template, Values,
};
use crate::domain::op::BuyerId;
use crate::proxy::Proxy;
use crate::stores::http::answer_of;
use crate::stores::private::{ProgramEnd, ServerSandbox};
use crate::stores::remote::Refusal;

/// The addresses of the databases for one buyer.
struct OwnAddresses {
    named: Arc<Named>,
    proxies: Vec<Proxy>,
}

/// Runs programs and code.
pub(super) struct Programs {
    app: Arc<App>,
    /// The values that every program can name.
    named: Arc<Named>,
    /// Each buyer's own addresses, by its place.
    own: Mutex<BTreeMap<usize, OwnAddresses>>,
    sandbox: ServerSandbox,
    /// Whether code was left behind that blocks its thread.
    has_left_behind: AtomicBool,
}

impl Programs {
    /// For an application with these values by name; none if no buyer of the checkout is a program.
    pub(super) fn of(
        checkout: &Checkout,
        app: &Arc<App>,
        named: &Named,
    ) -> Result<Option<Arc<Self>>, Error> {
        let steps = checkout.roles.iter().flat_map(|role| &role.steps).chain(&app.prepare);
        if !steps.into_iter().any(|step| step.call.has_own_addresses()) {
            return Ok(None);
        }
        let log = app.launch.as_ref().and_then(|launch| launch.log.clone());
        Ok(Some(Arc::new(Self {
            app: Arc::clone(app),
            named: Arc::new(named.clone()),
            own: Mutex::default(),
            sandbox: ServerSandbox::make("TERM")?.logging_to(log),
            has_left_behind: AtomicBool::new(false),
        })))
    }

    /// Gives the buyer in this place addresses of its own, unless it has some, or is no program.
    pub(super) fn give_addresses(
        &self,
        checkout: &Checkout,
        place: usize,
        open: impl FnOnce() -> Result<(Vec<Proxy>, Named), Error>,
    ) -> Result<(), Error> {
        let mut steps = checkout.role(place as BuyerId).steps.iter();
        let is_program = steps.any(|step| step.call.has_own_addresses());
        let mut own = self.own.lock();
        if is_program && !own.contains_key(&place) {
            let (proxies, mut named) = open()?;
            // What is no address is the same for every buyer.
            let is_other = |(name, _): &&(String, String)| named.iter().all(|(it, _)| it != name);
            let others: Named = self.named.iter().filter(is_other).cloned().collect();
            named.extend(others);
            own.insert(place, OwnAddresses { named: Arc::new(named), proxies });
        }
        Ok(())
    }

    /// The error of code that was left behind, if there is any: what it does later would belong to another order.
    pub(super) fn left_behind(&self) -> Option<Error> {
        let has = self.has_left_behind.load(Ordering::SeqCst);
        has.then(|| {
            Error::world(
                "the code of a buyer does not end, and blocks its thread: give its waits a bound",
            )
        })
    }

    /// Closes the connections of the buyer in this place that are still open when it has ended.
    pub(super) fn hang_up(&self, place: usize) {
        for proxy in self.own.lock().get(&place).iter().flat_map(|own| &own.proxies) {
            proxy.hang_up();
        }
    }

    /// Closes the addresses of all buyers.
    pub(super) fn close(&self) {
        self.own.lock().clear();
    }

    /// Runs a program or code to its end: with the addresses of the buyer in this place, if it is held.
    pub(super) fn run(
        &self,
        call: &Call,
        place: Option<usize>,
        value_of: Values<'_>,
        is_given_up: &dyn Fn() -> bool,
    ) -> Result<Answer, Refusal> {
        let own = place.and_then(|place| Some(Arc::clone(&self.own.lock().get(&place)?.named)));
        let named = own.unwrap_or_else(|| Arc::clone(&self.named));
        match call {
            Call::Program(program) => self.run_program(program, &named, value_of, is_given_up),
            Call::Code(code) => {
                let of_url =
                    self.app.upstreams.first().map(|upstream| format!("{}_url", upstream.name()));
                let url = named.iter().find(|(name, _)| Some(name) == of_url.as_ref());
                let url = url.map_or("", |(_, url)| url);
                let buyer = value_of("buyer").as_int().unwrap_or_default();
                let end = code.run(CodeContext { url, buyer, is_given_up });
                self.has_left_behind.fetch_or(end == CodeEnd::LeftBehind, Ordering::SeqCst);
                of_code(end)
            }
            Call::Sql(_) | Call::Redis(_) | Call::Lua { .. } | Call::Http(_) => {
                Ok(Answer::default())
            }
        }
    }

    fn run_program(
        &self,
        program: &ProgramTemplate,
        named: &Named,
        value_of: Values<'_>,
        is_given_up: &dyn Fn() -> bool,
    ) -> Result<Answer, Refusal> {
        let filled = |template: &Template| {
            template.filled(|name| match named.iter().find(|(known, _)| known == name) {
                Some((_, value)) => StoreValue::Text(value.clone()),
                None => value_of(name),
            })
        };
        let words: Vec<Template> =
            program.words.iter().map(|word| Template::plain(&filled(word))).collect();
        let mut command = command(&words, &self.app, named);
        command.envs(program.env.iter().map(|(name, value)| (name, filled(value))));
        let name = program.shown(|name| match named.iter().any(|(known, _)| known == name) {
            // It may contain a password.
            true => format!("{{{name}}}"),
            false => value_of(name).text(),
        });
        let end = self.sandbox.run_program(command, is_given_up).map_err(Refusal::Wrong)?;
        answer(&end, program, &name)
    }
}

/// How code has ended, as a step reads it: like a program that ends with 0 if it has bought, and with 3 if it is sold out.
fn of_code(end: CodeEnd) -> Result<Answer, Refusal> {
    let (status, trouble) = match end {
        CodeEnd::Bought => (0, None),
        CodeEnd::SoldOut => (CodeEnd::STATUS_SOLD_OUT, None),
        CodeEnd::Failed(why) => (1, Some(why)),
        CodeEnd::GivenUp => return Err(Refusal::Wrong("the code did not end".into())),
        CodeEnd::LeftBehind => return Err(Refusal::Lost("the code does not end".into())),
    };
    let (columns, rows) = (vec![STATUS.to_owned()], vec![vec![StoreValue::Int(status)]]);
    Ok(Answer { columns, rows, count: 1, trouble })
}

/// What a program has printed, and its exit code, as a step reads them; `name` is what a reader calls it.
fn answer(end: &ProgramEnd, program: &ProgramTemplate, name: &str) -> Result<Answer, Refusal> {
    let Some(code) = end.code else {
        return Err(Refusal::Wrong(format!("{name} did not end, and was killed")));
    };
    let text = end.output.trim_end();
    let json = serde_json::from_str(text).ok();
    let own = [(STATUS, StoreValue::Int(code.into())), (OUTPUT, StoreValue::Text(text.to_owned()))];
    let answer = answer_of(text, json.as_ref(), &program.find, &program.json, str::to_owned, own);
    let failed = || format!("{name} ended with {code}: {}", end.last_words());
    let lacks =
        answer.trouble.map(|what| format!("{what} in what {name} printed: {}", shown(text)));
    let trouble = if code == 0 { lacks } else { Some(failed()) };
    Ok(Answer { trouble, ..answer })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::checkout::{Find, JsonFind};

    fn program() -> ProgramTemplate {
        ProgramTemplate {
            words: vec![Template::plain("buy.py")],
            env: Vec::new(),
            find: vec![Find::parse("order", "order {},").unwrap()],
            json: Vec::new(),
        }
    }

    fn end(code: i32, output: &str, errors: &str) -> ProgramEnd {
        ProgramEnd { code: Some(code), output: output.into(), errors: errors.into() }
    }

    #[test]
    fn a_program_answers_with_its_exit_code_and_what_it_has_printed() {
        let told = answer(&end(0, "order 7, paid\n", "a warning"), &program(), "buy.py").unwrap();
        assert_eq!(told.columns, ["order", "status", "output"]);
        let row: Vec<String> = told.rows[0].iter().map(StoreValue::text).collect();
        assert_eq!(row, ["7", "0", "order 7, paid"]);
        assert_eq!(told.trouble, None);
        let told = answer(
            &end(0, "{\"id\": 3}", ""),
            &ProgramTemplate {
                find: Vec::new(),
                json: vec![JsonFind::parse("order", "$.id").unwrap()],
                ..program()
            },
            "buy.py",
        );
        assert_eq!(told.unwrap().columns, ["id", "order", "status", "output"]);
    }

    #[test]
    fn a_code_other_than_0_is_trouble_and_so_is_what_is_not_printed() {
        let failed = answer(&end(3, "", "Traceback\nno stock\n"), &program(), "buy.py").unwrap();
        assert_eq!(failed.trouble.unwrap(), "buy.py ended with 3: Traceback | no stock");
        let lacks = answer(&end(0, "nothing", ""), &program(), "buy.py").unwrap().trouble.unwrap();
        assert_eq!(lacks, "`find.order`: no `order …` in what buy.py printed: nothing");
        let killed = ProgramEnd { code: None, ..end(0, "", "") };
        let killed = answer(&killed, &program(), "buy.py").unwrap_err();
        assert_eq!(killed, Refusal::Wrong("buy.py did not end, and was killed".into()));
    }
}
