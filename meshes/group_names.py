"""What the groups of a mesh are called: interfaces, walls of voids, sides of a box."""

from __future__ import annotations

#: From the current collector of the anode to the cathode: gives the name of an interface.
ORDER = (
    "stack_plate", "lithium", "impurity", "interlayer", "coating", "interphase", "skin",
    "electrolyte", "grain_boundary", "cathode_coating",
)  # fmt: skip
GRAIN_BOUNDARIES = "grain_boundaries"
TRIPLE_LINES = "triple_lines"
#: Name of side s of a box (0: x low, 1: x high, 2: y low, ...).
SIDES = ("left", "right", "bottom", "top", "front", "back")
_SHORT = {"lithium": "li", "electrolyte": "sse"}


def pair_name(a: str, b: str) -> str:
    """Facet group between two cell groups: ``li_sse``, ``lithium_interlayer``, ..."""
    if {a, b} == {"lithium", "electrolyte"}:
        return "li_sse"
    if a == b:
        return GRAIN_BOUNDARIES
    first, second = sorted((a, b), key=lambda n: (ORDER.index(n) if n in ORDER else 99, n))
    return f"{first}_{second}"


def wall_name(hole: str, group: str) -> str:
    """Facet group between a hole and a cell group: ``void_li``, ``void_sse``, ..."""
    return f"{hole}_{_SHORT.get(group, group)}"
