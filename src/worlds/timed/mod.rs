//! Virtual time: how long things take, and what theory says of waiting in line.

pub mod delay;
pub mod theory;
