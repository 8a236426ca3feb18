//! Makes the configuration known to the crate: `#[cfg(CONFIG_@NAME@)]`.

fn main() {
    incipit_config::emit();
}
