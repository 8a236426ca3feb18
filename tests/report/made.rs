//! Makes the reports, once each.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow};
use incipit_linker::seal::image::Image;
use incipit_report::boot::Boot;
use incipit_report::contents::Contents;
use incipit_report::graph::{Costs, dot, svg};
use incipit_report::page;
use incipit_report::qemu::Machine;
use incipit_tests::browser::Browser;
use incipit_tests::built::{Build, root};
use incipit_tests::make::extended;

/// How wide the page is on a desk, in pixels.
pub const DESK: u32 = 1200;
/// How wide it is on a small phone.
pub const PHONE: u32 = 360;

/// The pictures of an image, and what they were made of.
pub struct Made {
    pub contents: Contents,
    pub boot: Boot,
    pub report: PathBuf,
    pub svg: PathBuf,
    pub dot: PathBuf,
}

impl Made {
    /// A browser that shows the report in a page of `width` pixels.
    pub fn open(&self, width: u32) -> Result<Browser> {
        let mut browser = Browser::start(width)?;
        browser.open(&self.report)?;
        Ok(browser)
    }
}

/// The pictures of the image that `make` builds.
pub fn ours() -> Result<&'static Made> {
    static MADE: OnceLock<Result<Made>> = OnceLock::new();
    once(&MADE, || make("ours", &Build::ours()))
}

/// The pictures of the image in which initcalls fail and others are skipped for it.
pub fn failing() -> Result<&'static Made> {
    static MADE: OnceLock<Result<Made>> = OnceLock::new();
    once(&MADE, || make("failing", extended()?))
}

fn once(made: &'static OnceLock<Result<Made>>, make: impl FnOnce() -> Result<Made>) -> Result<&'static Made> {
    made.get_or_init(make).as_ref().map_err(|error| anyhow!("{error:#}"))
}

fn make(name: &str, build: &Build) -> Result<Made> {
    let folder = root().join("out/tests").join(name);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let contents = Contents::of(&Image::read(&build.vmlinux())?)?;
    let boot = Boot::measure(&build.vmlinux(), &Machine::default())?;
    let [report, svg, dot] = ["report.html", "graph.svg", "graph.dot"].map(|file| folder.join(file));
    let costs = Costs::measured(&contents.graph, &boot.entries);
    fs::write(&report, page::render(&contents, &boot)?)?;
    fs::write(&svg, svg::draw(&contents.graph, &costs, svg::Form::File))?;
    fs::write(&dot, dot::draw(&contents.graph, &costs))?;
    Ok(Made {
        contents,
        boot,
        report,
        svg,
        dot,
    })
}

/// The selector of the lane of the entry called `name`.
pub fn lane(boot: &Boot, name: &str) -> Result<String> {
    let index = boot.entries.iter().position(|entry| entry.name == name);
    Ok(format!(".lane[data-entry=e{}]", index.with_context(|| format!("no {name}"))?))
}
