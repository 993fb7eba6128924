//! A seed makes a checkout: what it is for, how it is protected, how it is spelled, and what stands between.

use oversell_sim::StoreKind::{self, Mysql, Postgres, Redis, Sqlite};

use super::dice::Dice;
use super::recipe::{Line, Recipe, Role, line};
use super::redis;
use super::shop::{Tables, WORDS};
use super::soup::{beside, soup};
use super::spelling::Spelling;
use super::ways::{Frame, Way, any_way, locking};

/// The checkout of a seed, which has at most so many orders if no buyer waits or leaves early.
pub(crate) fn checkout(kind: StoreKind, seed: u64, most_orders: u64) -> Recipe {
    let dice = &mut Dice::of(seed);
    loop {
        let recipe = match kind {
            Redis => redis::recipe(seed, dice),
            kind => in_sql(kind, seed, dice),
        };
        if recipe.orders() <= most_orders {
            return recipe;
        }
    }
}

fn in_sql(kind: StoreKind, seed: u64, dice: &mut Dice) -> Recipe {
    let tables = Tables::of(kind, dice);
    let mut way = |soups| {
        if dice.chance(soups) { soup(kind, &tables, dice) } else { any_way(kind, &tables, dice) }
    };
    let mut ways = vec![way(35), way(60), way(60)];
    ways.truncate(dice.one(&[1, 1, 2, 2, 3]));
    let mut roles: Vec<Role> = ways
        .iter()
        .zip(["buyer", "clerk", "courier"])
        .map(|(way, name)| Role { name, buys: name == "buyer", steps: steps(way, kind, dice) })
        .collect();
    let buyers = match roles.len() {
        1 if roles[0].steps.len() <= 3 && dice.chance(30) => 3,
        1 => 2,
        roles => roles,
    };
    let is_audited = roles.len() == 1 && ways[0].sells && dice.chance(70);
    let audit = is_audited.then_some((
        "SELECT id, stock FROM {goods} WHERE id = 1",
        "SELECT buyer, COALESCE(item, 1), qty FROM {sales}",
    ));
    let rules = ways.iter().filter(|way| !way.sells || !is_audited);
    let mut never: Vec<(String, &str)> =
        rules.enumerate().map(|(place, way)| (format!("rule {place}"), way.rule)).collect();
    if tables.has_trigger {
        never.push((
            "miscounted".into(),
            "SELECT n FROM {tally} WHERE id = 3 AND n <> 1 + (SELECT COUNT(*) FROM {sales})",
        ));
    }
    if never.is_empty() {
        never.push(("an order of nothing".into(), "SELECT id FROM {sales} WHERE qty = 0"));
    }
    let said = roles.iter().flat_map(|role| &role.steps).map(|step| step.text.as_str());
    let asked =
        never.iter().map(|(_, rule)| *rule).chain(audit.iter().flat_map(|both| [both.0, both.1]));
    let (schema, fill) = tables.needed(said.chain(asked).collect());
    let spelling = Spelling::of(kind, &WORDS, dice);
    for step in roles.iter_mut().flat_map(|role| &mut role.steps) {
        step.text = spelling.say(&step.text, dice);
    }
    let plainly = |text: &str| spelling.plainly(text);
    let titles: Vec<&str> = ways.iter().map(|way| way.name).collect();
    Recipe {
        title: format!("{} (seed {seed})", titles.join("; ")),
        store: kind,
        schema: schema.into_iter().map(plainly).collect(),
        seed: fill.into_iter().map(plainly).collect(),
        setup: Vec::new(),
        alike: roles.len() == 1 && !tells_buyers_apart(&ways[0]) && dice.chance(30),
        buyers,
        retries: dice.number(0, 2),
        isolation: match kind {
            Sqlite => None,
            _ => dice.one(&[
                None,
                None,
                Some("read-committed"),
                Some("repeatable-read"),
                Some("serializable"),
            ]),
        },
        roles,
        audit: audit.map(|(stock, orders)| (plainly(stock), plainly(orders))),
        never: never.into_iter().map(|(name, rule)| (name, plainly(rule))).collect(),
    }
}

/// Whether it matters to a way which number a buyer has, but for what it writes into its own rows.
fn tells_buyers_apart(way: &Way) -> bool {
    let uses = ["= :buyer", "> :buyer", "WHEN :buyer", "- :buyer"];
    way.steps.iter().any(|step| uses.iter().any(|by| step.text.contains(by)))
}

/// What a role says: the steps of its way, in a transaction or not, with others between them.
fn steps(way: &Way, kind: StoreKind, dice: &mut Dice) -> Vec<Line> {
    let mut steps: Vec<Line> = way.steps.iter().map(|step| locked(step, kind, dice)).collect();
    let is_inside = match way.frame {
        Frame::Any => dice.chance(50),
        Frame::Inside => true,
        Frame::Outside => false,
    };
    if dice.chance(20) {
        let place = dice.number(0, steps.len());
        steps.insert(place, beside(kind, dice));
    }
    if is_inside {
        frame(&mut steps, kind, dice);
    }
    steps
}

/// A step whose lock is chosen.
fn locked(step: &Line, kind: StoreKind, dice: &mut Dice) -> Line {
    let mut step = step.clone();
    if step.text.contains("{lock}") {
        let lock = locking(kind, dice);
        step.text = step.text.replace("{lock}", lock);
        if lock.contains("NOWAIT") {
            step.if_refused = Some(dice.one(&["conflict", "sold_out", "failed"]));
        }
    }
    step
}

/// Puts steps into a transaction.
fn frame(steps: &mut Vec<Line>, kind: StoreKind, dice: &mut Dice) {
    let begins: &[&[&str]] = match kind {
        Postgres => &[
            &["BEGIN"],
            &["START TRANSACTION"],
            &["BEGIN ISOLATION LEVEL REPEATABLE READ"],
            &["BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE"],
            &["BEGIN", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"],
            &["BEGIN", "SET LOCAL lock_timeout = '10s'"],
        ],
        Mysql => &[
            &["BEGIN"],
            &["START TRANSACTION"],
            &["START TRANSACTION WITH CONSISTENT SNAPSHOT"],
            &["SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION"],
            &["SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", "BEGIN"],
            &["START TRANSACTION READ WRITE"],
            &["SET autocommit = 0"],
        ],
        _ => &[
            &["BEGIN"],
            &["BEGIN IMMEDIATE"],
            &["BEGIN DEFERRED TRANSACTION"],
            &["BEGIN EXCLUSIVE"],
        ],
    };
    let ends: &[&str] = match kind {
        Mysql => &["COMMIT", "COMMIT", "COMMIT WORK"],
        Postgres => &["COMMIT", "COMMIT", "END", "COMMIT AND CHAIN"],
        _ => &["COMMIT", "COMMIT", "END"],
    };
    if dice.chance(12) {
        let place = dice.number(0, steps.len());
        steps.insert(place, line("SAVEPOINT s"));
        if dice.chance(50) {
            let back = dice.number(place + 1, steps.len());
            steps.insert(back, line(dice.one(&["RELEASE SAVEPOINT s", "ROLLBACK TO SAVEPOINT s"])));
        }
    }
    let begin = dice.one(begins).iter().map(|text| line(text));
    steps.splice(0..0, begin);
    steps.push(line(dice.one(ends)));
}
