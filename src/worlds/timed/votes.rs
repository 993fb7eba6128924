//! Votes: an op goes to the group that agrees on it, and its answer goes back to the task that asked.

use super::event::Event;
use super::quorum::{MemberId, Topic};
use super::replicated_state_machine::{GroupCommand, Machine};
use super::seat::SubjectId;
use super::sim_config::Blow;
use super::story::StoryLine;
use super::visit_recorder::VisitRecorder;
use super::world::TimedWorld;
use crate::domain::attempt::{Failure, Missed};
use crate::domain::op::{BuyerId, Op, Reply};
use crate::scheduler::Actor;

/// The least time until the group is asked again, in ns.
const A_WHILE_NS: u64 = 1_000_000;

impl<G: VisitRecorder> TimedWorld<'_, G> {
    /// A task's op arrives at the shop, which proposes it to the leader as soon as it knows of one.
    pub(super) fn ask_council(&mut self, number: usize, op: Op) {
        let buyer = self.seats[self.tasks[number].seat].buyer;
        let now = self.now();
        let Some(quorum) = &self.scene.quorum else { return };
        let Some(council) = &mut self.council else { return };
        council.questions += 1;
        let question = council.questions;
        council.asked.insert(question, number);
        self.event_queue
            .enter(now + quorum.answer_within_ns, Event::TimeOut(question as SubjectId));
        if let Some(leader) = council.ask(GroupCommand::Op { question, buyer, op }) {
            self.story.tell(now, || {
                let words = format!("sequencer: {} is number {question}", Actor::Buyer(buyer));
                (quorum.members[leader].0.clone(), words)
            });
            self.after_group_moved(leader);
        }
    }

    /// A hold has run out: the group has to agree on that, too.
    pub(super) fn propose_expiry(&mut self, buyer: BuyerId) {
        let now = self.now();
        let Some(quorum) = &self.scene.quorum else { return };
        let Some(council) = &mut self.council else { return };
        if !std::mem::replace(&mut council.asks_again, true) {
            let again = now + quorum.answer_within_ns.max(A_WHILE_NS);
            self.event_queue.enter(again, Event::StillHeld);
        }
        council.running_out.insert(buyer);
        if let Some(leader) = council.ask(GroupCommand::Expire { buyer }) {
            self.after_group_moved(leader);
        }
    }

    /// Proposes once more to end the holds on whose end the group has not agreed yet: the member that was asked
    /// before may have been cut off, and no other member has heard of it then.
    pub(super) fn still_held(&mut self) {
        let Some(council) = &mut self.council else { return };
        council.asks_again = false;
        let buyers: Vec<BuyerId> = council.running_out.iter().copied().collect();
        for buyer in buyers {
            self.propose_expiry(buyer);
        }
    }

    /// Something happens among members.
    pub(super) fn council_event(&mut self, event: Event) {
        let now = self.now();
        let Some(quorum) = &self.scene.quorum else { return };
        let Some(council) = &mut self.council else { return };
        match event {
            Event::Tick(member) => {
                let member = member as MemberId;
                council.tick(member, quorum, &mut self.event_queue);
                self.after_group_moved(member);
            }
            Event::Letter(number) => {
                let (from, to, about, sent_ns) = council.letter(number as usize);
                if let Some(about) = about {
                    self.story.tell_line(|| {
                        let name = |member: MemberId| quorum.members[member].0.clone();
                        let from = name(from);
                        let what = match about {
                            Topic::Accept => format!("writes down what {from} proposes"),
                            Topic::Accepted => format!("hears that {from} has it, too"),
                            Topic::Decide => format!("hears from {from} that it is decided"),
                            other => format!("{} from {from}", other.name()),
                        };
                        StoryLine::new(now, name(to), what).sent_from(&from, sent_ns)
                    });
                }
                self.after_group_moved(to);
            }
            Event::Blow(number) => {
                let blow = council.blows[number as usize].clone();
                let name = |member: &MemberId| quorum.members[*member].0.clone();
                let (place, what) = match &blow {
                    Blow::Partition(members) => {
                        let names: Vec<String> = members.iter().map(name).collect();
                        (names.join(", "), "is cut off from the others")
                    }
                    Blow::Heal => ("network".into(), "every member can reach every other again"),
                    Blow::Crash(member) => (name(member), "dies"),
                    Blow::Restart(member) => (name(member), "is back"),
                };
                self.story.tell(now, || (place, what.to_owned()));
                match blow {
                    Blow::Partition(members) => council.cut_off = members,
                    Blow::Heal => council.cut_off.clear(),
                    Blow::Crash(member) => council.group.crash(member),
                    Blow::Restart(member) => council.group.restart(member),
                }
                self.after_group_moved(0);
            }
            _ => {}
        }
    }

    /// A question has waited long enough for the group.
    pub(super) fn time_out(&mut self, question: u64) {
        let Some(council) = &mut self.council else { return };
        if let Some(number) = council.asked.remove(&question) {
            let seat = self.tasks[number].seat;
            self.tell_shop(seat, |name| format!("no majority answers for {name} in time"));
            self.go_on(number, Some(Err(Missed::Failed(Failure::NoMajority))), self.now());
        }
    }

    /// Carries out what the member `acted` has newly found decided, and answers the tasks that asked if that member
    /// leads. Then sends the letters of all members.
    fn after_group_moved(&mut self, acted: MemberId) {
        let Some(quorum) = &self.scene.quorum else { return };
        let (mut answers, mut held) = (Vec::new(), Vec::new());
        if let Some(council) = &mut self.council {
            let decided = council.group.decided(acted);
            if decided.afresh {
                council.machines[acted] = Machine::new(&council.opening);
            }
            let leads = council.group.leader(acted).is_some_and(|leader| leader.member == acted);
            for command in decided.commands {
                let reply = council.machines[acted].apply(&command);
                match &command {
                    GroupCommand::Expire { buyer } if council.running_out.remove(buyer) => {
                        self.tally.holds_expired +=
                            u64::from(reply == Some(Ok(Reply::Applied(true))));
                    }
                    GroupCommand::Op { question, buyer, op: Op::Hold { .. } }
                        if reply == Some(Ok(Reply::Applied(true)))
                            && council.timed.insert(*question) =>
                    {
                        held.push(*buyer);
                    }
                    _ => {}
                }
                if let (true, GroupCommand::Op { question, op, .. }, Some(reply)) =
                    (leads, &command, reply)
                    && let Some(task) = council.asked.remove(question)
                {
                    answers.push((task, *op, reply));
                }
            }
            council.ask_again();
            council.send(quorum, &mut self.event_queue, &mut self.dice);
        }
        // The hold stands in the group's log: its timer runs whether the buyer has heard of it or not.
        for buyer in held {
            self.timer_runs(None, buyer);
        }
        for (task, op, reply) in answers {
            if matches!(op, Op::Hold { .. }) && reply == Ok(Reply::Applied(true)) {
                self.seats[self.tasks[task].seat].held = true;
            }
            self.replied(task, op, reply);
        }
    }
}
