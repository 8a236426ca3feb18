//! How the report looks: on a phone, in the dark, to somebody who sees little.

use anyhow::{Result, ensure};
use incipit_tests::browser::Browser;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;
use serde_json::json;

use crate::made::{DESK, Made, PHONE, failing, ours};

const CONTRAST: &str = include_str!("contrast.js");

pub fn trials() -> Vec<Trial> {
    vec![
        trial("look::light_and_dark_are_two_looks_with_enough_contrast", || contrast(ours()?)),
        trial("look::failures_have_enough_contrast_too", || contrast(failing()?)),
        trial("look::a_phone_need_not_scroll_sideways", || fits(ours()?, PHONE)),
        trial("look::a_small_phone_need_not_scroll_sideways_for_failures", || {
            fits(failing()?, 320)
        }),
        trial("look::a_desk_need_not_scroll_sideways", || fits(failing()?, DESK)),
        trial("look::headings_go_down_by_one_and_every_control_has_a_name", structure),
        trial("look::what_can_be_touched_is_large_enough_for_a_finger", fingers),
    ]
}

/// Opens all that is folded, and a card.
fn unfold(browser: &mut Browser) -> Result<()> {
    browser.eval("document.querySelectorAll('details').forEach((folded) => { folded.open = true; })")?;
    browser.eval("document.querySelector('.lane').click()")?;
    browser.wait_for("!document.getElementById('card').hidden")
}

fn contrast(made: &Made) -> Result<()> {
    let mut browser = made.open(DESK)?;
    unfold(&mut browser)?;
    let mut papers = Vec::new();
    for dark in [false, true] {
        browser.prefer_dark(dark)?;
        browser.wait_for(&format!("matchMedia('(prefers-color-scheme: dark)').matches === {dark}"))?;
        papers.push(browser.text("getComputedStyle(document.body).backgroundColor")?);
        let found = browser.eval(CONTRAST)?;
        ensure!(found["seen"].as_u64() > Some(500), "{found}");
        ensure!(found["wrong"] == json!([]), "dark: {dark}: {}", found["wrong"]);
    }
    ensure!(papers[0] != papers[1], "{papers:?}");
    Ok(())
}

fn fits(made: &Made, width: u32) -> Result<()> {
    let mut browser = made.open(width)?;
    unfold(&mut browser)?;
    // However long the boot took: a mark may be at its very end.
    browser.eval("document.querySelectorAll('.timeline .mark').forEach((mark) => mark.style.setProperty('--at', '100%'))")?;
    let found = browser.eval("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")?;
    ensure!(found[0] == found[1], "{found}");
    // What sticks out without a way to scroll there is lost. Only the picture has scroll bars of its own, and what is not to be seen may be anywhere.
    let lost = browser.eval(
        "Array.from(document.querySelectorAll('body *')).filter((element) => {
            const at = element.getBoundingClientRect();
            return at.width > 0 && at.right > document.documentElement.clientWidth + 1 && !element.closest('.picture');
        }).map((element) => element.outerHTML.slice(0, 200))",
    )?;
    ensure!(lost == json!([]), "{lost}");
    Ok(())
}

fn structure() -> Result<()> {
    let mut browser = ours()?.open(DESK)?;
    let levels = browser.eval("Array.from(document.querySelectorAll('h1, h2, h3'), (heading) => Number(heading.tagName[1]))")?;
    let levels: Vec<_> = levels
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(serde_json::Value::as_u64)
        .collect();
    ensure!(
        levels.first() == Some(&1) && levels.iter().filter(|level| **level == 1).count() == 1,
        "{levels:?}"
    );
    ensure!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    let nameless = browser.eval(
        "Array.from(document.querySelectorAll('input, button, a, [tabindex]'), (element) => element)
            .filter((element) => !element.textContent.trim() && !element.labels?.length && !element.ariaLabel)
            .map((element) => element.outerHTML.slice(0, 120))",
    )?;
    ensure!(nameless == json!([]), "{nameless}");
    ensure!(browser.text("document.documentElement.lang")? == "en", "the language");
    Ok(())
}

/// 24 pixels: WCAG 2.2, 2.5.8.
fn fingers() -> Result<()> {
    let mut browser = ours()?.open(PHONE)?;
    unfold(&mut browser)?;
    let small = browser.eval(
        "Array.from(document.querySelectorAll('.lane, nav a, summary, .switch label, input[type=search], button')).filter((element) => {
            const at = element.getBoundingClientRect();
            return at.height < 24 || at.width < 24;
        }).map((element) => element.outerHTML.slice(0, 120))",
    )?;
    ensure!(small == json!([]), "{small}");
    Ok(())
}
