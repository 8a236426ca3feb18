//! Processors: `cpuinfo` says what QEMU was told to be, options take features away, and what the kernel cannot run on is told so and stops.

use anyhow::{Context, Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::machine::Machine;
use incipit_tests::session::Session;
use incipit_tests::trial::{trial, trial_on};
use libtest_mimic::Trial;

const CASES: &[(&str, &str, &str)] = &[
    (
        "without_long_mode",
        "qemu32",
        "This kernel requires an x86-64 CPU, but only detected an i686 CPU.",
    ),
    (
        "with_long_mode_hidden",
        "qemu64,-lm",
        "This kernel requires an x86-64 CPU, but only detected an i686 CPU.",
    ),
    (
        "of_the_fourth_family",
        "486",
        "This kernel requires an x86-64 CPU, but only detected an i486 CPU.",
    ),
    (
        "without_nx",
        "qemu64,-nx",
        "This kernel requires the NX (execute disable) feature, which this CPU does not have.",
    ),
    (
        "without_sse2",
        "qemu64,-sse2",
        "This kernel requires the following features not present on the CPU: sse2",
    ),
    (
        "without_several_features",
        "qemu64,-pge,-fxsr",
        "This kernel requires the following features not present on the CPU: pge fxsr",
    ),
];

pub fn trials() -> Vec<Trial> {
    let build = Build::ours();
    let mut trials = Vec::new();
    for image in [build.vmlinux(), build.bzimage()] {
        for &(name, cpu, message) in CASES {
            let machine = Machine::new(&image).cpu(cpu);
            let file = image.file_name().unwrap_or_default().to_string_lossy().into_owned();
            trials.push(trial(format!("processors::one_{name}_is_refused_by_{file}"), move || {
                says_and_stops(&machine, message)
            }));
        }
    }
    for model in MODELS {
        trials.push(trial(format!("processors::cpuinfo_tells_{}", model.cpu), move || {
            let text = cpuinfo(model.cpu, "")?;
            model.check(&text).with_context(|| text)
        }));
    }
    trials.extend([
        trial("processors::a_vendor_that_nobody_knows_is_said_to_be", || {
            let log = Machine::new(&Build::ours().vmlinux()).cpu("qemu64,vendor=EricssonMind").run()?;
            log.require(&[
                "CPU: vendor_id 'EricssonMind' unknown, using generic init.",
                "CPU: EricssonMind QEMU Virtual CPU version 2.5+ (family: 0xf, model: 0x6b, stepping: 0x1)",
            ])
        }),
        trial("processors::the_bugs_of_a_qemu64_are_those_that_linux_lists", || {
            let text = cpuinfo("qemu64", "")?;
            let expected = "fxsave_leak sysret_ss_attrs null_seg swapgs_fence amd_e400 spectre_v1 spectre_v2";
            ensure!(value(&text, "bugs")? == expected, "{text}");
            Ok(())
        }),
        trial("processors::clearcpuid_takes_features_and_what_builds_on_them", cleared),
        bochs(),
        trial("processors::nosmep_and_nosmap_are_obeyed", || {
            let text = cpuinfo("max", "nosmep nosmap")?;
            let flags: Vec<_> = value(&text, "flags")?.split(' ').collect();
            ensure!(
                !flags.contains(&"smep") && !flags.contains(&"smap") && flags.contains(&"umip"),
                "{text}"
            );
            Ok(())
        }),
    ]);
    trials
}

/// What `cpuinfo` says on a processor, with more words on the command line.
fn cpuinfo(cpu: &str, words: &str) -> Result<String> {
    Session::on(&Machine::new(&Build::ours().vmlinux()).cpu(cpu).append("kdb").append(words))?.obey("cpuinfo")
}

/// What stands in a row of `cpuinfo` behind the colon.
fn value<'a>(text: &'a str, name: &str) -> Result<&'a str> {
    let rows = text.lines().filter_map(|line| line.split_once(':'));
    let mut found = rows.filter(|row| row.0.trim_end_matches('\t') == name).map(|row| row.1.trim());
    found.next().with_context(|| format!("no {name} in:\n{text}"))
}

impl Model {
    fn check(&self, text: &str) -> Result<()> {
        ensure!(value(text, "vendor_id")? == self.vendor);
        ensure!(value(text, "model name")? == self.name);
        for (name, expected) in ["cpu family", "model", "stepping"].into_iter().zip(self.signature) {
            ensure!(value(text, name)? == expected.to_string(), "{name}");
        }
        let flags: Vec<_> = value(text, "flags")?.split(' ').collect();
        for name in self.has {
            ensure!(flags.contains(name), "no {name}");
        }
        for name in self.lacks {
            ensure!(!flags.contains(name), "{name}");
        }
        ensure!(value(text, "address sizes")?.ends_with(" bits virtual"));
        ensure!(value(text, "clflush size")? == "64");
        Ok(())
    }
}

/// Bochs is a Core i7-7800X, by its table of models, and no hypervisor.
fn bochs() -> Trial {
    let bochs = || Machine::new(&Build::ours().vmlinux()).in_bochs().append("kdb");
    let skylake = Model {
        cpu: "corei7_skylake_x",
        vendor: "GenuineIntel",
        signature: [6, 85, 4],
        name: "Intel(R) Core(TM) i7-7800X CPU @ 3.50GHz",
        has: &["avx2", "avx512f", "smep", "smap", "constant_tsc", "rep_good", "xsaves", "pdpe1gb"],
        lacks: &["hypervisor", "umip", "vmmcall", "la57"],
    };
    trial_on(&bochs(), "processors::cpuinfo_tells_the_processor_of_bochs", move || {
        let text = Session::on(&bochs())?.obey("cpuinfo")?;
        skylake.check(&text).with_context(|| text)
    })
}

fn cleared() -> Result<()> {
    let mut session = Session::on(&Machine::new(&Build::ours().vmlinux()).append("kdb clearcpuid=smap,nx,bogus,xsave,514,9999"))?;
    let text = session.obey("cpuinfo")?;
    let flags: Vec<_> = value(&text, "flags")?.split(' ').collect();
    for gone in ["smap", "xsave", "xsaveopt", "avx", "avx2", "umip"] {
        ensure!(!flags.contains(&gone), "{gone} is among {flags:?}");
    }
    for left in ["smep", "nx", "sse2", "fsgsbase"] {
        ensure!(flags.contains(&left), "no {left} among {flags:?}");
    }
    session
        .guest
        .log()
        .require(&["Clearing CPUID bits: smap (required: nx) (unknown: bogus) xsave umip (unknown: 9999)"])
}

/// Boots `machine`, which must write `message` to serial line and screen and then do nothing more.
pub fn says_and_stops(machine: &Machine, message: &str) -> Result<()> {
    let mut guest = machine.clone().monitored().start()?;
    guest.wait_for(message)?;
    guest.wait_for("\r\n")?;
    let screen = guest.screen()?;
    // A message that is longer than a line of the screen goes on in the next.
    ensure!(
        screen.concat().contains(&message.replace(' ', "")) || joined(&screen).contains(message),
        "the screen shows {screen:#?}"
    );
    ensure!(
        guest.log().lines().last().is_some_and(|line| line.ends_with(message)),
        "more was written: {}",
        guest.log().tail()
    );
    Ok(())
}

/// The screen as one text.
fn joined(screen: &[String]) -> String {
    screen.iter().map(|line| format!("{line:<80}")).collect()
}

/// What `cpuinfo` must say of a processor that QEMU was told to be.
struct Model {
    cpu: &'static str,
    vendor: &'static str,
    /// Family, model, stepping.
    signature: [u32; 3],
    name: &'static str,
    /// Features that are among the flags.
    has: &'static [&'static str],
    /// Features that are not.
    lacks: &'static [&'static str],
}

/// Signatures, names and features are those of QEMU's table of models (`target/i386/cpu.c`), as far as its emulation has the features.
const MODELS: &[Model] = &[
    Model {
        cpu: "qemu64,vendor=AuthenticAMD",
        vendor: "AuthenticAMD",
        signature: [15, 107, 1],
        name: "QEMU Virtual CPU version 2.5+",
        has: &[
            "fpu",
            "sse2",
            "nx",
            "lm",
            "pni",
            "cx16",
            "hypervisor",
            "svm",
            "rep_good",
            "nopl",
            "cpuid",
            "vmmcall",
        ],
        lacks: &["smep", "smap", "avx2", "pdpe1gb", "constant_tsc", "xtopology"],
    },
    Model {
        cpu: "max",
        vendor: "AuthenticAMD",
        signature: [15, 107, 1],
        name: "QEMU TCG CPU version 2.5+",
        has: &["smep", "smap", "umip", "fsgsbase", "pdpe1gb", "erms", "clwb", "xsave", "avx2"],
        lacks: &["la57", "x2apic", "constant_tsc"],
    },
    Model {
        cpu: "max,-smap,-umip,-avx2,-pdpe1gb",
        vendor: "AuthenticAMD",
        signature: [15, 107, 1],
        name: "QEMU TCG CPU version 2.5+",
        has: &["smep", "avx"],
        lacks: &["smap", "umip", "avx2", "pdpe1gb"],
    },
    Model {
        cpu: "Nehalem",
        vendor: "GenuineIntel",
        signature: [6, 26, 3],
        name: "Intel Core i7 9xx (Nehalem Class Core i7)",
        has: &["sse4_2", "popcnt", "constant_tsc", "rep_good", "lahf_lm"],
        lacks: &["aes", "avx", "smep", "3dnowprefetch", "vmmcall"],
    },
    Model {
        cpu: "Nehalem,+aes,-popcnt,+invtsc",
        vendor: "GenuineIntel",
        signature: [6, 26, 3],
        name: "Intel Core i7 9xx (Nehalem Class Core i7)",
        has: &["aes", "constant_tsc"],
        lacks: &["popcnt", "smap"],
    },
    Model {
        cpu: "Skylake-Client",
        vendor: "GenuineIntel",
        signature: [6, 94, 3],
        name: "Intel Core Processor (Skylake)",
        has: &["smep", "smap", "erms", "adx", "xsaveopt", "xgetbv1", "arat", "abm"],
        lacks: &["umip", "sha_ni"],
    },
    Model {
        cpu: "EPYC",
        vendor: "AuthenticAMD",
        signature: [23, 1, 2],
        name: "AMD EPYC Processor",
        has: &[
            "smep",
            "smap",
            "clflushopt",
            "sse4a",
            "cr8_legacy",
            "extd_apicid",
            "arat",
            "rep_good",
        ],
        lacks: &["pcid", "ibpb", "amd_dcm"],
    },
    Model {
        cpu: "Opteron_G1",
        vendor: "AuthenticAMD",
        signature: [15, 6, 1],
        name: "AMD Opteron 240 (Gen 1 Class Opteron)",
        has: &["sse2", "pni", "syscall", "lm"],
        lacks: &["cx16", "rdtscp", "popcnt", "svm"],
    },
    Model {
        cpu: "Nehalem,vendor=EricssonMind,family=33,model=171,stepping=9,model-id=Nobody's",
        vendor: "EricssonMind",
        signature: [33, 171, 9],
        name: "Nobody's",
        has: &["sse4_2", "nx", "cpuid"],
        lacks: &["constant_tsc", "vmmcall", "rep_good"],
    },
];
