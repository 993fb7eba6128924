//! Virtual time: when buyers click, how long things take, and what theory says of waiting in line.

pub mod arrivals;
pub mod delay;
mod moment;
pub mod theory;
pub mod timestamps;
