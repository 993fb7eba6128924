//! Every order of the sessions' steps, where a file lists none: the first session's first.

use super::{PermutationStep, Spec, StepId};

/// How far each session is, and the steps so far.
struct Piles<'a, F> {
    spec: &'a Spec,
    taken: Vec<usize>,
    so_far: Vec<PermutationStep>,
    found: F,
}

impl Spec {
    /// Hands on every order of all sessions' steps, until `found` fails.
    ///
    /// # Errors
    /// That of `found`.
    pub(crate) fn each_interleaving<E>(
        &self,
        found: impl FnMut(&[PermutationStep]) -> Result<(), E>,
    ) -> Result<(), E> {
        let taken = vec![0; self.sessions.len()];
        Piles { spec: self, taken, so_far: Vec::new(), found }.next()
    }

    /// How many orders of all sessions' steps there are; none if they are more than can be counted.
    pub(crate) fn interleavings(&self) -> Option<u128> {
        let mut placed: u128 = 0;
        let mut orders: u128 = 1;
        for session in &self.sessions {
            for step in 1..=session.steps.len() as u128 {
                placed += 1;
                orders = orders.checked_mul(placed)? / step;
            }
        }
        Some(orders)
    }
}

impl<E, F: FnMut(&[PermutationStep]) -> Result<(), E>> Piles<'_, F> {
    fn next(&mut self) -> Result<(), E> {
        let mut is_last = true;
        for session in 0..self.taken.len() {
            let step = self.taken[session];
            if step == self.spec.sessions[session].steps.len() {
                continue;
            }
            is_last = false;
            let step = StepId { session, step };
            self.so_far.push(PermutationStep { step, markers: Vec::new() });
            self.taken[session] += 1;
            self.next()?;
            self.taken[session] -= 1;
            self.so_far.pop();
        }
        if is_last { (self.found)(&self.so_far) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(steps: &[usize]) -> Spec {
        let mut source = String::new();
        for (session, steps) in steps.iter().enumerate() {
            source += &format!("session s{session}\n");
            for step in 0..*steps {
                source += &format!("step s{session}_{step} {{ }}\n");
            }
        }
        Spec::parse("x", &source).unwrap()
    }

    #[test]
    fn interleavings_are_as_many_as_the_multinomial_coefficient_says() {
        for (steps, orders) in [(vec![2, 2], 6), (vec![3, 2, 1], 60), (vec![4, 4], 70)] {
            let spec = spec(&steps);
            let mut all = Vec::new();
            let done: Result<(), ()> = spec.each_interleaving(|order| {
                all.push(order.iter().map(|one| one.step).collect::<Vec<_>>());
                Ok(())
            });
            assert_eq!(done, Ok(()));
            assert_eq!(all.len() as u128, orders);
            assert_eq!(spec.interleavings(), Some(orders));
            assert!(all.is_sorted());
            all.dedup();
            assert_eq!(all.len() as u128, orders);
        }
    }

    #[test]
    fn too_many_interleavings_are_not_counted() {
        assert_eq!(spec(&[60, 60, 60]).interleavings(), None);
    }
}
