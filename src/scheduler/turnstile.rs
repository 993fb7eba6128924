//! A turnstile in front of a server: what a buyer is about to send is held until somebody lets it go, and it is
//! known of everybody whether it thinks, is held, has been answered, or waits for somebody else.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::polling::Polling;
use super::touches::Touches;
use crate::base::clock::{Clock, Wall, nanos};

/// How long nobody may be seen to do anything: a server that is silent for longer has failed.
const SILENCE: Duration = Duration::from_secs(30);

/// How long an answer usually takes at most. Only when there is none by then is it worth asking the server
/// whether it has to wait.
const USUALLY: Duration = Duration::from_micros(400);

/// Which part of a statement is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// All of it, or its beginning if it is held inside.
    #[default]
    Sends,
    /// It has begun, and is held before it changes anything more.
    Acts,
}

/// The same where the statement is expected to be held inside the server.
const SOON: Duration = Duration::from_micros(100);

/// In [`Waits`], who holds a statement inside the server: the explorer itself.
pub const HELD_INSIDE: i64 = i64::MIN;

/// Something that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    /// As it is told, with its values; but for those that are times, and never the same twice.
    pub text: String,
    /// What it has to do with.
    pub touches: Touches,
    /// The same without its values, where those may be others each time: numbers from a clock, keys that are rolled.
    pub shape: Option<String>,
    /// Which transaction it is part of, where that is known.
    pub transaction: Option<u64>,
    /// What it touches when it begins, if it is to be held between that and its first change; none if it is one step.
    pub begins: Option<Touches>,
    /// Which part of it is about to be done.
    pub phase: Phase,
}

impl Saying {
    /// Something whose values are the same each time.
    #[must_use]
    pub fn new(text: String, touches: Touches) -> Self {
        Self { text, touches, shape: None, transaction: None, begins: None, phase: Phase::Sends }
    }

    /// The same, to be held between its beginning and its first change, where it touches so much when it begins.
    #[must_use]
    pub fn beginning_with(self, begins: Option<Touches>) -> Self {
        Self { begins, ..self }
    }

    /// The part that is left once it has begun.
    fn acts(&self) -> Self {
        Self { phase: Phase::Acts, begins: None, ..self.clone() }
    }

    /// Whether this is the other again, if with other values.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.touches == other.touches
            && self.begins == other.begins
            && self.phase == other.phase
            && match (&self.shape, &other.shape) {
                (Some(shape), Some(other)) => shape == other,
                _ => self.text == other.text,
            }
    }
}

/// How it stands with a buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// It is not in the shop.
    Away,
    /// It would go on, as soon as nobody else thinks: where only one may at a time.
    Queued,
    /// It has something to send over a connection on which somebody else's is held.
    Behind,
    /// That has been let go, and it is about to come forward.
    Coming,
    /// Its own code runs.
    Thinking,
    /// It is about to send this.
    Held(Saying),
    /// It has sent something, and nothing is known of it.
    Sent,
    /// What it has sent has begun, and is held inside the server.
    Inside,
    /// It has, and the server says that somebody is in the way.
    Waiting,
    /// It has, and knows itself that somebody is in the way: it tries again when somebody has moved.
    Obstructed,
    /// Its own code has neither sent anything nor come to an end for so long that it must be waiting for something
    /// that is not to be seen from here.
    Unseen,
}

/// What is written down of everybody.
#[derive(Debug)]
struct Board {
    standings: Vec<Standing>,
    /// What has been answered since it was last asked, in the order in which it was noticed.
    answered: Vec<(usize, String)>,
    /// By what number the server knows each buyer's connection.
    sessions: Vec<i64>,
    /// What each buyer has sent last.
    sent: Vec<Option<Saying>>,
    /// Whether each has been told that it waits, where the server tells: then a deadlock has been looked for.
    told: Vec<Option<bool>>,
    /// Whether anybody has been told since one last looked.
    has_news: bool,
    /// Who begins again after a conflict that nobody else had a part in, and has seen nobody else move since.
    again: Vec<bool>,
    /// What each has asked again and again, where the code is somebody else's.
    polling: Vec<Polling>,
    /// Who is held with the same question again, and would be answered the same.
    polls: Vec<bool>,
    /// What each has sent last that has not been answered.
    asks: Vec<Option<Saying>>,
    /// How often a buyer has asked the same in a row, and then gone on of itself.
    usual_times: usize,
    /// How often a buyer was passed over because it polls.
    passed_over: u64,
    /// Attempts of each that ended in a conflict and had changed nothing.
    vain: Vec<u32>,
    /// Steps that were made in this show.
    steps: u64,
    /// Which of them was the first of each one's attempt.
    began: Vec<Option<u64>>,
    /// Whether somebody else has moved since then.
    disturbed: Vec<bool>,
    /// Whether everybody is to go home.
    is_closed: bool,
    /// How often somebody was found to wait for something unseen.
    unseen: u64,
    /// Who was, and has not been seen to do anything since.
    was_unseen: Vec<bool>,
    /// Who was the last to think, where only one may at a time.
    thought: Option<usize>,
}

/// Whose own code is at work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thinkers {
    /// Who thinks.
    pub thinks: Option<usize>,
    /// Who may, for all that is to be seen.
    pub may_think: Vec<usize>,
    /// Who did last, and is still there.
    pub thought: Option<usize>,
}

/// What goes on in the buyers' own code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thinking {
    /// It is ours: all may think at once, and none of them for long.
    Ours,
    /// It is somebody else's, and only one thinks at a time, so that it is known whose doing it is. Whoever does so for
    /// longer than this waits for something that is not to be seen from here.
    Theirs(Duration),
}

/// One turnstile for all buyers of a show.
#[derive(Debug)]
pub struct Turnstile {
    board: Mutex<Board>,
    /// Whoever lets them go waits here.
    keeper: Condvar,
    /// And each of them here.
    buyers: Vec<Condvar>,
    thinking: Thinking,
}

/// Somebody who was waiting for something unseen when another moved is given this part of the usual time to show that
/// it does so no more.
const AGAIN: u32 = 10;

/// Where nobody else can move, one who is not seen to do anything is given so many times the usual time.
const STUCK: u32 = 10;

/// Who waits for whom, by the numbers by which the server knows their connections; 0 is somebody it does not
/// name.
pub type Waits = Vec<(i64, i64)>;

/// Why it is not known how everybody stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsettled {
    /// Nobody has been seen to do anything for too long; these were on their way.
    Silent(Vec<usize>),
    /// The server could not say who waits.
    Watch(String),
}

impl Turnstile {
    /// For so many buyers, none of whom is there yet.
    #[must_use]
    pub fn of(buyers: usize, thinking: Thinking) -> Arc<Self> {
        Arc::new(Self {
            thinking,
            board: Mutex::new(Board {
                standings: vec![Standing::Away; buyers],
                answered: Vec::new(),
                sessions: vec![0; buyers],
                sent: vec![None; buyers],
                told: vec![None; buyers],
                has_news: false,
                again: vec![false; buyers],
                polling: vec![Polling::default(); buyers],
                polls: vec![false; buyers],
                asks: vec![None; buyers],
                usual_times: 0,
                passed_over: 0,
                vain: vec![0; buyers],
                steps: 0,
                began: vec![None; buyers],
                disturbed: vec![false; buyers],
                is_closed: false,
                unseen: 0,
                was_unseen: vec![false; buyers],
                thought: None,
            }),
            keeper: Condvar::new(),
            buyers: (0..buyers).map(|_| Condvar::new()).collect(),
        })
    }

    /// The part of one buyer.
    #[must_use]
    pub fn seat(self: &Arc<Self>, place: usize) -> Seat {
        Seat { turnstile: Arc::clone(self), place }
    }

    /// Everybody comes in.
    pub fn open(&self) {
        let mut board = self.board.lock();
        board.standings.fill(match self.thinking {
            Thinking::Ours => Standing::Thinking,
            Thinking::Theirs(_) => Standing::Queued,
        });
        board.answered.clear();
        board.again.fill(false);
        board.polls.fill(false);
        board.asks.fill(None);
        board.polling.iter_mut().for_each(Polling::forget);
        board.vain.fill(0);
        board.was_unseen.fill(false);
        board.thought = None;
        (board.steps, board.is_closed) = (0, false);
    }

    /// Everybody who is held goes home without a word.
    pub fn close(&self) {
        let mut board = self.board.lock();
        board.is_closed = true;
        self.wake();
    }

    fn wake(&self) {
        for buyer in &self.buyers {
            buyer.notify_all();
        }
    }

    /// Somebody has stopped thinking, and where only one may at a time, another may now. What somebody else's code has done
    /// meanwhile that is no step, such as closing a connection, may have let others go on.
    fn has_stopped_thinking(&self, board: &mut Board) {
        if self.thinking != Thinking::Ours {
            board.forget_waits();
            self.wake();
        }
    }

    /// How often somebody was found to wait for something unseen.
    #[must_use]
    pub fn unseen(&self) -> u64 {
        self.board.lock().unseen
    }

    /// Who is held, and with what.
    #[must_use]
    pub fn held(&self) -> Vec<(usize, Saying)> {
        self.board.lock().held()
    }

    /// The same of those whose turn may be next. Whoever begins again after a conflict would only run into the
    /// same again until somebody else has moved: an attempt that was thrown away has changed nothing, and
    /// remembers nothing. A buyer that polls would only hear the same again.
    #[must_use]
    pub fn ready(&self) -> Vec<(usize, Saying)> {
        let mut board = self.board.lock();
        let held = board.held();
        let fresh = |(place, _): &&(usize, Saying)| !board.again[*place] && !board.polls[*place];
        let fresh: Vec<_> = held.iter().filter(fresh).cloned().collect();
        if fresh.is_empty() {
            return held;
        }
        let polls = held.iter().filter(|(place, _)| board.polls[*place]).count();
        board.passed_over += polls as u64;
        fresh
    }

    /// How often a buyer was passed over because it polls.
    #[must_use]
    pub fn passed_over(&self) -> u64 {
        self.board.lock().passed_over
    }

    /// Who has sent something and waits for somebody else.
    #[must_use]
    pub fn waiting(&self) -> Vec<usize> {
        let board = self.board.lock();
        let places = board.standings.iter().enumerate();
        let waits = |standing: &Standing| {
            matches!(standing, Standing::Waiting | Standing::Obstructed | Standing::Unseen)
        };
        places.filter(|(_, standing)| waits(standing)).map(|(place, _)| place).collect()
    }

    /// By what numbers the server knows the connections of those who wait for somebody else, as it says.
    #[must_use]
    pub fn waiting_sessions(&self) -> Vec<i64> {
        let board = self.board.lock();
        let places = board.standings.iter().zip(&board.sessions);
        places
            .filter(|(standing, _)| **standing == Standing::Waiting)
            .map(|(_, session)| *session)
            .collect()
    }

    /// What the server has said of those who wait is no longer known.
    pub fn forget_waits(&self) {
        self.board.lock().forget_waits();
    }

    /// The most attempts of any buyer that ended in a conflict and had changed nothing.
    #[must_use]
    pub fn most_in_vain(&self) -> u32 {
        self.board.lock().vain.iter().copied().max().unwrap_or(0)
    }

    /// Lets a buyer's statement go, or the rest of one that is held inside the server, which has to be told so by
    /// the caller; false if nothing of this buyer's is held.
    pub fn let_go(&self, place: usize) -> bool {
        let mut board = self.board.lock();
        match board.standings.get(place) {
            Some(Standing::Held(saying)) => board.sent[place] = Some(saying.clone()),
            Some(Standing::Inside) => {}
            _ => return false,
        }
        if let Some(told) = &mut board.told[place] {
            *told = false;
        }
        board.steps += 1;
        let step = board.steps;
        board.began[place].get_or_insert(step);
        for standing in &mut board.standings {
            match standing {
                Standing::Unseen => *standing = Standing::Thinking,
                Standing::Behind => *standing = Standing::Coming,
                _ => {}
            }
        }
        board.forget_waits();
        for other in (0..board.again.len()).filter(|other| *other != place) {
            board.again[other] = false;
            board.polls[other] = false;
            board.polling[other].forget();
            board.disturbed[other] |= board.began[other].is_some();
        }
        let standing = std::mem::replace(&mut board.standings[place], Standing::Sent);
        if let (Standing::Held(saying), Thinking::Theirs(_)) = (standing, self.thinking) {
            board.polls[place] = false;
            board.asks[place] = Some(saying);
        }
        self.buyers[place].notify_all();
        true
    }

    /// Has somebody who was obstructed try again; false if it is not.
    pub fn nudge(&self, place: usize) -> bool {
        let mut board = self.board.lock();
        let is_obstructed = board.standings.get(place) == Some(&Standing::Obstructed);
        if is_obstructed {
            board.standings[place] = Standing::Sent;
            self.buyers[place].notify_all();
        }
        is_obstructed
    }

    /// Whose statements have begun and are held inside the server.
    #[must_use]
    pub fn inside(&self) -> Vec<usize> {
        let board = self.board.lock();
        let places = board.standings.iter().enumerate();
        places.filter(|(_, state)| **state == Standing::Inside).map(|(place, _)| place).collect()
    }

    /// The number by which the server knows a buyer's connection.
    #[must_use]
    pub fn session(&self, place: usize) -> i64 {
        self.board.lock().sessions[place]
    }

    /// For whom somebody waits, as far as the server names them.
    #[must_use]
    pub fn blockers(&self, place: usize, waits: &Waits) -> Vec<usize> {
        let board = self.board.lock();
        let session = board.sessions[place];
        let names = waits.iter().filter(|(who, blocker)| *who == session && *blocker != 0);
        let known = |blocker: &i64| board.sessions.iter().position(|known| known == blocker);
        let mut places: Vec<usize> = names.filter_map(|(_, blocker)| known(blocker)).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Waits until it is known of everybody how it stands: nobody thinks, and whoever has sent something has
    /// been answered, or waits as the server itself says. The server is only asked where an answer is late.
    ///
    /// # Errors
    /// When nobody is seen to do anything for half a minute, or the server cannot say who waits.
    pub fn settle(
        &self,
        mut who_waits: impl FnMut() -> Result<Waits, String>,
    ) -> Result<Vec<(usize, String)>, Unsettled> {
        let mut board = self.board.lock();
        let clock = Wall::start();
        let mut seen_ns = clock.now();
        let mut seen = board.standings.clone();
        loop {
            let is_thinking = board.standings.contains(&Standing::Thinking);
            let is_on_its_way = [Standing::Sent, Standing::Queued, Standing::Coming]
                .iter()
                .any(|standing| board.standings.contains(standing));
            if !is_thinking && !is_on_its_way {
                return Ok(std::mem::take(&mut board.answered));
            }
            let usually = if board.may_be_held_inside() { SOON } else { USUALLY };
            let timed_out = self.keeper.wait_for(&mut board, usually).timed_out();
            if seen != board.standings {
                seen.clone_from(&board.standings);
                seen_ns = clock.now();
            }
            if let Thinking::Theirs(usually) = self.thinking
                && board.lose_sight(clock.now() - seen_ns, usually)
            {
                self.wake();
                continue;
            }
            if clock.now() - seen_ns >= nanos(SILENCE) {
                let sent = |(_, standing): &(usize, &Standing)| **standing == Standing::Sent;
                let places = board.standings.iter().enumerate().filter(sent);
                return Err(Unsettled::Silent(places.map(|(place, _)| place).collect()));
            }
            let is_late = timed_out || std::mem::take(&mut board.has_news);
            let may_wait = board.standings.contains(&Standing::Sent)
                && !board.standings.contains(&Standing::Thinking)
                && !board.standings.contains(&Standing::Queued)
                && !board.standings.contains(&Standing::Coming);
            if is_late && may_wait {
                let (sessions, before) = (board.sessions.clone(), board.standings.clone());
                drop(board);
                let waits = who_waits().map_err(Unsettled::Watch)?;
                board = self.board.lock();
                // Whoever was answered meanwhile may have let others go since.
                if board.standings == before {
                    board.believe(&sessions, &waits);
                }
            }
        }
    }
}

impl Board {
    /// What the server said of those who wait is no longer known.
    fn forget_waits(&mut self) {
        for standing in &mut self.standings {
            if *standing == Standing::Waiting {
                *standing = Standing::Sent;
            }
        }
    }

    /// Whether somebody may think now: nobody else does, but for those who only may have been let go on by something
    /// unseen, and everybody before it has had its turn.
    fn may_think(&self, place: usize) -> bool {
        let thinks = |(other, standing): (usize, &Standing)| match standing {
            Standing::Thinking => !self.was_unseen[other],
            Standing::Queued => other < place,
            _ => false,
        };
        !self.standings.iter().enumerate().any(thinks)
    }

    /// Notes who has been thinking for too long; whether anybody has.
    fn lose_sight(&mut self, since_ns: u64, usually: Duration) -> bool {
        let mut has_lost = false;
        let may_move = |standing: &Standing| {
            matches!(standing, Standing::Held(_) | Standing::Queued | Standing::Inside)
        };
        let others_may_move = self.standings.iter().any(may_move);
        for place in 0..self.standings.len() {
            let was_unseen = self.was_unseen[place];
            let most = match (others_may_move, was_unseen) {
                (true, true) => usually / AGAIN,
                (true, false) => usually,
                // That nobody at all can move is not said lightly.
                (false, _) => usually * STUCK,
            };
            if self.standings[place] == Standing::Thinking && since_ns >= nanos(most) {
                self.standings[place] = Standing::Unseen;
                self.unseen += u64::from(!was_unseen);
                self.was_unseen[place] = true;
                has_lost = true;
            }
        }
        has_lost
    }

    /// Notes whether what a buyer is about to send is only the same question again.
    fn looks_whether_polling(&mut self, place: usize, text: &str) {
        self.usual_times = self.usual_times.max(self.polling[place].went_past(text));
        self.polls[place] = self.polling[place].is_polling(text, self.usual_times);
    }

    fn held(&self) -> Vec<(usize, Saying)> {
        let held = |(place, standing): (usize, &Standing)| match standing {
            Standing::Held(saying) => Some((place, saying.clone())),
            Standing::Inside => self.sent[place].as_ref().map(|sent| (place, sent.acts())),
            _ => None,
        };
        self.standings.iter().enumerate().filter_map(held).collect()
    }

    /// Whether a statement is on its way that is to be held inside the server.
    fn may_be_held_inside(&self) -> bool {
        let is = |place: &usize| {
            self.standings[*place] == Standing::Sent
                && self.sent[*place].as_ref().is_some_and(|sent| sent.begins.is_some())
        };
        (0..self.standings.len()).any(|place| is(&place))
    }

    /// If everybody who is on its way waits, and not in a circle, nothing will happen until somebody else
    /// moves. A circle is a deadlock, which the server breaks by itself.
    fn believe(&mut self, sessions: &[i64], waits: &Waits) {
        for (place, session) in sessions.iter().enumerate() {
            let is_held_inside = waits.contains(&(*session, HELD_INSIDE));
            if self.standings[place] == Standing::Sent && is_held_inside {
                self.standings[place] = Standing::Inside;
            }
        }
        let sent: Vec<usize> = (0..self.standings.len())
            .filter(|place| self.standings[*place] == Standing::Sent)
            .collect();
        let waits_for = |session: i64| waits.iter().filter(move |(who, _)| *who == session);
        let is_known_to_wait = |place: &usize| {
            waits_for(sessions[*place]).next().is_some() && self.told[*place].unwrap_or(true)
        };
        let all_wait = sent.iter().all(is_known_to_wait);
        let is_deadlock = sent.iter().any(|place| is_in_circle(sessions[*place], waits));
        if all_wait && !is_deadlock {
            for place in sent {
                self.standings[place] = Standing::Waiting;
            }
        }
    }
}

/// Whether somebody waits, in the end, for itself.
fn is_in_circle(session: i64, waits: &Waits) -> bool {
    let mut reached = vec![session];
    let mut next = 0;
    while let Some(here) = reached.get(next).copied() {
        next += 1;
        for (_, blocker) in waits.iter().filter(|(who, _)| *who == here) {
            if *blocker == session {
                return true;
            }
            if !reached.contains(blocker) {
                reached.push(*blocker);
            }
        }
    }
    false
}

/// One buyer's part of a turnstile.
#[derive(Clone, Debug)]
pub struct Seat {
    turnstile: Arc<Turnstile>,
    place: usize,
}

impl Seat {
    /// Which of them it is, counted from 0.
    pub(crate) fn place(&self) -> usize {
        self.place
    }

    /// The server knows its connection by this number.
    pub(crate) fn register(&self, session: i64) {
        self.turnstile.board.lock().sessions[self.place] = session;
    }

    /// It will be told when it has to wait, and has to be, before that is believed.
    pub(crate) fn will_be_told(&self) {
        self.turnstile.board.lock().told[self.place] = Some(false);
    }

    /// It has been told that it waits, and that that is no deadlock; or that it does so no more.
    pub(crate) fn is_told(&self, waits: bool) {
        let mut board = self.turnstile.board.lock();
        board.told[self.place] = Some(waits);
        board.has_news = true;
        self.turnstile.keeper.notify_one();
    }

    /// Waits until this may be sent; false if it is to go home instead.
    pub(crate) fn pass(&self, saying: Saying) -> bool {
        self.stand(Standing::Held(saying))
    }

    /// Somebody else is in the way. Waits until somebody has moved; false if it is to go home instead.
    pub(crate) fn is_obstructed(&self) -> bool {
        self.stand(Standing::Obstructed)
    }

    fn stand(&self, standing: Standing) -> bool {
        let Turnstile { board, keeper, buyers, .. } = &*self.turnstile;
        let mut board = board.lock();
        if board.is_closed {
            return false;
        }
        // Whoever has been told to try again does.
        if board.standings[self.place] == Standing::Sent && standing != Standing::Obstructed {
            return true;
        }
        if let (Standing::Held(saying), Thinking::Theirs(_)) = (&standing, self.turnstile.thinking)
        {
            board.looks_whether_polling(self.place, &saying.text);
        }
        board.standings[self.place] = standing;
        board.was_unseen[self.place] = false;
        self.turnstile.has_stopped_thinking(&mut board);
        keeper.notify_one();
        while board.standings[self.place] != Standing::Sent {
            if board.is_closed {
                board.standings[self.place] = Standing::Thinking;
                return false;
            }
            buyers[self.place].wait(&mut board);
        }
        true
    }

    /// What it has to send is behind somebody else's that is held, on the same connection.
    pub(crate) fn is_behind(&self) {
        let mut board = self.turnstile.board.lock();
        if !board.is_closed {
            board.standings[self.place] = Standing::Behind;
            self.turnstile.has_stopped_thinking(&mut board);
            self.turnstile.keeper.notify_one();
        }
    }

    /// Waits until it may think, where only one may at a time.
    pub(crate) fn take_floor(&self) {
        let mut board = self.turnstile.board.lock();
        self.queue(&mut board);
    }

    fn queue(&self, board: &mut MutexGuard<'_, Board>) {
        let Turnstile { keeper, buyers, .. } = &*self.turnstile;
        while board.standings[self.place] == Standing::Queued && !board.is_closed {
            if board.may_think(self.place) {
                board.standings[self.place] = Standing::Thinking;
                board.thought = Some(self.place);
                // Others may be queued for no reason any more.
                keeper.notify_one();
                return;
            }
            buyers[self.place].wait(board);
        }
    }

    /// What it has sent was answered like this, and its own code goes on.
    pub(crate) fn hear(&self, answer: String) {
        let mut board = self.turnstile.board.lock();
        if let Some(saying) = board.asks[self.place].take() {
            board.polling[self.place].hears(saying.text, saying.touches.changes(), &answer);
        }
        board.answered.push((self.place, answer));
        if let Some(told) = &mut board.told[self.place] {
            *told = false;
        }
        match self.turnstile.thinking {
            Thinking::Theirs(_) if !board.is_closed => {
                board.standings[self.place] = Standing::Queued;
                self.queue(&mut board);
            }
            _ => board.standings[self.place] = Standing::Thinking,
        }
    }

    /// It begins again after a conflict, in an attempt that had changed something or nothing. Where nobody else has
    /// moved during that attempt, the next would be the same again.
    pub fn begins_again(&self, has_changed: bool) {
        let mut board = self.turnstile.board.lock();
        board.again[self.place] = !board.disturbed[self.place];
        board.vain[self.place] += u32::from(!has_changed);
    }

    /// Whose own code is at work.
    pub(crate) fn thinkers(&self) -> Thinkers {
        let board = self.turnstile.board.lock();
        let mut thinkers = Thinkers::default();
        for (place, standing) in board.standings.iter().enumerate() {
            match standing {
                Standing::Thinking if !board.was_unseen[place] => thinkers.thinks = Some(place),
                Standing::Thinking | Standing::Unseen => thinkers.may_think.push(place),
                _ => {}
            }
        }
        thinkers.thought = board.thought.filter(|place| board.standings[*place] != Standing::Away);
        thinkers
    }

    /// It has left.
    pub fn leave(&self) {
        let mut board = self.turnstile.board.lock();
        board.standings[self.place] = Standing::Away;
        board.was_unseen[self.place] = false;
        board.polling[self.place].forget();
        self.turnstile.has_stopped_thinking(&mut board);
        self.turnstile.keeper.notify_one();
    }

    /// An attempt begins.
    pub fn begins(&self) {
        let mut board = self.turnstile.board.lock();
        board.began[self.place] = None;
        board.disturbed[self.place] = false;
    }

    /// The first step of its attempt; none if it has made none.
    #[must_use]
    pub fn began(&self) -> Option<u64> {
        self.turnstile.board.lock().began[self.place]
    }

    /// Steps that were made by now.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.turnstile.board.lock().steps
    }

    /// Waits until everybody is to go home.
    pub fn wait_until_closed(&self) {
        let mut board = self.turnstile.board.lock();
        while !board.is_closed {
            self.turnstile.buyers[self.place].wait(&mut board);
        }
    }

    /// Whether everybody is to go home.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.turnstile.board.lock().is_closed
    }
}
