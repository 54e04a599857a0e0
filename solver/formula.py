"""A formula of the coordinates, such as ``"1 MPa * (x / 20 mm)"``, as a checked expression.

The grammar is in `ssbmech.formula_parser`; the text is never handed to the Python interpreter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ssbmech import units
from ssbmech.errors import FormulaError, UnitError
from ssbmech.formula_parser import Parser
from ssbmech.formula_tree import FUNCTIONS, Node, Number, dual_of, ufl_of, used, value_of

__all__ = ["FUNCTIONS", "Formula"]


@dataclass(frozen=True)
class Formula:
    """A checked formula of the position; SI in, SI out.

    Attributes:
        text: What was given.
        dimension: Name of its dimension, see `ssbmech.units.DIMENSIONS`.
        tree: The expression.
        coordinates: Names of the coordinates, for messages.
        key: Where it stands in the case file, for messages.
    """

    text: str
    dimension: str
    tree: Node
    coordinates: tuple[str, ...] = ("x", "y", "z")
    key: str = ""

    @classmethod
    def parse(
        cls,
        text: str | float,
        dimension: str,
        coordinates: Sequence[str] = ("x", "y", "z"),
        *,
        key: str = "",
    ) -> Formula:
        """Read a formula, or a plain quantity.

        Args:
            text: The formula with units; a bare number only where ``dimension`` is dimensionless.
            dimension: The dimension that the result must have.
            coordinates: Names that stand for the components of the position.
            key: Where it stands in the case file, for messages.

        Raises:
            UnitError: If a plain quantity has no, an unknown or a wrong unit.
            FormulaError: If the formula cannot be read, or its dimension is wrong.
        """
        names = tuple(coordinates)
        if not isinstance(text, str) or _is_plain(text, names):
            value = units.quantity(text, dimension, key=key)
            return cls(str(text), dimension, Number(value), names, key)
        try:
            number = Number(units.quantity(text, dimension, key=key))
            return cls(text, dimension, number, names, key)
        except UnitError:
            pass  # not a plain quantity: the grammar decides, and words the error
        tree = Parser(text, names, key).parse(dimension)
        return cls(text, dimension, tree, names, key)

    @classmethod
    def constant(cls, value: float, dimension: str) -> Formula:
        """Return a constant from its SI value."""
        unit = units.dimension_of(dimension).unit
        return cls(f"{float(value)!r} {unit}".strip(), dimension, Number(float(value)))

    @property
    def is_constant(self) -> bool:
        """Whether it is the same everywhere (constant parts are folded on reading)."""
        return isinstance(self.tree, Number)

    def value(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the value [SI] at positions.

        Args:
            x: Positions [m], shape (..., n) with n of at least the highest coordinate used.

        Returns:
            Array of shape (...).

        Raises:
            FormulaError: If it is not finite at one of them.
        """
        points = np.asarray(x, dtype=np.float64)
        with np.errstate(all="ignore"):
            values = np.broadcast_to(value_of(self.tree, points), points.shape[:-1]).astype(float)
        self._check(values, points, "value")
        return values

    def gradient(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the gradient [SI per metre] by forward differentiation (exact to rounding).

        Args:
            x: Positions [m], shape (..., n), n <= 3. At a kink of abs, min, max one side counts;
                a jump of step has no gradient and counts as zero.

        Returns:
            Array of shape (..., 3).

        Raises:
            FormulaError: If it is not finite at one of the positions.
        """
        points = np.asarray(x, dtype=np.float64)
        result = np.zeros((*points.shape[:-1], 3))
        with np.errstate(all="ignore"):
            for i, slope in dual_of(self.tree, points)[1].items():
                result[..., i] = slope
        self._check(result.sum(axis=-1), points, "gradient")
        return result

    def ufl(self, x: Any, length: float) -> Any:
        """Return the UFL expression, in SI.

        Args:
            x: Non-dimensional ``ufl.SpatialCoordinate`` (or any UFL vector).
            length: Metres per unit of ``x``.

        Raises:
            FormulaError: If it uses a coordinate that the mesh does not have.
        """
        import ufl

        highest = max(used(self.tree), default=-1)
        if highest >= x.ufl_shape[0]:
            raise FormulaError(
                f"the mesh has no coordinate {self.coordinates[highest]!r}",
                key=self.key,
                value=self.text,
                allowed=", ".join(self.coordinates[: x.ufl_shape[0]]),
            )
        return ufl.as_ufl(ufl_of(self.tree, x, length, ufl))

    def _check(self, values: NDArray[np.float64], points: NDArray[np.float64], what: str) -> None:
        bad = ~np.isfinite(values)
        if bad.any():
            at = ", ".join(
                f"{n} = {units.show(float(c), 'length')}"
                for n, c in zip(self.coordinates, points[bad][0], strict=False)
            )
            raise FormulaError(
                f"the {what} is not a finite number at {at}",
                key=self.key,
                value=self.text,
                hint="Look for a division by zero, a root or logarithm of a negative number",
            )


def _is_plain(text: str, coordinates: tuple[str, ...]) -> bool:
    """Return whether it is a number with at most one unit name: its errors are unit errors."""
    match = re.fullmatch(r"\s*[-+]?[\d.]+(?:[eE][-+]?\d+)?\s*([^\W\d]*)\s*", text)
    return match is not None and match.group(1) not in (*coordinates, "pi")
