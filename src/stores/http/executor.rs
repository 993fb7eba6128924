//! Sends a checkout's requests to a running shop, over one connection that is kept open.

use std::time::Duration;

#[cfg(feature = "app")]
use crossbeam::channel::{RecvTimeoutError, bounded};
use serde_json::Value as Json;
use ureq::config::Config;
use ureq::http::{Request as Ready, Uri};
use ureq::{Agent, AsSendBody, Cookie};

use crate::base::control::Control;
use crate::base::text::nearest::shown;
use crate::base::text::printable::printable;
use crate::describe::checkout::{
    Answer, Call, Find, JsonFind, LOCATION, RequestTemplate, STATUS, StoreValue,
};
use crate::scheduler::{Footprint, PendingStatement, Resources};
use crate::stores::heeding;
use crate::stores::remote::{Refusal, Stays, StepExecutor};

/// The longest wait for a connection.
const CONNECTING: Duration = Duration::from_secs(5);

/// How long a connection may be idle and be used again. Node.js closes one after 5 seconds.
const MOST_IDLE: Duration = Duration::from_secs(2);

/// How often to check whether an answer is still waited for.
#[cfg(feature = "app")]
const GLANCE: Duration = Duration::from_millis(20);

/// The longest answer that is read.
const MOST_BYTES: u64 = 1 << 20;

/// One connection.
pub(in crate::stores) struct HttpExecutor {
    agent: Agent,
    /// Where the shop is, without a slash at the end.
    base: String,
}

/// What a shop has answered.
pub(in crate::stores) struct HttpResponse {
    pub(in crate::stores) status: u16,
    /// The body; none if it is no JSON.
    pub(in crate::stores) json: Option<Json>,
    text: String,
    /// The URL in its `Location` header.
    location: Option<String>,
}

impl HttpResponse {
    /// The status, where it redirects to, and the beginning of the body.
    #[cfg(feature = "app")]
    pub(in crate::stores) fn brief(&self) -> String {
        let to = self.location.as_ref().map_or(String::new(), |to| format!(" to {to}"));
        let body = shown(self.text.trim());
        let body = if body.is_empty() { String::new() } else { format!(": {body}") };
        format!("{}{to}{body}", self.status)
    }

    /// The error of a status of 400 or more, for a step that has no rule for that status.
    pub(in crate::stores) fn trouble(&self) -> Option<String> {
        let body = shown(self.text.trim());
        (self.status >= 400).then(|| format!("the shop answers {}: {body}", self.status))
    }

    /// The answer as a step reads it: the fields of the body, the texts that the step looks for, the status and the
    /// location.
    pub(in crate::stores) fn answer(&self, request: &RequestTemplate) -> Answer {
        let to = self.location.clone().map_or(StoreValue::Null, StoreValue::Text);
        let own = [(STATUS, StoreValue::Int(self.status.into())), (LOCATION, to)];
        let (find, json) = (&request.find, &request.json);
        let answer = answer_of(&self.text, self.json.as_ref(), find, json, unescaped, own);
        let lacks = answer.trouble.map(|what| {
            let to = self.location.as_ref().map_or(String::new(), |to| format!(" to {to}"));
            format!("{what} in the answer, which is {}{to}", self.status)
        });
        Answer { trouble: self.trouble().or(lacks), ..answer }
    }
}

/// A text as a step reads it: its fields, if it is JSON, what the step looks for in it, and values that it has beside its
/// text. What is looked for and not there is its trouble.
pub(in crate::stores) fn answer_of(
    text: &str,
    json: Option<&Json>,
    find: &[Find],
    paths: &[JsonFind],
    decoded: impl Fn(&str) -> String,
    own: [(&str, StoreValue); 2],
) -> Answer {
    let (mut columns, mut row) = (Vec::new(), Vec::new());
    let mut count = 1;
    match json {
        Some(Json::Object(fields)) => {
            // What the file asks for goes before a field that happens to have its name.
            let names = find.iter().map(|find| &find.name).chain(paths.iter().map(|it| &it.name));
            let asked: Vec<&str> =
                names.map(String::as_str).chain(own.iter().map(|(name, _)| *name)).collect();
            for (name, field) in fields.iter().filter(|(name, _)| !asked.contains(&name.as_str())) {
                columns.push(name.clone());
                row.push(value(field));
            }
        }
        Some(Json::Array(elements)) => count = elements.len() as u64,
        _ => {}
    }
    let mut trouble = None;
    for find in find {
        let found = find.within(text);
        if found.is_none() {
            trouble.get_or_insert(format!("`find.{}`: no `{}…`", find.name, find.before));
        }
        columns.push(find.name.clone());
        row.push(found.map_or(StoreValue::Null, |found| StoreValue::Text(decoded(found))));
    }
    for find in paths {
        let found = json.and_then(|json| find.within(json));
        if found.is_none() {
            trouble.get_or_insert(format!(
                "`json.{}`: nothing at `{}`",
                find.name,
                printable(find.path())
            ));
        }
        columns.push(find.name.clone());
        row.push(found.map_or(StoreValue::Null, value));
    }
    for (name, value) in own {
        columns.push(name.to_owned());
        row.push(value);
    }
    Answer { columns, rows: vec![row], count, trouble }
}

impl HttpExecutor {
    pub(in crate::stores) fn new(base: &str, patience: Duration, control: &Control) -> Self {
        Self::over(base, patience, |config| heeding::agent(config, control))
    }

    /// The same over connections that this makes.
    pub(super) fn over(
        base: &str,
        patience: Duration,
        agent: impl FnOnce(Config) -> Agent,
    ) -> Self {
        let config = Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .timeout_connect(Some(CONNECTING))
            .timeout_global(Some(patience))
            .max_idle_connections_per_host(1)
            .max_idle_age(MOST_IDLE)
            .user_agent("oversell-sim")
            .build();
        Self { agent: agent(config), base: base.to_owned() }
    }

    /// The cookies that the shop has set.
    pub(in crate::stores) fn cookies(&self) -> Vec<(String, String)> {
        let jar = self.agent.cookie_jar_lock();
        jar.iter().map(|cookie| (cookie.name().to_owned(), cookie.value().to_owned())).collect()
    }

    /// Replaces all cookies by these.
    pub(in crate::stores) fn set_cookies(&self, cookies: &[(String, String)]) {
        let mut jar = self.agent.cookie_jar_lock();
        jar.clear();
        let Ok(uri) = self.base.parse::<Uri>() else { return };
        for (name, value) in cookies {
            if let Ok(cookie) = Cookie::parse(format!("{name}={value}; Path=/"), &uri) {
                let _ = jar.insert(cookie, &uri);
            }
        }
    }

    /// Sends a request, and reads the whole answer.
    pub(in crate::stores) fn ask(
        &self,
        request: &RequestTemplate,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<HttpResponse, Refusal> {
        self.ready(request, value_of)?.send().map_err(lost)
    }

    /// The same, but waits no longer once the work is over: the answer, should it come, is thrown away.
    #[cfg(feature = "app")]
    pub(in crate::stores) fn ask_unless_over(
        &self,
        control: &Control,
        request: &RequestTemplate,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<HttpResponse, Refusal> {
        send_unless(self.ready(request, value_of)?, || control.is_over())
    }

    /// The same, but waits for as long as this says, and no time-out ends that: the request is held.
    #[cfg(feature = "app")]
    pub(in crate::stores) fn ask_while_held(
        &self,
        is_given_up: impl Fn() -> bool,
        request: &RequestTemplate,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<HttpResponse, Refusal> {
        let ready = ReadyRequest { is_held: true, ..self.ready(request, value_of)? };
        send_unless(ready, is_given_up)
    }

    /// A request with its values, ready to be sent.
    fn ready(
        &self,
        request: &RequestTemplate,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<ReadyRequest, Refusal> {
        let uri = format!("{}{}", self.base, request.path_with(value_of));
        let mut ready = Ready::builder().method(request.method).uri(uri);
        for (name, value) in &request.headers {
            ready = ready.header(name, value.filled(value_of));
        }
        if !request.form.is_empty() {
            ready = ready.header("Content-Type", "application/x-www-form-urlencoded");
        }
        let has_body = matches!(request.method, "POST" | "PUT" | "PATCH");
        let body = request.body_with(value_of).or_else(|| has_body.then(String::new));
        let wrong = |why| Refusal::Wrong(format!("the request: {why}"));
        let request = ready.body(body).map_err(wrong)?;
        Ok(ReadyRequest { agent: self.agent.clone(), request, is_held: false })
    }
}

/// A request that is ready to be sent.
struct ReadyRequest {
    agent: Agent,
    request: Ready<Option<String>>,
    /// Whether its statements are held, so that no time-out ends it.
    is_held: bool,
}

impl ReadyRequest {
    /// Sends it, and reads the whole answer.
    fn send(self) -> Result<HttpResponse, ureq::Error> {
        let Self { agent, request, is_held } = self;
        let (parts, body) = request.into_parts();
        let mut answer = match body {
            Some(body) => sent(&agent, Ready::from_parts(parts, body), is_held)?,
            None => sent(&agent, Ready::from_parts(parts, ()), is_held)?,
        };
        let status = answer.status().as_u16();
        let location = answer.headers().get("location");
        let location = location.and_then(|value| Some(value.to_str().ok()?.to_owned()));
        let body = answer.body_mut().with_config().limit(MOST_BYTES).read_to_vec()?;
        let text = String::from_utf8_lossy(&body).into_owned();
        Ok(HttpResponse { status, json: serde_json::from_str(&text).ok(), text, location })
    }
}

/// Sends a request; without a time-out, if it is held.
fn sent<B: AsSendBody>(
    agent: &Agent,
    request: Ready<B>,
    is_held: bool,
) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
    match is_held {
        true => agent.run(agent.configure_request(request).timeout_global(None).build()),
        false => agent.run(request),
    }
}

/// Sends a request from a thread of its own, and waits for its answer unless it is given up.
#[cfg(feature = "app")]
fn send_unless(
    ready: ReadyRequest,
    is_given_up: impl Fn() -> bool,
) -> Result<HttpResponse, Refusal> {
    let (tells, heard) = bounded(1);
    let send = move || drop(tells.send(ready.send()));
    std::thread::Builder::new()
        .spawn(send)
        .map_err(|error| Refusal::Lost(format!("cannot start threads: {error}")))?;
    loop {
        match heard.recv_timeout(GLANCE) {
            Ok(answer) => return answer.map_err(lost),
            Err(RecvTimeoutError::Timeout) if !is_given_up() => {}
            Err(_) => return Err(Refusal::Lost("the request was given up".into())),
        }
    }
}

fn lost(error: ureq::Error) -> Refusal {
    Refusal::Lost(format!("the shop: {error}"))
}

/// A text from HTML, with the most common entities decoded.
fn unescaped(text: &str) -> String {
    let signs = [
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    signs.iter().fold(text.to_owned(), |text, (written, sign)| text.replace(written, sign))
}

/// The value of a JSON element.
pub(in crate::stores) fn value(json: &Json) -> StoreValue {
    match json {
        Json::Null => StoreValue::Null,
        Json::Bool(yes) => StoreValue::Int(i64::from(*yes)),
        Json::Number(number) => match number.as_i64() {
            Some(number) => StoreValue::Int(number),
            None => number
                .as_f64()
                .map_or_else(|| StoreValue::Text(number.to_string()), StoreValue::Real),
        },
        Json::String(text) => StoreValue::Text(text.clone()),
        other => StoreValue::Text(other.to_string()),
    }
}

impl StepExecutor for HttpExecutor {
    fn say(
        &mut self,
        call: &Call,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<Answer, Refusal> {
        // The reader of the checkout file has made sure that every call is a request.
        let Call::Http(request) = call else { return Ok(Answer::default()) };
        let heard = self.ask(request, value_of)?;
        Ok(heard.answer(request))
    }

    fn told(&self, _: &Call, answer: &Answer) -> String {
        let mut shown = answer.clone();
        // A missing location is not shown.
        if let Some(row) = shown.rows.first_mut() {
            row.truncate(row.len() - usize::from(row.last() == Some(&StoreValue::Null)));
        }
        shown.to_string()
    }

    fn pending(
        &mut self,
        _call: &Call,
        text: String,
        _value_of: &dyn Fn(&str) -> StoreValue,
    ) -> PendingStatement {
        PendingStatement::new(text, Footprint::writing(Resources::ALL))
    }

    fn taking_back(&self) -> Vec<Call> {
        Vec::new()
    }

    fn stays(&self, _: &Call) -> Stays {
        Stays::Everything
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_step_looks_for_goes_before_a_field_of_that_name() {
        let text = r#"{"id": 1, "token": "field", "data": {"order": {"id": 7}}}<i t="found">"#;
        let body = text.split_once('<').unwrap().0;
        let response = HttpResponse {
            status: 200,
            json: serde_json::from_str(body).ok(),
            text: text.to_owned(),
            location: None,
        };
        let mut request = RequestTemplate::parse("POST /buy").unwrap().unwrap();
        request.find = vec![Find::parse("token", "t=\"{}\"").unwrap()];
        request.json = vec![JsonFind::parse("id", "$.data.order.id").unwrap()];
        let answer = response.answer(&request);
        let of = |name: &str| {
            let places = answer.columns.iter().enumerate().filter(|(_, column)| *column == name);
            let values: Vec<String> = places.map(|(at, _)| answer.rows[0][at].text()).collect();
            values
        };
        assert_eq!((of("token"), of("id")), (vec!["found".into()], vec!["7".into()]));
        assert_eq!(answer.trouble, None);
        request.json = vec![JsonFind::parse("id", "$.order.id").unwrap()];
        let trouble = response.answer(&request).trouble.unwrap();
        assert!(trouble.starts_with("`json.id`: nothing at `$"), "{trouble}");
        assert!(trouble.ends_with("in the answer, which is 200"), "{trouble}");
    }
}
