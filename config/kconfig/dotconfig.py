"""Reads configurations and fragments of them, line by line.

kconfiglib could read them, too, but would say less: here each line that is no assignment is an error, and each that has another effect than it says is
named by its number, with the reason.
"""

import re

from kconfiglib import BOOL, HEX, INT, STRING, expr_str, expr_value, unescape
from problem import Problem, warn

ASSIGNMENT = re.compile(r"CONFIG_(\w+)=(.*)", re.ASCII)
UNSET = re.compile(r"# CONFIG_(\w+) is not set", re.ASCII)
VALUE = {
    BOOL: (re.compile("[yn]"), "y or n"),
    INT: (re.compile("-?[0-9]+"), "a number"),
    HEX: (re.compile("(0[xX])?[0-9a-fA-F]+"), "a hexadecimal number"),
    STRING: (re.compile(r'"((?:[^\\"]|\\.)*)"'), '"text" between quotes'),
}


class Line:
    """An assignment, and where it stands."""

    def __init__(self, where, number, text, name, value):
        self.where = where
        self.number = number
        self.text = text
        self.name = name
        self.value = value


def apply(kconf, paths):
    """Reads the files `paths` one after the other, the later counting before the earlier, and sets the symbols of `kconf`.

    What has no effect, or another one, is warned about. A line that is none is an error.
    """
    lines = {}
    for path in paths:
        later = read(kconf, path)
        # Who chooses another member of a choice takes back what was chosen before.
        choices = [kconf.syms[line.name].choice for line in later.values() if line.value == "y"]
        for name in [name for name in lines if kconf.syms[name].choice and kconf.syms[name].choice in choices]:
            del lines[name]
        lines.update(later)
    for line in lines.values():
        set_value(kconf.syms[line.name], line.value)
    for line in lines.values():
        symbol = kconf.syms[line.name]
        if not effective(symbol, line.value):
            warn(f"{line.where}: `{line.text}` {reason(symbol, line.value)}")


def read(kconf, path):
    """The assignments of one file to symbols that there are, by name."""
    lines = {}
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, text in enumerate(file, 1):
            line = parse(kconf, path, number, text.strip())
            if line is None:
                continue
            if declared(kconf, line.name) is None:
                warn(f"{line.where}: `{line.text}`: there is no symbol CONFIG_{line.name}{likely(kconf, line.name)}")
                continue
            earlier = lines.pop(line.name, None)
            if earlier:
                same = "to the same value" if earlier.value == line.value else "and the last assignment counts"
                warn(f"{line.where}: `{line.text}`: CONFIG_{line.name} is set in line {earlier.number} already, {same}")
            lines[line.name] = line
    return lines


def parse(kconf, path, number, text):
    """The assignment in a line, checked against the symbol's type; none in an empty line or a comment."""
    unset = UNSET.fullmatch(text)
    if not unset and (not text or text.startswith("#")):
        return None
    match = unset or ASSIGNMENT.fullmatch(text)
    if not match:
        raise Problem(f"{path}: line {number}: `{text}`: must be `CONFIG_NAME=value`, `# CONFIG_NAME is not set` or a comment")
    line = Line(f"{path}: line {number}", number, text, match[1], "n" if unset else match[2])
    symbol = declared(kconf, line.name)
    if symbol:
        form, description = VALUE[symbol.orig_type]
        right = form.fullmatch(line.value)
    else:
        description = "y, n, a number or \"text\""
        right = any(form.fullmatch(line.value) for form, _ in VALUE.values())
    if not right:
        raise Problem(f"{line.where}: `{text if unset else line.value}`: the value of CONFIG_{line.name} must be {description}")
    return line


def declared(kconf, name):
    """The symbol, if a Kconfig file declares it."""
    symbol = kconf.syms.get(name)
    return symbol if symbol is not None and symbol.nodes else None


def set_value(symbol, value):
    """Sets `symbol`; what is out of its range becomes the nearest that is not, as Linux does it."""
    if symbol.orig_type == STRING:
        value = unescape(value[1:-1])
    symbol.set_value(value)
    if symbol.orig_type in (INT, HEX) and (bounds := active_range(symbol)):
        base = 10 if symbol.orig_type == INT else 16
        nearest = min(max(int(value, base), bounds[0]), bounds[1])
        if nearest != int(value, base):
            symbol.set_value(str(nearest) if base == 10 else hex(nearest))


def active_range(symbol):
    """The least and the greatest value, if there is a range."""
    base = 10 if symbol.orig_type == INT else 16
    for low, high, condition in symbol.ranges:
        if expr_value(condition):
            return int(low.str_value, base), int(high.str_value, base)
    return None


def effective(symbol, value):
    if symbol.orig_type == STRING:
        return symbol.str_value == unescape(value[1:-1])
    if symbol.orig_type in (INT, HEX) and symbol.str_value:
        base = 10 if symbol.orig_type == INT else 16
        return int(symbol.str_value, base) == int(value, base)
    return symbol.str_value == value


def reason(symbol, value):
    """Why `symbol` has another value than the one assigned."""
    became = symbol.str_value or "without a value"
    if not expr_value(symbol.direct_dep):
        return f"has no effect: CONFIG_{symbol.name} depends on {expr_str(symbol.direct_dep)}"
    if all(node.prompt is None for node in symbol.nodes):
        return f"has no effect: CONFIG_{symbol.name} follows from others, and is {became}"
    if symbol.choice:
        chosen = symbol.choice.selection
        other = f"CONFIG_{chosen.name} is chosen" if chosen else "none is chosen"
        return f"has no effect: of its choice, {other}"
    if value == "n" and expr_value(symbol.rev_dep):
        return f"has no effect: CONFIG_{symbol.name} is selected by {expr_str(symbol.rev_dep)}"
    bounds = active_range(symbol) if symbol.orig_type in (INT, HEX) else None
    if bounds:
        low, high = bounds if symbol.orig_type == INT else map(hex, bounds)
        return f"is out of range: CONFIG_{symbol.name} is from {low} to {high}, and becomes {became}"
    conditions = " or ".join(expr_str(node.prompt[1]) for node in symbol.nodes if node.prompt)
    return f"has no effect: CONFIG_{symbol.name} can be chosen if {conditions}, and is {became}"


def likely(kconf, name):
    """What the user may have meant."""
    import difflib

    known = [symbol.name for symbol in kconf.unique_defined_syms]
    close = difflib.get_close_matches(name, known, 1, 0.75)
    return f"; is it CONFIG_{close[0]}?" if close else ""
