//! The statements by name. Each is a file; a database with another syntax has its own file.

/// A statement or script that a checkout or the audit needs.
macro_rules! statements {
    ($($name:ident $file:literal $meaning:literal;)+) => {
        #[doc = "A statement by what it is for."]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::stores) enum Statement {
            $(#[doc = $meaning] $name,)+
        }

        impl Statement {
            /// How many there are.
            pub(in crate::stores) const COUNT: usize = [$($file),+].len();

            /// The text of a statement for most databases.
            pub(in crate::stores) fn common(self) -> &'static str {
                match self {
                    $(Self::$name => include_str!(concat!("statements/", $file, ".sql")),)+
                }
            }
        }
    };
}

statements! {
    Create "create" "The tables.";
    Check "check" "Stock that cannot fall below zero.";
    Drop "drop" "No tables.";
    Clear "clear" "Empty tables.";
    Truncate "clear" "The same, of many rows, with nothing left to be done about them.";
    PutUp "put_up" "A shelf.";
    Begin "begin" "A transaction at read committed.";
    BeginRepeatableRead "begin_repeatable_read" "A transaction at repeatable read.";
    BeginSerializable "begin_serializable" "A transaction that is serializable.";
    BeginLocking "begin_locking" "A transaction that begins with a lock.";
    Commit "commit" "The end of a transaction.";
    CommitUnsynced "commit_unsynced" "The same, before it is on disk.";
    Rollback "rollback" "A transaction taken back.";
    Read "read" "`Op::Read`.";
    ReadVersioned "read_versioned" "`Op::ReadVersioned`.";
    Write "write" "`Op::Write`.";
    CompareAndSet "compare_and_set" "`Op::CompareAndSet`.";
    WriteIfVersion "write_if_version" "`Op::WriteIfVersion`.";
    Take "take" "`Op::Take`.";
    Add "add" "`Op::Add`.";
    Lock "lock" "`Op::Lock`.";
    PlaceOrder "place_order" "`Op::PlaceOrder`, a line of it.";
    PlaceOrderOnce "place_order_once" "`Op::PlaceOrderOnce`, its first line.";
    FindOrder "find_order" "`Op::FindOrder`.";
    CancelOrder "cancel_order" "`Op::CancelOrder`.";
    CountLeft "count_left" "`Op::CountLeft`.";
    Now "now" "The server's clock, in ms.";
    HoldOf "hold_of" "A buyer's hold.";
    HoldPlace "hold_place" "A new one.";
    HoldForget "hold_forget" "Room for a new one.";
    HoldConfirm "hold_confirm" "`Op::Confirm`.";
    HoldRelease "hold_release" "`Op::Release`.";
    HoldsRunOut "holds_run_out" "Holds whose time is over.";
    HoldsRunOutUnits "holds_run_out_units" "Their units.";
    HoldsReturned "holds_returned" "Their end.";
    GiveBack "give_back" "Units of holds, back on the shelf.";
    Shelves "shelves" "For the audit: stock.";
    ShelvesCounted "shelves_counted" "For the audit: stock that is what was never ordered.";
    Orders "orders" "For the audit: the order book.";
    AdvisoryLock "advisory_lock" "`Op::Lock`, where locks are no row's.";
    AdvisoryUnlock "advisory_unlock" "`Op::Unlock` of such a lock.";
    Units "units" "A table with a row a unit.";
    UnitsClear "units_clear" "No unit.";
    UnitsPutUp "units_put_up" "One unit.";
    UnitsLock "units_lock" "Units that no other buyer is about to take.";
    UnitsTake "units_take" "One of them.";
    UnitsLeft "units_left" "`Op::Read`, where stock is rows.";
    UnitsShelves "units_shelves" "For the audit: stock that is rows.";
    Holding "holding" "For the audit: whose holds still stand.";
    RoomMake "room_make" "A place for tables that are none of ours.";
    RoomEnter "room_enter" "The way there.";
    RoomLeave "room_leave" "No such place.";
    RoomRaze "room_raze" "A query: the statements that leave nothing of what is there.";
    RoomEmpty "room_empty" "A query: the statements that empty all tables there.";
    RoomClear "room_empty" "The same of a few rows, if that is quicker.";
    RoomParts "room_parts" "A query: what there is there, and what it refers to.";
    HoldInside "hold_inside" "A query: the statements that have changes held inside the server.";
    NotesAreMade "notes_are_made" "A query: whether there is a table for the notes of several processes.";
    ServerClock "server_clock" "The server's clock, in µs since the beginning of 1970.";
    HoldNoMore "hold_no_more" "A query: the statements that remove that again.";
}
