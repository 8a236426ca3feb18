//! The proof is the last argument, and its lifetime is the call's.

use incipit::prelude::*;

#[initcall(device)]
fn for_ever(_init: InitMemory<'static>) -> Result<(), Errno> { //~ ERROR init memory ends with the boot: the argument is `InitMemory<'_>`
    Ok(())
}

#[initcall(device)]
fn twice(_one: InitMemory<'_>, _other: InitMemory<'_>) -> Result<(), Errno> { //~ ERROR takes 2 arguments where no argument is right, and `InitMemory<'_>` may follow
    Ok(())
}

#[early_param("x")]
fn first(_init: InitMemory<'_>, _value: Option<&'static str>) -> Result<(), Errno> { //~ ERROR takes 2 arguments where one argument is right, and `InitMemory<'_>` may follow
    Ok(())
}

#[early_param("x")]
fn alone(_init: InitMemory<'_>) -> Result<(), Errno> { //~ ERROR mismatched types
    Ok(())
}

#[stage]
fn borrowed(_init: &InitMemory<'_>) {} //~ ERROR takes one argument where no argument is right, and `InitMemory<'_>` may follow

type Forever = InitMemory<'static>;

#[ktest]
fn by_another_name(_init: Forever) {} //~ ERROR takes one argument where no argument is right

mod mine {
    pub struct InitMemory<'a>(pub &'a u32);
}

#[stage]
fn of_another_kind(_init: mine::InitMemory<'_>) {} //~ ERROR mismatched types
