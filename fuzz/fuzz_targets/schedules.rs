#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| oversell_sim::fuzzing::schedules(data));
