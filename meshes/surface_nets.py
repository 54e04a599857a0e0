"""Faces between the regions of a 3-D label image, by VTK in a process of its own.

VTK and DOLFINx do not share a process: their copies of common libraries differ.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.elements import Ints


def faces(padded: Ints) -> tuple[Ints, Ints]:
    """Quadrilaterals between voxels of different value, not yet smoothed.

    W. Schroeder, S. Tsalikis, M. Halle, S. Frisken, "A high-performance SurfaceNets discrete
    isocontouring algorithm", arXiv:2401.14906 (vtkSurfaceNets3D). Without smoothing its points
    are the corners of the voxels. Points that VTK doubles where a surface touches itself are
    joined again, so that neighbours always share theirs.

    Args:
        padded: Values from 1, with a layer of 0 all around, indexed ``[x, y, z]``.

    Returns:
        Corners of voxels of the image without its padding, whole numbers of shape (n, 3), and
        quadrilaterals, shape (m, 4).

    Raises:
        MeshError: If VTK fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "values.npy", Path(folder) / "faces.npz"
        np.save(source, padded.astype(np.int32))
        done = subprocess.run(
            [sys.executable, "-m", "ssbmech.meshes.surface_nets", str(source), str(target)],
            capture_output=True, text=True, env=_environment(), check=False,
        )  # fmt: skip
        if done.returncode or not target.exists():
            said = (done.stderr or done.stdout).strip().splitlines()
            raise MeshError(
                f"VTK could not extract the boundaries: {said[-1] if said else 'no message'}",
                key="image", hint="Check that `python -c 'import vtk'` works",
            )  # fmt: skip
        with np.load(target) as found:
            points, quads = found["points"], found["quads"].astype(np.int64)
    corners = np.rint(points - 0.5).astype(np.int64)
    unique, inverse = np.unique(corners, axis=0, return_inverse=True)
    return unique, inverse.reshape(-1)[quads]


def _environment() -> dict[str, str]:
    """Without the variables by which mpirun would draw the child into the parent's job."""
    prefixes = ("OMPI_", "PMIX_", "PRTE_", "PMI_", "HYDRA_", "MPIEXEC_")
    return {k: v for k, v in os.environ.items() if not k.startswith(prefixes)}


def _extract(source: str, target: str) -> None:
    """What the child does: values in, points and quadrilaterals out."""
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

    values = np.load(source)
    picture = vtk.vtkImageData()
    picture.SetDimensions(*values.shape)
    scalars = np.ascontiguousarray(values.ravel(order="F"))
    picture.GetPointData().SetScalars(numpy_to_vtk(scalars))
    nets = vtk.vtkSurfaceNets3D()
    nets.SetInputData(picture)
    for place, value in enumerate(np.unique(values[values > 0])):
        nets.SetLabel(place, float(value))
    nets.SetBackgroundLabel(0)
    nets.SmoothingOff()
    nets.SetOutputMeshTypeToQuads()
    nets.Update()
    found = nets.GetOutput()
    quads = vtk_to_numpy(found.GetPolys().GetConnectivityArray()).reshape(-1, 4)
    np.savez(target, points=vtk_to_numpy(found.GetPoints().GetData()), quads=quads)


if __name__ == "__main__":
    _extract(*sys.argv[1:3])
