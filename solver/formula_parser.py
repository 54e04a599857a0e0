"""The grammar of formulas.

The text is parsed by a small grammar of its own into a tree of five node types; it is never handed
to the Python interpreter. The grammar:

* a number may be followed by a unit, which binds tighter than ``*`` and ``/``:
  ``x / 20 mm`` is x/(20 mm), ``5 um^2`` is 5 (um^2); units may also stand alone: ``2 MPa/mm * x``;
* operators ``+ - * / ^`` (or ``**``) and parentheses; ``^`` binds tighter than a sign;
* coordinates ``x``, ``y``, ``z`` (``r``, ``z`` in axisymmetric models); the constant ``pi``;
* the functions of `FUNCTIONS`.

The dimension of every sub-expression is checked. Angles count as dimensionless: ``sin(30 deg)``.
"""

from __future__ import annotations

import math
import re

import numpy as np
from ssbmech import units
from ssbmech.errors import FormulaError, UnitError, nearest
from ssbmech.formula_tree import (
    FUNCTIONS,
    Binary,
    Call,
    Coordinate,
    Negative,
    Node,
    Number,
    used,
    value_of,
)

_MAX_TEXT, _MAX_DEPTH, _MAX_POWER = 500, 60, 64.0
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*|%)"
    r"|(?P<op>[-+*/^(),]))",
    re.ASCII,
)
Typed = tuple[Node, units.Exponents]
_LENGTH = units.DIMENSIONS["length"].exponents
_ALLOWED = "numbers with units, coordinates, + - * / ^ ( ) and functions"


def _no_angle(exponents: units.Exponents) -> units.Exponents:
    """Return the dimension with angles counted as pure numbers."""
    return (*exponents[:6], 0.0)


class Parser:
    """Recursive descent; every method returns a node with its dimension."""

    def __init__(self, text: str, coordinates: tuple[str, ...], key: str) -> None:
        self.text, self.coordinates, self.key = text, coordinates, key
        self.depth = self.at = 0
        self.tokens: list[tuple[str, str]] = []
        if len(text) > _MAX_TEXT:
            raise self.error("the formula is too long", f"up to {_MAX_TEXT} characters")
        plain, at = units.normalise(text).rstrip(), 0
        while at < len(plain):
            match = _TOKEN.match(plain, at)
            if match is None or match.lastgroup is None:
                raise self.error(f"cannot read {plain[at:].strip()[:20]!r}", _ALLOWED)
            self.tokens.append((match.lastgroup, match.group(match.lastgroup)))
            at = match.end()

    def error(self, message: str, allowed: str = "", hint: str = "") -> FormulaError:
        """Return the error, with the text shortened for the message."""
        shown = self.text if len(self.text) <= 80 else self.text[:77] + "..."
        return FormulaError(message, key=self.key, value=shown, allowed=allowed, hint=hint)

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        """Return kind and text of a coming token."""
        i = self.at + ahead
        return self.tokens[i] if i < len(self.tokens) else ("end", "")

    def take(self, *ops: str) -> str:
        """Consume the next token if it is one of these operators, and return it."""
        kind, text = self.peek()
        if kind == "op" and text in ops:
            self.at += 1
            return text
        return ""

    def parse(self, dimension: str) -> Node:
        """Return the tree of the whole text.

        Args:
            dimension: The dimension that the result must have.

        Raises:
            FormulaError: If it cannot be read or has another dimension.
        """
        want = units.dimension_of(dimension)
        node, has = self.sum()
        if self.peek()[0] != "end":
            raise self.error(f"{self.peek()[1]!r} is out of place", _ALLOWED)
        if not units.same_dimension(has, _no_angle(want.exponents)):
            raise self.error(
                f"the formula has the dimension {units.describe(has)}",
                f"{dimension.replace('_', ' ')}, such as '{want.example}'",
            )
        return node

    def sum(self) -> Typed:
        """Terms joined by + and -."""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self.error("the formula is nested too deeply", f"up to {_MAX_DEPTH} levels")
        node, has = self.product()
        while op := self.take("+", "-"):
            right, other = self.product()
            has = self.agree(node, has, right, other, f"'{op}'")
            node = self.fold(Binary(op, node, right))
        self.depth -= 1
        return node, has

    def product(self) -> Typed:
        """Factors joined by * and /."""
        node, has = self.signed()
        while op := self.take("*", "/"):
            right, other = self.signed()
            if op == "/" and right == Number(0.0):
                raise self.error("division by zero: the result is not a finite number")
            has = units.combine(has, other, 1.0 if op == "*" else -1.0)
            node = self.fold(Binary(op, node, right))
        return node, has

    def signed(self) -> Typed:
        """Signs in front of a power."""
        negative = False
        while op := self.take("-", "+"):
            negative ^= op == "-"
        node, has = self.power()
        return (self.fold(Negative(node)) if negative else node), has

    def power(self) -> Typed:
        """An atom with its exponent."""
        node, has = self.atom()
        return self.raised(node, has)

    def raised(self, node: Node, has: units.Exponents) -> Typed:
        """The node, raised to the exponent that follows, if any."""
        if not self.take("^"):
            return node, has
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self.error("the formula is nested too deeply", f"up to {_MAX_DEPTH} levels")
        exponent, other = self.signed()
        self.depth -= 1
        if not units.same_dimension(other, units.NONE):
            raise self.error("an exponent must be a pure number", "such as x^2")
        if isinstance(exponent, Number):
            if abs(exponent.value) > _MAX_POWER:
                raise self.error(f"the exponent {exponent.value:g} is too large", "-64 to 64")
            has = units.combine(units.NONE, has, exponent.value)
        elif not units.same_dimension(has, units.NONE):
            raise self.error(
                "a quantity with a unit needs a constant exponent", "such as (x/1 um)^2"
            )
        return self.fold(Binary("^", node, exponent)), has

    def atom(self) -> Typed:
        """A number, name, call or parenthesis."""
        kind, text = self.peek()
        self.at += 1
        if kind == "number":
            return self.quantity(float(text))
        if (kind, text) == ("op", "("):
            node = self.sum()
            if not self.take(")"):
                raise self.error("a parenthesis is not closed")
            return node
        if kind == "name":
            if self.peek() == ("op", "("):
                return self.call(text)
            if text in self.coordinates:
                return Coordinate(self.coordinates.index(text)), _LENGTH
            if text == "pi":
                return Number(math.pi), units.NONE
            return self.unit(text)
        what = "the formula ends too early" if kind == "end" else f"{text!r} is out of place"
        raise self.error(what, _ALLOWED)

    def quantity(self, number: float) -> Typed:
        """A number with the unit that follows it directly, powers of the unit included."""
        kind, text = self.peek()
        if kind in ("number", "name") and (kind == "number" or self.is_value(text)):
            raise self.error(f"an operator is missing before {text!r}", hint="Write '*'")
        node, has = self.fold(Number(number)), units.NONE
        if kind == "name":
            self.at += 1
            factor, has = self.raised(*self.unit(text))
            assert isinstance(factor, Number)  # units and their powers are folded
            node = self.fold(Number(units.scale(number, factor.value)))
        return node, has

    def is_value(self, name: str) -> bool:
        """Return whether a name stands for a value and not for a unit."""
        return name in self.coordinates or name == "pi" or self.peek(1) == ("op", "(")

    def unit(self, name: str) -> Typed:
        """A unit name as its factor to SI."""
        try:
            factor, has = units.unit_factor(name, key=self.key)
        except UnitError as error:
            if "unknown" not in error.message:
                raise self.error(error.message, hint=error.hint) from None
            options = [*self.coordinates, "pi", *FUNCTIONS, *units.UNIT_TABLE]
            hint = nearest(name, options)
            raise self.error(
                f"{name[:40]!r} is neither a coordinate, a function nor a unit",
                f"coordinates {', '.join(self.coordinates)}; functions {', '.join(FUNCTIONS)}; pi",
                "" if hint.startswith("Known") else hint,
            ) from None
        return Number(factor), _no_angle(has)

    def call(self, name: str) -> Typed:
        """A function with its arguments."""
        if name not in FUNCTIONS:
            raise self.error(f"unknown function {name[:40]!r}", ", ".join(FUNCTIONS))
        function = FUNCTIONS[name]
        self.take("(")
        arguments = [self.sum()]
        while self.take(","):
            arguments.append(self.sum())
        if not self.take(")"):
            raise self.error("a parenthesis is not closed")
        if len(arguments) != function.arity:
            raise self.error(f"{name} takes {function.arity} argument(s), not {len(arguments)}")
        node, has = arguments[0]
        for other, dimension in arguments[1:]:
            has = self.agree(node, has, other, dimension, name)
        if function.rule == "pure" and not units.same_dimension(has, units.NONE):
            raise self.error(
                f"{name} needs a pure number, not {units.describe(has)}",
                hint=f"Divide by a reference value, such as {name}(x / 10 um)",
            )
        result = {"pure": units.NONE, "ratio": units.NONE, "same": has}.get(
            function.rule, units.combine(units.NONE, has, 0.5)
        )
        return self.fold(Call(name, tuple(a for a, _ in arguments))), result

    def agree(
        self, a: Node, has: units.Exponents, b: Node, other: units.Exponents, where: str
    ) -> units.Exponents:
        """Return the common dimension; a plain 0 fits any."""
        if units.same_dimension(has, other) or b == Number(0.0):
            return has
        if a == Number(0.0):
            return other
        raise self.error(
            f"{where} joins {units.describe(has)} with {units.describe(other)}",
            "the same dimension on both sides",
        )

    def fold(self, node: Node) -> Node:
        """Replace a constant expression by its number, so that errors in it show on reading."""
        if used(node):
            return node
        with np.errstate(all="ignore"):
            value = float(value_of(node, np.zeros(3)))
        if not math.isfinite(value):
            raise self.error(
                "a constant part is not a finite number",
                hint="Look for a division by zero, a root or logarithm of a negative number",
            )
        return Number(value)
