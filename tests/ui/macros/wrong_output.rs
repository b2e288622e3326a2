//! A wrong type is reported at the user's own last statement.

#[kamon::main]
async fn nothing_expected() {
    Ok(())
}

#[kamon::main]
async fn result_expected() -> Result<(), ()> {
    let _done = true;
    return true;
}

fn main() {}
