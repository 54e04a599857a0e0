r"""What current does to lithium that only touches: the law of one time step, vertex by vertex.

Let h be the thickness that was plated at a vertex (negative: stripped), d its distance from the
plane of the electrolyte, g = d - h >= 0 the gap. Only contact plates or strips: dh/dt = a v, v the
rate at full contact and a the activity, 0 <= a <= 1. With backward Euler, w = v dt:

Stripping (w < 0). Mechanics sees the *full* offset h + w, so that pressure means that lithium
follows at the full rate. Otherwise it follows as far as it can, and just that much is stripped:

    p > 0:  a = 1;        p = 0:  a = clip((h_old - d)/|w|, 0, 1),       h_new = h_old + a w.

So a is the share of the step in which the vertex was in contact. This is the limit of a gap that
opens and closes faster than the step: a jump of the activity (open, closed) would make it chatter,
and the answer would depend on the step. Where 0 < a < 1 the surface is starved: it touches without
pressure and carries as much current as lithium arrives. No width has to be chosen.

Plating (w > 0) pushes a vertex away, so that it is decided at the start of the step whether it
touches: a = clip(1 - g_old/RAMP, 0, 1). A vertex that comes to the plane plates from the next step
on: an error of first order in the step, as of backward Euler itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Gap [m] over which the activity of a plating vertex falls from 1 to 0: less than an atom.
RAMP = 1e-10


def touching(gap: Floats) -> Floats:
    """Activity at the start of a step, from the gaps [m]."""
    return np.clip(1.0 - gap / RAMP, 0.0, 1.0)


def offset(old: Floats, full: Floats, start: Floats) -> Floats:
    """Thickness that mechanics sees [m].

    Args:
        old: Thickness at the start of the step [m].
        full: Thickness w that full contact plates in the step [m].
        start: Activity at the start of the step.
    """
    return old + np.where(full < 0, full, start * full)


def activity(
    old: Floats, full: Floats, start: Floats, distance: Floats, pressed: NDArray[np.bool_]
) -> Floats:
    """Share of the step in which a vertex carries current.

    Args:
        old: Thickness at the start of the step [m].
        full: Thickness w that full contact plates in the step [m].
        start: Activity at the start of the step.
        distance: From the plane at the end of the step [m].
        pressed: Whether there is pressure.
    """
    size = np.where(full < 0, -full, 1.0)
    followed = np.clip((old - distance) / size, 0.0, 1.0)
    stripping = np.where(pressed, 1.0, followed)
    return np.where(full < 0, stripping, start)


def balanced(rate: Floats, active: Floats, area: Floats, total: float) -> Floats:
    """Rates with the same constant added, so that the active ones sum to a given total.

    Interpolation between two meshes keeps a current up to its error; this makes it exact.

    Args:
        rate: At vertices at full contact.
        active: Activity.
        area: That belongs to each vertex.
        total: Wanted sum of active times rate times area.
    """
    weight = active * area
    whole = float(weight.sum())
    if whole <= 0.0:
        return rate
    return np.asarray(rate + (total - float(weight @ rate)) / whole)
