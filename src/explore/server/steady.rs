//! Makes reports repeatable: removes from a reported order the values that differ each time it is run, such as
//! generated keys, times and random values. Two equal searches then report the same.

use super::results::{Counterexample, judge};
use crate::base::error::Error;
use crate::check::audit::Finding;
use crate::worlds::held::{Harness, ServerStep};

/// Stands in the place of a value that differs each time.
const OTHER: &str = "…";

/// Runs the order once more, and removes from its report the values that came out differently. If the order cannot be
/// run again, its report stays as it is: the finding stands.
pub(in crate::explore) fn hold_still(harness: &mut Harness<'_>, best: &mut Counterexample) {
    let Ok(Some((steps, findings))) = once_more(harness, &best.steps) else { return };
    blend(&mut best.steps, std::slice::from_mut(&mut best.finding), &steps, &findings);
}

/// The steps of an order that was run once more, and its findings then.
type Again = (Vec<ServerStep>, Vec<Finding>);

/// Runs the same steps again, and returns them with the findings; none if a step cannot be made.
fn once_more(harness: &mut Harness<'_>, steps: &[ServerStep]) -> Result<Option<Again>, Error> {
    harness.begin()?;
    let mut again = Vec::with_capacity(steps.len());
    for step in steps {
        match harness.make(step.place, step.statement.act)? {
            Some(step) => again.push(step),
            None => return harness.send_home().map(|_| None),
        }
    }
    let stuck = harness.send_home()?;
    Ok(Some((again, judge(harness, stuck)?.findings)))
}

/// Removes from steps and findings the values that differ in another run of the same order.
pub(in crate::explore) fn blend(
    steps: &mut [ServerStep],
    findings: &mut [Finding],
    steps_again: &[ServerStep],
    findings_again: &[Finding],
) {
    for finding in findings {
        if let Some(same) = findings_again.iter().find(|other| other.kind == finding.kind) {
            finding.proof = common(&finding.proof, &same.proof);
        }
    }
    for (step, again) in steps.iter_mut().zip(steps_again) {
        blend_step(step, again);
    }
}

fn blend_step(step: &mut ServerStep, again: &ServerStep) {
    step.statement.text = common(&step.statement.text, &again.statement.text);
    if let (Some(answer), Some(again)) = (&mut step.answer, &again.answer) {
        *answer = common(answer, again);
    }
    for ((_, answer), (_, again)) in step.went_on.iter_mut().zip(&again.went_on) {
        *answer = common(answer, again);
    }
}

/// The first text, with a sign in the place of each value that differs in the other.
fn common(one: &str, other: &str) -> String {
    if one == other {
        return one.to_owned();
    }
    let (ones, others) = (values(one), values(other));
    if ones.len() != others.len() {
        // Keep the text up to the first difference.
        let same = ones.iter().zip(&others).take_while(|(one, other)| one == other);
        return same.map(|(one, _)| *one).chain([OTHER]).collect();
    }
    let both = ones.iter().zip(&others);
    both.map(|(one, other)| if one == other { one } else { OTHER }).collect()
}

/// Splits a text into values, with their points and hyphens, and the signs between them.
fn values(text: &str) -> Vec<&str> {
    let is_of_value = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '+');
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match is_of_value(first) {
            true => rest.find(|c| !is_of_value(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_other_each_time_is_left_out_and_the_rest_stays() {
        assert_eq!(
            common(
                "unpaid: 9f2c-1, 1, 2030-01-02 03:04:05.6",
                "unpaid: 77aa-2, 1, 2030-01-02 03:04:05.7"
            ),
            "unpaid: …, 1, 2030-01-02 …"
        );
        assert_eq!(common("the same", "the same"), "the same");
        assert_eq!(common("a: 1, 2, 3", "a: 1, 2 …"), "a: 1, 2…");
    }
}
