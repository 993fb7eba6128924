//! Who says a checkout's requests to a running shop, over one connection that is kept.

use std::time::Duration;

use serde_json::Value as Json;
use ureq::Agent;
use ureq::http::Request as Ready;

use crate::checkout::{Answer, Call, Request, STATUS, Value};
use crate::stores::remote::{Parts, Refusal, Speaker, Stays, Touches};
use crate::text::nearest::shown;

/// The longest wait for a connection.
const CONNECTING: Duration = Duration::from_secs(5);

/// The longest answer that is read.
const MOST_BYTES: u64 = 1 << 20;

/// One connection.
pub(super) struct HttpSpeaker {
    agent: Agent,
    /// Where the shop is, without a slash at the end.
    base: String,
}

/// What a shop has answered.
pub(super) struct Heard {
    pub(super) status: u16,
    /// The body; none if it is no JSON.
    pub(super) json: Option<Json>,
    text: String,
}

impl Heard {
    /// What is wrong with it, if nobody says what its status means.
    pub(super) fn trouble(&self) -> Option<String> {
        let body = shown(self.text.trim());
        (self.status >= 400).then(|| format!("the shop answers {}: {body}", self.status))
    }
}

impl HttpSpeaker {
    pub(super) fn new(base: &str, patience: Duration) -> Self {
        let config = Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .timeout_connect(Some(CONNECTING))
            .timeout_global(Some(patience))
            .max_idle_connections_per_host(1)
            .user_agent("oversell-sim")
            .build();
        Self { agent: config.into(), base: base.to_owned() }
    }

    /// Sends a request, and reads the whole answer.
    pub(super) fn ask(
        &self,
        request: &Request,
        value_of: &dyn Fn(&str) -> Value,
    ) -> Result<Heard, Refusal> {
        let uri = format!("{}{}", self.base, request.path_with(value_of));
        let mut ready = Ready::builder().method(request.method).uri(uri);
        for (name, value) in &request.headers {
            ready = ready.header(name, value.filled(value_of));
        }
        let wrong = |why: &dyn std::fmt::Display| Refusal::Wrong(format!("the request: {why}"));
        let lost = |error: ureq::Error| Refusal::Lost(format!("the shop: {error}"));
        let has_body = matches!(request.method, "POST" | "PUT" | "PATCH");
        let body = request.body_with(value_of).or_else(|| has_body.then(String::new));
        let answered = match body {
            Some(body) => self.agent.run(ready.body(body).map_err(|error| wrong(&error))?),
            None => self.agent.run(ready.body(()).map_err(|error| wrong(&error))?),
        };
        let mut answer = answered.map_err(lost)?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(MOST_BYTES).read_to_vec().map_err(lost)?;
        let text = String::from_utf8_lossy(&body).into_owned();
        Ok(Heard { status, json: serde_json::from_str(&text).ok(), text })
    }
}

/// A value in JSON.
pub(super) fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(yes) => Value::Int(i64::from(*yes)),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => number.as_f64().map_or_else(|| Value::Text(number.to_string()), Value::Real),
        },
        Json::String(text) => Value::Text(text.clone()),
        other => Value::Text(other.to_string()),
    }
}

impl Speaker for HttpSpeaker {
    fn say(&mut self, call: &Call, value_of: &dyn Fn(&str) -> Value) -> Result<Answer, Refusal> {
        // Whoever reads the file sees to it that there is nothing else.
        let Call::Http(request) = call else { return Ok(Answer::default()) };
        let heard = self.ask(request, value_of)?;
        let (mut columns, mut row) = (Vec::new(), Vec::new());
        let mut count = 1;
        match &heard.json {
            Some(Json::Object(fields)) => {
                for (name, field) in fields.iter().filter(|(name, _)| *name != STATUS) {
                    columns.push(name.clone());
                    row.push(value(field));
                }
            }
            Some(Json::Array(elements)) => count = elements.len() as u64,
            _ => {}
        }
        columns.push(STATUS.to_owned());
        row.push(Value::Int(heard.status.into()));
        Ok(Answer { columns, rows: vec![row], count, trouble: heard.trouble() })
    }

    fn told(&self, _: &Call, answer: &Answer) -> String {
        answer.to_string()
    }

    fn touches(&self, _: &Call) -> Touches {
        Touches::writing(Parts::ALL)
    }

    fn taking_back(&self) -> Option<Call> {
        None
    }

    fn stays(&self, _: &Call) -> Stays {
        Stays::Everything
    }
}
