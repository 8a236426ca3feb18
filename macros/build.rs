//! Passes the configuration on: what some attributes leave in the program depends on it.

fn main() {
    incipit_config::emit();
}
