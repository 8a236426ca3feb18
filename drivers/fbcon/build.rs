//! Makes the configuration known to the crate: which fonts it has.

fn main() {
    incipit_config::emit();
}
