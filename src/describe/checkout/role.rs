//! A party that acts in a checkout, and in which order it makes its steps.

use std::ops::Range;

use super::step::Step;

/// A party that acts in a checkout: a customer, a webhook or a second tab of that customer, or a job that exists once.
#[derive(Clone, Debug)]
pub struct Role {
    /// What it is called; empty if there is only one.
    pub name: String,
    /// Whether it comes to buy, so that the audit counts what it is promised.
    pub buys: bool,
    /// Whether it exists one time in all, for no customer: a worker, a scheduled job.
    pub once: bool,
    /// What it does.
    pub steps: Vec<Step>,
    /// The steps that are made for each product of the cart: all of a loop for the first product, then all for the next.
    /// In the order of the steps.
    pub loops: Vec<Range<usize>>,
}

impl Role {
    /// The step in this place, counted from 0, if the cart has so many products; and, in a loop, the product that it is
    /// made for. None behind the last step.
    #[must_use]
    pub fn step_at(&self, place: usize, products: usize) -> Option<(usize, Option<usize>)> {
        // The first step that is still to be counted, and its place.
        let (mut step, mut reached) = (0, 0);
        for each in &self.loops {
            let before = each.start.saturating_sub(step);
            let (begins, ends) = (reached + before, reached + before + each.len() * products);
            if place < begins {
                break;
            }
            if place < ends {
                let within = place - begins;
                return Some((each.start + within % each.len(), Some(within / each.len())));
            }
            (step, reached) = (each.end, ends);
        }
        let step = step + (place - reached);
        (step < self.steps.len()).then_some((step, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::checkout::{Call, Step};

    fn role(steps: usize, loops: &[(usize, usize)]) -> Role {
        let step = Step {
            name: None,
            line: 1,
            call: Call::word("PING"),
            when: None,
            save: Vec::new(),
            ends: Vec::new(),
            if_refused: None,
        };
        let steps = vec![step; steps];
        let loops = loops.iter().map(|(begins, ends)| *begins..*ends).collect();
        Role { name: String::new(), buys: true, once: false, steps, loops }
    }

    fn places(role: &Role, products: usize) -> Vec<(usize, Option<usize>)> {
        (0..).map_while(|place| role.step_at(place, products)).collect()
    }

    #[test]
    fn a_loop_is_made_for_one_product_after_the_other() {
        let none = None;
        let one = Some(0);
        let two = Some(1);
        assert_eq!(places(&role(3, &[]), 2), [(0, none), (1, none), (2, none)]);
        assert_eq!(
            places(&role(4, &[(1, 3)]), 2),
            [(0, none), (1, one), (2, one), (1, two), (2, two), (3, none)]
        );
        assert_eq!(
            places(&role(3, &[(0, 1), (1, 3)]), 2),
            [(0, one), (0, two), (1, one), (2, one), (1, two), (2, two)]
        );
        assert_eq!(places(&role(2, &[(0, 1)]), 1), [(0, one), (1, none)]);
        assert_eq!(places(&role(2, &[(1, 2)]), 3), [(0, none), (1, one), (1, two), (1, Some(2))]);
    }
}
