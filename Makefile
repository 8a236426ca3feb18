# Incipit's front door. `make help` lists what it opens.
#
# The image takes six steps, each one program's work: config/kconfig evaluates the configuration, incipit-config chooses the
# crates, cargo compiles them, incipit-ld links them by the tables' descriptions, incipit-linker checks and seals the result,
# incipit-bzimage packs it. Cargo knows best what is out of date and is asked every time; the steps after it run only when
# their input changed.

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.NOTPARALLEL:

# Words that other programs' environments use too count only on make's own command line.
$(foreach name,V O DEBUG LD NAME DIR FILTER GUI GRUB,$(if $(filter command,$(firstword $(origin $(name)))),,$(eval $(name) :=)))

V ?= ## 1: show the commands and what sealing the image found
O := $(or $(O),out)## folder for the image: another one leaves out/vmlinux alone
KCONFIG_CONFIG ?= ## the configuration, instead of .config
DEBUG ?= ## 1: with config/debug.config on top of the configuration: every check
LTO ?= ## 1: optimise across all crates when linking
CODEGEN_UNITS ?= ## pieces a crate is compiled in (1 is the slowest to build and the fastest to run)
LD := $(or $(LD),lld)## lld or gnu: the linker
SUBSYS ?= ## directories of further subsystem crates, anywhere
NAME ?= ## the name of a new subsystem
DIR ?= ## its folder: ../NAME if nothing is said
FILTER ?= ## which tests make ktest runs: * is any text; those of SUBSYS, or all, if nothing is said
APPEND ?= ## more words for the kernel command line
INITRD ?= ## initial ramdisk file
SMP ?= 1## processors of the guest
MEM ?= 128M## memory of the guest
MACHINE ?= pc## pc, q35 or microvm
ACCEL ?= tcg## kvm: run, gdb, ktest and boots use the computer's own processor, through Linux's KVM
BOCHS ?= ## 1: make boots boots in Bochs instead of QEMU
GUI ?= ## 1: a window for make qemu-uefi; x, sdl2, wx or term: Bochs' display library for make bochs
GRUB ?= ## 1: make qemu-uefi boots with GRUB from the CD instead of starting bzImage
CPU ?= max## processor model of the guest, as QEMU names it
TARGET ?= cmdline## what make fuzz feeds: acpi, bootparam, cmdline, dmi, e820, edd, efi, kallsyms, memblock, mptable, processor, resource, ring, video or vt
RUNS ?= 1000000## how many inputs
N := $(or $(N),20)## how many orders make shuffle tries, configurations make randconfig-test, and boots make boots
SEED ?= 1## the first order's seed, and that of make randconfig and randconfig-test
RECORD ?= ## 1: make bench records its figures in docs/figures.md

ifeq ($(filter lld gnu,$(LD)),)
$(error LD=$(LD): the linker is lld or gnu)
endif
ifeq ($(filter tcg kvm,$(ACCEL)),)
$(error ACCEL=$(ACCEL): the guest's processors are run by tcg or by kvm)
endif
ifeq ($(filter pc q35 microvm,$(MACHINE)),)
$(error MACHINE=$(MACHINE): the machine is pc, q35 or microvm)
endif

Q := $(if $(V),,@)
# One program at a time, and cargo divides the processors among its own jobs: make's job slots are not for it.
cargo = env -u MAKEFLAGS -u MFLAGS $(CARGO)
clippy = env -u MAKEFLAGS -u MFLAGS $(CARGO_CLIPPY)
target := x86_64-unknown-none
tools := out/target/debug
linked := out/target/$(target)/release/vmlinux

# The set-up comes before everything else: what it finds, and writes down, is what the rest is built with.
ifneq ($(filter-out help clean,$(or $(MAKECMDGOALS),all)),)
quoted = '$(subst ','\'',$(1))'
asked := $(foreach name,RUSTC CARGO INCIPIT_SYSROOT,$(name)=$(call quoted,$($(name))))
$(shell $(asked) scripts/setup.sh build $(filter run iso bochs test gdb,$(MAKECMDGOALS)) $(if $(filter qemu-uefi,$(MAKECMDGOALS)),uefi) $(if $(filter ktest shuffle boots bench report,$(MAKECMDGOALS)),run))
ifneq ($(.SHELLSTATUS),0)
$(error the set-up is not complete)
endif
include out/toolchain.mk
endif

export CARGO_TARGET_DIR := $(CURDIR)/out/target
unexport RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET RUSTC_BOOTSTRAP

.PHONY: all new-subsystem run iso bochs qemu-uefi ktest boots graph report screenshots shuffle randconfig-test size test golden reference doc lint bench fuzz gdb clean help FORCE
.PHONY: sync-config menuconfig oldconfig olddefconfig listnewconfig defconfig tinyconfig alldefconfig allnoconfig allyesconfig randconfig \
	savedefconfig
all: $(O)/bzImage ## Build out/vmlinux, out/System.map and out/bzImage (the default)

# The host tools lie behind a feature: build scripts and macros need the libraries only.
tool := --features incipit-config/tool,incipit-linker/tool

# --- the configuration ------------------------------------------------------------------------------------------------

kconfig = $(Q)$(PYTHON) -B config/kconfig --config=$(call quoted,$(KCONFIG_CONFIG)) $(foreach crate,$(SUBSYS),--crate=$(crate))

# Cargo's build scripts look at out/config only, whichever image is built.
sync-config:
	$(kconfig) sync $(if $(DEBUG),debug.config)

menuconfig: ## Edit the configuration in a menu
	$(kconfig) $@
oldconfig: ## Complete .config, asking for each symbol that it lacks
	$(kconfig) $@
olddefconfig: ## Complete .config with the defaults of the symbols that it lacks
	$(kconfig) $@
listnewconfig: ## List the symbols that .config lacks
	$(kconfig) $@
defconfig: ## Write .config from config/defconfig: everything that works
	$(kconfig) $@
tinyconfig: ## Write .config with as little as boots
	$(kconfig) $@
alldefconfig: ## Write .config with the default of every symbol
	$(kconfig) $@
allnoconfig: ## Write .config with as much as possible off
	$(kconfig) $@
allyesconfig: ## Write .config with as much as possible on
	$(kconfig) $@
randconfig: ## Write .config at random, from SEED
	$(kconfig) $@ $(call quoted,$(SEED))
savedefconfig: ## Write ./defconfig: the lines of .config that differ from the defaults
	$(kconfig) $@
%.config: FORCE ## Merge config/NAME.config onto .config
	$(kconfig) merge $@

# --- the image --------------------------------------------------------------------------------------------------------

$(tools)/incipit-config $(tools)/incipit-ld $(tools)/incipit-linker $(tools)/incipit-bzimage &: FORCE
	$(Q)$(cargo) build -p incipit-config -p incipit-linker -p incipit-bzimage $(tool)

$(O)/image/Cargo.toml: $(tools)/incipit-config sync-config
	$(Q)$(tools)/incipit-config image --output $(O)/image $(SUBSYS)

# Cargo does not see that the linker changed; it does see a newer source file.
$(O)/linker: FORCE
	@mkdir -p $(@D)
	@echo '$(LD)' | cmp -s - $@ || echo '$(LD)' >$@
$(O)/relink: $(tools)/incipit-ld $(O)/linker $(O)/image/Cargo.toml
	$(Q)touch $(O)/image/src/main.rs $@

# Paths in messages and in the image are the tree's, so that neither depends on where the tree lies.
registry := $(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src
remap := --config 'target.$(target).rustflags=["--remap-path-prefix=$(CURDIR)=","--remap-path-prefix=$(registry)=cargo"]'

build_env := INCIPIT_LD=$(LD) CARGO_TARGET_X86_64_UNKNOWN_NONE_LINKER=$(CURDIR)/$(tools)/incipit-ld \
	$(if $(LTO),CARGO_PROFILE_RELEASE_LTO=fat) $(if $(CODEGEN_UNITS),CARGO_PROFILE_RELEASE_CODEGEN_UNITS=$(CODEGEN_UNITS))

$(O)/linked: $(O)/relink FORCE
	$(Q)$(build_env) $(cargo) build $(remap) --manifest-path $(O)/image/Cargo.toml -p vmlinux --target $(target) \
		--release --message-format=json-render-diagnostics >$(O)/cargo.json
	@stat -c '%n %i %y' $(linked) >$@.new && { cmp -s $@.new $@ && rm $@.new || mv $@.new $@; }

$(O)/vmlinux: $(O)/linked $(tools)/incipit-linker $(if $(V),FORCE)
	$(Q)$(tools)/incipit-linker seal --image $(linked) --artifacts $(O)/cargo.json --crates $(O)/image/crates.list \
		--output $@ --map $(O)/System.map $(if $(V),-v)

# The EFI stub is a program of its own, linked at no fixed address, in segments that begin on pages.
stub := $(CURDIR)/out/target-efi/$(target)/release/incipit-efi-stub
stub_flags := "-Crelocation-model=pic","-Ccode-model=small","-Clink-args=-pie -eefi_main -zseparate-loadable-segments -znorelro -znognustack --no-rosegment --no-eh-frame-hdr","-Cstrip=symbols"
$(O)/efi-stub: FORCE
	$(Q)$(cargo) build -q --config 'target.$(target).rustflags=[$(stub_flags)]' --target-dir out/target-efi -p incipit-efi-stub --target $(target) --release
	@cmp -s $(stub) $@ || cp $(stub) $@

out/config/efi/stub.h: | sync-config ;
$(O)/bzImage: $(O)/vmlinux $(O)/efi-stub $(tools)/incipit-bzimage out/config/efi/stub.h
	$(Q)$(tools)/incipit-bzimage --vmlinux $< $$(grep -q '^CONFIG_EFI_STUB=y' out/config/auto.conf && echo --stub $(O)/efi-stub) --output $@

# --- a crate of its own -----------------------------------------------------------------------------------------------

new-subsystem: $(tools)/incipit-config sync-config ## Write the crate of a new subsystem: NAME=foo, DIR=../foo
	$(Q)$(tools)/incipit-config new --name $(call quoted,$(NAME)) --folder $(call quoted,$(or $(DIR),../$(NAME)))

# --- what is done with it ---------------------------------------------------------------------------------------------

export command_line = console=ttyS0 kdb $(APPEND)
qemu = qemu-system-x86_64 -accel $(ACCEL) -machine $(MACHINE) -cpu $(CPU) -smp $(SMP) -m $(MEM) -nic none -no-reboot \
	-kernel $(O)/vmlinux $(if $(INITRD),-initrd $(call quoted,$(INITRD))) -append "$$command_line"

run: $(O)/vmlinux ## Boot the image in QEMU on this terminal (C-a x leaves)
	$(Q)$(qemu) -nographic

# What other loaders and emulators boot. The screen and the serial line both show the boot there.
booted = --build $(O) --append=$(call quoted,$(command_line)) $(if $(INITRD),--initrd $(call quoted,$(INITRD)))
machine = $(Q)$(cargo) run -q -p incipit-machine --

iso: all ## Make out/incipit.iso, which BIOS and UEFI boot: GRUB, and every way in that it has
	$(machine) iso $(booted) --output $(O)/incipit.iso && echo $(O)/incipit.iso

bochs: all ## Boot in Bochs on this terminal, by GRUB: GUI=x for a window
	$(machine) bochs $(booted) --memory $(MEM) --processors $(SMP) $(if $(GUI),--window $(call quoted,$(GUI)))

qemu-uefi: all ## Boot in QEMU with UEFI on this terminal (C-a x leaves): GRUB=1, GUI=1
	$(machine) uefi $(booted) --memory $(MEM) --processors $(SMP) $(if $(GRUB),--grub) $(if $(GUI),--window)

ktest: $(O)/vmlinux ## Run the tests that are inside the image: FILTER=foo::*, or those of SUBSYS, or all
	$(Q)$(cargo) run -q -p incipit-tests --bin ktest -- --image $(O)/vmlinux $(if $(SUBSYS),--crates $(O)/image/subsys.list) \
		$(if $(FILTER),--filter $(call quoted,$(FILTER))) --machine $(MACHINE) --cpu $(CPU) --accelerator $(ACCEL) --memory $(MEM) --processors $(SMP) \
		--append=$(call quoted,$(APPEND)) $(if $(INITRD),--initrd $(call quoted,$(INITRD)))

# Cargo knows best whether the tool is out of date, and says nothing if it is not.
pictures = $(Q)$(cargo) run -q -p incipit-report --

graph: $(O)/vmlinux ## Draw who runs before whom, and why: out/graph.svg and out/graph.dot; the states of CPUs in out/cpu-states.*
	$(pictures) graph --image $< --output $(O)

report: $(O)/vmlinux ## Boot the image once, and write out/report.html: timeline, memory, image, tables, parameters
	$(pictures) report --image $< --output $(O) --machine $(MACHINE) --memory $(MEM) --append $(call quoted,$(APPEND))

screenshots: $(O)/bzImage ## Take the pictures of a boot that docs/ shows, on the text screen and on a framebuffer
	$(Q)$(cargo) run -q -p incipit-tests --bin screenshots -- --image $< --output docs/images

# gdb starts QEMU and talks to it through a pipe, so no port can be taken. QEMU has a session of its own, or C-c in gdb would end it,
# and is ended when gdb is. `hbreak start_kernel`, then `continue`, are good first commands.
gdb: $(O)/vmlinux ## Debug the image: QEMU stopped at its first instruction, its serial line in out/console.log
	$(Q)trap : INT; trap 'exit 1' HUP TERM; trap 'test ! -f out/qemu.pid || kill $$(cat out/qemu.pid)' EXIT; \
		gdb -q -ex 'target remote | exec setsid $(subst ','"'"',$(qemu)) -S -gdb stdio -pidfile out/qemu.pid \
		-display none -serial file:out/console.log' $(O)/vmlinux

doc := $(O)/doc/$(target)/doc

# --- what is checked --------------------------------------------------------------------------------------------------

# The crates that run on the host; all others are the kernel's and are compiled for the target.
host := incipit-config incipit-linker incipit-macros incipit-machine incipit-lib incipit-bzimage incipit-tests incipit-bench incipit-bench-allocators incipit-report
on_host := $(addprefix -p ,$(host)) $(tool)
on_target := --target $(target) --workspace $(addprefix --exclude ,$(host))

test: lint all ## Run every test that this machine can run, make lint first
	$(Q)$(cargo) test --no-fail-fast $(on_host)

shuffle: $(O)/vmlinux ## Boot the initcalls in N other legal orders, from SEED on, and find what relies on an order that nobody declared
	$(Q)$(cargo) run -q -p incipit-tests --bin shuffle -- $< --count $(N) --seed $(SEED) --append $(call quoted,$(APPEND))

boots: $(O)/vmlinux ## Boot N times on 1, 2, 4 and 8 CPUs, in one thread of QEMU's and in many, and count what goes wrong; BOCHS=1: on 1, 2 and 4 in Bochs; ACCEL=kvm: on KVM
	$(Q)$(cargo) run -q -p incipit-tests --bin boots -- $< --count $(N) $(if $(BOCHS),--bochs) $(if $(filter kvm,$(ACCEL)),--kvm)

randconfig-test: all ## Build and boot N random configurations, from SEED on
	$(Q)$(cargo) run -q -p incipit-tests --bin randconfig -- --count $(N) --seed $(SEED)

size: $(O)/bzImage ## Tell how large the image is
	@size $(O)/vmlinux && stat -c '%s bytes: %n' $(O)/bzImage

golden: $(O)/vmlinux ## Take the image's order of stages and initcalls over into tests/golden
	$(Q)$(cargo) run -q -p incipit-tests --bin golden $<

reference: $(O)/vmlinux ## Write docs/reference from the tables' descriptions and the image, and the table of docs/loaders.md
	$(Q)$(tools)/incipit-linker tables >$(O)/page && mv $(O)/page docs/reference/tables.md
	$(Q)$(tools)/incipit-linker parameters --image $< --switches $(O)/image/switches.list >$(O)/page && mv $(O)/page docs/reference/kernel-parameters.md
	$(Q)$(cargo) run -q -p incipit-tests --bin loaders

# What a crate keeps to itself has pages, too: most entries are private.
doc: $(O)/vmlinux ## Write the documentation of the image's crates, with a front page that lists all entries of the tables
	$(Q)RUSTDOCFLAGS='-D warnings' $(cargo) doc --manifest-path $(O)/image/Cargo.toml --target-dir $(O)/doc --target $(target) --no-deps \
		--document-private-items -p incipit -p incipit-boot -p incipit-lib $$(sed 's/^/-p /' $(O)/image/crates.list)
	$(Q)$(tools)/incipit-linker index --image $< --folder $(doc) >$(doc)/index.html && echo $(doc)/index.html

lint: sync-config ## Check format, clippy, documentation; count `unsafe`
	$(Q)$(CARGO_FMT) --all --check
	$(Q)$(clippy) $(on_host) --all-targets -- -D warnings
	$(Q)CLIPPY_CONF_DIR=$(CURDIR)/kernel/src $(clippy) $(on_target) --no-deps -- -D warnings
	$(Q)RUSTDOCFLAGS='-D warnings' $(cargo) doc --no-deps $(on_host)
	$(Q)RUSTDOCFLAGS='-D warnings' $(cargo) doc --no-deps $(on_target)
	@for room in linker macros kernel/lib kernel/src boot drivers; do \
		printf '%-12s %4d unsafe\n' $$room $$(grep -rhE --include='*.rs' '^[^/]*\bunsafe( *\{| fn| impl| extern)' $$room | wc -l); \
	done

bench: ## Count the instructions of the boot, beside Linux's and the recorded ones; hold the allocators against crates
	$(Q)$(cargo) run -q -p incipit-bench -- $(if $(RECORD),--record)
	$(Q)$(cargo) run -q --release -p incipit-bench-allocators

# The instrumentation is flags of the stable compiler, in the targets' own configuration, which cargo reads in their folder.
fuzz: ## Feed a parser with anything: TARGET=cmdline, RUNS=10000000
	$(Q)cd fuzz && mkdir -p $(CURDIR)/out/fuzz/$(TARGET) && $(cargo) build --release --bin $(TARGET) && \
		$(CURDIR)/out/target/x86_64-unknown-linux-gnu/release/$(TARGET) -runs=$(RUNS) -max_len=256 -print_final_stats=1 \
		-artifact_prefix=$(CURDIR)/out/fuzz/ $(CURDIR)/out/fuzz/$(TARGET)

clean: ## Remove everything that was built
	$(Q)rm -rf out

help: ## Show this
	@echo 'Targets:'
	@sed -nE 's/^([a-z-]+|%[.]config):[^#=]*## (.*)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | sed 's/%/NAME/' | expand -t 18
	@echo 'Variables:'
	@sed -nE 's/^([A-Z_]+) [?:]= *(\$$\(or [^,]*,)?([A-Za-z0-9]*)\)? ?## (.*)/  \1=\3\t\4/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18
