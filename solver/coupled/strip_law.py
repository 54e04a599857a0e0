r"""What current does to lithium that only touches: the law of one time step, node by node.

Let h be the thickness that was plated at a node (negative: stripped), d its distance from the plane
of the electrolyte, g = d - h >= 0 the gap. Only contact plates or strips: dh/dt = a v, v the rate
at full contact and a the activity, 0 <= a <= 1. With backward Euler, w = v dt. Pressure p drives
lithium out: w = w0 - c p, with w0 at no pressure and c the compliance of the kinetics.

A jump of the activity at g = 0 would make contact chatter where lithium arrives more slowly than
it is stripped, and the answer would depend on the step. So a = 1 - g/RAMP falls linearly over a gap
of a nanometre, some layers of atoms. Where 0 < a < 1 the surface is starved: it carries as much
current as lithium arrives, and it is lost when the gap exceeds RAMP.

Stripping (w0 < 0) takes a at the end of the step. Mechanics sees the *full* offset h + w, so that
pressure means that lithium follows at the full rate; without pressure g = d - h_old - a w and
a = 1 - g/RAMP are solved for

    p > 0:  a = 1;      p = 0:  a = clip((RAMP + h_old - d)/(RAMP + |w|), 0, 1),

and h_new = h_old + a w. For steps that strip much more than RAMP a is the share of the step in
which the node touches.

Plating (w0 > 0) pushes a node away and takes a at the start of the step. A node that comes to the
plane plates from the next step on: an error of first order in the step, as of backward Euler.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Gap [m] over which the activity falls from 1 to 0.
RAMP = 1e-9


def touching(gap: Floats) -> Floats:
    """Activity at the start of a step, from the gaps [m]."""
    return np.clip(1.0 - gap / RAMP, 0.0, 1.0)


def share(free: Floats, start: Floats) -> Floats:
    """Part of the thickness of full contact that mechanics sees, and its activity under pressure.

    Args:
        free: Thickness w0 that full contact without pressure plates in the step [m].
        start: Activity at the start of the step.
    """
    return np.where(free < 0, 1.0, start)


def activity(
    old: Floats, free: Floats, start: Floats, distance: Floats, pressed: NDArray[np.bool_]
) -> Floats:
    """Share of the step in which a node carries current.

    Args:
        old: Thickness at the start of the step [m].
        free: See `share`.
        start: See `share`.
        distance: From the plane at the end of the step [m].
        pressed: Whether there is pressure.
    """
    followed = np.clip((RAMP + old - distance) / (RAMP + np.abs(free)), 0.0, 1.0)
    without = np.where(free < 0, followed, start)
    return np.where(pressed, share(free, start), without)


def balanced(rate: Floats, active: Floats, area: Floats, total: float) -> Floats:
    """Rates with the same constant added, so that the active ones sum to a given total.

    Interpolation between two meshes keeps a current up to its error; this makes it exact.

    Args:
        rate: At nodes at full contact.
        active: Activity.
        area: That belongs to each node.
        total: Wanted sum of active times rate times area.
    """
    weight = active * area
    whole = float(weight.sum())
    if whole <= 0.0:
        return rate
    return np.asarray(rate + (total - float(weight @ rate)) / whole)
