//! Plots as plain figures: where each mark is in a picture of a fixed size. The templates draw them, and the style sheet
//! gives them their colours, so that both themes and print have their own.

use serde::Serialize;

use crate::base::text::quantity::{count, duration};

/// The size of a picture, and its margins, in its own units.
const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 26.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 44.0;

/// The fewest ticks of an axis, as far as its values allow.
const TICKS: f64 = 4.0;

/// What an axis measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Nanoseconds.
    Duration,
    /// A number of things.
    Count,
    /// A share, from 0 to 1.
    Share,
}

/// How values are mapped to places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    least: f64,
    most: f64,
    is_log: bool,
    unit: Unit,
}

impl Scale {
    /// From 0 to at least `most`.
    pub(super) fn linear(most: f64, unit: Unit) -> Self {
        Self { least: 0.0, most: if most > 0.0 { most } else { 1.0 }, is_log: false, unit }
    }

    /// Logarithmic, from `least` to `most`, both above 0.
    pub(super) fn log(least: f64, most: f64, unit: Unit) -> Self {
        let least = least.max(1e-9);
        Self { least, most: most.max(least * 1.01), is_log: true, unit }
    }

    /// Where a value is, from 0 to 1.
    pub(super) fn share(self, value: f64) -> f64 {
        let place = |value: f64| if self.is_log { value.max(self.least).ln() } else { value };
        let (least, most) = (place(self.least), place(self.most));
        ((place(value) - least) / (most - least)).clamp(0.0, 1.0)
    }

    fn x(self, value: f64) -> f64 {
        tenth(LEFT + self.share(value) * (WIDTH - LEFT - RIGHT))
    }

    fn y(self, value: f64) -> f64 {
        tenth(HEIGHT - BOTTOM - self.share(value) * (HEIGHT - TOP - BOTTOM))
    }

    /// Values at which the axis has a tick: 1, 2 or 5 times a power of ten.
    pub(super) fn ticks(self) -> Vec<f64> {
        if self.is_log {
            let decades = (self.most / self.least).log10();
            let factors: &[f64] = match decades {
                few if few < 1.5 => &[1.0, 2.0, 5.0],
                some if some < 3.0 => &[1.0, 3.0],
                _ => &[1.0],
            };
            let powers = self.least.log10().floor() as i32..=self.most.log10().ceil() as i32;
            let all = powers.flat_map(|power| factors.iter().map(move |f| f * 10_f64.powi(power)));
            return all.filter(|tick| (self.least..=self.most).contains(tick)).collect();
        }
        let rough = (self.most - self.least) / TICKS;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0].map(|factor| factor * power).into_iter();
        let step = step.rev().find(|step| *step <= rough).unwrap_or(power);
        // Things come whole.
        let step = if self.unit == Unit::Count { step.max(1.0) } else { step };
        let number = ((self.most - self.least) / step + 1e-9).floor() as u32;
        (0..=number).map(|place| self.least + f64::from(place) * step).collect()
    }

    pub(super) fn word(self, value: f64) -> String {
        match self.unit {
            Unit::Duration => duration(value.round() as u64),
            Unit::Count => count(value.round() as u64),
            Unit::Share => format!("{:.0} %", value * 100.0),
        }
    }
}

/// Rounded, which is exact enough for a picture and short.
pub(super) fn tenth(place: f64) -> f64 {
    (place * 10.0).round() / 10.0
}

#[derive(Debug, Serialize)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) text: String,
}

#[derive(Debug, Serialize)]
struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    /// What it stands for, in words.
    text: String,
}

#[derive(Debug, Serialize)]
struct Series {
    label: String,
    points: String,
}

/// A plot.
#[derive(Debug, Serialize)]
pub(super) struct Plot {
    title: String,
    /// What there is to see, for those who do not see it.
    description: String,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x_label: String,
    y_label: String,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    bars: Vec<Bar>,
    series: Vec<Series>,
    #[serde(skip)]
    x: Scale,
    #[serde(skip)]
    y: Scale,
}

impl Plot {
    pub(super) fn new(title: &str, x: (&str, Scale), y: (&str, Scale)) -> Self {
        let ((x_label, x), (y_label, y)) = (x, y);
        let tick = |scale: Scale, at: fn(Scale, f64) -> f64| -> Vec<Tick> {
            let tick = |value| Tick { at: at(scale, value), text: scale.word(value) };
            scale.ticks().into_iter().map(tick).collect()
        };
        Self {
            title: title.to_owned(),
            description: String::new(),
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: WIDTH - RIGHT,
            top: TOP,
            bottom: HEIGHT - BOTTOM,
            x_label: x_label.to_owned(),
            y_label: y_label.to_owned(),
            x_ticks: tick(x, Scale::x),
            y_ticks: tick(y, Scale::y),
            bars: Vec::new(),
            series: Vec::new(),
            x,
            y,
        }
    }

    /// The same, with what there is to see in words.
    pub(super) fn described(self, description: String) -> Self {
        Self { description, ..self }
    }

    /// The same, with a bar from `from` to `to`, as high as `value`.
    pub(super) fn bar(mut self, from: f64, to: f64, value: f64) -> Self {
        let (left, right) = (self.x.x(from), self.x.x(to));
        let y = self.y.y(value);
        let text = format!("{} to {}: {}", self.x.word(from), self.x.word(to), self.y.word(value));
        let width = tenth((right - left - 1.0).max(1.0));
        let height = tenth(self.y.y(0.0) - y);
        self.bars.push(Bar { x: left, y, width, height, text });
        self
    }

    /// The same, with a line through these points.
    pub(super) fn line(
        mut self,
        label: &str,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        let points = points.into_iter();
        let places = points.map(|(x, y)| format!("{},{}", self.x.x(x), self.y.y(y)));
        let points = places.collect::<Vec<_>>().join(" ");
        self.series.push(Series { label: label.to_owned(), points });
        self
    }
}

/// Values of several contenders beside each other: a box from quartile to quartile, whiskers to the extremes, and a dot
/// for each value.
#[derive(Debug, Serialize)]
pub(super) struct Boxes {
    title: String,
    width: f64,
    height: f64,
    left: f64,
    bottom: f64,
    x_label: String,
    ticks: Vec<Tick>,
    rows: Vec<BoxRow>,
}

#[derive(Debug, Serialize)]
struct BoxRow {
    label: String,
    y: f64,
    /// Where the smallest value, the quartiles and the largest are.
    at: [f64; 5],
    dots: Vec<f64>,
    text: String,
    is_ranked: bool,
}

/// Name, the five numbers, all values, the same in words, and whether it is ranked.
pub(super) type BoxOf = (String, [f64; 5], Vec<f64>, String, bool);

/// Measures of boxes, in the picture's own units.
const BOX_WIDTH: f64 = 760.0;
const BOX_LEFT: f64 = 190.0;
const BOX_RIGHT: f64 = 30.0;
const BOX_ROW: f64 = 40.0;

impl Boxes {
    /// A row for each of these. Durations have a logarithmic axis.
    pub(super) fn new(title: &str, x_label: &str, unit: Unit, all: Vec<BoxOf>) -> Self {
        let values = || all.iter().flat_map(|(_, five, ..)| *five);
        let most = values().fold(0.0, f64::max);
        let least = values().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        let scale = match unit {
            Unit::Duration if least.is_finite() => Scale::log(least * 0.9, most * 1.1, unit),
            _ => Scale::linear(most, unit),
        };
        let x =
            |value: f64| tenth(BOX_LEFT + scale.share(value) * (BOX_WIDTH - BOX_LEFT - BOX_RIGHT));
        let bottom = all.len() as f64 * BOX_ROW + 8.0;
        let tick = |value| Tick { at: x(value), text: scale.word(value) };
        let ticks = scale.ticks().into_iter().map(tick).collect();
        let row = |(place, one): (usize, BoxOf)| {
            let (label, five, values, text, is_ranked) = one;
            let y = (place as f64 + 0.5) * BOX_ROW + 4.0;
            let dots = values.into_iter().map(x).collect();
            BoxRow { label, y, at: five.map(x), dots, text, is_ranked }
        };
        Self {
            title: title.to_owned(),
            width: BOX_WIDTH,
            height: bottom + 40.0,
            left: BOX_LEFT,
            bottom,
            x_label: x_label.to_owned(),
            ticks,
            rows: all.into_iter().enumerate().map(row).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_within_the_axis() {
        assert_eq!(
            Scale::linear(7.0, Unit::Count).ticks(),
            [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
        );
        assert_eq!(Scale::linear(1.0, Unit::Share).ticks(), [0.0, 0.2, 0.4, 3.0 * 0.2, 0.8, 1.0]);
        assert_eq!(
            Scale::log(900.0, 20_000.0, Unit::Duration).ticks(),
            [1_000.0, 2_000.0, 5_000.0, 10_000.0, 20_000.0]
        );
        assert_eq!(Scale::linear(1.0, Unit::Count).ticks(), [0.0, 1.0], "things come whole");
    }

    #[test]
    fn marks_stay_within_the_picture() {
        let scale = Scale::log(10.0, 1_000.0, Unit::Duration);
        for value in [0.0, 10.0, 100.0, 5_000.0] {
            assert!((LEFT..=WIDTH - RIGHT).contains(&scale.x(value)), "{value}");
            assert!((TOP..=HEIGHT - BOTTOM).contains(&scale.y(value)), "{value}");
        }
    }
}
