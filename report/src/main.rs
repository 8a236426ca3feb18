//! The pictures' tool: draws the declared graph of an image, and reports on a boot of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use incipit_linker::seal::image::Image;
use incipit_report::boot::{Boot, measured};
use incipit_report::contents::Contents;
use incipit_report::graph::{Costs, dot, svg};
use incipit_report::page;
use incipit_report::qemu::Machine;

/// What `report` leaves for `graph`: the figures of the boot.
const MEASURED: &str = "measured.tsv";

/// Draws the declared boot of an Incipit image, and reports on a boot of it.
#[derive(Parser)]
#[command(name = "incipit-report", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write graph.svg and graph.dot: who runs before whom, and why. If the image was reported on, with what took long. The states of CPUs, if it has any,
    /// into cpu-states.svg and cpu-states.dot
    Graph {
        /// The sealed image
        #[arg(long)]
        image: PathBuf,
        /// The folder for the files
        #[arg(long)]
        output: PathBuf,
    },
    /// Boot the image once in QEMU, and write report.html
    Report {
        /// The sealed image
        #[arg(long)]
        image: PathBuf,
        /// The folder for the file
        #[arg(long)]
        output: PathBuf,
        /// The machine, as QEMU names it: pc, q35 or microvm
        #[arg(long, default_value = "pc")]
        machine: String,
        /// Memory of the machine
        #[arg(long, default_value = "128M")]
        memory: String,
        /// More words for the kernel's command line
        #[arg(long, default_value = "", allow_hyphen_values = true)]
        append: String,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Graph { image, output } => {
            let contents = Contents::of(&Image::read(&image)?)?;
            let costs = last_costs(&contents, &output.join(MEASURED))?;
            write(&output.join("graph.svg"), &svg::draw(&contents.graph, &costs, svg::Form::File))?;
            write(&output.join("graph.dot"), &dot::draw(&contents.graph, &costs))?;
            let (states, none) = (&contents.cpu_states, Costs::default());
            if states.entries.is_empty() {
                return Ok(());
            }
            write(&output.join("cpu-states.svg"), &svg::draw(states, &none, svg::Form::File))?;
            write(&output.join("cpu-states.dot"), &dot::draw(states, &none))
        }
        Command::Report {
            image,
            output,
            machine,
            memory,
            append,
        } => {
            let contents = Contents::of(&Image::read(&image)?)?;
            let boot = Boot::measure(
                &image,
                &Machine {
                    chipset: machine,
                    memory,
                    append,
                },
            )?;
            let [stages, initcalls] = &boot.answers;
            let figures = measured::write(&contents.build_id, [stages, initcalls]);
            write_silently(&output.join(MEASURED), &figures)?;
            write(&output.join("report.html"), &page::render(&contents, &boot)?)
        }
    }
}

/// What the entries cost in the last boot of this image that was measured, if there was one.
fn last_costs(contents: &Contents, file: &Path) -> Result<Costs> {
    let Ok(text) = fs::read_to_string(file) else {
        return Ok(Costs::default());
    };
    let entries = measured::read(&text, &contents.build_id).with_context(|| file.display().to_string())?;
    Ok(entries.map_or_else(Costs::default, |entries| Costs::measured(&contents.graph, &entries)))
}

/// Writes a file and says where it is.
fn write(file: &Path, text: &str) -> Result<()> {
    write_silently(file, text)?;
    println!("{}", file.display());
    Ok(())
}

fn write_silently(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("writing {}", file.display()))
}
