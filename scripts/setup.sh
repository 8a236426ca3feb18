#!/bin/sh
# Finds what the build needs, installs what is missing, and writes down where it is.
#
#   scripts/setup.sh [GROUP]...      groups: build (default) run iso bochs uefi test gdb
#
# Make calls it before every target; when all is there it says nothing and takes a few milliseconds. It leaves
#
#   out/toolchain.mk    the paths for make
#   out/toolchain.env   the same for a shell: `. out/toolchain.env`
#   out/setup.stamp     which files those paths stand for, so that a changed compiler is noticed
#
# Rust comes from the first of: the compiler that $RUSTC names (or that lies beside $CARGO); one on the PATH that has the
# target x86_64-unknown-none; one that has the library's source, from which scripts/sysroot.sh makes the target;
# Debian's packages, installed here.
set -eu

target=x86_64-unknown-none
minimum=93 # Rust 1.93: core::fmt::from_fn

# group, what must be there (a command, a file, or a case of `present`), the Debian package that has it
needs='
build cc gcc
build crt1.o libc6-dev
build make make
build kconfiglib python3-kconfiglib
run qemu-system-x86_64 qemu-system-x86
iso grub-mkrescue grub-common
iso /usr/lib/grub/i386-pc grub-pc-bin
iso /usr/lib/grub/x86_64-efi grub-efi-amd64-bin
iso xorriso xorriso
iso mformat mtools
bochs bochs bochs
bochs /usr/share/bochs/BIOS-bochs-latest bochsbios
bochs /usr/share/vgabios/vgabios.bin vgabios
uefi OVMF ovmf
test file file
test readelf binutils
test kill procps
test chromium chromium
test dot graphviz
gdb qemu-system-x86_64 qemu-system-x86
gdb gdb gdb
'

cd "${0%/*}/.."
groups=${*:-build}
# What one group needs, others may need, too.
case " $groups " in *" test "*) groups="$groups run iso bochs uefi" ;; esac
case " $groups " in *" bochs "*) groups="$groups iso" ;; esac
case " $groups " in *" uefi "*) groups="$groups run iso" ;; esac

say() {
    printf 'setup: %s\n' "$*" >&2
}

die() {
    say "$@"
    exit 1
}

# --- packages ---------------------------------------------------------------------------------------------------------

# Sets $python to one that has kconfiglib. Debian's package is for /usr/bin/python3, which need not be the first on the PATH.
find_python() {
    python=/usr/bin/python3
    { [ -x $python ] && [ -e /usr/lib/python3/dist-packages/kconfiglib.py ]; } ||
        { python=$(command -v python3) && "$python" -c 'import kconfiglib' 2>/dev/null; }
}

present() {
    case $1 in
    kconfiglib) find_python ;;
    crt1.o) crt=$(cc -print-file-name=crt1.o 2>/dev/null) && [ -e "$crt" ] ;;
    OVMF) for code in /usr/share/OVMF/OVMF_CODE*.fd /usr/share/edk2/*/OVMF_CODE*.fd; do [ ! -e "$code" ] || return 0; done && return 1 ;;
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

# Prints the packages that the wanted groups lack.
missing_packages() {
    printf '%s' "$needs" | while read -r group item package; do
        case " $groups " in
        *" $group "*) [ -z "$group" ] || present "$item" || echo "$package" ;;
        esac
    done | sort -u
}

# Succeeds if apt's lists offer every package of $@.
offered() {
    for package in "$@"; do
        apt-cache policy "$package" 2>/dev/null | grep -q '^ *Candidate: [^(]' || return 1
    done
}

# Sets $root to what makes a command run as root, if that can be done here.
become_root() {
    if [ "$(id -u)" = 0 ]; then
        root=
    elif ! command -v sudo >/dev/null; then
        return 1
    elif sudo -n true 2>/dev/null; then
        root='sudo -n'
    elif [ -t 0 ] && [ -t 2 ]; then
        root=sudo
    else
        return 1
    fi
}

# Installs the packages $@, or says what to type.
install_packages() {
    command -v apt-get >/dev/null || die "missing; install what this distribution calls: $*"
    update=
    offered "$@" || update='apt-get update && '
    if ! become_root; then
        say "only root can install what is missing. Type:"
        shell='sudo sh -c'
        command -v sudo >/dev/null || shell='su -c'
        echo "    $shell '${update}apt-get install -y $*'" >&2
        exit 1
    fi
    say "installing $*"
    # Another apt at work is waited for; lists that are too old are fetched and the installation tried once more.
    apt="$root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600"
    [ -z "$update" ] || $apt update >&2 || die "apt-get update failed"
    $apt install -y --no-install-recommends "$@" >&2 ||
        { $apt update >&2 && $apt install -y --no-install-recommends "$@" >&2; } ||
        die "apt-get could not install $*"
}

# Prints the packages that hold Debian's newest Rust. Its rust-lld is a link into the linker's own package, named after LLVM's version.
rust_packages() {
    echo rustc-web cargo-web rust-web-src rust-web-llvm rust-web-clippy rustfmt-web
    lld=$(apt-cache depends rust-web-llvm 2>/dev/null | sed -n 's/^ *Depends: llvm-/lld-/p')
    echo "${lld:-lld-22}"
}

# --- Rust -------------------------------------------------------------------------------------------------------------

# Prints the directory of the real compiler behind $1 (a rustup proxy or a link may be in front of it), if it is new enough.
rust_home() {
    version=$("$1" --version 2>/dev/null) || return 1
    minor=${version#rustc 1.}
    [ "${minor%%.*}" -ge $minimum ] 2>/dev/null || return 1
    home=$("$1" --print sysroot)
    # A staged sysroot whose compiler has been replaced since stands for that compiler.
    if [ -f "$home/recipe" ] && { read -r staged && read -r rustc; } <"$home/recipe" && [ "$staged" != "$version" ]; then
        home=${rustc%/bin/rustc}
    fi
    [ -x "$home/bin/rustc" ] && [ -x "$home/bin/cargo" ] && printf '%s\n' "$home"
}

has_target() {
    set -- "$1/lib/rustlib/$target/lib"/libcore-*.rlib
    [ -e "$1" ]
}

has_source() {
    [ -d "$1/lib/rustlib/src/rust/library/vendor" ]
}

# Prints the compilers to consider, best first.
candidates() {
    if [ -n "$asked" ]; then
        printf '%s\n' "$asked"
        return
    fi
    printf '%s\n' "$PATH" | tr : '\n' | while read -r directory; do
        [ ! -x "$directory/rustc" ] || printf '%s\n' "$directory/rustc"
    done
    [ ! -x /usr/bin/rustc ] || echo /usr/bin/rustc
}

# Sets $home to the first candidate that has the target or, failing that, can be given it; $has says which.
find_rust() {
    homes=$(candidates | while read -r rustc; do rust_home "$rustc" || :; done)
    for has in has_target has_source; do
        for home in $homes; do
            ! $has "$home" || return 0
        done
    done
    return 1
}

# Prints the packages that Rust still needs; ends the script if no package helps.
missing_rust() {
    if find_rust; then
        [ $has = has_target ] || [ -x "$home/bin/rust-lld" ] || readlink "$home/bin/rust-lld" || echo rust-web-llvm
        return
    fi
    [ -z "$asked" ] || die "'$asked' is older than 1.$minimum, or lacks $target (rustup target add $target)"
    # shellcheck disable=SC2046 # a list of words
    if command -v apt-get >/dev/null && { ! command -v rustup || { become_root && offered $(rust_packages); }; } >/dev/null; then
        rust_packages
        return
    fi
    if command -v rustup >/dev/null; then
        say "no compiler from 1.$minimum on has the target $target. Type:"
        echo "    rustup update stable && rustup target add $target" >&2
        exit 1
    fi
    die "no Rust from 1.$minimum on; get it from https://rustup.rs, then: rustup target add $target"
}

# Sets $sysroot to that of the compiler found, made if it must be.
choose_sysroot() {
    find_rust || die "no compiler from 1.$minimum on, though its packages are installed"
    sysroot=$home
    [ $has = has_target ] || sysroot=$(scripts/sysroot.sh "$home/bin/rustc")
}

# --- what is written down ---------------------------------------------------------------------------------------------

# Prints, for the files that were found, what changes when somebody replaces them.
identify() {
    # shellcheck disable=SC2086 # a list of paths
    stat -L -c '%n %s %Y' $1 2>/dev/null || :
}

# Writes standard input to $1 unless that is what it holds.
write() {
    content=$(cat)
    [ -f "$1" ] && [ "$(cat "$1")" = "$content" ] || printf '%s\n' "$content" >"$1"
}

record() {
    host=$("$sysroot/bin/rustc" -vV | sed -n 's/^host: //p')
    rust_lld=$sysroot/lib/rustlib/$host/bin/rust-lld
    [ -x "$rust_lld" ] || rust_lld=$(command -v rust-lld || command -v ld.lld) || die "no rust-lld in $sysroot, and no ld.lld on the PATH"
    gnu_ld=$(command -v ld.bfd || command -v ld)
    find_python || die "no python3 that has kconfiglib, though its package is installed"
    mkdir -p out
    {
        echo '# Written by scripts/setup.sh.'
        for pair in RUSTC=rustc RUSTDOC=rustdoc RUSTFMT=rustfmt CARGO=cargo; do
            echo "override export ${pair%%=*} := $sysroot/bin/${pair#*=}"
        done
        echo "override CARGO_CLIPPY := $sysroot/bin/cargo-clippy clippy"
        echo "override CARGO_FMT := $sysroot/bin/cargo-fmt"
        echo "override PYTHON := $python"
        echo "override export RUST_LLD := $rust_lld"
        echo "override export GNU_LD := $gnu_ld"
    } | write out/toolchain.mk
    {
        sed -n -e 's/^override \(export \)*\([A-Z_]*\) := \(.*\)$/export \2="\3"/p' out/toolchain.mk
        echo "export CARGO_TARGET_DIR=\"$PWD/out/target\""
        echo 'unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS RUSTC_BOOTSTRAP'
    } | write out/toolchain.env
    files="$sysroot/bin/rustc $sysroot/bin/cargo $python $rust_lld $gnu_ld $0 scripts/sysroot.sh out/toolchain.mk out/toolchain.env"
    [ ! -f "$sysroot/recipe" ] || files="$files $sysroot/recipe $(sed -n 2p "$sysroot/recipe")"
    { printf '%s\n%s\n' "$request" "$files" && identify "$files"; } >out/setup.stamp
}

# Succeeds if the last run answered the same request and its files have not changed since.
current() {
    [ -f out/setup.stamp ] || return 1
    { read -r was && read -r files && rest=$(cat); } <out/setup.stamp || return 1
    # Its own answer, come back through the environment of a make or a shell, is the same request.
    [ "$was" = "$request" ] || { [ -n "$asked" ] && [ "$asked" = "${files%% *}" ]; } || return 1
    [ "$(identify "$files")" = "$rest" ]
}

asked=${RUSTC:-}
[ -n "$asked" ] || case ${CARGO:-} in */*) asked=${CARGO%/*}/rustc ;; esac
[ -z "$asked" ] || command -v "$asked" >/dev/null || die "there is no '$asked', which RUSTC or CARGO asks for"
request="asked=$asked sysroot=${INCIPIT_SYSROOT:-} path=$(command -v rustc || :)"

rust=
packages=$(missing_packages)
current || { rust=outdated && packages="$packages $(missing_rust)"; }
# shellcheck disable=SC2086 # a list of words
[ -z "${packages# }" ] || install_packages $packages
[ -z "$rust" ] || { choose_sysroot && record; }
