//! Makes the configuration known to the crate: `#[cfg(CONFIG_PVH)]`.

fn main() {
    incipit_config::emit();
}
