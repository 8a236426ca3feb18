//! From the root pointer to every table that it leads to.

use core::fmt;
use core::ops::Deref;

use super::{Fadt, Header, Rsdp, Signature};
use crate::checksum::sum;
use crate::wire::Wire;

/// How many tables a root table may name; the largest servers have about 60.
pub const MAX_TABLES: usize = 128;

/// Bytes that a table may have. The largest are definition blocks of less than 1 MiB, so a longer one is a length that was made up.
pub const MAX_LENGTH: u32 = 4 << 20;

/// A table in memory that `M` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table<M> {
    /// Its physical address.
    pub phys: u64,
    /// What it begins with. Of `FACS` only signature and length are there, the rest is 0.
    pub header: Header,
    /// What its bytes add up to: 0 if its checksum is right. `FACS` has none.
    pub sum: u8,
    /// All its bytes, the header included.
    pub bytes: M,
}

/// As Linux's log shows it.
impl<M> fmt::Display for Table<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} 0x{:016X} {}", self.header.signature, self.phys, self.header)
    }
}

/// Why a table is left out, or what is wrong with one that is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableError {
    /// Its memory cannot be read.
    Unmapped {
        /// Its physical address.
        phys: u64,
        /// Its length, as claimed; that of a header if not even this can be read.
        length: u32,
    },
    /// What is there has no name, so it is no table.
    Signature {
        /// Its physical address.
        phys: u64,
        /// What stands in the name's place.
        signature: Signature,
    },
    /// It is said to be shorter than a header, or longer than [`MAX_LENGTH`].
    Length {
        /// Its physical address.
        phys: u64,
        /// Its name.
        signature: Signature,
        /// Its length, as claimed.
        length: u32,
    },
    /// It should be another table.
    Unexpected {
        /// Its physical address.
        phys: u64,
        /// Its name.
        signature: Signature,
        /// What it should be.
        expected: Signature,
    },
    /// It has the name of a root table, and so would lead in a circle.
    Nested {
        /// Its physical address.
        phys: u64,
        /// Its name.
        signature: Signature,
    },
    /// It is named a second time.
    Repeated {
        /// Its physical address.
        phys: u64,
    },
    /// An entry of the root table is empty.
    Null {
        /// Which.
        index: usize,
    },
    /// The root table has more entries than [`MAX_TABLES`].
    TooMany {
        /// How many.
        count: usize,
    },
    /// The two addresses that FADT gives of a table differ.
    Mismatch {
        /// The table.
        name: &'static str,
        /// Its address in 32 bits.
        short: u32,
        /// Its address in 64 bits, which counts.
        long: u64,
    },
    /// The root pointer leads to no root table.
    NoRoot,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmapped { phys, length } => write!(f, "table at {phys:#018x} with {length:#x} bytes is out of reach: ignored"),
            Self::Signature { phys, signature } => {
                let [a, b, c, d] = signature.0;
                write!(f, "no table at {phys:#018x}, but [{a:02x} {b:02x} {c:02x} {d:02x}]: ignored")
            }
            Self::Length { phys, signature, length } => {
                write!(f, "table [{signature}] at {phys:#018x} has an invalid length {length:#x}: ignored")
            }
            Self::Unexpected { phys, signature, expected } => {
                write!(f, "table at {phys:#018x} is [{signature}] instead of [{expected}]: ignored")
            }
            Self::Nested { phys, signature } => write!(f, "root table names another root table [{signature}] at {phys:#018x}: ignored"),
            Self::Repeated { phys } => write!(f, "table at {phys:#018x} is named twice"),
            Self::Null { index } => write!(f, "entry {index} of the root table is empty"),
            Self::TooMany { count } => write!(f, "root table has {count} entries: those behind {MAX_TABLES} are ignored"),
            Self::Mismatch { name, short, long } => {
                write!(
                    f,
                    "32/64X address mismatch in FADT for {name}: {short:#010x}/{long:#018x}, using the latter"
                )
            }
            Self::NoRoot => f.write_str("the root pointer leads to no root table"),
        }
    }
}

impl core::error::Error for TableError {}

/// The root table, in which the addresses of the others stand.
pub struct Root<M> {
    /// The table itself.
    pub table: Table<M>,
}

/// Goes to the table at `phys`: its header is looked at before all of it is asked for.
fn fetch<M: Deref<Target = [u8]>>(phys: u64, map: &mut impl FnMut(u64, usize) -> Option<M>) -> Result<Table<M>, TableError> {
    let mut map = |length: u32| {
        phys.checked_add(length.into())
            .and_then(|_| map(phys, length as usize))
            .filter(|bytes| bytes.len() >= length as usize)
            .ok_or(TableError::Unmapped { phys, length })
    };
    let mut header = map(Header::SIZE as u32)
        .ok()
        .and_then(|bytes| Header::read(&bytes))
        .ok_or(TableError::Unmapped {
            phys,
            length: Header::SIZE as u32,
        })?;
    let Header { signature, length, .. } = header;
    if !signature.is_printable() {
        return Err(TableError::Signature { phys, signature });
    }
    if !(Header::SIZE as u32..=MAX_LENGTH).contains(&length) {
        return Err(TableError::Length { phys, signature, length });
    }
    let bytes = map(length)?;
    let sum = if signature == Signature::FACS {
        header = Header {
            signature,
            length,
            ..Header::default()
        };
        0
    } else {
        sum(&bytes[..length as usize])
    };
    Ok(Table { phys, header, sum, bytes })
}

/// Finds the root table: the one with 64-bit addresses if there is one, unless `rsdt_only`. `map(phys, length)` gives access to memory, or `None` where there
/// is none that may be read; `report` is told why one was passed over.
pub fn find_root<M: Deref<Target = [u8]>>(
    rsdp: &Rsdp,
    rsdt_only: bool,
    mut map: impl FnMut(u64, usize) -> Option<M>,
    mut report: impl FnMut(TableError),
) -> Option<Root<M>> {
    let long = (Signature::XSDT, rsdp.xsdt);
    let short = (Signature::RSDT, u64::from(rsdp.rsdt));
    let use_long = rsdp.is_extended() && !rsdt_only;
    for (expected, phys) in [long, short]
        .into_iter()
        .skip(usize::from(!use_long))
        .filter(|(_, phys)| *phys != 0)
    {
        match fetch(phys, &mut map) {
            Ok(table) if table.header.signature == expected => return Some(Root::of(table, &mut report)),
            Ok(table) => report(TableError::Unexpected {
                phys,
                signature: table.header.signature,
                expected,
            }),
            Err(error) => report(error),
        }
    }
    report(TableError::NoRoot);
    None
}

impl<M: Deref<Target = [u8]>> Root<M> {
    fn of(table: Table<M>, report: &mut impl FnMut(TableError)) -> Self {
        let root = Self { table };
        let count = root.addresses().len();
        if count > MAX_TABLES {
            report(TableError::TooMany { count });
        }
        root
    }

    /// All addresses in the table. What is left over at the end is none.
    fn addresses(&self) -> impl ExactSizeIterator<Item = u64> {
        let body = &self.table.bytes[Header::SIZE..self.table.header.length as usize];
        let width = if self.table.header.signature == Signature::XSDT { 8 } else { 4 };
        body.chunks_exact(width).map(move |bytes| {
            let mut address = [0; 8];
            address[..width].copy_from_slice(bytes);
            u64::from_le_bytes(address)
        })
    }
}

/// Goes to every table that the root table names, and to those that FADT names: `visit` gets each in turn, in Linux's order, or why it is left out. `map` is
/// that of [`find_root`].
pub fn walk<M: Deref<Target = [u8]>>(
    root: &Root<M>,
    mut map: impl FnMut(u64, usize) -> Option<M>,
    mut visit: impl FnMut(Result<Table<M>, TableError>),
) {
    let mut fadt = None;
    for (index, phys) in root.addresses().take(MAX_TABLES).enumerate() {
        if phys == 0 {
            visit(Err(TableError::Null { index }));
            continue;
        }
        if phys == root.table.phys || root.addresses().take(index).any(|other| other == phys) {
            visit(Err(TableError::Repeated { phys }));
            continue;
        }
        let table = fetch(phys, &mut map).and_then(|table| match table.header.signature {
            signature @ (Signature::RSDT | Signature::XSDT) => Err(TableError::Nested { phys, signature }),
            _ => Ok(table),
        });
        let named = match &table {
            Ok(table) if table.header.signature == Signature::FADT && fadt.is_none() => Some(Fadt::parse(&table.bytes)),
            _ => None,
        };
        visit(table);
        if let Some(named) = named {
            follow(&named, &mut map, &mut visit);
            fadt = Some(named);
        }
    }
}

/// Goes to the tables that FADT names.
fn follow<M: Deref<Target = [u8]>>(
    fadt: &Fadt,
    map: &mut impl FnMut(u64, usize) -> Option<M>,
    visit: &mut impl FnMut(Result<Table<M>, TableError>),
) {
    for (name, short, long) in fadt.mismatches() {
        visit(Err(TableError::Mismatch { name, short, long }));
    }
    for (expected, phys) in [(Signature::DSDT, fadt.dsdt_phys()), (Signature::FACS, fadt.facs_phys())] {
        if phys == 0 {
            continue;
        }
        visit(fetch(phys, map).and_then(|table| match table.header.signature {
            signature if signature == expected => Ok(table),
            signature => Err(TableError::Unexpected { phys, signature, expected }),
        }));
    }
}
