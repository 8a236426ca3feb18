//! The layout of `out/vmlinux`, read from the file by two readers and held against the descriptions of the tables.
//!
//! What the post-link step promises is derived anew here, from the bytes: nothing of that step's code is used but the descriptions.

mod files;
mod head;
mod image;
mod order;
mod records;
mod segments;
mod simd;
mod tables;
