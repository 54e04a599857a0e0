"""Meshes made from voxelised spheres: volume, surface, and the pressure of a misfitting sphere."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest
from ssbmech.config_load import case_from
from ssbmech.fracture.probe import stress_at
from ssbmech.meshes.gate import inspect, refuse
from ssbmech.meshes.image import mesh_image
from ssbmech.meshes.labels import label_image
from ssbmech.meshes.writer import write_msh
from ssbmech.run import compute

pytestmark = pytest.mark.verification

R = 10.0  # radius of the sphere [um]


def ball(n, voxel, centre):
    """Voxels whose middle lies in the sphere around a point measured from the corner [um]."""
    axes = np.ogrid[tuple(slice(0, n) for _ in range(3))]
    squares = sum(((a + 0.5) * voxel - c) ** 2 for a, c in zip(axes, centre, strict=True))
    return (squares < R**2).astype(np.int64)


def surface(data, centre):
    """Radii of the nodes of the interface [um] and its area [um^2]."""
    rows = data.facets[data.facet_tags == data.facet_groups["inclusion_matrix"]][:, :3]
    p = data.points[rows]
    area = np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1).sum() / 2
    return np.linalg.norm(data.points[np.unique(rows)] - centre, axis=1), area


def test_voxelised_sphere_converges(page):
    check = page(
        "M1",
        "Voxelised sphere, meshed",
        problem="A sphere of radius R is drawn on voxels of edge h, three times with its centre at "
        "random places between voxels, and meshed with smoothed boundaries.",
        reference="Volume 4/3 pi R^3, area 4 pi R^2, radius R.",
        part="image",
    )
    rng = np.random.default_rng(3)
    per_radius = np.array([4, 7, 12])
    volume, area, radius, own = [], [], [], []
    for k in per_radius:
        voxel, n = R / k, int(2.6 * k) + 1
        errors = []
        for _ in range(3):
            centre = n * voxel / 2 + voxel * (rng.random(3) - 0.5)
            made = label_image(ball(n, voxel, centre), voxel, {0: "matrix", 1: "inclusion"})
            data = mesh_image(made, order=1)
            report = inspect(data)
            refuse(report)
            own.append(report.measures["inclusion"] / made.measure("inclusion") - 1)
            radii, whole = surface(data, centre + np.array(made.low))
            errors.append(
                [
                    report.measures["inclusion"] / (4 / 3 * pi * R**3) - 1,
                    whole / (4 * pi * R**2) - 1,
                    np.sqrt(np.mean((radii / R - 1) ** 2)),
                ]
            )
        mean = np.sqrt(np.mean(np.square(errors), axis=0))
        volume.append(mean[0])
        area.append(mean[1])
        radius.append(mean[2])
    check.within(
        "volume of the mesh against that of the voxels", own, 0.0, 1e-6, scale=1.0,
        why="smoothing keeps it",
    )  # fmt: skip
    check.within(
        "volume, 12 voxels per radius", volume[-1], 0.0, 0.01, scale=1.0,
        why="the voxels' own error: about (voxel/R)^1.5 / 2 of random size",
    )  # fmt: skip
    check.within(
        "area, 12 voxels per radius", area[-1], 0.0, 0.02, scale=1.0,
        why="unsmoothed faces of the voxels have 1.5 times the area",
    )  # fmt: skip
    rate_radius = -np.polyfit(np.log(per_radius), np.log(radius), 1)[0]
    rate_volume = -np.polyfit(np.log(per_radius), np.log(volume), 1)[0]
    check.within(
        "rate of the radius' deviation", rate_radius, 1.0, 0.3,
        why="nodes lie within a fixed part of a voxel of the sphere",
    )  # fmt: skip
    assert rate_volume > 1.0, f"the volume converges at {rate_volume:.2f} only"
    check.note(f"The volume converges as the voxel to the power {rate_volume:.2f}.")
    check.plot(
        "voxels per radius", "relative deviation, root mean square of three",
        {"volume": (per_radius, volume), "area": (per_radius, area),
         "radius": (per_radius, radius)},
        log=True,
    )  # fmt: skip


def material(E, nu):
    return {"E": f"{E} GPa", "nu": nu}


def misfit_stress(tmp_path, per_radius, inside, outside, misfit):
    """Stress [GPa] in the misfitting sphere at points up to 0.8 R; one octant from voxels."""
    K = inside[0] / (3 * (1 - 2 * inside[1]))
    G = outside[0] / (2 * (1 + outside[1]))
    p = 12 * K * G * misfit / (3 * K + 4 * G)
    voxel, n = R / per_radius, 2 * per_radius
    made = label_image(
        ball(n, voxel, (0, 0, 0)), voxel, {0: "matrix", 1: "inclusion"}, low=(0.0, 0.0, 0.0)
    )
    write_msh(mesh_image(made, order=1), tmp_path / "octant.msh")
    # the exact displacement of the infinite matrix, u = p R^3/(4 G r^2), on the cut
    r3 = "(x^2 + y^2 + z^2)^1.5"
    exact = {c: f"{p * R**3 / (4 * G)} um^3 * {c} / {r3}" for c in "xyz"}
    result = compute(
        case_from(
            {
                "mesh": {"file": "octant.msh", "length_unit": "um"},
                "materials": {"inclusion": material(*inside), "matrix": material(*outside)},
                "eigenstrain": [{"group": "inclusion", "strain": f"{misfit}"}],
                "constraint": [{"group": g, "u": exact} for g in ("right", "top", "back")]
                + [
                    {"group": "left", "u": {"x": "0 um"}},
                    {"group": "bottom", "u": {"y": "0 um"}},
                    {"group": "front", "u": {"z": "0 um"}},
                ],
            }
        ),
        tmp_path,
    )
    rng = np.random.default_rng(1)
    e = np.abs(rng.normal(size=(60, 3))) + 0.05
    e *= (rng.uniform(0.1, 0.8, 60) / np.linalg.norm(e, axis=1))[:, None]
    sigma = stress_at(result.solution, e * R * 1e-6 / result.domain.length) * 1e-9
    return sigma, p


@pytest.mark.parametrize(
    ("inside", "outside"),
    [((7.8, 0.381), (150.0, 0.26)), ((100.0, 0.2), (100.0, 0.2))],
    ids=["lithium in LLZO", "same material"],
)
def test_E1_from_voxels(page, tmp_path, inside, outside):
    check = page(
        "E1",
        "Sphere with misfit",
        problem="The sphere drawn on voxels, one octant, meshed as an image with smoothed "
        "boundaries; the exact displacement of the infinite matrix on a cube of 2 R.",
        reference="Eshelby: p = 12 K_i G_m e/(3 K_i + 4 G_m), the same everywhere inside.",
        part="image",
    )
    per_radius = (3, 6, 10)
    mean, spread = [], []
    for k in per_radius:
        sigma, p = misfit_stress(tmp_path, k, inside, outside, 1e-3)
        found = -np.trace(sigma, axis1=1, axis2=2) / 3
        mean.append(abs(found.mean() / p - 1))
        off = np.linalg.norm(sigma + p * np.eye(3), axis=(1, 2)) / (p * np.sqrt(3))
        spread.append(np.sqrt(np.mean(off**2)))
    check.within(
        "mean pressure inside, 10 voxels per radius", found.mean(), p, 5e-3, unit="GPa",
        why="0.5 %, as E1 on a mesh of the sphere itself",
    )  # fmt: skip
    check.within(
        "stress inside, root mean square deviation", spread[-1], 0.0, 0.02, scale=1.0,
        why="the roughness that is left disturbs the uniform state; up to 0.8 R",
    )  # fmt: skip
    assert spread[0] > spread[1] > spread[2], spread
    assert spread[-1] < 0.5 * spread[0], spread
    check.plot(
        "voxels per radius", "relative deviation inside",
        {"mean pressure": (per_radius, mean), "stress, root mean square": (per_radius, spread)},
        log=True,
    )  # fmt: skip
