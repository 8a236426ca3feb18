//! Which function an address is in.

use incipit_linker::seal::image::Image;

/// The named places of an image by address.
pub struct Symbols<'a> {
    places: Vec<(u64, &'a str)>,
}

impl<'a> Symbols<'a> {
    /// Those of `image`. Of several names of one address the shortest counts.
    pub fn of(image: &'a Image) -> Self {
        let in_memory = |value: u64| image.section_at(value).is_some();
        let named = image
            .symbols()
            .iter()
            .filter(|symbol| symbol.is_named_place() && in_memory(symbol.value));
        let mut places: Vec<_> = named.map(|symbol| (symbol.value, symbol.name.as_str())).collect();
        places.sort_unstable_by_key(|(value, name)| (*value, name.len(), *name));
        places.dedup_by_key(|(value, _)| *value);
        Self { places }
    }

    /// `address` as people read it: `name+0x12`, or `name` for its beginning.
    pub fn name(&self, address: u64) -> String {
        let below = self.places.partition_point(|(value, _)| *value <= address);
        match below.checked_sub(1).map(|index| self.places[index]) {
            Some((value, name)) if value == address => name.to_owned(),
            Some((value, name)) => format!("{name}+{:#x}", address - value),
            None => format!("{address:#x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_belongs_to_the_symbol_below_it() {
        let symbols = Symbols {
            places: vec![(16, "f"), (32, "g")],
        };
        let names = [0, 16, 31, 32, 40].map(|address| symbols.name(address));
        assert_eq!(names, ["0x0", "f", "f+0xf", "g", "g+0x8"]);
    }
}
