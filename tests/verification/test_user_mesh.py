"""Meshes from files, as a user brings them: own Gmsh and meshio meshes, a case file on disk."""

from __future__ import annotations

import json
from math import pi, sqrt

import numpy as np
import pytest
from ssbmech.run import run_file

pytestmark = pytest.mark.verification

A_MM = 0.5  # crack size [mm]
A = A_MM * 1e-3
P = 20e6
E_PRIME = 210e9 / (1 - 0.3**2)
K0 = P * sqrt(pi * A)


def gmsh_plate(
    path, *, half: bool, order: int, wide: float, left: float, version: float = 4.1
) -> None:
    """A plate in mm with a straight crack along y = 0, by Gmsh's own interface.

    Args:
        path: File to write.
        half: Mesh y > 0 only, with the crack as a part of the boundary; otherwise the crack is an
            ordinary line inside the mesh, not split.
        order: Order of the elements.
        wide: Width and half of the height.
        left: x of the left side: 0 for an edge crack from there.
        version: Of the MSH format.
    """
    import gmsh

    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.option.setNumber("Mesh.MshFileVersion", version)
        occ, mesh = gmsh.model.occ, gmsh.model.mesh
        start = max(left, -A_MM)
        y0 = 0.0 if half else -wide
        plate = occ.addRectangle(left, y0, 0, wide, wide - y0)
        ends = [occ.addPoint(x, 0, 0) for x in (start, A_MM)]
        crack = occ.addLine(*ends)
        occ.fragment([(2, plate)], [(1, crack)])
        occ.synchronize()

        def curves(x0, y0, x1, y1):
            eps = 1e-6
            return [
                tag
                for _, tag in gmsh.model.getEntitiesInBoundingBox(
                    x0 - eps, y0 - eps, -eps, x1 + eps, y1 + eps, eps, 1
                )
            ]

        def points(x):
            return [
                tag
                for _, tag in gmsh.model.getEntitiesInBoundingBox(
                    x - 1e-6, -1e-6, -1e-6, x + 1e-6, 1e-6, 1e-6, 0
                )
            ]

        right = left + wide
        gmsh.model.addPhysicalGroup(2, [t for _, t in gmsh.model.getEntities(2)], name="steel")
        line = curves(start, 0, A_MM, 0)
        tips = points(A_MM) + (points(-A_MM) if start < 0 else [])
        gmsh.model.addPhysicalGroup(1, line, name="flaw")
        gmsh.model.addPhysicalGroup(0, tips, name="tips")
        if half:
            ligament = [c for c in curves(left, 0, right, 0) if c not in line]
            gmsh.model.addPhysicalGroup(1, ligament, name="ligament")
        field = mesh.field
        near = field.add("Distance")
        field.setNumbers(near, "PointsList", tips)
        size = field.add("Threshold")
        for key, number in (
            ("InField", near),
            ("SizeMin", A_MM / 150),
            ("SizeMax", wide / 4),
            ("DistMin", A_MM / 50),
            ("DistMax", wide),
        ):
            field.setNumber(size, key, number)
        field.setAsBackgroundMesh(size)
        for option in ("FromPoints", "FromCurvature", "ExtendFromBoundary"):
            gmsh.option.setNumber(f"Mesh.MeshSize{option}", 0)
        mesh.generate(2)
        mesh.setOrder(order)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()


def run(folder, text):
    """Write the case file, run it, read the summary back from disk."""
    (folder / "case.toml").write_text(text, encoding="utf-8")
    result = run_file(folder / "case.toml", folder / "out", figures=False, quiet=True)
    return result, json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))


def _page(page, id, part):
    return page(
        id, {"F1": "Griffith crack", "F2": "Edge crack"}[id] + " on a mesh from a file", part=part
    )


@pytest.mark.parametrize(("version", "order"), [(4.1, 2), (2.2, 1)])
def test_griffith_crack_as_a_line_inside_a_gmsh_mesh(page, tmp_path, version, order):
    check = _page(
        page, "F1", f"own Gmsh mesh in mm (MSH {version}, order {order}), crack not split"
    )
    wide = 400 * A_MM
    gmsh_plate(
        tmp_path / "plate.msh",
        half=False,
        order=order,
        wide=wide,
        left=-wide / 2,
        version=version,
    )
    head = (tmp_path / "plate.msh").read_text(errors="replace").split()
    assert head[1] == str(version)
    result, summary = run(
        tmp_path,
        """
        [mesh]
        file = "plate.msh"
        length_unit = "mm"

        [materials]
        steel = { E = "210 GPa", nu = 0.3 }

        [crack]
        faces = ["flaw"]
        front = "tips"
        size = "0.5 mm"
        K_IC = "1 MPa*m^0.5"

        [filament]
        pressure = "20 MPa"
        """,
    )
    assert len(result.fronts) == 2
    K = [float(f.values["K_I"][0]) / 1e6 for f in result.fronts]
    check.within("K_I", K, K0 / 1e6, 1e-3, unit="MPa m^0.5", why="as F1")
    K_II = [float(f.values["K_II"][0]) / 1e6 for f in result.fronts]
    check.within("K_II", K_II, 0.0, 1e-3, unit="MPa m^0.5", scale=K0 / 1e6, why="as F1")
    T = [float(f.values["T_stress"][0]) / 1e6 for f in result.fronts]
    check.within("T-stress", T, -P / 1e6, 1e-2, unit="MPa", why="as F1")
    area = result.solution.load_work / P * 1e12
    check.within(
        "opened area", area, 2 * pi * P * A**2 / E_PRIME * 1e12, 5e-3, unit="um^2", why="as F1"
    )
    found = summary["quantities"]["K_I"]
    assert found["unit"] == "MPa*m^0.5"
    assert found["value"] == pytest.approx(K0 / 1e6, rel=1e-3)
    p_c = summary["porz"]["critical_pressure"]["value"]
    check.within("critical pressure", p_c, 1.0 / sqrt(pi * A), 1e-3, unit="MPa",
                 why="K_IC/(Y sqrt(pi a)), as K_I")  # fmt: skip


@pytest.mark.parametrize("ending", ["inp", "vtu"])
def test_edge_crack_on_a_symmetry_plane_of_a_meshio_mesh(page, tmp_path, ending):
    import meshio

    check = _page(page, "F2", f"own mesh in mm through meshio (.{ending}), upper half")
    gmsh_plate(tmp_path / "own.msh", half=True, order=2, wide=200 * A_MM, left=0.0)
    mesh = meshio.read(tmp_path / "own.msh")
    names = {int(v[0]) * 10 + int(v[1]): k for k, v in mesh.field_data.items()}
    dims = {"vertex": 0, "line3": 1, "triangle6": 2}
    blocks = [
        (block.type, block.data, names[int(tags[0]) * 10 + dims[block.type]])
        for block, tags in zip(mesh.cells, mesh.cell_data["gmsh:physical"], strict=True)
    ]
    points = mesh.points
    if ending == "inp":
        # One block per kind and name: element sets, and a node set for the tip.
        cells = [(kind, rows) for kind, rows, _ in blocks if kind != "vertex"]
        labels = [name for kind, _, name in blocks if kind != "vertex"]
        sets = {
            name: [
                np.arange(len(rows)) if name == label else np.array([], dtype=int)
                for (_, rows), label in zip(cells, labels, strict=True)
            ]
            for name in dict.fromkeys(labels)
        }
        tip = np.unique(np.concatenate([rows for kind, rows, _ in blocks if kind == "vertex"]))
        out = meshio.Mesh(points, cells, cell_sets=sets, point_sets={"tips": tip})
        steel, flaw, ligament, tips = "steel", "flaw", "ligament", "tips"
    else:
        numbers = {"steel": 1, "flaw": 2, "ligament": 3, "tips": 4}
        out = meshio.Mesh(
            points,
            [(kind, rows) for kind, rows, _ in blocks],
            cell_data={"cell_tags": [np.full(len(rows), numbers[n]) for _, rows, n in blocks]},
        )
        steel, flaw, ligament, tips = (f"group_{n}" for n in numbers.values())
    meshio.write(tmp_path / f"own.{ending}", out)
    result, summary = run(
        tmp_path,
        f"""
        [mesh]
        file = "own.{ending}"
        length_unit = "mm"
        model = "plane_strain"

        [materials]
        {steel} = {{ E = "210 GPa", nu = 0.3 }}

        [crack]
        faces = ["{flaw}"]
        front = "{tips}"
        symmetry = "y"

        [[load]]
        group = "{flaw}"
        pressure = "20 MPa"

        [[constraint]]
        group = "{ligament}"
        u = {{ y = "0 um" }}
        """,
    )
    assert summary["quantities"]["K_I"]["unit"] == "MPa*m^0.5"
    K = summary["quantities"]["K_I"]["value"]
    check.within("K_I", K, 1.1215 * K0 / 1e6, 3e-3, unit="MPa m^0.5", why="as F2")
    area = 2 * result.solution.load_work / P * 1e12
    exact = 1.258 * pi * P * A**2 / E_PRIME * 1e12
    check.within("opened area", area, exact, 3e-3, unit="um^2", why="as F2")
