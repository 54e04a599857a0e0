"""``python -m ssbmech``."""

from ssbmech.cli import program

program()
