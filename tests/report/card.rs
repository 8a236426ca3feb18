//! The card: what pointer, keyboard and finger show of an entry.

use anyhow::{Context, Result, ensure};
use incipit_report::boot::Boot;
use incipit_report::boot::entries::State;
use incipit_report::figures::grouped;
use incipit_tests::browser::Browser;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;
use serde_json::json;

use crate::made::{DESK, PHONE, failing, lane, ours};

const ESCAPE: (&str, u32) = ("Escape", 27);
const TAB: (&str, u32) = ("Tab", 9);

/// Whether the card is to be seen.
pub const CARD_SHOWN: &str =
    "!document.getElementById('card').hidden && document.getElementById('card').getBoundingClientRect().height > 0";
const CARD_HIDDEN: &str = "document.getElementById('card').hidden";
const CARD: &str = "document.getElementById('card').innerText";

pub fn trials() -> Vec<Trial> {
    vec![
        trial("card::pointing_at_a_lane_shows_its_details", pointing),
        trial("card::the_keyboard_reaches_every_lane_and_shows_its_details", keyboard),
        trial("card::a_click_keeps_the_details_until_they_are_closed", clicking),
        trial("card::a_finger_on_a_phone_shows_the_details_at_the_bottom", tapping),
        trial("card::pointing_at_a_box_of_the_picture_shows_its_details_and_its_lines", picture),
        trial("card::what_failed_or_was_skipped_says_why", reasons),
    ]
}

/// Fails unless the card tells what `setup_arch` is and what it took.
fn tells_of_setup_arch(browser: &mut Browser, boot: &Boot) -> Result<()> {
    browser.wait_for(CARD_SHOWN)?;
    let card = browser.text(CARD)?;
    let entry = boot
        .entries
        .iter()
        .find(|entry| entry.name == "setup_arch")
        .context("no setup_arch")?;
    let instructions = format!("{} instructions", grouped(entry.instructions.context("it was counted")?));
    for part in [
        "setup_arch",
        &entry.path,
        &entry.place,
        "stages",
        "ok",
        &instructions,
        "after linux_banner",
    ] {
        ensure!(card.contains(part), "no {part} in {card}");
    }
    Ok(())
}

fn pointing() -> Result<()> {
    let made = ours()?;
    let mut browser = made.open(DESK)?;
    browser.wait_for(CARD_HIDDEN)?;
    browser.point_at(&lane(&made.boot, "setup_arch")?)?;
    tells_of_setup_arch(&mut browser, &made.boot)?;
    let inside = "(() => { const at = document.getElementById('card').getBoundingClientRect();
        return at.left >= 0 && at.top >= 0 && at.right <= innerWidth && at.bottom <= innerHeight; })()";
    ensure!(browser.eval(inside)? == true, "the card lies on the screen");
    // The pointer may go onto the card, to read it or to copy from it.
    browser.point_at("#card dd")?;
    ensure!(browser.eval(CARD_SHOWN)? == true, "the card stays under the pointer");
    browser.point_at("#timeline-heading")?;
    browser.wait_for(CARD_HIDDEN)
}

fn keyboard() -> Result<()> {
    let made = ours()?;
    let mut browser = made.open(DESK)?;
    browser.eval("document.getElementById('scale-straight').focus()")?;
    let (focused, shown) = (
        "document.activeElement.dataset.entry ?? ''",
        "document.querySelector('#card h3').innerText",
    );
    let names = browser.eval("Array.from(document.querySelectorAll('.lane .name'), (name) => name.innerText)")?;
    for (index, expected) in names.as_array().context("lanes")?.iter().enumerate() {
        browser.press(TAB.0, TAB.1)?;
        browser.wait_for(CARD_SHOWN)?;
        ensure!(
            browser.text(shown)? == *expected,
            "lane {index}: {} instead of {}",
            browser.text(shown)?,
            expected
        );
        ensure!(!browser.text(focused)?.is_empty(), "the lane keeps the focus");
    }
    browser.press(ESCAPE.0, ESCAPE.1)?;
    browser.wait_for(CARD_HIDDEN)?;
    ensure!(
        !browser.text(focused)?.is_empty(),
        "Escape closes the card and leaves the reader where they were"
    );
    Ok(())
}

fn clicking() -> Result<()> {
    let made = ours()?;
    let mut browser = made.open(DESK)?;
    browser.click(&lane(&made.boot, "setup_arch")?)?;
    tells_of_setup_arch(&mut browser, &made.boot)?;
    browser.point_at(&lane(&made.boot, "trap_init")?)?;
    tells_of_setup_arch(&mut browser, &made.boot)?;
    browser.click("#card button")?;
    browser.wait_for(CARD_HIDDEN)?;
    browser.click(&lane(&made.boot, "trap_init")?)?;
    browser.wait_for(CARD_SHOWN)?;
    browser.click("#timeline-heading")?;
    browser.wait_for(CARD_HIDDEN)
}

fn tapping() -> Result<()> {
    let made = ours()?;
    let mut browser = made.open(PHONE)?;
    browser.tap(&lane(&made.boot, "setup_arch")?)?;
    tells_of_setup_arch(&mut browser, &made.boot)?;
    let place = "(() => { const at = document.getElementById('card').getBoundingClientRect();
        return [at.left, at.right - innerWidth, at.bottom - innerHeight]; })()";
    ensure!(
        browser.eval(place)? == json!([0, 0, 0]),
        "the card lies at the bottom: {}",
        browser.eval(place)?
    );
    browser.tap("#timeline-heading")?;
    browser.wait_for(CARD_HIDDEN)
}

fn picture() -> Result<()> {
    let made = ours()?;
    let mut browser = made.open(DESK)?;
    let index = made
        .boot
        .entries
        .iter()
        .position(|entry| entry.name == "setup_arch")
        .context("no setup_arch")?;
    browser.point_at(&format!("#graph a[data-entry=e{index}] rect"))?;
    tells_of_setup_arch(&mut browser, &made.boot)?;
    let lit = browser.eval("document.querySelectorAll('.edge.lit').length")?;
    let edges = &made.contents.graph.edges;
    let expected = edges.iter().filter(|edge| edge.first == index || edge.then == index).count();
    ensure!(expected > 0 && lit == expected, "{lit} lines are lit instead of {expected}");
    browser.point_at("#graph-heading")?;
    browser.wait_for("document.querySelectorAll('.edge.lit').length === 0")
}

fn reasons() -> Result<()> {
    let made = failing()?;
    let mut browser = made.open(DESK)?;
    let odd: Vec<_> = made.boot.entries.iter().filter(|entry| entry.state != State::Ok).collect();
    ensure!(
        odd.iter().any(|entry| entry.state == State::Failed) && odd.iter().any(|entry| entry.reason.is_some()),
        "{odd:?}"
    );
    for entry in odd {
        browser.press(ESCAPE.0, ESCAPE.1)?;
        browser.eval(&format!("document.querySelector('{}').focus()", lane(&made.boot, &entry.name)?))?;
        browser.wait_for(CARD_SHOWN)?;
        let card = browser.text(CARD)?;
        for part in [
            Some(&entry.name),
            entry.error.as_ref(),
            entry.reason.as_ref(),
            Some(&entry.state.name().to_owned()),
        ] {
            ensure!(part.is_none_or(|part| card.contains(part.as_str())), "no {part:?} in {card}");
        }
    }
    let head = browser.text("document.querySelector('header').innerText")?;
    let failed = made.boot.entries.iter().filter(|entry| entry.state == State::Failed).count();
    ensure!(head.contains(&format!("{failed} failed, ")), "{head}");
    Ok(())
}
