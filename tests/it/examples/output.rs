//! What of an output is the same each time its command is run, and what is shown of it.

/// How much of an output is certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certain {
    /// Every character: nothing is measured.
    All,
    /// All but what a clock shows and which versions are installed where.
    AllButTimes,
    /// What the operating system does not decide: words, settings, and what a safe checkout sells.
    Words,
}

impl Certain {
    /// Of what a command prints.
    pub(crate) fn of(command: &str) -> Self {
        let verb = command.split("oversell-sim ").nth(1).unwrap_or_default();
        if command.contains("check --checkout") {
            return Self::AllButTimes;
        }
        match verb.split_whitespace().next().unwrap_or_default() {
            "race" | "compare" | "sweep" | "check" => Self::Words,
            "explore" | "stores" | "doctor" => Self::AllButTimes,
            _ => Self::All,
        }
    }
}

/// The mark in a document for lines that are left out.
const LEFT_OUT: &str = "…";

/// What a document shows of an output: some first lines and, after lines that are left out, some last ones.
pub(crate) struct Shown<'a> {
    first: &'a [String],
    last: Option<&'a [String]>,
}

impl<'a> Shown<'a> {
    pub(crate) fn of(lines: &'a [String]) -> Self {
        let end = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
        let lines = &lines[..end];
        match lines.iter().position(|line| line.trim() == LEFT_OUT) {
            None => Self { first: lines, last: None },
            Some(place) => {
                let last = &lines[place + 1..];
                let is_one = last.iter().all(|line| line.trim() != LEFT_OUT);
                assert!(is_one, "an output can leave out lines in one place only: {lines:#?}");
                Self { first: &lines[..place], last: Some(last) }
            }
        }
    }

    /// The same parts of a fresh output.
    pub(crate) fn same_of(&self, fresh: &[String]) -> Vec<String> {
        let Some(last) = self.last else { return fresh.to_vec() };
        let head = self.first.len().min(fresh.len());
        let tail = last.len().min(fresh.len() - head);
        let left_out = std::iter::once(format!(" {LEFT_OUT}"));
        let end = fresh[fresh.len() - tail..].iter().cloned();
        fresh[..head].iter().cloned().chain(left_out).chain(end).collect()
    }
}

/// What is certain of some lines. Where the operating system decides, it also decides their order.
pub(crate) fn certain(lines: &[String], certain: Certain) -> Vec<String> {
    let end = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
    let is_safe = lines.iter().any(|line| line.contains("SAFE SO FAR"));
    let shape = |line: &String| match certain {
        Certain::All => line.trim_end().to_owned(),
        Certain::AllButTimes => without_times(line),
        Certain::Words => words(line, is_safe),
    };
    let mut shapes: Vec<String> = lines[..end].iter().map(shape).collect();
    if certain == Certain::Words {
        shapes.sort();
    }
    shapes
}

/// Whether a word is a figure, perhaps with a sign before it or a `×` behind it.
fn is_figure(word: &str) -> bool {
    word.chars().any(|sign| sign.is_ascii_digit())
        && word.chars().all(|sign| sign.is_ascii_digit() || ".,+-×%".contains(sign))
}

/// The units in which times are told.
const TIMES: [&str; 6] = ["ns", "µs", "ms", "s", "min", "h"];

/// Servers, before their versions.
const SERVERS: [&str; 5] = ["SQLite", "PostgreSQL", "MariaDB", "Redis", "etcd"];

/// A line without measured times, rates, sizes, versions and the places of programs.
fn without_times(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let bare = |word: &str| word.trim_end_matches([',', ')', ';']).to_owned();
    let is_measured = |place: usize| {
        let next = words.get(place + 1).map(|next| bare(next)).unwrap_or_default();
        let is_rate = words.get(place + 2..place + 4) == Some(&["a", "second"])
            || words.get(place + 2..place + 4) == Some(&["a", "second,"]);
        let is_size = words.get(place + 1..place + 4) == Some(&["bytes", "a", "state"]);
        let before = place.checked_sub(1).map(|before| words[before]);
        let is_version = before.is_some_and(|before| SERVERS.contains(&before));
        let is_span = TIMES.contains(&next.as_str());
        (is_figure(&bare(words[place])) && (is_span || is_rate || is_size)) || is_version
    };
    let shape = |place: usize| {
        let before = place.checked_sub(1).map(|before| words[before]);
        let word = bare(words[place]);
        let is_unit =
            TIMES.contains(&word.as_str()) && before.is_some_and(|it| is_figure(&bare(it)));
        match words[place] {
            _ if is_measured(place) => "#".to_owned(),
            _ if is_unit => words[place].replace(&word, "time"),
            word if word.starts_with('/') => "PLACE".to_owned(),
            word => word.to_owned(),
        }
    };
    let shapes: Vec<String> = (0..words.len()).map(shape).collect();
    match shapes == words {
        // Where nothing is measured, columns stand where they stand.
        true => line.trim_end().to_owned(),
        false => shapes.join(" "),
    }
}

/// A line's words, with only those figures that the command or a safe checkout's arithmetic decides.
fn words(line: &str, is_safe: bool) -> String {
    const ASKED_FOR: [&str; 7] = ["buyers", "unit", "unit,", "threads", "round", "rounds", "in"];
    const SOLD: [&str; 7] =
        ["winners", "units sold", "rejected", "oversold", "undersold", "stock left", "SAFE SO FAR"];
    let all: Vec<&str> = line.split_whitespace().collect();
    let is_time = |place: usize| {
        all.get(place).is_some_and(|word| TIMES.contains(word))
            && place > 0
            && is_figure(all[place - 1])
    };
    let shape = |place: usize| {
        let before = place.checked_sub(1).map_or("", |before| all[before]);
        let next = all.get(place + 1).copied().unwrap_or_default();
        let is_flag = before.starts_with("--") && before != "--seed";
        let label = all[..place].join(" ");
        let is_sold = is_safe && SOLD.iter().any(|sold| label.ends_with(sold));
        match all[place] {
            _ if is_time(place) => "time",
            word if !is_figure(word) => word,
            word if before == "think" || is_flag || is_sold || ASKED_FOR.contains(&next) => word,
            _ => "#",
        }
    };
    (0..all.len()).map(shape).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn of_a_search_everything_counts_but_times_rates_and_versions() {
        let one = lines(
            " BROKEN on PostgreSQL 15.18, shortest way: 4 steps\n in 144 µs · 48,744 states a second",
        );
        let same = lines(
            " BROKEN on PostgreSQL 16.1, shortest way: 4 steps\n in 2.1 ms · 7 states a second",
        );
        let other = lines(
            " BROKEN on PostgreSQL 15.18, shortest way: 5 steps\n in 144 µs · 48,744 states a second",
        );
        let shape = |lines: &[String]| certain(lines, Certain::AllButTimes);
        assert_eq!(shape(&one), shape(&same));
        assert_ne!(shape(&one), shape(&other));
    }

    #[test]
    fn of_a_safe_race_what_is_sold_counts_and_not_how_long_it_took() {
        let one = lines(
            " SAFE SO FAR  1 unit, 1 sold\n winners  1  attempts  1,098\n abandoned  0  work thrown away  0.6 %\n p50  31 ns",
        );
        let same = lines(
            " SAFE SO FAR  1 unit, 1 sold\n winners  1  attempts  1,312\n abandoned  0  work thrown away  0.7 %\n p50  1.2 ms",
        );
        let other = lines(
            " SAFE SO FAR  1 unit, 1 sold\n winners  2  attempts  1,098\n abandoned  0  work thrown away  0.6 %\n p50  31 ns",
        );
        let shape = |lines: &[String]| certain(lines, Certain::Words);
        assert_eq!(shape(&one), shape(&same));
        assert_ne!(shape(&one), shape(&other));
    }

    #[test]
    fn lines_that_a_document_leaves_out_are_left_out_of_a_fresh_output() {
        let document = lines("a\nb\n …\ny");
        let fresh = lines("1\n2\n3\n4\n5");
        assert_eq!(Shown::of(&document).same_of(&fresh), lines("1\n2\n …\n5"));
    }
}
