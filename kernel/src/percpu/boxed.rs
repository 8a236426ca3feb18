//! A variable of which each CPU has its own copy, allocated at run time.

use core::marker::PhantomData;
use core::ptr::NonNull;

use super::{chunks, copy_of};
use crate::arch::x86::cpu::masks;
use crate::prelude::*;

/// A `T` for each possible CPU, reached as a `#[percpu]` static is. Dropping it drops the copies.
pub struct PerCpuBox<T> {
    /// Not where a copy is: a CPU's offset leads from here to its own.
    template: NonNull<T>,
    _owns: PhantomData<T>,
}

// SAFETY: owning the box is owning the copies, which may go wherever a `T` may.
unsafe impl<T: Send> Send for PerCpuBox<T> {}
// SAFETY: shared references to the copies are given out only where `T: Sync` allows it, and the integer operations are those of atomics.
unsafe impl<T: Sync> Sync for PerCpuBox<T> {}

/// Allocates a `T` for each possible CPU, with the value that is its default. Linux's function of the same name.
///
/// # Errors
///
/// `ENOMEM`; `EINVAL` for a type of no bytes, of more than [`MIN_UNIT_SIZE`](incipit_lib::percpu::layout::MIN_UNIT_SIZE) bytes, or aligned to more than a page.
pub fn alloc_percpu<T: Default>() -> Result<PerCpuBox<T>, Errno> {
    alloc_percpu_with(|_| T::default())
}

/// Allocates a `T` for each possible CPU, with the value that `value` gives for it.
///
/// # Errors
///
/// As for [`alloc_percpu`].
pub fn alloc_percpu_with<T>(value: impl Fn(usize) -> T) -> Result<PerCpuBox<T>, Errno> {
    let address = chunks::alloc(size_of::<T>(), align_of::<T>())?;
    let template = NonNull::new(core::ptr::without_provenance_mut::<T>(address)).ok_or(Errno::ENOMEM)?;
    for cpu in masks::POSSIBLE.iter() {
        // SAFETY: the copy of each CPU has just been allocated, with the type's size and alignment, and nobody else knows of it.
        unsafe { chunks::copy_at(address, cpu).cast::<T>().write(value(cpu)) };
    }
    Ok(PerCpuBox {
        template,
        _owns: PhantomData,
    })
}

impl<T> PerCpuBox<T> {
    /// Gives the box up without giving the copies back, and says what address a CPU's offset is added to.
    #[must_use]
    pub fn into_raw(self) -> NonNull<T> {
        let template = self.template;
        core::mem::forget(self);
        template
    }

    /// The box that [`PerCpuBox::into_raw`] gave up.
    ///
    /// # Safety
    ///
    /// The address must be from there, and no other box may be made of it.
    #[must_use]
    pub unsafe fn from_raw(template: NonNull<T>) -> PerCpuBox<T> {
        PerCpuBox {
            template,
            _owns: PhantomData,
        }
    }

    /// The address to which a CPU's offset is added.
    #[inline]
    pub(super) fn template(&self) -> *mut T {
        self.template.as_ptr()
    }
}

impl<T> Drop for PerCpuBox<T> {
    fn drop(&mut self) {
        for cpu in masks::POSSIBLE.iter() {
            // SAFETY: each copy was written when the box was made, and the box, which is going, was the only way to it.
            unsafe { copy_of(self.template(), cpu).cast_mut().drop_in_place() };
        }
        // SAFETY: the copies are gone, and `alloc_percpu_with` had the address from `alloc`.
        unsafe { chunks::free(self.template.addr().get()) };
    }
}
