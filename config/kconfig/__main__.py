"""What make runs for the configuration: `python3 config/kconfig COMMAND`, at the tree's root.

The language is kconfiglib's business. This decides which Kconfig files there are (tree.py), reads .config line by line so that no line is lost in
silence (dotconfig.py), and writes what the build takes (`sync`, see targets.py).
"""

import argparse
import sys


def main():
    if sys.version_info < (3, 7):
        sys.exit("error: the configuration needs Python 3.7 or newer")
    try:
        import kconfiglib
    except ImportError:
        sys.exit(
            f"error: {sys.executable} has no kconfiglib, which reads the Kconfig files: install the package python3-kconfiglib, "
            "or type `pip install kconfiglib`"
        )
    import targets
    from problem import Problem

    try:
        targets.run(arguments(targets.COMMANDS))
    except (Problem, kconfiglib.KconfigError) as error:
        sys.exit(f"error: {str(error).strip()}")
    except OSError as error:
        sys.exit(f"error: {error.filename or ''}: {error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit(130)


def arguments(commands):
    parser = argparse.ArgumentParser(prog="config/kconfig", description="Evaluates the kernel's configuration.")
    parser.add_argument("--folder", default="out/config", help="what is generated goes here")
    parser.add_argument("--config", default="", help="the configuration, instead of .config")
    parser.add_argument("--crate", action="append", default=[], help="folder of a crate from outside the tree")
    sub = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (function, operands) in commands.items():
        command = sub.add_parser(name, help=function.__doc__.splitlines()[0])
        for operand, count in operands.items():
            command.add_argument(operand, nargs=count)
    return parser.parse_args()


if __name__ == "__main__":
    main()
