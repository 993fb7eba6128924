//! A process group, as libraries for message passing call it: the processes of one piece of work. In each round every process sends one message to every other, and waits for
//! one from each, so all of them are always at the same round.
//!
//! Every wait has a bound: a process that lives says so every second, however long its own work takes.

mod link;
mod rendezvous;

use std::time::Duration;

use super::control::Control;
use super::error::Error;
use link::Link;
pub(crate) use rendezvous::Rendezvous;

/// A process that has said nothing for this long is lost.
const SILENCE: Duration = Duration::from_secs(20);

/// The time between two looks whether another process has come.
const GLANCE: Duration = Duration::from_millis(40);

/// Connections to all other processes.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    me: usize,
    /// By process; none for this one.
    links: Vec<Option<Link>>,
    round: u64,
    control: Control,
}

impl ProcessGroup {
    /// Which process this is, counted from 0.
    pub(crate) fn me(&self) -> usize {
        self.me
    }

    /// How many processes there are, with this one.
    pub(crate) fn len(&self) -> usize {
        self.links.len()
    }

    /// The error for a process that has sent what makes no sense.
    pub(crate) fn garbled(&self, process: usize) -> Error {
        let name = self
            .links
            .get(process)
            .and_then(Option::as_ref)
            .map_or("this process", |link| &link.name);
        Error::world(format!("{name} has sent what cannot be read; nothing is proved"))
    }

    /// Sends each process its message, and returns the one from each. The message to this process comes back.
    ///
    /// # Errors
    /// [`Error::World`] if a process is lost.
    pub(crate) fn exchange(&mut self, messages: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, Error> {
        let round = self.round;
        self.round += 1;
        let mut own = Vec::new();
        for (link, message) in self.links.iter().zip(messages) {
            match link {
                Some(link) => link.send(round, message),
                None => own = message,
            }
        }
        let receive = |link: &Option<Link>| match link {
            Some(link) => link.receive(round, &self.control),
            None => Ok(std::mem::take(&mut own)),
        };
        self.links.iter().map(receive).collect()
    }

    /// Sends all processes the same message, and returns the one from each.
    ///
    /// # Errors
    /// [`Error::World`] if a process is lost.
    pub(crate) fn gather(&mut self, message: Vec<u8>) -> Result<Vec<Vec<u8>>, Error> {
        self.exchange(vec![message; self.links.len()])
    }

    /// Ends the work: returns when every process has all that was sent to it.
    pub(crate) fn part(mut self) {
        // A process that is lost now has nothing more to say.
        let _ = self.gather(Vec::new());
    }
}

/// Groups in one process, for tests: each member runs on a thread of its own.
#[cfg(test)]
pub(crate) fn in_threads<T: Send>(
    works: &[&str],
    run: impl Fn(Result<ProcessGroup, Error>) -> T + Sync,
) -> Vec<T> {
    use std::net::TcpListener;
    use std::thread;

    let listeners: Vec<TcpListener> =
        works.iter().map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let addresses: Vec<String> =
        listeners.iter().map(|listener| listener.local_addr().unwrap().to_string()).collect();
    thread::scope(|scope| {
        let run = &run;
        let begin = |(me, (work, listener)): (usize, (&&str, TcpListener))| {
            let work = format!("{work:0>16}");
            let patience = Duration::from_secs(30);
            let rendezvous = Rendezvous { addresses: addresses.clone(), me, work, patience };
            scope.spawn(move || run(rendezvous.join(Some(listener), &Control::default())))
        };
        let members: Vec<_> = works.iter().zip(listeners).enumerate().map(begin).collect();
        members.into_iter().map(|member| member.join().unwrap()).collect()
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    use super::rendezvous::GREETING_BYTES;
    use super::*;

    #[test]
    fn every_process_has_the_message_of_every_other() {
        let heard = in_threads(&["same"; 3], |group| {
            let mut group = group.unwrap();
            let me = group.me() as u8;
            let mut heard = group.exchange((0..3).map(|to| vec![me, to]).collect()).unwrap();
            heard.extend(group.gather(vec![me; 100_000]).unwrap());
            group.part();
            heard
        });
        for (me, heard) in (0..3).zip(heard) {
            assert_eq!(heard[..3], [vec![0, me], vec![1, me], vec![2, me]]);
            assert_eq!(heard[3..], [vec![0; 100_000], vec![1; 100_000], vec![2; 100_000]]);
        }
    }

    #[test]
    fn a_process_with_other_work_is_refused_by_both() {
        for refused in in_threads(&["this", "that"], |group| group.map(|_| ()).unwrap_err()) {
            assert!(matches!(refused, Error::Input(_)), "{refused}");
            assert!(refused.to_string().contains("another command"), "{refused}");
        }
    }

    #[test]
    fn a_process_that_ends_too_soon_is_lost_to_all_others() {
        let ended = in_threads(&["same"; 3], |group| {
            let mut group = group.unwrap();
            if group.me() == 1 {
                return None;
            }
            group.gather(Vec::new()).err()
        });
        for error in ended.into_iter().flatten() {
            assert!(error.to_string().contains("is lost"), "{error}");
            assert!(error.to_string().ends_with("nothing is proved"), "{error}");
        }
    }

    #[test]
    fn a_process_that_never_comes_is_named() {
        let addresses = vec!["127.0.0.1:1".to_owned(), "127.0.0.1:0".to_owned()];
        let rendezvous =
            Rendezvous { addresses, me: 1, work: "same".into(), patience: Duration::ZERO };
        let error = rendezvous.join(rendezvous.listen().unwrap(), &Control::default()).unwrap_err();
        assert!(error.to_string().starts_with("process 1 (127.0.0.1:1) has not come: "), "{error}");
    }

    #[test]
    fn a_stranger_at_the_address_is_no_process() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let addresses = vec![address.to_string(), "127.0.0.1:1".to_owned()];
        let rendezvous =
            Rendezvous { addresses, me: 0, work: "same".into(), patience: Duration::ZERO };
        let mut stranger = TcpStream::connect(address).unwrap();
        stranger.write_all(&[b'x'; GREETING_BYTES]).unwrap();
        let error = rendezvous.join(Some(listener), &Control::default()).unwrap_err();
        assert!(error.to_string().contains("process 2 (127.0.0.1:1) has not come"), "{error}");
    }
}
