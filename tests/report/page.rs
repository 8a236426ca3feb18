//! What the report shows, and what it does when somebody asks it for more.

use anyhow::{Context, Result, ensure};
use incipit_report::boot::Boot;
use incipit_report::contents::Entries;
use incipit_report::figures::grouped;
use incipit_report::page;
use incipit_report::qemu::Machine;
use incipit_tests::browser::Browser;
use incipit_tests::built::Build;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::card::CARD_SHOWN;
use crate::made::{DESK, lane, ours};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("page::every_stage_and_initcall_is_on_the_timeline_to_scale", timeline),
        trial("page::the_logarithmic_scale_lets_short_stages_be_seen", bent),
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
    // Half of the entries are shorter than this one, which is too short to be seen beside the longest.
    let mut by_time: Vec<_> = made.boot.entries.iter().collect();
    by_time.sort_by_key(|entry| entry.took);
    let short = by_time.get(by_time.len() / 2).context("no entries")?;
    let width = format!(
        "document.querySelector('{} .bar').getBoundingClientRect().width",
        lane(&made.boot, &short.name)?
    );
    ensure!(browser.eval(&width)?.as_f64() < Some(3.0), "{} can be seen to scale", short.name);
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
    for part in [&param.kind, &param.value, &param.origin, &param.place, "CONFIG_PRINTK_TIME"] {
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
