//! Little-endian structures that firmware and boot loaders leave in memory.
//!
//! Such structures are packed, may lie at any address and may hold anything; a reference to a
//! `#[repr(C, packed)]` type would promise too much. So each is described once as a list of fields
//! and offsets, read into a plain Rust value, and written back field by field. No padding byte is
//! ever interpreted.

/// A value with a fixed little-endian encoding.
pub trait Wire: Sized {
    /// Encoded size in bytes.
    const SIZE: usize;

    /// Decodes the first [`SIZE`](Wire::SIZE) bytes; `None` when there are fewer.
    fn read(bytes: &[u8]) -> Option<Self>;

    /// Encodes into the first [`SIZE`](Wire::SIZE) bytes; writes nothing and returns `None` when
    /// there are fewer.
    fn write(&self, bytes: &mut [u8]) -> Option<()>;
}

macro_rules! integers {
    ($($int:ty)*) => {$(
        impl Wire for $int {
            const SIZE: usize = size_of::<$int>();

            fn read(bytes: &[u8]) -> Option<Self> {
                bytes.first_chunk().map(|bytes| <$int>::from_le_bytes(*bytes))
            }

            fn write(&self, bytes: &mut [u8]) -> Option<()> {
                *bytes.first_chunk_mut()? = self.to_le_bytes();
                Some(())
            }
        }
    )*};
}

integers!(u8 u16 u32 u64);

impl<const N: usize> Wire for [u8; N] {
    const SIZE: usize = N;

    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk().copied()
    }

    fn write(&self, bytes: &mut [u8]) -> Option<()> {
        *bytes.first_chunk_mut()? = *self;
        Some(())
    }
}

/// Whether a field of type `T` at `offset` lies within `size` bytes.
pub(crate) const fn fits<T: Wire>(offset: usize, size: usize) -> bool {
    T::SIZE <= size && offset <= size - T::SIZE
}

/// Describes a structure as fields at offsets: `[pub] struct Name[size] { field: type => offset, … }`.
/// Makes a plain struct of public fields and its [`Wire`] encoding; bytes that belong to no field
/// are left alone when writing. A field that reaches past the size does not compile.
macro_rules! wire {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident[$size:literal] {
            $($(#[$field_meta:meta])* $field:ident: $type:ty => $offset:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        $vis struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $crate::wire::Wire for $name {
            const SIZE: usize = $size;

            fn read(bytes: &[u8]) -> Option<Self> {
                let bytes: &[u8; $size] = bytes.first_chunk()?;
                Some(Self { $($field: $crate::wire::Wire::read(&bytes[$offset..])?,)* })
            }

            fn write(&self, bytes: &mut [u8]) -> Option<()> {
                let bytes: &mut [u8; $size] = bytes.first_chunk_mut()?;
                $($crate::wire::Wire::write(&self.$field, &mut bytes[$offset..])?;)*
                Some(())
            }
        }

        const _: () = {
            $(assert!(
                $crate::wire::fits::<$type>($offset, $size),
                concat!(stringify!($name), "::", stringify!($field), " reaches past the end"),
            );)*
        };
    };
}

pub(crate) use wire;

#[cfg(test)]
mod tests {
    use super::*;

    wire! {
        /// A structure with a gap.
        pub struct Gapped[8] {
            /// First.
            a: u8 => 0,
            /// Unaligned.
            b: u32 => 3,
        }
    }

    #[test]
    fn fields_are_little_endian_at_their_offsets() {
        let bytes = [1, 9, 9, 0x44, 0x33, 0x22, 0x11, 9, 9];
        assert_eq!(Gapped::read(&bytes), Some(Gapped { a: 1, b: 0x1122_3344 }));
    }

    #[test]
    fn writing_leaves_gaps_alone() {
        let mut bytes = [9; 9];
        assert_eq!(Gapped { a: 1, b: 0x1122_3344 }.write(&mut bytes), Some(()));
        assert_eq!(bytes, [1, 9, 9, 0x44, 0x33, 0x22, 0x11, 9, 9]);
    }

    #[test]
    fn too_few_bytes_are_neither_read_nor_written() {
        assert_eq!(Gapped::read(&[0; 7]), None);
        let mut bytes = [7; 7];
        assert_eq!(Gapped { a: 1, b: 2 }.write(&mut bytes), None);
        assert_eq!(bytes, [7; 7]);
    }
}
