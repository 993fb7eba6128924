//! What is claimed of a group, on a small network in virtual time.

mod chaos;
mod disk;
mod faults;
mod net;
mod order;
