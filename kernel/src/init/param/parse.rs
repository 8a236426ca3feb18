//! The walk over the command line: Linux's `parse_early_param` and `parse_args`.
//!
//! Each word is tried as a parameter, then as a setup handler's, then passed to init. What is wrong with a word is said in a line of its own, in Linux's words,
//! and a last line counts them; the rest of the line is parsed all the same.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use incipit_lib::cmdline::{Args, Token, Tokens, suggest};
use incipit_lib::param::ParamError;
use incipit_lib::text::Lossy;

use super::{Flags, KernelParam, Origin, find, params};
use crate::arch::x86::setup as arch_setup;
use crate::init::command_line::{copy_of, saved_command_line};
use crate::init::{init_args, setup};
use crate::irq;
use crate::panic::taint::{self, Taint};
use crate::prelude::*;

/// The level of parameters that are parsed at "Booting kernel".
const BOOT_LEVEL: i8 = -1;

/// Calls the early handlers of every option. The first call does it, which is `setup_arch`'s; the stage comes later, as in Linux.
#[init]
#[stage(after(crate::jump_label::jump_label_init))]
pub fn parse_early_param(init: InitMemory<'_>) {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.swap(true, Relaxed) {
        return;
    }
    // There is no memory for a copy yet, and none is needed: names and values are pieces of the line as it is.
    for token in Tokens::new(arch_setup::boot_command_line()).take_while(|token| !token.ends_kernel_part()) {
        let Token { param, value } = token;
        let malformed = || pr_warn!("Malformed early option '{}'", Lossy(param));
        match value.map(str::from_utf8).transpose() {
            Ok(value) => setup::call_early(init, param, value, |_| malformed()),
            // Handlers take text. An option that none of them has is not theirs to complain about.
            Err(_) if setup::is_early(init, param) => malformed(),
            Err(_) => {}
        }
    }
}

/// Sets the parameters, asks the setup handlers, and keeps the rest for init.
#[init]
#[stage(after(parse_early_param), provides(super::Parameters))]
pub(crate) fn parse_args(init: InitMemory<'_>) {
    let mut arguments = Args::new(copy_of(saved_command_line()));
    let mut wrong = Errors::new("Booting kernel");
    for argument in &mut arguments {
        if argument.ends_kernel_part() {
            break;
        }
        let Token { param, value } = argument.token();
        match find(param) {
            Some(parameter) if parameter.level == BOOT_LEVEL => set(parameter, value, &mut wrong),
            // It is parsed before its level.
            Some(_) => {}
            None => unknown_bootoption(init, argument.text(), param, value),
        }
        check_interrupts(param);
    }
    wrong.report();
    init_args::report_unknown(init);
    // What stands behind `--` is init's, whatever came before it.
    for argument in Args::new(arguments.into_rest()) {
        init_args::add_argument(argument.text());
    }
}

/// Sets the parameters of one initcall level, just before it. Called with the level's name and number.
#[init]
pub(in crate::init) fn parse_level(name: &'static str, number: i8) {
    if !params().any(|parameter| parameter.level == number) {
        return;
    }
    let mut wrong = Errors::new(name);
    for argument in Args::new(copy_of(saved_command_line())) {
        if argument.ends_kernel_part() {
            break;
        }
        let Token { param, value } = argument.token();
        if let Some(parameter) = find(param).filter(|parameter| parameter.level == number) {
            set(parameter, value, &mut wrong);
            check_interrupts(param);
        }
    }
    wrong.report();
}

/// Sets one parameter and notes what was wrong with the value.
#[init]
#[inline]
fn set(parameter: &KernelParam, value: Option<&[u8]>, wrong: &mut Errors) {
    if parameter.flags == Flags::DANGEROUS {
        pr_notice!("Setting dangerous option {} - tainting kernel", parameter.name());
        taint::add(Taint::User);
    }
    if let Err(error) = parameter.set(value, Origin::CommandLine) {
        wrong.add(parameter, value, error);
    }
}

/// A word that is no parameter: a setup handler's, or a module's that is not there, or init's.
#[init]
fn unknown_bootoption(init: InitMemory<'_>, text: &'static [u8], param: &'static [u8], value: Option<&[u8]>) {
    // Between boot loaders: what was loaded, how, and which files are the RAM disk.
    if matches!(param, b"BOOT_IMAGE" | b"auto" | b"initrd") {
        return;
    }
    if str::from_utf8(text).is_ok_and(|text| setup::obsolete_checksetup(init, text)) {
        return;
    }
    // `module.name` of a module that is not there, or not yet.
    if param.contains(&b'.') {
        return hint(init, param);
    }
    if value.is_some() {
        init_args::add_variable(text);
    } else {
        init_args::add_argument(text);
    }
}

#[init]
#[inline]
fn check_interrupts(param: &[u8]) {
    if !irq::irqs_disabled() {
        pr_warn!("option '{}' enabled irq's!", Lossy(param));
        irq::local_irq_disable();
    }
}

/// Says which name the user may have meant by `name`, which nobody has, if there is one close to it.
#[init]
pub(in crate::init) fn hint(init: InitMemory<'_>, name: &[u8]) {
    if !crate::printk::ENABLED {
        return;
    }
    let names = params().map(KernelParam::name).chain(setup::names(init));
    if let Some(meant) = suggest(name, names.map(str::as_bytes)) {
        pr_notice!("`{}' is no parameter of this kernel: did you mean `{}'?", Lossy(name), Lossy(meant));
    }
}

/// How many errors of one pass are told one by one: a command line full of them must not push the rest of the boot out of the log.
const MOST_SHOWN: usize = 16;

/// Counts what was wrong with one pass over the command line.
struct Errors {
    doing: &'static str,
    count: usize,
}

impl Errors {
    fn new(doing: &'static str) -> Self {
        Self { doing, count: 0 }
    }

    #[cold]
    #[init]
    fn add(&mut self, parameter: &KernelParam, value: Option<&[u8]>, error: ParamError) {
        self.count += 1;
        if self.count > MOST_SHOWN {
            return;
        }
        let name = parameter.name().as_bytes();
        if let Some(detail) = error.detail(name) {
            pr_err!("{detail}");
        }
        pr_err!("{}", error.report(self.doing, name, value));
    }

    /// The one line that says how many of the values were wrong.
    #[init]
    fn report(self) {
        match self.count {
            0 | 1 => {}
            count @ ..=MOST_SHOWN => pr_err!("{}: {count} parameters kept their values, see above", self.doing),
            count => pr_err!(
                "{}: {count} parameters kept their values, {} of them not shown",
                self.doing,
                count - MOST_SHOWN
            ),
        }
    }
}
