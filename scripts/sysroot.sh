#!/bin/sh
# Gives a compiler without `x86_64-unknown-none` a sysroot that has it.
#
#   scripts/sysroot.sh RUSTC
#
# Distribution compilers come without core and alloc for bare metal, but with the library's source and all it needs. This script
# builds the two once (half a minute), into a directory of rustup's shape, and prints that directory's path; afterwards
# the kernel is built with stable flags only. The unstable `-Z build-std` stays inside this one build.
#
# The directory is $INCIPIT_SYSROOT, or else one per compiler version below $XDG_CACHE_HOME: outside the tree, so that
# neither `make clean` nor a second checkout pays for it again.
set -eu

target=x86_64-unknown-none
rustc=$1
bin=${rustc%/*}
origin=$("$rustc" --print sysroot)
library=$origin/lib/rustlib/src/rust/library
verbose=$("$rustc" -vV)
host=$(printf '%s\n' "$verbose" | sed -n 's/^host: //p')
hash=$(printf '%s\n' "$verbose" | sed -n 's/^commit-hash: \(.........\).*/\1/p')
release=$(printf '%s\n' "$verbose" | sed -n 's/^release: //p')
cache=${XDG_CACHE_HOME:-${HOME:?is not set, nor is XDG_CACHE_HOME or INCIPIT_SYSROOT}/.cache}
sysroot=${INCIPIT_SYSROOT:-$cache/incipit/sysroot-${hash:-$release}}

# Bitcode makes link-time optimisation reach into core; frame pointers let a backtrace walk through it.
flags='-Cembed-bitcode=yes -Cforce-frame-pointers=yes'
# What a sysroot was made from; kept inside it.
recipe=$("$rustc" --version && echo "$rustc" && cksum <"$0")

case $sysroot in
/*) ;;
*) echo "setup: INCIPIT_SYSROOT must be an absolute path, not '$sysroot'" >&2; exit 1 ;;
esac

staged() {
    [ -f "$sysroot/recipe" ] && [ "$(cat "$sysroot/recipe")" = "$recipe" ]
}

# Compiles core, alloc and compiler_builtins below $work and copies the three archives to directory $1.
build_library() {
    mkdir -p "$work/crate"
    printf '#![no_std]\n' >"$work/crate/lib.rs"
    cat >"$work/crate/Cargo.toml" <<EOF
[package]
name = "sysroot"
version = "0.0.0"
edition = "2024"
[lib]
path = "lib.rs"
[profile.release]
debug = "line-tables-only"
[workspace]
EOF
    # A clean environment: no flag, wrapper, profile or configuration of the caller's reaches the library.
    env -i HOME="$work" PATH="$bin:/usr/bin:/bin" CARGO_HOME="$work/cargo" TERM="${TERM:-dumb}" \
        RUSTC="$rustc" RUSTC_BOOTSTRAP=1 RUSTFLAGS="$flags" \
        "$bin/cargo" build --release --target $target --manifest-path "$work/crate/Cargo.toml" --target-dir "$work/target" \
        -Zbuild-std=core,alloc -Zbuild-std-features=compiler-builtins-mem --offline \
        --config 'source.crates-io.replace-with="vendor"' --config "source.vendor.directory=\"$library/vendor\"" >&2
    for crate in core alloc compiler_builtins; do
        cp "$work/target/$target/release/deps/lib$crate"-*.rlib "$1/"
    done
}

# Writes $tree/bin/$1, which runs $bin/$1 with the words $2 before its arguments unless they name a sysroot already.
wrap() {
    cat >"$tree/bin/$1" <<EOF
#!/bin/sh
case " \$* " in
*' --sysroot'*) exec '$bin/$1' "\$@" ;;
esac
$2
EOF
    chmod 755 "$tree/bin/$1"
}

# Fills $tree: rustup's shape, the programs and the host's library borrowed from where they are installed.
populate() {
    mkdir -p "$tree/bin" "$tree/lib/rustlib/$host/bin" "$tree/lib/rustlib/$target/lib"
    wrap rustc "exec '$bin/rustc' --sysroot '$sysroot' \"\$@\""
    wrap rustdoc "exec '$bin/rustdoc' --sysroot '$sysroot' \"\$@\""
    # clippy-driver is a compiler of its own and takes the sysroot from its environment.
    wrap clippy-driver "SYSROOT='$sysroot' exec '$bin/clippy-driver' \"\$@\""
    wrap cargo-clippy "SYSROOT='$sysroot' exec '$bin/cargo-clippy' \"\$@\""
    for tool in cargo cargo-fmt rustfmt; do
        ln -s "$bin/$tool" "$tree/bin/$tool"
    done
    ln -s "$origin/lib/rustlib/src" "$tree/lib/rustlib/src"
    ln -s "$origin/lib/rustlib/$host/lib" "$tree/lib/rustlib/$host/lib"
    ln -s "$bin/rust-lld" "$tree/lib/rustlib/$host/bin/rust-lld"
    ln -s "$origin/lib/rustlib/$host/bin/rust-objcopy" "$tree/lib/rustlib/$host/bin/rust-objcopy"
    build_library "$tree/lib/rustlib/$target/lib"
    printf '%s\n' "$recipe" >"$tree/recipe"
}

if ! staged; then
    mkdir -p "${sysroot%/*}"
    exec 9>"$sysroot.lock"
    flock -n 9 || { echo "setup: another set-up is building $sysroot, waiting for it" >&2; flock 9; }
    if ! staged; then
        if [ -e "$sysroot" ] && [ ! -f "$sysroot/recipe" ]; then
            echo "setup: $sysroot exists and was not made by this script; set INCIPIT_SYSROOT to a new path" >&2
            exit 1
        fi
        echo "setup: building core and alloc for $target with Rust $release (once, about half a minute)" >&2
        work=$(mktemp -d "$sysroot.XXXXXX")
        trap 'rm -rf "$work"' EXIT
        trap 'exit 1' HUP INT TERM
        tree=$work/tree
        populate
        rm -rf "$sysroot"
        mv "$tree" "$sysroot"
    fi
fi
printf '%s\n' "$sysroot"
