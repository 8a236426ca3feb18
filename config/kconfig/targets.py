"""The commands, each one a make target; `sync` is the build's own."""

import os
import random
import sys

import dotconfig
import kconfiglib
import tree
from kconfiglib import BOOL, HEX, INT, TYPE_TO_STR
from problem import Problem

DEFAULT = "config/defconfig"
TINY = "config/tinyconfig"


class Context:
    """What every command works on."""

    def __init__(self, options):
        os.chdir(tree.ROOT)
        self.options = options
        self.path = options.config or ".config"
        # menuconfig takes the name from the environment only.
        os.environ["KCONFIG_CONFIG"] = self.path
        self.kconf = tree.load(options.folder, options.crate)

    def base(self):
        """The file to start from: the configuration, or the default one if there is none."""
        if self.options.config and not os.path.exists(self.path):
            raise Problem(f"{self.path}: there is no such configuration")
        return self.path if os.path.exists(self.path) else DEFAULT

    def write(self):
        """Writes the configuration, and says so."""
        print(self.kconf.write_config(self.path, header=HEADER))


HEADER = "#\n# Written by make; docs/configuration.md says how to change it.\n#\n"


def run(options):
    function, _ = COMMANDS[options.command]
    function(Context(options))


def sync(context):
    """Bring what the build reads up to date, with fragments in front of the configuration"""
    kconf, folder = context.kconf, context.options.folder
    dotconfig.apply(kconf, [context.base(), *map(fragment, context.options.fragment)])
    # A file for each symbol, whose date says when its value changed: build scripts look at those that their crate mentions.
    kconf.sync_deps(folder)
    listed = os.path.join(folder, "symbols")
    kinds = {symbol.name: TYPE_TO_STR[symbol.orig_type] for symbol in kconf.unique_defined_syms}
    tree.touch_changed(folder, tree.read_symbols(listed), kinds)
    tree.write_if_changed(listed, "".join(f"CONFIG_{name} {kind}\n" for name, kind in sorted(kinds.items())))
    kconf.write_config(os.path.join(folder, "full.config"), header=HEADER, save_old=False)


def defconfig(context):
    """Write .config from config/defconfig: everything that works"""
    dotconfig.apply(context.kconf, [DEFAULT])
    context.write()


def tinyconfig(context):
    """Write .config with as little as boots"""
    everything_off(context.kconf)
    dotconfig.apply(context.kconf, [TINY])
    context.write()


def merge(context):
    """Merge fragments onto .config"""
    dotconfig.apply(context.kconf, [context.base(), *map(fragment, context.options.fragment)])
    context.write()


def olddefconfig(context):
    """Complete .config: symbols that it lacks get their defaults"""
    dotconfig.apply(context.kconf, [context.base()])
    context.write()


def oldconfig(context):
    """Complete .config, asking for each symbol that it lacks"""
    import oldconfig as dialogue

    dotconfig.apply(context.kconf, [context.base()])
    dialogue.do_oldconfig(context.kconf)
    context.write()


def menuconfig(context):
    """Edit .config in a menu"""
    import menuconfig as editor

    if not sys.stdout.isatty():
        raise Problem("the menu needs a terminal")
    # What the editor does not see any more is told first.
    dotconfig.apply(context.kconf, [context.base()])
    if not os.path.exists(context.path):
        context.write()
    editor.menuconfig(context.kconf)


def savedefconfig(context):
    """Write ./defconfig: the lines of .config that differ from the defaults"""
    dotconfig.apply(context.kconf, [context.base()])
    print(context.kconf.write_min_config(context.options.output or "defconfig", header=""))


def listnewconfig(context):
    """List the symbols that .config lacks, with their defaults"""
    dotconfig.apply(context.kconf, [context.base()])
    for symbol in context.kconf.unique_defined_syms:
        if is_open(symbol):
            print(symbol.config_string.strip())


def alldefconfig(context):
    """Write .config with every symbol at its default"""
    context.write()


def allnoconfig(context):
    """Write .config with as much as possible off"""
    everything_off(context.kconf)
    context.write()


def allyesconfig(context):
    """Write .config with as much as possible on"""
    choose(context.kconf, lambda symbol: "y" if symbol.orig_type == BOOL else None, lambda choice, symbols: None)
    context.write()


def randconfig(context):
    """Write .config at random, from a seed"""
    try:
        dice = random.Random(int(context.options.seed))
    except ValueError:
        raise Problem(f"SEED={context.options.seed}: must be a number") from None

    def value(symbol):
        if symbol.orig_type == BOOL:
            return dice.choice("yn")
        bounds = dotconfig.active_range(symbol) if symbol.orig_type in (INT, HEX) else None
        if not bounds:
            return None
        # The bounds are where mistakes are, so they come up more often than by chance.
        number = dice.choice([*bounds, dice.randint(*bounds)])
        return str(number) if symbol.orig_type == INT else hex(number)

    choose(context.kconf, value, lambda choice, symbols: dice.choice(symbols))
    context.write()


def everything_off(kconf):
    choose(kconf, lambda symbol: "n" if symbol.orig_type == BOOL else None, lambda choice, symbols: None)


def choose(kconf, value, member):
    """Gives every symbol that the user could set `value(symbol)`, and every choice `member(choice, symbols)`; None leaves the default.

    What one answer makes visible is asked in a further round.
    """
    asked = set()
    while True:
        pending = [symbol for symbol in kconf.unique_defined_syms if symbol not in asked and (is_open(symbol) or symbol.choice)]
        pending = [symbol for symbol in pending if symbol.visibility]
        if not pending:
            return
        symbol = pending[0]
        asked.add(symbol)
        if not symbol.choice:
            answer = value(symbol)
            if answer is not None:
                symbol.set_value(answer)
        elif symbol.choice not in asked:
            asked.add(symbol.choice)
            chosen = member(symbol.choice, [other for other in symbol.choice.syms if other.visibility])
            if chosen:
                chosen.set_value("y")


def is_open(symbol):
    """Whether the user could set `symbol`, and has not."""
    return symbol.visibility > 0 and symbol.user_value is None and symbol.choice is None and bool(symbol.config_string)


def fragment(name):
    """The file of a fragment: as named, or in config/."""
    for path in (name, os.path.join("config", name)):
        if os.path.isfile(path):
            return path
    raise Problem(f"{name}: there is no such fragment, here or in config/")


COMMANDS = {
    "sync": (sync, {"fragment": "*"}),
    "menuconfig": (menuconfig, {}),
    "oldconfig": (oldconfig, {}),
    "olddefconfig": (olddefconfig, {}),
    "defconfig": (defconfig, {}),
    "tinyconfig": (tinyconfig, {}),
    "merge": (merge, {"fragment": "+"}),
    "savedefconfig": (savedefconfig, {"output": "?"}),
    "listnewconfig": (listnewconfig, {}),
    "randconfig": (randconfig, {"seed": None}),
    "alldefconfig": (alldefconfig, {}),
    "allnoconfig": (allnoconfig, {}),
    "allyesconfig": (allyesconfig, {}),
}
