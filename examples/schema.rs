//! Prints the JSON schema of the reports. After a report has changed:
//!
//! ```sh
//! cargo run --no-default-features --features schema --example schema > docs/reference/report.schema.json
//! ```

use oversell_sim::Error;
use oversell_sim::unstable::render::schema;

fn main() -> Result<(), Error> {
    print!("{}", schema()?);
    Ok(())
}
