"""What is wrong with a configuration."""

import sys


class Problem(Exception):
    """Ends the command; the text is all that the user sees."""


def warn(text):
    """Says something that does not end the command."""
    print(f"warning: {text}", file=sys.stderr)
