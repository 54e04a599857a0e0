"""The expression tree of a formula, and its values, derivatives and UFL form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Number:
    """A constant [SI]."""

    value: float


@dataclass(frozen=True)
class Coordinate:
    """Component ``index`` of the position [m]."""

    index: int


@dataclass(frozen=True)
class Negative:
    """``-operand``."""

    operand: Node


@dataclass(frozen=True)
class Binary:
    """``left op right`` with op one of ``+ - * / ^``."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Call:
    """A function of `FUNCTIONS` applied to its arguments."""

    name: str
    arguments: tuple[Node, ...]


Node = Number | Coordinate | Negative | Binary | Call


@dataclass(frozen=True)
class Function:
    """What a formula may call.

    Attributes:
        arity: Number of arguments.
        rule: ``"pure"`` (dimensionless to dimensionless), ``"same"`` (arguments and result agree),
            ``"root"`` (half the exponents), ``"ratio"`` (arguments agree, result dimensionless).
        numpy: Value from arrays.
        slopes: Partial derivatives from arrays.
        ufl: Value from the ufl module and its expressions.
    """

    arity: int
    rule: str
    numpy: Callable[..., Any]
    slopes: Callable[..., tuple[Any, ...]]
    ufl: Callable[..., Any]


def _pure(
    name: str, numpy: Callable[..., Any], slope: Callable[..., Any], ufl: str = ""
) -> Function:
    ufl = ufl or name
    return Function(1, "pure", numpy, lambda u: (slope(u),), lambda m, u: getattr(m, ufl)(u))


#: The functions a formula may call; ``step(u)`` is 1 where u >= 0 and 0 elsewhere.
FUNCTIONS: dict[str, Function] = {
    "exp": _pure("exp", np.exp, np.exp),
    "log": _pure("log", np.log, lambda u: 1.0 / u, "ln"),
    "sin": _pure("sin", np.sin, np.cos),
    "cos": _pure("cos", np.cos, lambda u: -np.sin(u)),
    "tan": _pure("tan", np.tan, lambda u: 1.0 / np.cos(u) ** 2),
    "asin": _pure("asin", np.arcsin, lambda u: 1.0 / np.sqrt(1.0 - u * u)),
    "acos": _pure("acos", np.arccos, lambda u: -1.0 / np.sqrt(1.0 - u * u)),
    "atan": _pure("atan", np.arctan, lambda u: 1.0 / (1.0 + u * u)),
    "sinh": _pure("sinh", np.sinh, np.cosh),
    "cosh": _pure("cosh", np.cosh, np.sinh),
    "tanh": _pure("tanh", np.tanh, lambda u: 1.0 - np.tanh(u) ** 2),
    "sqrt": Function(
        1, "root", np.sqrt, lambda u: (0.5 / np.sqrt(u),), lambda m, u: m.sqrt(u)
    ),
    "abs": Function(1, "same", np.abs, lambda u: (np.sign(u),), lambda m, u: abs(u)),
    "min": Function(
        2, "same", np.minimum, lambda u, v: (1.0 * (u <= v), 1.0 * (u > v)),
        lambda m, u, v: m.min_value(u, v),
    ),
    "max": Function(
        2, "same", np.maximum, lambda u, v: (1.0 * (u >= v), 1.0 * (u < v)),
        lambda m, u, v: m.max_value(u, v),
    ),
    "atan2": Function(
        2, "ratio", np.arctan2, lambda u, v: (v / (u * u + v * v), -u / (u * u + v * v)),
        lambda m, u, v: m.atan2(u, v),
    ),
    "step": Function(
        1, "ratio", lambda u: 1.0 * (u >= 0.0), lambda u: (0.0 * u,),
        lambda m, u: m.conditional(m.ge(u, 0.0), 1.0, 0.0),
    ),
}  # fmt: skip


def used(node: Node) -> set[int]:
    """Return the indices of the coordinates in the tree."""
    match node:
        case Coordinate(index):
            return {index}
        case Negative(operand):
            return used(operand)
        case Binary(_, left, right):
            return used(left) | used(right)
        case Call(_, arguments):
            return set().union(*(used(a) for a in arguments))
    return set()


def value_of(node: Node, x: NDArray[np.float64]) -> Any:
    """Return the value at positions ``x`` [m] of shape (..., n)."""
    match node:
        case Number(value):
            return np.float64(value)
        case Coordinate(index):
            return x[..., index]
        case Negative(operand):
            return -value_of(operand, x)
        case Call(name, arguments):
            return FUNCTIONS[name].numpy(*(value_of(a, x) for a in arguments))
        case Binary(op, left, right):
            return _operate(op, value_of(left, x), value_of(right, x))


def _operate(op: str, u: Any, v: Any) -> Any:
    match op:
        case "+":
            return u + v
        case "-":
            return u - v
        case "*":
            return u * v
        case "/":
            return u / v
    return u**v


def dual_of(node: Node, x: NDArray[np.float64]) -> tuple[Any, dict[int, Any]]:
    """Return the value and the non-zero partial derivatives by coordinate."""
    match node:
        case Number(value):
            return np.float64(value), {}
        case Coordinate(index):
            return x[..., index], {index: np.float64(1.0)}
        case Negative(operand):
            u, du = dual_of(operand, x)
            return -u, {i: -d for i, d in du.items()}
        case Call(name, arguments):
            parts = [dual_of(a, x) for a in arguments]
            values = [p[0] for p in parts]
            slopes = FUNCTIONS[name].slopes(*values)
            return FUNCTIONS[name].numpy(*values), _chain(slopes, [p[1] for p in parts])
        case Binary(op, left, right):
            (u, du), (v, dv) = dual_of(left, x), dual_of(right, x)
            w = _operate(op, u, v)
            slopes = {
                "+": lambda: (1.0, 1.0),
                "-": lambda: (1.0, -1.0),
                "*": lambda: (v, u),
                "/": lambda: (1.0 / v, -w / v),
                # the log is touched only where the exponent varies: x^2 is fine at x <= 0
                "^": lambda: (v * u ** (v - 1.0), w * np.log(u) if dv else 0.0),
            }[op]()
            return w, _chain(slopes, [du, dv])


def _chain(slopes: Sequence[Any], inner: Sequence[dict[int, Any]]) -> dict[int, Any]:
    total: dict[int, Any] = {}
    for slope, partials in zip(slopes, inner, strict=True):
        for i, partial in partials.items():
            total[i] = total.get(i, 0.0) + slope * partial
    return total


def ufl_of(node: Node, x: Any, length: float, ufl: Any) -> Any:
    """Return the UFL form; ``length`` [m] is the unit of ``x`` and ``ufl`` the module."""
    match node:
        case Number(value):
            return value
        case Coordinate(index):
            return length * x[index]
        case Negative(operand):
            return -ufl_of(operand, x, length, ufl)
        case Call(name, arguments):
            return FUNCTIONS[name].ufl(ufl, *(ufl_of(a, x, length, ufl) for a in arguments))
        case Binary(op, left, right):
            return _operate(op, ufl_of(left, x, length, ufl), ufl_of(right, x, length, ufl))
