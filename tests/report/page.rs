//! What the report shows, and what it does when somebody asks it for more.

use anyhow::{Context, Result, ensure};
use incipit_report::boot::Boot;
use incipit_report::boot::entries::State;
use incipit_report::contents::Entries;
use incipit_report::figures::grouped;
use incipit_report::page;
use incipit_report::qemu::Machine;
use incipit_tests::browser::Browser;
use incipit_tests::built::Build;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::made::{DESK, PHONE, failing, ours};

const ESCAPE: (&str, u32) = ("Escape", 27);
const TAB: (&str, u32) = ("Tab", 9);

/// Whether the card is to be seen.
const CARD_SHOWN: &str = "!document.getElementById('card').hidden && document.getElementById('card').getBoundingClientRect().height > 0";
const CARD_HIDDEN: &str = "document.getElementById('card').hidden";
const CARD: &str = "document.getElementById('card').innerText";

pub fn trials() -> Vec<Trial> {
    vec![
        trial("page::every_stage_and_initcall_is_on_the_timeline_to_scale", timeline),
        trial("page::the_logarithmic_scale_lets_short_stages_be_seen", bent),
        trial("page::pointing_at_a_lane_shows_its_details", pointing),
        trial("page::the_keyboard_reaches_every_lane_and_shows_its_details", keyboard),
        trial("page::a_click_keeps_the_details_until_they_are_closed", clicking),
        trial("page::a_finger_on_a_phone_shows_the_details_at_the_bottom", tapping),
        trial("page::pointing_at_a_box_of_the_picture_shows_its_details_and_its_lines", picture),
        trial("page::what_failed_or_was_skipped_says_why", reasons),
        trial("page::the_filter_finds_a_parameter", filter),
        trial("page::the_filter_of_the_tables_unfolds_what_it_finds", filter_tables),
        trial("page::every_table_unfolds_to_its_entries", tables),
        trial("page::every_section_of_the_image_is_in_its_map_to_scale", sections),
        trial("page::every_range_of_the_firmware_is_in_the_memory_map", memory),
        trial("page::without_scripts_a_lane_leads_to_its_row", without_scripts),
        trial("page::nothing_is_loaded_and_nobody_complains", alone),
        trial("page::two_boots_make_the_same_page", same),
    ]
}

/// The selector of the lane of the entry called `name`.
fn lane(boot: &Boot, name: &str) -> Result<String> {
    let index = boot.entries.iter().position(|entry| entry.name == name);
    Ok(format!(".lane[data-entry=e{}]", index.with_context(|| format!("no {name}"))?))
}

/// Each lane as the page shows it: name, what stands at its end, and left border and width of its bar as parts of its track.
const LANES: &str = "Array.from(document.querySelectorAll('.lane'), (lane) => {
    const [track, bar] = ['.track', '.bar'].map((part) => lane.querySelector(part)?.getBoundingClientRect());
    return [lane.querySelector('.name').innerText, lane.querySelector('.cost').innerText, lane.checkVisibility(),
        bar ? [(bar.x - track.x) / track.width, bar.width / track.width] : null]; })";

fn timeline() -> Result<()> {
    let made = ours()?;
    let lanes = made.open(DESK)?.eval(LANES)?;
    let lanes = lanes.as_array().context("lanes")?;
    let entries = &made.boot.entries;
    ensure!(lanes.len() == entries.len(), "{} lanes for {} entries", lanes.len(), entries.len());
    let end = entries
        .iter()
        .filter_map(|entry| Some(entry.start? + entry.took?))
        .max()
        .unwrap_or(0) as f64;
    for entry in entries {
        let lane = lanes.iter().find(|lane| lane[0] == entry.name.as_str());
        let lane = lane.with_context(|| format!("no lane for {}", entry.name))?;
        let (start, took) = (entry.start.context("it ran")? as f64, entry.took.context("it ended")? as f64);
        ensure!(lane[2] == true && lane[1] == grouped(entry.took.unwrap_or(0)), "{lane}");
        // A bar is at least two pixels wide, of a track of several hundred.
        let [left, width] = [&lane[3][0], &lane[3][1]].map(|part| part.as_f64().unwrap_or(f64::NAN));
        ensure!(
            (left - start / end).abs() < 0.005,
            "{} begins at {left} instead of {}",
            entry.name,
            start / end
        );
        ensure!(
            (width - took / end).abs() < 0.01,
            "{} takes {width} instead of {}",
            entry.name,
            took / end
        );
    }
    Ok(())
}

fn bent() -> Result<()> {
    let made = ours()?;
    let mut browser = made.open(DESK)?;
    let shortest = made.boot.entries.iter().min_by_key(|entry| entry.took).context("no entries")?;
    let width = format!(
        "document.querySelector('{} .bar').getBoundingClientRect().width",
        lane(&made.boot, &shortest.name)?
    );
    ensure!(browser.eval(&width)?.as_f64() < Some(3.0), "{} can be seen to scale", shortest.name);
    browser.click("label:has(#scale-bent)")?;
    browser.wait_for(&format!("{width} > 4"))?;
    let lefts = browser.eval("Array.from(document.querySelectorAll('.bar'), (bar) => bar.getBoundingClientRect().x)")?;
    let lefts: Vec<_> = lefts.as_array().context("bars")?.iter().filter_map(Value::as_f64).collect();
    ensure!(lefts.is_sorted(), "what began later lies further right: {lefts:?}");
    let axis = "Array.from(document.querySelectorAll('.axis'), (axis) => [axis.className, axis.checkVisibility()])";
    ensure!(
        browser.eval(axis)? == json!([["axis straight", false], ["axis bent", true]]),
        "the axis is that of the scale"
    );
    browser.click("label:has(#scale-straight)")?;
    browser.wait_for(&format!("{width} < 3"))
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
    for (index, expected) in browser.eval(LANES)?.as_array().context("lanes")?.iter().enumerate() {
        browser.press(TAB.0, TAB.1)?;
        browser.wait_for(CARD_SHOWN)?;
        ensure!(
            browser.text(shown)? == expected[0],
            "lane {index}: {} instead of {}",
            browser.text(shown)?,
            expected[0]
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

fn filter() -> Result<()> {
    let made = ours()?;
    let mut browser = made.open(DESK)?;
    let rows = "Array.from(document.querySelectorAll('#param-rows tr'), (row) => row)
        .filter((row) => row.checkVisibility()).map((row) => row.querySelector('code').innerText)";
    let all = browser.eval(rows)?.as_array().map_or(0, Vec::len);
    ensure!(
        all == made.boot.params.len(),
        "{all} of {} parameters are shown",
        made.boot.params.len()
    );
    browser.click("#param-rows-filter")?;
    browser.type_text("PRINTK bool")?;
    browser.wait_for(&format!("({rows}).length === 1"))?;
    ensure!(browser.eval(rows)? == json!(["printk.time"]), "{}", browser.eval(rows)?);
    ensure!(
        browser.text("document.querySelector('output[for=param-rows-filter]').value")? == "1 found",
        "the count"
    );
    let row = browser.text("document.querySelector('#param-rows tr:not([hidden])').innerText")?;
    let param = made
        .boot
        .params
        .iter()
        .find(|param| param.name == "printk.time")
        .context("no printk.time")?;
    for part in [&param.kind, &param.value, &param.origin, &param.place, "true"] {
        ensure!(row.contains(part), "no {part} in {row}");
    }
    browser.type_text(" and nothing like it")?;
    browser.wait_for(&format!("({rows}).length === 0"))?;
    browser.eval("(() => { const input = document.getElementById('param-rows-filter'); input.value = ''; input.dispatchEvent(new Event('input')); })()")?;
    browser.wait_for(&format!("({rows}).length === {all}"))
}

fn filter_tables() -> Result<()> {
    let mut browser = ours()?.open(DESK)?;
    browser.click("#table-rows-filter")?;
    browser.type_text("serial8250_init")?;
    let shown = "Array.from(document.querySelectorAll('#table-rows details'), (table) => table)
        .filter((table) => table.checkVisibility()).map((table) => [table.id, table.open])";
    browser.wait_for(&format!("({shown}).length === 1"))?;
    ensure!(
        browser.eval(shown)? == json!([["table-initcall", true]]),
        "{}",
        browser.eval(shown)?
    );
    ensure!(
        browser.eval("document.querySelector('#table-initcall li:not([hidden])').checkVisibility()")? == true,
        "the entry is seen"
    );
    Ok(())
}

fn tables() -> Result<()> {
    let made = ours()?;
    let mut browser = made.open(DESK)?;
    for listed in &made.contents.tables {
        let table = format!("#table-{}", listed.table.name);
        browser.click(&format!("{table} > summary"))?;
        browser.wait_for(&format!("document.querySelector('{table}').open"))?;
        let count = browser.eval(&format!(
            "Array.from(document.querySelectorAll('{table} ol > li')).filter((row) => row.checkVisibility()).length"
        ))?;
        let expected = if matches!(listed.entries, Entries::SlotsOf(..)) {
            0
        } else {
            listed.len()
        };
        ensure!(count == expected, "{table} shows {count} entries of {expected}");
        let text = browser.text(&format!("document.querySelector('{table}').innerText"))?;
        ensure!(text.contains(listed.table.output_section), "{text}");
    }
    Ok(())
}

fn sections() -> Result<()> {
    let made = ours()?;
    let mut browser = made.open(DESK)?;
    let strip = browser.eval("Array.from(document.querySelectorAll('.strip.image span'), (area) => area.getBoundingClientRect().width)")?;
    let widths: Vec<_> = strip.as_array().context("a strip")?.iter().filter_map(Value::as_f64).collect();
    let areas = &made.contents.areas;
    ensure!(
        widths.len() == areas.len(),
        "{} of {} sections are drawn",
        widths.len(),
        areas.len()
    );
    let (wide, bytes): (f64, u64) = (
        widths.iter().sum(),
        areas.iter().map(|area| area.range.end - area.range.start).sum(),
    );
    for (area, width) in areas.iter().zip(widths) {
        let part = (area.range.end - area.range.start) as f64 / bytes as f64;
        ensure!(
            (width / wide - part).abs() < 0.005,
            "{} is {width} of {wide} wide instead of {part}",
            area.name
        );
        let row = format!(
            "Array.from(document.querySelectorAll('#section-rows tr')).find((row) => row.querySelector('code').innerText === {:?})",
            area.name
        );
        let row = browser.text(&format!("({row}).innerText"))?;
        ensure!(row.contains(if area.freed { "given back" } else { "kept" }), "{row}");
    }
    Ok(())
}

fn memory() -> Result<()> {
    let made = ours()?;
    let mut browser = made.open(DESK)?;
    let text = browser.text("document.getElementById('memory').innerText")?;
    ensure!(!made.boot.memory.firmware.is_empty(), "the firmware told nothing");
    for entry in &made.boot.memory.firmware {
        // A range may be cut where the kernel's use of it changes; its ends stay.
        for border in [format!("{:#x}–", entry.range.start), format!("–{:#x}", entry.range.end - 1)] {
            ensure!(text.contains(&border), "no {border} in {text}");
        }
    }
    ensure!(text.contains("the image"), "{text}");
    Ok(())
}

fn without_scripts() -> Result<()> {
    let made = ours()?;
    let mut browser = Browser::start(DESK)?;
    browser.disable_scripts()?;
    browser.open(&made.report)?;
    browser.click(&lane(&made.boot, "setup_arch")?)?;
    browser.wait_for("document.querySelector('tr:target th code')?.innerText === 'setup_arch'")?;
    browser.click("label:has(#scale-bent)")?;
    browser.wait_for("document.querySelector('.axis.bent').checkVisibility()")
}

fn alone() -> Result<()> {
    let made = ours()?;
    let mut browser = made.open(DESK)?;
    browser.click(&lane(&made.boot, "setup_arch")?)?;
    browser.wait_for(CARD_SHOWN)?;
    let asked = browser.requests();
    ensure!(asked == [format!("file://{}", made.report.display())], "{asked:?}");
    ensure!(browser.complaints().is_empty(), "{:?}", browser.complaints());
    Ok(())
}

fn same() -> Result<()> {
    let made = ours()?;
    let again = Boot::measure(&Build::ours().vmlinux(), &Machine::default())?;
    let (first, second) = (page::render(&made.contents, &made.boot)?, page::render(&made.contents, &again)?);
    let difference = first.split('>').zip(second.split('>')).find(|(one, other)| one != other);
    ensure!(first == second, "{difference:?}");
    Ok(())
}
