//! A seed makes a checkout: what it is for, how it is protected, how it is spelled, and what stands between.

use oversell_sim::stores::StoreKind::{self, Mysql, Postgres, Redis, Sqlite};

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
    let spelling = Spelling::of(kind, &WORDS, dice);
    let tables = Tables::of(&spelling, dice);
    let mut ways = Vec::new();
    let several = dice.chance(35);
    let first_is_soup = dice.chance(35);
    ways.push(if first_is_soup { soup(kind, &tables, dice) } else { any_way(kind, &tables, dice) });
    for _ in 0..if several { dice.number(1, 2) } else { 0 } {
        let other =
            if dice.chance(60) { soup(kind, &tables, dice) } else { any_way(kind, &tables, dice) };
        ways.push(other);
    }
    let roles: Vec<Role> = ways
        .iter()
        .zip(["buyer", "clerk", "courier"])
        .map(|(way, name)| Role { name, buys: name == "buyer", steps: steps(way, &spelling, dice) })
        .collect();
    let is_small = roles.len() == 1 && roles[0].steps.len() <= 3;
    let buyers = match roles.len() {
        1 if is_small && dice.chance(30) => 3,
        1 => 2,
        roles => roles,
    };
    let is_audited = roles.len() == 1 && ways[0].sells && dice.chance(70);
    let audit = is_audited.then(|| {
        (
            spelling.plainly("SELECT id, stock FROM {goods} WHERE id = 1"),
            spelling.plainly("SELECT buyer, COALESCE(item, 1), qty FROM {sales}"),
        )
    });
    let rules =
        ways.iter().enumerate().filter(|(place, way)| !way.sells || !is_audited || *place > 0);
    let mut never: Vec<(String, String)> =
        rules.map(|(place, way)| (format!("rule {place}"), spelling.plainly(way.rule))).collect();
    if tables.has_trigger {
        let counted =
            "SELECT n FROM {tally} WHERE id = 3 AND n <> 1 + (SELECT COUNT(*) FROM {sales})";
        never.push(("miscounted".into(), spelling.plainly(counted)));
    }
    if never.is_empty() {
        never.push((
            "an order of nothing".into(),
            spelling.plainly("SELECT id FROM {sales} WHERE qty = 0"),
        ));
    }
    // Buyers whose number decides what they do are not alike.
    let told_apart = |way: &Way| {
        first_is_soup
            || way.steps.iter().any(|step| {
                ["= :buyer", "WHEN :buyer", "- :buyer"].iter().any(|use_| step.text.contains(use_))
            })
    };
    let titles: Vec<&str> = ways.iter().map(|way| way.name).collect();
    Recipe {
        title: format!("{} (seed {seed})", titles.join("; ")),
        store: kind,
        schema: tables.schema,
        seed: tables.seed,
        setup: Vec::new(),
        alike: roles.len() == 1 && !told_apart(&ways[0]) && dice.chance(30),
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
        audit,
        never,
    }
}

/// What a role says: the steps of its way, in a transaction or not, with others between them.
fn steps(way: &Way, spelling: &Spelling, dice: &mut Dice) -> Vec<Line> {
    let kind = spelling.kind;
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
    for step in &mut steps {
        step.text = spelling.say(&step.text, dice);
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
