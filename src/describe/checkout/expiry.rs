//! The end of the time of holds: what a file says of it, and what goes without saying.

use super::{Call, Checkout};
use crate::domain::store_kind::StoreKind;

/// What a file says of holds that run out.
#[derive(Clone, Debug)]
pub struct Expiry {
    /// In which line it begins.
    pub line: usize,
    /// What makes every hold run out that there is.
    pub call: Call,
}

/// The words by which a command gives a key a time to live, in capitals.
const TIMERS: [&str; 11] = [
    "EX",
    "PX",
    "EXAT",
    "PXAT",
    "EXPIRE",
    "PEXPIRE",
    "EXPIREAT",
    "PEXPIREAT",
    "SETEX",
    "PSETEX",
    "GETEX",
];

impl Checkout {
    /// What makes every hold run out that there is; none if nothing here runs out. Keys of Redis that have a time to live
    /// need not be named.
    #[must_use]
    pub fn expiry(&self) -> Option<Call> {
        if let Some(Expiry { call, .. }) = &self.expiry {
            return Some(call.clone());
        }
        (self.store == StoreKind::Redis && self.sets_timers()).then(|| Call::Lua {
            name: "every key with a time to live expires".into(),
            code: include_str!("expiry.lua").into(),
            keys: Vec::new(),
            arguments: Vec::new(),
        })
    }

    /// Whether a setup or a step may give a key a time to live.
    fn sets_timers(&self) -> bool {
        let steps = self.roles.iter().flat_map(|role| &role.steps).map(|step| &step.call);
        steps.chain(&self.setup).any(|call| {
            let text = match call {
                Call::Redis(_) => call.shown(str::to_owned),
                Call::Lua { code, .. } => code.clone(),
                Call::Sql(_) | Call::Http(_) | Call::Program(_) | Call::Code(_) => return false,
            };
            let mut words = text.split(|sign: char| !sign.is_ascii_alphanumeric());
            words.any(|word| TIMERS.iter().any(|timer| word.eq_ignore_ascii_case(timer)))
        })
    }

    /// Whether its holds can be made to run out. `written` is the setting as its user wrote it, for the message.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub fn check_expiries(&self, written: &str) -> Result<(), String> {
        if self.expiry().is_some() {
            return Ok(());
        }
        let path = self.path;
        Err(match self.store {
            StoreKind::Redis => format!(
                "{written}: no step of {path} gives a key a time to live, such as `SET … EX 600`; leave it out, or add a \
                 table [expiry] with the command that ends holds"
            ),
            _ => format!(
                "{written}: {path} does not say how holds run out; add a table [expiry] with the statement that ends \
                 their time, such as `sql = \"UPDATE hold SET expires_at = now()\"`"
            ),
        })
    }
}
