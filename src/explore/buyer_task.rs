//! The code of a buyer on a thread of its own, with an asynchronous runtime of its own.

use std::any::Any;
use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam::channel::{RecvTimeoutError, bounded};
use tokio::runtime::Builder;
use tokio::task::{AbortHandle, JoinError, LocalSet, yield_now};

use super::interleave::Sale;
use crate::describe::checkout::{CodeContext, CodeEnd};
use crate::scheduler::Actor;

/// How often to check whether the end of the code is still waited for.
const GLANCE: Duration = Duration::from_millis(20);

/// How long code that was given up may take to end.
const ENDING: Duration = Duration::from_secs(1);

/// How often what the code has spawned gets its turn when the code has ended: a connection has a rollback to send.
const LAST_TURNS: usize = 32;

/// Runs a buyer's code to its end, unless it is given up. Code that blocks its thread and does not end is left behind
/// there.
pub(super) fn run<C, F, E>(code: &Arc<C>, context: CodeContext<'_>) -> CodeEnd
where
    C: Fn(String, u32) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Sale, E>> + 'static,
    E: Into<Box<dyn Error>> + 'static,
{
    let (tells, ended) = bounded(1);
    let (hands_out, handed) = bounded(1);
    let (code, url) = (Arc::clone(code), context.url.to_owned());
    let buyer = u32::try_from(context.buyer).unwrap_or(u32::MAX);
    let work = move || {
        let _ = tells.send(run_here(async move { code(url, buyer).await }, |abort| {
            let _ = hands_out.send(abort);
        }));
    };
    // What it prints when it panics has the name that the buyer has in schedules.
    let name = format!("buyer {}", Actor::Buyer(buyer.saturating_sub(1)));
    if let Err(error) = thread::Builder::new().name(name).spawn(work) {
        return CodeEnd::Failed(format!("cannot start threads: {error}"));
    }
    loop {
        match ended.recv_timeout(GLANCE) {
            Ok(end) => return end,
            Err(RecvTimeoutError::Timeout) if !(context.is_given_up)() => {}
            Err(RecvTimeoutError::Timeout) => {
                if let Ok(abort) = handed.try_recv() {
                    let abort: AbortHandle = abort;
                    abort.abort();
                }
                return match ended.recv_timeout(ENDING) {
                    Err(RecvTimeoutError::Timeout) => CodeEnd::LeftBehind,
                    _ => CodeEnd::GivenUp,
                };
            }
            Err(RecvTimeoutError::Disconnected) => {
                return CodeEnd::Failed("its thread has ended".into());
            }
        }
    }
}

/// Runs code on this thread. When it returns, everything is gone that the code has spawned.
fn run_here<F, E>(code: F, hand_out: impl FnOnce(AbortHandle)) -> CodeEnd
where
    F: Future<Output = Result<Sale, E>> + 'static,
    E: Into<Box<dyn Error>> + 'static,
{
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return CodeEnd::Failed(format!("cannot start a runtime: {error}")),
    };
    let tasks = LocalSet::new();
    let ended = tasks.block_on(&runtime, async {
        let task =
            tokio::task::spawn_local(async { code.await.map_err(|error| told(&*error.into())) });
        hand_out(task.abort_handle());
        let ended = task.await;
        for _ in 0..LAST_TURNS {
            yield_now().await;
        }
        ended
    });
    drop(tasks);
    runtime.shutdown_background();
    match ended {
        Ok(Ok(Sale::Bought)) => CodeEnd::Bought,
        Ok(Ok(Sale::SoldOut)) => CodeEnd::SoldOut,
        Ok(Err(why)) => CodeEnd::Failed(why),
        Err(error) if error.is_panic() => CodeEnd::Failed(panicked(error)),
        Err(_) => CodeEnd::GivenUp,
    }
}

/// What an error says, and the errors behind it that it does not repeat.
fn told(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        let text = error.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        behind = error.source();
    }
    told
}

/// What a panic says.
fn panicked(error: JoinError) -> String {
    let payload: Box<dyn Any + Send> = error.into_panic();
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.as_deref().unwrap_or("without a text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end<F>(code: impl Fn(String, u32) -> F + Send + Sync + 'static, given_up: bool) -> CodeEnd
    where
        F: Future<Output = Result<Sale, String>> + 'static,
    {
        let is_given_up = || given_up;
        run(&Arc::new(code), CodeContext { url: "there", buyer: 2, is_given_up: &is_given_up })
    }

    #[test]
    fn code_ends_in_a_sale_an_error_or_a_panic_that_is_told() {
        let asked = |url: String, buyer| async move {
            assert_eq!((url.as_str(), buyer), ("there", 2));
            Ok(Sale::SoldOut)
        };
        assert_eq!(end(asked, false), CodeEnd::SoldOut);
        let failed = end(|_, _| async { Err("no money".to_owned()) }, false);
        assert_eq!(failed, CodeEnd::Failed("no money".into()));
        let panics = |_, buyer| async move { panic!("buyer {buyer} stumbles") };
        assert_eq!(end(panics, false), CodeEnd::Failed("panicked: buyer 2 stumbles".into()));
        // Before there is a future.
        let panics = |_, _| -> std::future::Ready<_> { panic!("too early") };
        assert_eq!(end(panics, false), CodeEnd::Failed("panicked: too early".into()));
    }

    #[test]
    fn code_that_never_ends_is_dropped_when_it_is_given_up() {
        struct Told(crossbeam::channel::Sender<()>);
        impl Drop for Told {
            fn drop(&mut self) {
                let _ = self.0.send(());
            }
        }
        let (tells, dropped) = bounded(1);
        let never = move |_, _| {
            let told = Told(tells.clone());
            async move {
                std::future::pending::<()>().await;
                drop(told);
                Ok(Sale::Bought)
            }
        };
        assert_eq!(end(never, true), CodeEnd::GivenUp);
        assert_eq!(dropped.recv(), Ok(()));
    }

    #[test]
    fn code_that_blocks_its_thread_is_left_behind() {
        let (tells, waits) = bounded::<()>(0);
        let blocks = move |_, _| {
            let waits = waits.clone();
            async move {
                let _ = waits.recv();
                Ok(Sale::Bought)
            }
        };
        assert_eq!(end(blocks, true), CodeEnd::LeftBehind);
        drop(tells);
    }
}
