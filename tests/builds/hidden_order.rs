//! `make shuffle`: legal orders go well in a good image, and in a bad one the pair that matters is found.

use anyhow::{Result, ensure};
use incipit_tests::make::{extensions, typed};
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("hidden_order::every_legal_order_of_a_good_image_goes_well", || {
            let output = typed(&format!("make O=out/extended '{}' shuffle N=24", extensions()))?;
            let text = String::from_utf8_lossy(&output.stdout);
            ensure!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
            ensure!(
                text.contains("24 orders, seeds from 1: every boot went as in the order of the build"),
                "{text}"
            );
            Ok(())
        }),
        trial("hidden_order::a_dependency_that_nobody_declared_is_reduced_to_its_pair", planted),
    ]
}

fn planted() -> Result<()> {
    let output = typed("make O=out/hidden SUBSYS=tests/fixtures/hidden shuffle N=50")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(!output.status.success(), "nothing was found:\n{text}");
    for part in [
        "now: initcall hidden_g_user returned -11",
        "It goes well when hidden_c_source (tests/fixtures/hidden/src/lib.rs:",
        "runs before hidden_g_user (tests/fixtures/hidden/src/lib.rs:",
        "If hidden_g_user relies on hidden_c_source, it should say so: after(hidden_c_source)",
    ] {
        ensure!(text.contains(part), "no `{part}` in:\n{text}");
    }
    Ok(())
}
