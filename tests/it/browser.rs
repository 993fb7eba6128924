//! A headless Chromium, driven over WebDriver (<https://www.w3.org/TR/webdriver2/>).

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::listed::miss_program;

/// The longest that one command of the browser may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one window.
pub(crate) struct Browser {
    driver: Child,
    agent: ureq::Agent,
    /// The address of the session.
    session: String,
}

impl Browser {
    /// Starts one; none if it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut driver) = driver else {
            miss_program("chromium and chromium-driver are not installed");
            return None;
        };
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE));
        let agent: ureq::Agent = config.http_status_as_error(false).build().into();
        let address =
            format!("http://127.0.0.1:{}/session", port.expect("chromedriver has a port"));
        let options = json!({"args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--window-size=1280,1000",
        ]});
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let made = said(agent.post(&address).send_json(&wanted).unwrap());
        let session = format!("{address}/{}", made["sessionId"].as_str().expect("a session"));
        Some(Self { driver, agent, session })
    }

    fn post(&self, path: &str, body: Value) -> Value {
        said(self.agent.post(format!("{}/{path}", self.session)).send_json(&body).unwrap())
    }

    /// Opens a page that lies in a file, at this place in it.
    pub(crate) fn open(&self, file: &Path, place: &str) {
        // Another page in between: else a new place alone does not load the page anew.
        self.post("url", json!({"url": "about:blank"}));
        self.post("url", json!({"url": format!("file://{}{place}", file.display())}));
    }

    /// What a script returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("execute/sync", json!({"script": script, "args": []}))
    }

    /// What a script hands to its last argument.
    pub(crate) fn run_until_done(&self, script: &str) -> Value {
        self.post("execute/async", json!({"script": script, "args": []}))
    }

    /// Clicks on what a selector finds, as a person would: it has to be seen, and enabled.
    pub(crate) fn click(&self, selector: &str) {
        let found = self.post("element", json!({"using": "css selector", "value": selector}));
        let element = found.as_object().and_then(|found| found.values().next()).unwrap();
        let element = element.as_str().unwrap();
        self.post(&format!("element/{element}/click"), json!({}));
    }

    /// Presses keys, one after the other.
    pub(crate) fn press(&self, keys: &str) {
        let action = |key: char| {
            [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]
        };
        let actions: Vec<Value> = keys.chars().flat_map(action).collect();
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": actions});
        self.post("actions", json!({"actions": [keyboard]}));
    }

    /// The text of what a selector finds.
    pub(crate) fn text(&self, selector: &str) -> String {
        let found = self.run(&format!("return document.querySelector({selector:?}).textContent"));
        found.as_str().unwrap().to_owned()
    }

    /// Gives the window this width.
    pub(crate) fn resize(&self, width: u32) {
        let size = json!({"width": width, "height": 900, "mobile": false, "deviceScaleFactor": 1});
        self.developer_tools("Emulation.setDeviceMetricsOverride", size);
    }

    /// Lets the system prefer this theme: `light` or `dark`.
    pub(crate) fn prefer(&self, theme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": theme}]);
        self.developer_tools("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    fn developer_tools(&self, command: &str, params: Value) {
        self.post("goog/cdp/execute", json!({"cmd": command, "params": params}));
    }

    /// What was said on the console since the last call.
    pub(crate) fn console(&self) -> Vec<String> {
        let lines = self.post("se/log", json!({"type": "browser"}));
        lines.as_array().unwrap().iter().map(ToString::to_string).collect()
    }
}

/// The value of an answer.
fn said(answer: ureq::http::Response<ureq::Body>) -> Value {
    let mut answer = answer;
    let mut said: Value = answer.body_mut().read_json().unwrap();
    let value = said["value"].take();
    assert!(value.get("error").is_none(), "{value}");
    value
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser; if that fails, it ends with its driver.
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
