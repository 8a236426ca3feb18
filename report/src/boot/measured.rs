//! What a boot cost, kept in a file, so that a picture that is drawn later can tell what takes long.
//!
//! The file is of one image: it begins with the image's build id, and figures of another image are none. Behind that it is a table as the monitor's are.

use anyhow::{Context, Result};

use super::entries::{self, Entry};

/// What the first line has before the build id.
const IMAGE: &str = "image ";

/// The file on a boot of the image `build_id`, of whose stages and initcalls the monitor said `answers`.
#[must_use]
pub fn write(build_id: &str, answers: [&str; 2]) -> String {
    let [stages, initcalls] = answers;
    // The second answer has the same columns as the first.
    let rows = initcalls.split_once('\n').map_or("", |(_, rows)| rows);
    format!("{IMAGE}{build_id}\n{stages}{rows}")
}

/// The figures in `file`, if they are of the image `build_id`.
///
/// # Errors
///
/// If they are, and cannot be read.
pub fn read(file: &str, build_id: &str) -> Result<Option<Vec<Entry>>> {
    let (head, table) = file.split_once('\n').unwrap_or((file, ""));
    if head.strip_prefix(IMAGE) != Some(build_id) {
        return Ok(None);
    }
    entries::parse(table).map(Some).context("the figures of the last boot")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::testing::answer;

    #[test]
    fn figures_come_back_for_the_same_image_only() {
        let (stages, initcalls) = (answer(&[("stage", "setup_arch", 7)]), answer(&[("device", "pci_init", 9)]));
        let file = write("abcd", [&stages, &initcalls]);
        let entries = read(&file, "abcd").unwrap().unwrap();
        let figures: Vec<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.instructions)).collect();
        assert_eq!(figures, [("setup_arch", Some(7)), ("pci_init", Some(9))]);
        assert_eq!(read(&file, "abc").unwrap(), None);
        assert_eq!(read("", "abcd").unwrap(), None);
    }

    #[test]
    fn figures_that_are_none_are_an_error() {
        for text in ["image abcd", "image abcd\nnothing", "image abcd\n#name\nx"] {
            let error = format!("{:#}", read(text, "abcd").unwrap_err());
            assert!(error.starts_with("the figures of the last boot: "), "{text}: {error}");
        }
    }
}
