//! What the boot CPU can: Linux's capability words, and the options that take something out of them.
//!
//! [`super::common`] fills the words from CPUID, once. Whoever asks for a feature asks [`boot_cpu_has`], whose answer respects the command line.

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use incipit_lib::cpufeature::{FeatureSet, WORDS, parse_list};

use crate::panic::taint::{self, Taint};
use crate::prelude::*;

pub use incipit_lib::cpufeature::Feature;

/// The features that the kernel asks for.
pub mod feature {
    use incipit_lib::cpufeature::Feature;

    macro_rules! features {
        ($($(#[$doc:meta])* $constant:ident = $name:literal;)*) => {$(
            $(#[$doc])*
            pub const $constant: Feature = Feature::named($name);
        )*};
    }

    features! {
        /// No-execute in page tables.
        NX = "nx";
        /// 1 GiB pages.
        GBPAGES = "pdpe1gb";
        /// Global pages.
        PGE = "pge";
        /// Supervisor-mode execution prevention.
        SMEP = "smep";
        /// Supervisor-mode access prevention.
        SMAP = "smap";
        /// User-mode instruction prevention.
        UMIP = "umip";
        /// `rdfsbase` and its kin.
        FSGSBASE = "fsgsbase";
        /// The time-stamp counter.
        TSC = "tsc";
        /// A time-stamp counter that does not change its rate.
        CONSTANT_TSC = "constant_tsc";
        /// A time-stamp counter that does not stop in idle states.
        NONSTOP_TSC = "nonstop_tsc";
        /// CPUID or a hypervisor tells the rate of the time-stamp counter.
        TSC_KNOWN_FREQ = "tsc_known_freq";
        /// Machine-check exceptions.
        MCE = "mce";
        /// Runs on a hypervisor, which has leaves of its own.
        HYPERVISOR = "hypervisor";
        /// The page attribute table.
        PAT = "pat";
        /// A local APIC.
        APIC = "apic";
        /// A local APIC that can be reached by model-specific registers.
        X2APIC = "x2apic";
        /// The local APIC's timer can wait for the time-stamp counter.
        TSC_DEADLINE_TIMER = "tsc_deadline_timer";
        /// Memory type range registers.
        MTRR = "mtrr";
    }
}

/// What the image cannot run without: the way in has refused CPUs that lack it, and no option takes it away.
const REQUIRED: [Feature; 11] = [
    Feature::named("fpu"),
    Feature::named("msr"),
    Feature::named("pae"),
    Feature::named("cx8"),
    Feature::named("pge"),
    Feature::named("cmov"),
    Feature::named("fxsr"),
    Feature::named("sse"),
    Feature::named("sse2"),
    Feature::named("nx"),
    Feature::named("lm"),
];

static CAPABILITY: [AtomicU32; WORDS] = [const { AtomicU32::new(0) }; WORDS];

/// Whether the boot CPU has `feature`, and the command line leaves it on. Before `setup_arch` it seems to have none.
#[must_use]
pub fn boot_cpu_has(feature: Feature) -> bool {
    CAPABILITY[feature.word()].load(Relaxed) & feature.mask() != 0
}

/// Notes a feature that was concluded later: Linux's `setup_force_cpu_cap`.
pub fn set_cpu_cap(feature: Feature) {
    CAPABILITY[feature.word()].fetch_or(feature.mask(), Relaxed);
}

/// Does without a feature and what builds on it from now on: Linux's `setup_clear_cpu_cap`.
pub fn clear_cpu_cap(feature: Feature) {
    let gone = FeatureSet::with_dependents(feature);
    for (word, gone) in CAPABILITY.iter().zip(gone.words()) {
        word.fetch_and(!gone, Relaxed);
    }
}

/// Everything that the boot CPU has.
pub fn boot_cpu_features() -> impl Iterator<Item = Feature> {
    (0..).map_while(Feature::by_number).filter(|&feature| boot_cpu_has(feature))
}

/// Takes over what was identified.
#[init]
pub(super) fn set_all(features: &FeatureSet) {
    for (word, &value) in CAPABILITY.iter().zip(features.words()) {
        word.store(value, Relaxed);
    }
}

/// `clearcpuid=NAME[,NAME…]`: features that the kernel is to do without, by their names in `/proc/cpuinfo` or their numbers. For tests, and for CPUs whose
/// feature does not work; it taints the kernel.
#[early_param("clearcpuid")]
#[init]
fn clearcpuid(value: Option<&'static str>) -> Result<(), Errno> {
    let value = value.filter(|value| !value.is_empty()).ok_or(Errno::EINVAL)?;
    pr_info!("Clearing CPUID bits:{}", Cleared(value));
    for feature in parse_list(value, by_name).flatten().filter(|feature| !REQUIRED.contains(feature)) {
        clear_cpu_cap(feature);
        taint::add(Taint::CpuOutOfSpec);
    }
    Ok(())
}

/// Features have names only where the image holds them.
fn by_name(name: &str) -> Option<Feature> {
    if cfg!(CONFIG_X86_FEATURE_NAMES) {
        Feature::by_name(name)
    } else {
        None
    }
}

/// The name of a feature, or its number where the image holds no names.
fn write_name(feature: Feature, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if cfg!(CONFIG_X86_FEATURE_NAMES) {
        write!(f, "{feature}")
    } else {
        write!(f, "{}", feature.number())
    }
}

/// What becomes of each word of `clearcpuid=`.
struct Cleared(&'static str);

impl fmt::Display for Cleared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for word in parse_list(self.0, by_name) {
            match word {
                Ok(feature) if REQUIRED.contains(&feature) => {
                    f.write_str(" (required: ")?;
                    write_name(feature, f)?;
                    f.write_str(")")?;
                }
                Ok(feature) => {
                    f.write_str(" ")?;
                    write_name(feature, f)?;
                }
                Err(word) => write!(f, " (unknown: {word})")?,
            }
        }
        Ok(())
    }
}

/// `nosmep`: does without supervisor-mode execution prevention.
#[early_param("nosmep")]
#[init]
fn nosmep(_: Option<&'static str>) -> Result<(), Errno> {
    clear_cpu_cap(feature::SMEP);
    Ok(())
}

/// `nosmap`: does without supervisor-mode access prevention.
#[early_param("nosmap")]
#[init]
fn nosmap(_: Option<&'static str>) -> Result<(), Errno> {
    clear_cpu_cap(feature::SMAP);
    Ok(())
}

#[ktest]
fn what_the_image_requires_is_there() {
    for required in REQUIRED {
        assert!(boot_cpu_has(required), "{required}");
    }
}
