//! Checkouts as Redis sees them: single commands, watched keys, scripts.

use oversell_sim::StoreKind;

use super::dice::Dice;
use super::recipe::{Line, Recipe, Role, line};

/// A rule that finds a second order.
const ONE_ORDER: &str = "LRANGE orders 1 -1";
/// A rule that finds a number that was used twice.
const NUMBERS_DIFFER: &str = "ZRANGEBYSCORE numbers 2 +inf";

/// Takes a unit if there is one, and writes the order.
const TAKE: &str = "local left = tonumber(redis.call('GET', KEYS[1]))
if left < tonumber(ARGV[1]) then return 0 end
redis.call('DECRBY', KEYS[1], ARGV[1])
if KEYS[2] then redis.call('RPUSH', KEYS[2], ARGV[2] .. ',1,' .. ARGV[1]) end
return 1
";

/// A checkout in commands.
pub(super) fn recipe(seed: u64, dice: &mut Dice) -> Recipe {
    let (title, sells, rule, mut steps) = dice.any(&ways()).clone();
    if dice.chance(30) {
        let place = dice.number(0, steps.len());
        // Between MULTI and EXEC nothing is answered yet, so what is put there must not look.
        steps.insert(
            place,
            line(dice.one(&[
                "INCR visits",
                "SET seen:{buyer} it's",
                "HINCRBY cart:1 units 1",
                "LPUSH log {buyer}",
            ])),
        );
    }
    let mut roles = vec![Role { name: "buyer", buys: true, steps }];
    if dice.chance(25) {
        let steps = match dice.number(0, 2) {
            0 => vec![line("GET stock:1").save("had"), line("SET price {had}")],
            1 => vec![line("WATCH stock:1"), line("MULTI"), line("INCR visits"), line("EXEC")],
            _ => vec![line("APPEND notes x"), line("STRLEN notes").save("long")],
        };
        roles.push(Role { name: "clerk", buys: false, steps });
    }
    let buyers = if roles.len() == 1 { dice.number(2, 3) } else { 2 };
    let audit = sells.then(|| ("GET stock:1".to_owned(), "LRANGE orders 0 -1".to_owned()));
    Recipe {
        title: format!("{title} (seed {seed})"),
        store: StoreKind::Redis,
        schema: Vec::new(),
        seed: Vec::new(),
        setup: vec!["SET stock:1 1".into(), "SET next 1".into()],
        alike: roles.len() == 1 && dice.chance(30),
        buyers,
        retries: dice.number(0, 2),
        isolation: None,
        roles,
        audit,
        never: vec![("what must not be".into(), rule.into())],
    }
}

type Way = (&'static str, bool, &'static str, Vec<Line>);

fn ways() -> Vec<Way> {
    let look = || line("GET stock:{item}").save("stock").sold_out("stock < qty");
    let take = || line("DECRBY stock:{item} {qty}");
    let order = || line("RPUSH orders {buyer},{item},{qty}");
    let watch = |key| line(key);
    let unlock = || line("DEL lock:{item}");
    let lock = || line("SET lock:{item} {buyer} NX").save("got?").conflict("rows = 0");
    let sell = |title, steps: &[Line]| (title, true, ONE_ORDER, steps.to_vec());
    vec![
        sell("looks, then takes", &[look(), take(), order()]),
        sell("looks, then writes", &[look(), line("SET stock:{item} 0"), order()]),
        sell(
            "takes, then gives back",
            &[
                line("DECR stock:{item}").save("left"),
                line("INCR stock:{item}").when("left < 0").sold_out("rows = 1"),
                order(),
            ],
        ),
        sell(
            "watches what it takes",
            &[watch("WATCH stock:{item}"), look(), line("MULTI"), take(), order(), line("EXEC")],
        ),
        sell(
            "watches something else",
            &[watch("WATCH orders:{buyer}"), look(), line("MULTI"), take(), order(), line("EXEC")],
        ),
        sell(
            "watches too late",
            &[look(), watch("WATCH stock:{item}"), line("MULTI"), take(), order(), line("EXEC")],
        ),
        sell("collects what it changes", &[look(), line("MULTI"), take(), order(), line("EXEC")]),
        sell(
            "takes in a script",
            &[
                line(TAKE).script(&["stock:{item}"], &["{qty}"]).save("got").sold_out("got = 0"),
                order(),
            ],
        ),
        sell(
            "takes and orders in a script",
            &[line(TAKE)
                .script(&["stock:{item}", "orders"], &["{qty}", "{buyer}"])
                .save("got")
                .sold_out("got = 0")],
        ),
        sell(
            "looks, then takes in a script",
            &[look(), line(TAKE).script(&["stock:{item}"], &["{qty}"]), order()],
        ),
        sell("locks, looks and takes", &[lock(), look(), take(), order(), unlock()]),
        sell("locks too late", &[look(), lock(), take(), order(), unlock()]),
        (
            "uses a number of its own",
            false,
            NUMBERS_DIFFER,
            vec![line("INCR next").save("n"), line("ZINCRBY numbers 1 {n}")],
        ),
        (
            "uses the number that it saw",
            false,
            NUMBERS_DIFFER,
            vec![line("GET next").save("n"), line("INCR next"), line("ZINCRBY numbers 1 {n}")],
        ),
        (
            "takes the only invitation",
            false,
            ONE_ORDER,
            vec![line("SETNX invited {buyer}").save("first").sold_out("first = 0"), order()],
        ),
        (
            "counts, then comes in",
            false,
            ONE_ORDER,
            vec![line("LLEN orders").save("c").sold_out("c > 0"), order()],
        ),
        (
            "comes in unless it is there",
            false,
            ONE_ORDER,
            vec![line("SADD guests x").save("new").sold_out("new = 0"), order()],
        ),
    ]
}
