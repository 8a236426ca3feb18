//! The attributes that declare an entry of a link-time table.
//!
//! Each attribute leaves the annotated item as it is (or moves it to a section) and adds, inside `const _: () = { … }`, the entry and a declaration record
//! for the tools; `docs/annotations.md` shows the expansions. One file per attribute; `declaration` holds what they share. Mistakes are compile errors
//! at the place of the mistake that say what would be right. Behind the item's documentation comes a line that says how it is declared, for editors and `cargo doc`.
//!
//! Users reach these through `incipit::prelude`.

mod arguments;
mod capability;
mod cpu_state;
mod declaration;
mod documentation;
mod earlycon;
mod exception_entry;
mod init;
mod init_memory;
mod init_ref;
mod initcall;
mod initial;
mod ktest;
mod param;
mod percpu;
mod relations;
mod setup;
mod signature;
mod softirq;
mod stage;

use proc_macro::TokenStream;

/// Turns what an attribute made, or its error, into tokens.
fn finish(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(|error| error.to_compile_error()).into()
}

/// A step of `start_kernel`: `#[stage]` or `#[stage(after(path, …), …)]` on a `fn()`.
///
/// Takes the relations of [`macro@initcall`]: `after`, `before`, `provides`, `requires`, `wants`; and `last` for the one stage behind all others, which
/// does not come back. A stage cannot fail, so it has no error policy. Stages run with
/// interrupts disabled, on the boot CPU's stack.
///
/// A stage that walks a table of the boot asks for the proof that this is there: `fn(InitMemory<'_>)`. The same goes for every function that such a table holds:
/// initcalls, handlers of options, tests, early consoles take `init: InitMemory<'_>` behind their other arguments if they need it.
///
/// ```ignore
/// #[stage(after(crate::init::setup_command_line))]
/// fn setup_per_cpu_areas() {}
/// ```
#[proc_macro_attribute]
pub fn stage(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(stage::expand(arguments.into(), item.into()))
}

/// A function that brings a subsystem up: `#[initcall(level)]` on a `fn() -> Result<(), Errno>`.
///
/// Levels, in order: `early`, `pure`, `core`, `postcore`, `arch`, `subsys`, `fs`, `rootfs`, `device`, `late`; `console` registers a console, from
/// `console_init`. `#[initcall(level, sync)]` runs behind the plain ones of its level. Within a level the build computes the order, from:
///
/// - `after(path, …)`, `before(path, …)`: functions. One that does not exist, or a cycle, does not compile.
/// - `provides(Capability, …)`: what is there when this function has succeeded (see [`macro@capability`]).
/// - `requires(Capability, …)`: runs behind all that provide it, and not at all if none of them succeeded. Without any in the image the build fails.
/// - `wants(Capability, …)`: runs behind all that provide it, if any do.
///
/// A relation to something of a later level is a build error. What has no relation to each other goes by rank (how many must come first), then name.
///
/// `on_error(policy)` says what an error means: `warn`, the default, logs it and skips what requires its capabilities; `ignore` takes it for a success;
/// `skip_dependents` skips what comes after the function by path, too; `panic` ends the boot.
///
/// Called once, on the boot CPU, in pid 1's context; memory can be allocated. An interrupt state or preemption count that is left changed is named and put right.
///
/// What may be done only while init memory is there wants to see an `InitMemory`, which an initcall takes as its argument: `fn(InitMemory<'_>) -> Result<(), Errno>`.
///
/// ```ignore
/// #[initcall(device, requires(incipit_pci::Pci), after(crate::queue_init), on_error(skip_dependents))]
/// fn nic_init() -> Result<(), Errno> {
///     pr_info!("nic: ready");
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn initcall(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(initcall::expand(arguments.into(), item.into()))
}

/// Something that one function brings about and others need, by a name that stays when the function is configured out: `#[capability]` on a unit struct.
///
/// Stages and initcalls name it in `provides(…)`, `requires(…)` and `wants(…)`. `#[capability(exclusive)]` lets one entry of an image provide it at most. In messages
/// it goes by its identifier in snake case.
///
/// ```ignore
/// /// The PCI buses are enumerated.
/// #[capability]
/// pub struct Pci;
/// ```
#[proc_macro_attribute]
pub fn capability(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(capability::expand(arguments.into(), item.into()))
}

/// An option that is handled before everything else: `#[early_param("name")]` on a `fn(Option<&'static str>) -> Result<(), Errno>`.
///
/// The name stands without `=`. The function is called once for each time that the option stands on the command line, with its value if it has one. An error is
/// logged as `Malformed early option 'name'`. Several handlers of one name are all called.
///
/// Runs from `setup_arch`, with interrupts disabled, before the memory map is final: nothing can be allocated, memory is memblock's; the log works. Documentation
/// begins with how the option is typed, which the page of kernel parameters shows.
///
/// ```ignore
/// /// `quiet`: shows errors and worse only on consoles.
/// #[init]
/// #[early_param("quiet")]
/// fn quiet_kernel(_value: Option<&'static str>) -> Result<(), Errno> {
///     CONSOLE_LOGLEVEL.store(4, Relaxed);
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn early_param(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(setup::expand_early(arguments.into(), item.into()))
}

/// An option that is taken by prefix: `#[setup("name=")]` on a `fn(&'static str) -> SetupResult`.
///
/// The name is a prefix, most often with `=` at its end. The function is called with what follows it, once for each such word that no parameter is called.
/// `SetupResult::NotMine` lets others, and at last init, have the option; `Consumed` ends the search. Longer prefixes are asked first.
///
/// Runs from the stage `parse_args`, with interrupts disabled; memory can be allocated. Documentation begins with how the option is typed.
///
/// ```ignore
/// /// `init=path`: the program to run as init.
/// #[init]
/// #[setup("init=")]
/// fn init_setup(path: &'static str) -> SetupResult {
///     *PROGRAM.lock() = Some(path);
///     SetupResult::Consumed
/// }
/// ```
#[proc_macro_attribute]
pub fn setup(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(setup::expand_setup(arguments.into(), item.into()))
}

/// An option that nothing handles any more: `obsolete_setup!("name=");`.
///
/// Stands where an item can. When a word on the command line begins with the name, `Parameter name= is obsolete, ignored` is logged, and init does not get it.
///
/// ```ignore
/// obsolete_setup!("ramdisk_size=");
/// ```
#[proc_macro]
pub fn obsolete_setup(arguments: TokenStream) -> TokenStream {
    finish(setup::expand_obsolete(arguments.into()))
}

/// A static that the command line can set: `#[param]` on a static whose type implements `ParamValue`.
///
/// `#[param(name = "time", module = "printk", perm = 0o644, level = device, dangerous)]`, all optional. The name is the static's in lower case; the module,
/// with which the command line writes `module.name=value`, is the crate's (without a leading `incipit_`), and none in the kernel itself. `perm` is the mode
/// of the file under `/sys/module/*/parameters/` (0: none). `level` parses it just before that initcall level instead of at the start. `dangerous` taints
/// the kernel when it is set.
///
/// Types: `AtomicBool`, the atomic integers, `Bint`, `InvBool`, `Charp`, `ByteString<N>`, `ParamArray<T, N>`, and any type with the trait. Set from the stage
/// `parse_args`, with interrupts disabled; the first initcall finds the value there. The first paragraph of the documentation goes to the page of kernel parameters.
///
/// ```ignore
/// /// How often to say hello.
/// #[param(perm = 0o644)]
/// static COUNT: AtomicU32 = AtomicU32::new(1);
/// ```
#[proc_macro_attribute]
pub fn param(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(param::expand(arguments.into(), item.into()))
}

/// Turns faults into errors: `#[exception_entry]` on a function whose `asm!` has an access that may fault.
///
/// In the template, `may_fault!("instruction")` marks the access, and the operand `error = out("r8d") variable` names the register that tells the outcome: 0,
/// or a negative error code after a fault (`-EFAULT`, or what `may_fault!("instruction", error = EIO)` says). A register that comes with a value, as
/// `error = inout("r8") value => outcome`, keeps it, for an access that writes it or to whom any outcome is good. Execution goes on behind the template's last
/// line, or, with `may_fault!("instruction" => "4")`, at the local label `4`.
///
/// ```ignore
/// #[exception_entry]
/// fn rdmsr_safe(msr: u32) -> Result<u64, Errno> {
///     let (low, high, error): (u32, u32, i32);
///     // SAFETY: reading an MSR has no effect on memory; one that is not there faults, and the entry turns that into `error`.
///     unsafe {
///         asm!(may_fault!("rdmsr", error = EIO), in("ecx") msr, out("eax") low, out("edx") high, error = out("r8d") error, options(nomem, nostack));
///     }
///     if error == 0 { Ok(u64::from(high) << 32 | u64::from(low)) } else { Err(Errno::EIO) }
/// }
/// ```
#[proc_macro_attribute]
pub fn exception_entry(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(exception_entry::expand(arguments.into(), item.into()))
}

/// A variable of which each CPU has its own: `#[percpu]` on a static; its type becomes `PerCpu<T>`.
///
/// Variants say where in the per-CPU area it lies: `#[percpu(first)]` at the beginning, `#[percpu(page_aligned)]` and `#[percpu(shared_aligned)]` in pages or cache
/// lines of its own, for types that are aligned so, `#[percpu(read_mostly)]` away from what is often written. Every CPU starts with the static's initial value.
/// Usable from the first instruction of Rust on: until the areas are there, the boot CPU uses the template.
///
/// ```ignore
/// /// How often this CPU has been interrupted.
/// #[percpu]
/// static COUNT: AtomicU32 = AtomicU32::new(0);
///
/// fn interrupted() {
///     COUNT.this_cpu_add(1);
/// }
/// ```
#[proc_macro_attribute]
pub fn percpu(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(percpu::expand(arguments.into(), item.into()))
}

/// A function that is needed only during the boot: `#[init]` puts it into `.init.text`, which is given back afterwards.
///
/// What stays must not refer to it; the build says so if it does. The function is not inlined anywhere unless it has an `#[inline…]` of its own. No generic function,
/// which is compiled where it is used. Stands on functions with another attribute, too, in either order.
///
/// ```ignore
/// #[init]
/// fn first_free_page(map: &MemoryMap) -> u64 {
///     map.first_free().next_multiple_of(PAGE_SIZE)
/// }
/// ```
#[proc_macro_attribute]
pub fn init(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(init::expand_function(arguments.into(), item.into()))
}

/// Data that is needed only during the boot: `#[initdata]` on a static puts it into `.init.data`, `#[initdata(readonly)]` into `.init.rodata`.
///
/// What stays must not refer to it; the build says so if it does.
///
/// ```ignore
/// /// The firmware's memory map, as it came.
/// #[initdata]
/// static FIRMWARE_MAP: Mutex<E820Table> = Mutex::new(E820Table::new());
/// ```
#[proc_macro_attribute]
pub fn initdata(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(init::expand_data(arguments.into(), item.into()))
}

/// A function or static that stays and all the same refers to what is needed only during the boot: `#[init_ref("reason")]`.
///
/// The reason says why nothing is used once it is gone; `make V=1` lists it. What the compiler derives from the function, its closures for one, may refer to init
/// memory too.
///
/// ```ignore
/// #[init_ref("runs the stages, which come before init memory is given back")]
/// pub fn start_kernel() -> ! {
///     run_stages()
/// }
/// ```
#[proc_macro_attribute]
pub fn init_ref(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(init_ref::expand(arguments.into(), item.into()))
}

/// Something that each CPU has of its own: `#[cpu_state(section)]` on a `fn(usize) -> Result<(), Errno>`, called with the number of a CPU that comes.
///
/// Sections: `prepare`, called on the CPU that brings the other one up, before that is started; `starting`, on the CPU itself, with interrupts off, before it is online;
/// `online`, on the first one again, when the other is online. An error takes back what was done for the CPU so far, and the CPU does not come. `teardown = path` names a
/// `fn(usize)` that undoes it, called in the same place when the CPU goes, in the opposite order; `name = "…"` is what messages call the state, by default the function's name.
/// Within a section the order comes from `after(path, …)` and `before(path, …)`, then from the names.
///
/// Not called for the boot CPU, which stages make ready. In a kernel for one CPU nothing is called. In `starting` nothing may wait or allocate.
///
/// ```ignore
/// /// Each CPU has pages at hand, which are the others' when it is gone.
/// #[cpu_state(prepare, name = "mm/page_alloc:pcp", teardown = page_alloc_cpu_dead)]
/// fn page_alloc_cpu_prepare(_cpu: usize) -> Result<(), Errno> {
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn cpu_state(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(cpu_state::expand(arguments.into(), item.into()))
}

/// What a softirq does: `#[softirq(Name)]` on a `fn()`, where the name is one of Linux's ten: `Hi`, `Timer`, `NetTx`, `NetRx`, `Block`, `IrqPoll`, `Tasklet`, `Sched`, `Hrtimer`,
/// `Rcu`.
///
/// Called on the CPU that raised it, with interrupts on, when the outermost interrupt ends; it may not sleep. A softirq has one handler: `softirq_init` panics if it finds two.
///
/// ```ignore
/// #[softirq(Timer)]
/// fn run_timer_softirq() {}
/// ```
#[proc_macro_attribute]
pub fn softirq(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(softirq::expand(arguments.into(), item.into()))
}

/// A test that runs in the kernel: `#[ktest]` on a `fn()` that panics if the test fails.
///
/// Runs behind the last initcall level when the command line says `kunit.enable=1`, in an image with `CONFIG_KUNIT`; in others the test is left out. A panic ends the
/// guest; `make ktest FILTER=path::*` boots it again to go on behind that test, and `make test` tells of each as one of its own. Runs on the boot CPU, in pid
/// 1's context; memory can be allocated.
///
/// ```ignore
/// #[ktest]
/// fn a_page_is_aligned() {
///     assert!(alloc_page().is_aligned());
/// }
/// ```
#[proc_macro_attribute]
pub fn ktest(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(ktest::expand(arguments.into(), item.into()))
}

/// A console that works before the drivers do: `#[earlycon("name")]` on a `fn(&EarlyconDevice) -> Result<&'static dyn Console, Errno>`.
///
/// The function is called when `earlycon=name,…` or, for serial ports, `earlyprintk=` asks for it, with the address and the options that stand there. It finds out
/// whether the device is there, and returns a console that works without memory, interrupts or locks of others. An error is logged.
///
/// ```ignore
/// #[init]
/// #[earlycon("uart8250")]
/// fn early_serial8250_setup(device: &EarlyconDevice) -> Result<&'static dyn Console, Errno> {
///     Ok(EARLY_PORT.call_once(|| Port::at(device.address)))
/// }
/// ```
#[proc_macro_attribute]
pub fn earlycon(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(earlycon::expand(arguments.into(), item.into()))
}
