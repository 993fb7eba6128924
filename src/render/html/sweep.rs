//! A sweep as a page: the setting with the most values is the axis, a plot for each combination of the others, a line for
//! each strategy.

use serde::Serialize;

use super::page::{Line, render};
use super::plot::{Plot, Scale, Unit};
use super::race::Table;
use crate::base::error::Error;
use crate::base::text::quantity::{count, parse_count};
use crate::check::sweep::{Dimension, Sweep, SweepPoint};
use crate::render::sweep::{notes, summary, table};

/// The most plots on a page.
const MOST_PLOTS: usize = 24;

#[derive(Debug, Serialize)]
struct Page {
    title: String,
    command: &'static str,
    about: String,
    lines: Vec<Line>,
    plots: Vec<Plot>,
    table: Option<Table>,
}

/// The page of a sweep.
///
/// # Errors
/// [`Error::World`] if it cannot be written.
pub fn sweep_page(sweep: &Sweep) -> Result<String, Error> {
    let mut lines: Vec<Line> = notes(sweep).iter().map(|note| Line::text("note", note)).collect();
    lines.push(Line::command("again", &sweep.again));
    let names: Vec<&str> = sweep.grid.dimensions.iter().map(|one| one.name.as_str()).collect();
    render(
        "sweep.html",
        Page {
            title: format!("sweep {}", names.join(", ")),
            command: "sweep",
            about: summary(sweep),
            lines,
            plots: plots(sweep),
            table: Table::of("all", table(sweep)),
        },
    )
}

/// A count as a number; none for other values.
fn number(text: &str) -> Option<f64> {
    parse_count(text, 0, u64::MAX).ok().map(|number| number as f64)
}

/// The setting that the axis shows: the one with the most values, if all of them are counts.
fn axis(dimensions: &[Dimension]) -> Option<&Dimension> {
    let counts = dimensions.iter().filter(|one| one.values.iter().all(|it| number(it).is_some()));
    counts.filter(|one| one.values.len() > 1).max_by_key(|one| one.values.len())
}

fn plots(sweep: &Sweep) -> Vec<Plot> {
    let Some(axis) = axis(&sweep.grid.dimensions) else { return Vec::new() };
    // Where the other settings have the same values, points belong to one plot.
    let others = |point: &SweepPoint| {
        let all = sweep.grid.dimensions.iter().filter(|one| one.name != axis.name);
        let said = all.map(|one| {
            let value = point.place.at.get(&one.name).map_or("", String::as_str);
            format!("{} {value}", one.name)
        });
        said.collect::<Vec<_>>().join(", ")
    };
    let mut groups: Vec<(String, Vec<&SweepPoint>)> = Vec::new();
    for point in &sweep.points {
        let key = others(point);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, points)) => points.push(point),
            None => groups.push((key, vec![point])),
        }
    }
    let elapsed = |point: &SweepPoint| point.numbers().map(|numbers| numbers.median);
    let p99 = |point: &SweepPoint| point.figures.get("latency.p99").copied();
    let of_group = |(key, points): &(String, Vec<&SweepPoint>)| {
        [
            plot(sweep, axis, key, points, "time of a round (median)", &elapsed),
            plot(sweep, axis, key, points, "from click to answer (p99)", &p99),
        ]
    };
    groups.iter().flat_map(of_group).flatten().take(MOST_PLOTS).collect()
}

/// One figure over the axis, a line for each strategy; none if there are no two values of it.
fn plot(
    sweep: &Sweep,
    axis: &Dimension,
    key: &str,
    points: &[&SweepPoint],
    what: &str,
    figure: &dyn Fn(&SweepPoint) -> Option<f64>,
) -> Option<Plot> {
    let at = |point: &SweepPoint| point.place.at.get(&axis.name).and_then(|text| number(text));
    let series: Vec<(&str, Vec<(f64, f64)>)> = sweep
        .grid
        .strategies
        .iter()
        .map(|name| {
            let its = points.iter().filter(|point| point.place.strategy == *name);
            let places = its.filter_map(|point| Some((at(point)?, figure(point)?)));
            (name.as_str(), places.filter(|(_, value)| *value > 0.0).collect())
        })
        .collect();
    let all = || series.iter().flat_map(|(_, points)| points);
    let least = |of: fn(&(f64, f64)) -> f64| all().map(of).fold(f64::INFINITY, f64::min);
    let most = |of: fn(&(f64, f64)) -> f64| all().map(of).fold(0.0, f64::max);
    if all().count() < 2 {
        return None;
    }
    let x = Scale::log(least(|it| it.0).max(1.0), most(|it| it.0), Unit::Count);
    let y = Scale::log(least(|it| it.1) * 0.8, most(|it| it.1) * 1.2, Unit::Duration);
    let title = match key {
        "" => what.to_owned(),
        others => format!("{what}, {others}"),
    };
    let plot = Plot::new(&title, (&axis.name, x), (what, y)).described(format!(
        "From {} to {} {}; the table has every value.",
        count(least(|it| it.0) as u64),
        count(most(|it| it.0) as u64),
        axis.name
    ));
    Some(series.into_iter().fold(plot, |plot, (name, points)| plot.line(name, points)))
}
