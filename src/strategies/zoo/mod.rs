//! The zoo: small, realistic bugs, each with the finding that it must show.
//!
//! An animal is one file here and one line below.

use crate::worlds::dyn_strategy::DynStrategy;

/// Declares each animal's module and lists its type: one line an animal.
macro_rules! registry {
    ($($module:ident :: $strategy:ident,)+) => {
        $(pub mod $module;)+

        /// Every animal.
        pub static ALL: &[&dyn DynStrategy] = &[$(&$module::$strategy),+];
    };
}

registry! {
    unlock_early::UnlockEarly,
    check_outside::CheckOutside,
    cas_unheeded::CasUnheeded,
    take_unheeded::TakeUnheeded,
    version_after::VersionAfter,
    version_unused::VersionUnused,
    copy_trusted::CopyTrusted,
    give_back_twice::GiveBackTwice,
    two_tabs::TwoTabs,
    lock_kept::LockKept,
    lock_twice::LockTwice,
    other_lock::OtherLock,
    cart_order::CartOrder,
    order_lost::OrderLost,
    hold_kept::HoldKept,
    confirm_unheeded::ConfirmUnheeded,
    refund_forgotten::RefundForgotten,
    charge_first::ChargeFirst,
    order_first::OrderFirst,
    charge_again::ChargeAgain,
    capture_forgotten::CaptureForgotten,
    finished_twice::FinishedTwice,
    fence_writes_only::FenceWritesOnly,
    count_then_insert::CountThenInsert,
    worker_twice::WorkerTwice,
    cache_drift::CacheDrift,
    commit_unsynced::CommitUnsynced,
    own_shard_only::OwnShardOnly,
}
