"""The Kconfig files: config/Kconfig, what it sources, and one beside each leaf crate.

No list of crates stands in the tree: those under drivers/ and those from outside are collected here, into a file that config/Kconfig sources as
$(KCONFIG_CRATES). So Linux's own tools can read the files, too: they get that variable and `srctree`.
"""

import os

import kconfiglib
from problem import Problem

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOP = "config/Kconfig"


def load(folder, outside):
    """The parsed files. `folder` takes what is generated; `outside` are the folders of crates from outside the tree.

    Every warning about the files is an error, and so is a symbol that two places declare.
    """
    os.makedirs(folder, exist_ok=True)
    crates = os.path.abspath(os.path.join(folder, "Kconfig.crates"))
    write_if_changed(crates, crates_menu(outside))
    os.environ.update(srctree=ROOT, KCONFIG_CRATES=crates, KCONFIG_WARN_UNDEF="y")
    kconf = kconfiglib.Kconfig(TOP, warn_to_stderr=False)
    if kconf.warnings:
        raise Problem("\nerror: ".join(kconf.warnings))
    for symbol in kconf.unique_defined_syms:
        first, *others = symbol.nodes
        if others:
            raise Problem(f"{place(others[0])}: CONFIG_{symbol.name} is declared already, at {place(first)}")
        if symbol.orig_type == kconfiglib.TRISTATE:
            raise Problem(f"{place(first)}: CONFIG_{symbol.name} is a tristate, but there are no modules: `bool` is right")
    return kconf


def crates_menu(outside):
    """The source of the menus of the leaf crates."""
    drivers = os.path.join(ROOT, "drivers")
    inside = [f"drivers/{name}" for name in sorted(os.listdir(drivers))]
    inside = [crate for crate in inside if os.path.isfile(os.path.join(ROOT, crate, "Kconfig"))]
    beyond = [os.path.abspath(crate) for crate in outside]
    # Named on the command line though it is there anyway.
    beyond = [crate for crate in dict.fromkeys(beyond) if os.path.relpath(crate, ROOT) not in inside]
    beyond = [crate for crate in beyond if os.path.isfile(os.path.join(crate, "Kconfig"))]
    return menu("Drivers", inside) + menu("Subsystems from outside the tree", beyond)


def menu(title, crates):
    if not crates:
        return ""
    return "\n".join([f'menu "{title}"', *(f'source "{crate}/Kconfig"' for crate in crates), "endmenu", ""])


def place(node):
    """Where a symbol is declared."""
    return f"{node.filename}:{node.linenr}"


def write_if_changed(path, content):
    """A file that holds `content` already keeps its date."""
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == content:
                return
    except OSError:
        pass
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)


def read_symbols(path):
    """The symbols that the last build knew, each with its type."""
    try:
        with open(path, encoding="utf-8") as file:
            return dict(line.replace("CONFIG_", "", 1).split() for line in file)
    except OSError:
        return {}


def touch_changed(folder, before, now):
    """Dates the symbols that appeared, went or changed their type, which kconfiglib does not do: who mentions one must learn of it."""
    for name in before.keys() | now.keys():
        path = os.path.join(folder, name.lower().replace("_", "/") + ".h")
        if before.get(name) != now.get(name) or not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8"):
                pass
