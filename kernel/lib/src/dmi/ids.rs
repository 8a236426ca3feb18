//! The names that a machine is known by.

use core::fmt::{self, Write};

use super::Structure;

/// A name of the machine or of a part of it: Linux's `DMI_*`, which `/sys/class/dmi/id` has as files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `bios_vendor`.
    BiosVendor,
    /// `bios_version`.
    BiosVersion,
    /// `bios_date`.
    BiosDate,
    /// `sys_vendor`.
    SysVendor,
    /// `product_name`.
    ProductName,
    /// `product_version`.
    ProductVersion,
    /// `product_serial`.
    ProductSerial,
    /// `product_sku`.
    ProductSku,
    /// `product_family`.
    ProductFamily,
    /// `board_vendor`.
    BoardVendor,
    /// `board_name`.
    BoardName,
    /// `board_version`.
    BoardVersion,
    /// `chassis_vendor`.
    ChassisVendor,
    /// `chassis_version`.
    ChassisVersion,
}

/// How many fields there are.
const FIELDS: usize = Field::ALL.len();

impl Field {
    /// All of them, in the order of their numbers: field, name, type of the structure, offset of the string's number.
    pub const ALL: [(Self, &'static str, u8, usize); 14] = [
        (Self::BiosVendor, "bios_vendor", 0, 4),
        (Self::BiosVersion, "bios_version", 0, 5),
        (Self::BiosDate, "bios_date", 0, 8),
        (Self::SysVendor, "sys_vendor", 1, 4),
        (Self::ProductName, "product_name", 1, 5),
        (Self::ProductVersion, "product_version", 1, 6),
        (Self::ProductSerial, "product_serial", 1, 7),
        (Self::ProductSku, "product_sku", 1, 25),
        (Self::ProductFamily, "product_family", 1, 26),
        (Self::BoardVendor, "board_vendor", 2, 4),
        (Self::BoardName, "board_name", 2, 5),
        (Self::BoardVersion, "board_version", 2, 6),
        (Self::ChassisVendor, "chassis_vendor", 3, 4),
        (Self::ChassisVersion, "chassis_version", 3, 6),
    ];
}

/// The names that were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ids<'a>([Option<&'a [u8]>; FIELDS]);

impl<'a> Ids<'a> {
    /// No names.
    #[must_use]
    pub const fn new() -> Self {
        Self([None; FIELDS])
    }

    /// Takes the names from a structure; the first one that has a name counts.
    pub fn take(&mut self, structure: &Structure<'a>) {
        for ((_, _, kind, offset), place) in Field::ALL.into_iter().zip(&mut self.0) {
            if kind == structure.kind && place.is_none() {
                *place = structure.string(offset);
            }
        }
    }

    /// The name.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&'a [u8]> {
        self.0[field as usize]
    }

    /// Whether the name has `part` in it.
    #[must_use]
    pub fn contains(&self, field: Field, part: &str) -> bool {
        part.is_empty()
            || self
                .get(field)
                .is_some_and(|name| name.windows(part.len()).any(|window| window == part.as_bytes()))
    }
}

/// Displays a name; what cannot be printed is shown as its number.
pub struct Filtered<'a>(pub &'a [u8]);

impl fmt::Display for Filtered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            if byte.is_ascii_graphic() || *byte == b' ' {
                f.write_char(char::from(*byte))?;
            } else {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// As Linux's log has it, and every report of a fault: maker and product, board, version and date of the BIOS.
impl fmt::Display for Ids<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |field| Filtered(self.get(field).unwrap_or_default());
        write!(f, "{} {}", name(Field::SysVendor), name(Field::ProductName))?;
        if let Some(board) = self.get(Field::BoardName) {
            write!(f, "/{}", Filtered(board))?;
        }
        write!(f, ", BIOS {} {}", name(Field::BiosVersion), name(Field::BiosDate))
    }
}
