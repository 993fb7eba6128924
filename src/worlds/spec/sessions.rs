//! The connections of a specification: one for each session, and one that watches them.

use std::time::Duration;

use super::answer::{Answer, said_in_full};
use crate::base::error::Error;
use crate::describe::spec::{Spec, SpecSession};
use crate::scheduler::Waits;
use crate::stores::isolation::{Heard, IsolationServer, RawSession, ask};

/// The longest wait for a setup or a teardown.
const SETTING_UP: Duration = Duration::from_secs(60);

/// A specification's connections.
pub(super) struct SpecSessions<'a> {
    pub(super) spec: &'a Spec,
    server: &'a IsolationServer,
    /// What each session begins with.
    settings: &'static str,
    watch: RawSession,
    pub(super) live: Vec<LiveSession>,
}

/// A session's connection, and what was heard over it.
pub(super) struct LiveSession {
    pub(super) name: String,
    pub(super) wire: RawSession,
    /// What was answered to what was sent last.
    pub(super) answer: Answer,
    /// How many notices have come.
    pub(super) notices: u32,
    /// Notifications: from which process, on which channel, with which payload.
    pub(super) notified: Vec<(i32, String, String)>,
    /// Whether all that was sent is answered.
    pub(super) is_at_rest: bool,
    /// Whether a transaction is open.
    pub(super) is_in_transaction: bool,
    /// Whether the server says that it has looked for a deadlock since the last statement was sent.
    pub(super) has_looked: bool,
    /// How many messages have come.
    heard: u64,
}

impl LiveSession {
    fn new(name: &str, wire: RawSession) -> Self {
        Self {
            name: name.to_owned(),
            wire,
            answer: Answer::default(),
            notices: 0,
            notified: Vec::new(),
            is_at_rest: true,
            is_in_transaction: false,
            has_looked: false,
            heard: 0,
        }
    }

    /// Sends statements as one.
    pub(super) fn send(&mut self, sql: &str) {
        self.answer = Answer::default();
        self.is_at_rest = false;
        self.has_looked = false;
        self.wire.send(sql);
    }

    /// Hears what there is to hear, and waits for it at most `within`; notices are added to `told`, as the tester prints
    /// them. Whether all is answered.
    pub(super) fn listen(&mut self, within: Duration, told: &mut String) -> bool {
        let mut within = within;
        while let Some(heard) = self.wire.hear(within) {
            self.heard += 1;
            // What more there is has come with it.
            within = Duration::ZERO;
            match heard {
                // A line of the log is no notice: we have asked for it.
                Heard::Notice(message) if message.severity == "LOG" => {
                    self.has_looked |= message.text.contains(" still waiting for ");
                }
                Heard::Notice(message) => {
                    *told += &format!("{}: {}", self.name, said_in_full(&message));
                    self.notices += 1;
                }
                Heard::Notified(process, channel, payload) => {
                    self.notified.push((process, channel, payload));
                }
                Heard::Ready(in_transaction) => {
                    self.is_at_rest = true;
                    self.is_in_transaction = in_transaction;
                }
                Heard::Lost => {
                    if !self.is_at_rest {
                        self.answer.take_in(Heard::Lost);
                    }
                    self.is_at_rest = true;
                    self.is_in_transaction = false;
                    break;
                }
                heard => self.answer.take_in(heard),
            }
        }
        self.is_at_rest
    }

    /// Hears until all is answered, and waits at most `most` for each message. Whether all is.
    pub(super) fn listen_to_the_end(&mut self, most: Duration, told: &mut String) -> bool {
        while !self.is_at_rest {
            let before = self.heard;
            if !self.listen(most, told) && self.heard == before {
                return false;
            }
        }
        true
    }
}

impl<'a> SpecSessions<'a> {
    /// Connects all sessions, each with these settings.
    pub(super) fn open(
        spec: &'a Spec,
        server: &'a IsolationServer,
        settings: &'static str,
    ) -> Result<Self, Error> {
        let watch = server.session(&name_of(spec, "control connection"), "")?;
        let live = spec.sessions.iter().map(|session| connect(spec, server, session, settings));
        let live = live.collect::<Result<_, _>>()?;
        let mut sessions = Self { spec, server, settings, watch, live };
        sessions.prepare()?;
        Ok(sessions)
    }

    /// Connects all sessions anew, to an empty database.
    pub(super) fn start_anew(&mut self) -> Result<(), Error> {
        self.server.renew_database()?;
        *self = Self::open(self.spec, self.server, self.settings)?;
        Ok(())
    }

    /// Whether anything is in the database that was not there from the beginning.
    pub(super) fn has_left_over(&mut self) -> Result<bool, Error> {
        let rows = ask(&mut self.watch, "EXECUTE left_over")?;
        Ok(rows.first().and_then(|row| row.first()?.as_deref()) == Some("t"))
    }

    /// Rolls prepared transactions back: they would keep their locks.
    pub(super) fn forget_prepared(&mut self) -> Result<(), Error> {
        for row in ask(&mut self.watch, include_str!("prepared.sql"))? {
            if let Some(Some(statement)) = row.first() {
                ask(&mut self.watch, statement)?;
            }
        }
        Ok(())
    }

    /// Connects those sessions again whose connection has ended.
    pub(super) fn reconnect(&mut self) -> Result<(), Error> {
        let mut is_new = false;
        for (session, live) in self.spec.sessions.iter().zip(&mut self.live) {
            if live.wire.is_lost() {
                *live = connect(self.spec, self.server, session, self.settings)?;
                is_new = true;
            }
        }
        if is_new { self.prepare() } else { Ok(()) }
    }

    /// Prepares the query for waits between these sessions.
    fn prepare(&mut self) -> Result<(), Error> {
        let all: Vec<String> =
            self.live.iter().map(|live| live.wire.process().to_string()).collect();
        let query = include_str!("waiting.sql").replace("$sessions", &all.join(","));
        ask(&mut self.watch, &query).map(drop)
    }

    /// Whether the server says that a session waits for another one.
    pub(super) fn is_blocked(&mut self, session: usize) -> Result<bool, Error> {
        let process = self.live[session].wire.process();
        let rows = ask(&mut self.watch, &format!("EXECUTE is_blocked({process})"))?;
        Ok(rows.first().and_then(|row| row.first()?.as_deref()) == Some("t"))
    }

    /// Which processes of these sessions wait for which others.
    pub(super) fn waits(&mut self) -> Result<Waits, Error> {
        let rows = ask(&mut self.watch, "EXECUTE waits")?;
        let number = |cell: &Option<String>| cell.as_deref()?.parse().ok();
        let pair = |row: &Vec<Option<String>>| Some((number(row.first()?)?, number(row.get(1)?)?));
        Ok(rows.iter().filter_map(pair).collect())
    }

    /// Makes each session as it was when it was opened.
    pub(super) fn renew(&mut self) -> Result<(), Error> {
        for live in self.live.iter_mut().filter(|live| live.is_in_transaction) {
            let _ = run_in(live, "ROLLBACK", &mut String::new());
        }
        for live in &mut self.live {
            live.send("DISCARD ALL");
        }
        for live in &mut self.live {
            live.listen_to_the_end(SETTING_UP, &mut String::new());
            if let (false, Some(error)) = (live.wire.is_lost(), live.answer.error()) {
                return Err(Error::world(format!("PostgreSQL: {}", error.text)));
            }
        }
        Ok(())
    }

    /// Runs the setups: what they print, or which of them failed and why.
    pub(super) fn set_up(&mut self) -> Result<String, String> {
        let mut told = String::new();
        for block in &self.spec.setup {
            told +=
                &run(&mut self.watch, block).map_err(|why| format!("{told}setup failed: {why}"))?;
        }
        for (session, live) in self.spec.sessions.iter().zip(&mut self.live) {
            let Some(setup) = &session.setup else { continue };
            match run_in(live, setup, &mut told) {
                Ok(rows) => told += &rows,
                Err(why) => {
                    return Err(format!("{told}setup of session {} failed: {why}", session.name));
                }
            }
        }
        Ok(told)
    }

    /// Runs the sessions' teardowns, and returns what they print.
    pub(super) fn tear_down_sessions(&mut self) -> String {
        let mut told = String::new();
        for (session, live) in self.spec.sessions.iter().zip(&mut self.live) {
            let Some(teardown) = &session.teardown else { continue };
            match run_in(live, teardown, &mut told) {
                Ok(rows) => told += &rows,
                Err(why) => told += &format!("teardown of session {} failed: {why}", session.name),
            }
        }
        told
    }

    /// Runs the teardown of the whole: what it prints, or why it failed.
    pub(super) fn tear_down(&mut self) -> Result<String, String> {
        let teardown = self.spec.teardown.as_deref();
        teardown.map_or(Ok(String::new()), |teardown| run(&mut self.watch, teardown))
    }
}

/// The name under which the server knows a session.
fn name_of(spec: &Spec, session: &str) -> String {
    format!("isolation/{}/{session}", spec.name())
}

fn connect(
    spec: &Spec,
    server: &IsolationServer,
    session: &SpecSession,
    settings: &str,
) -> Result<LiveSession, Error> {
    let wire = server.session(&name_of(spec, &session.name), settings)?;
    Ok(LiveSession::new(&session.name, wire))
}

/// Runs statements in a session to their end; notices are added to `told`. The rows of the last of them, or the error.
fn run_in(live: &mut LiveSession, sql: &str, told: &mut String) -> Result<String, String> {
    live.send(sql);
    if !live.listen_to_the_end(SETTING_UP, told) {
        return Err(format!("no answer within {} seconds\n", SETTING_UP.as_secs()));
    }
    rows_or_error(&live.answer)
}

/// The same over the connection that watches, whose notices are not shown.
fn run(watch: &mut RawSession, sql: &str) -> Result<String, String> {
    watch.send(sql);
    let mut answer = Answer::default();
    loop {
        match watch.hear(SETTING_UP) {
            Some(Heard::Ready(_)) => return rows_or_error(&answer),
            Some(Heard::Lost) => return Err("the connection is lost\n".into()),
            Some(heard) => answer.take_in(heard),
            None => return Err(format!("no answer within {} seconds\n", SETTING_UP.as_secs())),
        }
    }
}

fn rows_or_error(answer: &Answer) -> Result<String, String> {
    match answer.error() {
        Some(error) => Err(said_in_full(error)),
        None => Ok(answer.last_rows()),
    }
}
