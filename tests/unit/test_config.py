"""The case reader: messages name key, value and line; any text gives a case or a CaseError."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ssbmech.config import Case
from ssbmech.config_load import case_from, find_line, load_case, resolved_toml
from ssbmech.errors import CaseError

VALID = """\
title = "a flaw"

[geometry]
type = "edge"
a = "10 um"
width = "1000 um"
symmetry = "y"

[materials]
electrolyte = "LLZO"

[filament]
overpotential = "30 mV"

[[load]]
group = "top"
traction = { y = "1 MPa * (x / 20 um)" }

[[load]]
group = "right"
pressure = "2 MPa"

[[constraint]]
group = "left"
u = { x = "0 um" }

[[eigenstrain]]
group = "electrolyte"
strain = "0.001"

[[temperature]]
group = "electrolyte"
change = "10 K"

[[body_force]]
group = "electrolyte"
force = { x = "1 N/m^3" }

[fracture]
rings = ["1 um", "2 um"]
points = 11

[solver]
degree = 2

[output]
figures = false
"""
MESH = """\
[mesh]
file = "plate.msh"
length_unit = "mm"

[materials]
plate = { E = "210 GPa", nu = 0.3 }

[crack]
faces = ["lower", "upper"]
front = "tip"
K_IC = "1 MPa*m^0.5"
"""


def load(tmp_path, text, *overrides):
    path = tmp_path / "case.toml"
    path.write_text(text, encoding="utf-8")
    return load_case(path, overrides)


def message(tmp_path, old, new, text=VALID):
    """What the reader says when one piece of a valid case is replaced."""
    assert old in text
    with pytest.raises(CaseError) as caught:
        load(tmp_path, text.replace(old, new, 1))
    return str(caught.value)


def test_valid(tmp_path):
    case = load(tmp_path, VALID)
    assert case.geometry.parameters["a"] == "10 um" and len(case.load) == 2
    assert load(tmp_path, MESH).mesh.length_unit == "1 mm"


def test_resolved_case_is_the_same_case(tmp_path):
    for text in (VALID, MESH):
        case = load(tmp_path, text)
        again = load(tmp_path, resolved_toml(case, tmp_path))
        assert again.model_copy(update={"mesh": case.mesh}) == case
        if case.mesh is not None:  # from any folder
            assert again.mesh.file == str((tmp_path / case.mesh.file).resolve())


@pytest.mark.parametrize(
    ("old", "new", "key", "line", "nearest"),
    [
        ("overpotential =", "overpotental =", "filament.overpotental", 13, "overpotential"),
        ("points =", "point =", "fracture.point", 41, "points"),
        ("[solver]", "[solvers]", "solvers", 43, "solver"),
        ('pressure = "2 MPa"', 'presure = "2 MPa"', "load.1.presure", 21, "pressure"),
    ],
)
def test_unknown_key(tmp_path, old, new, key, line, nearest):
    said = message(tmp_path, old, new)
    assert f"{key}: unknown key" in said and f"did you mean '{nearest}'" in said.lower()
    assert f"case.toml:{line}:" in said


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        # a missing unit names the dimension and shows an example
        ('"30 mV"', '"30"', "filament.overpotential", ["unit", "30", "V"]),
        ('"30 mV"', "30", "filament.overpotential", ["unit", "30", "V"]),
        ('"30 mV"', '"30 mm"', "filament.overpotential", ["30 mm"]),
        ('"2 MPa"', '"2 K"', "load.1.pressure", ["2 K", "pressure"]),
        ('"0 um"', '"0 MPa"', "constraint.0.u.x", ["0 MPa", "length"]),
        ('["1 um", "2 um"]', '["1 um", "-2 um"]', "fracture.rings", ["-2 um", "above 0"]),
        ('"30 mV"', '"-30 mV"', "filament.overpotential", ["-30 mV", "above 0"]),
        ("points = 11", "points = 1", "fracture.points", ["greater than or equal to 2", "1"]),
        ("degree = 2", "degree = 9", "solver.degree", ["less than or equal to 4", "9"]),
        ('"1 MPa * (x / 20 um)"', '"1 MPa * (x"', "load.0.traction.y", ["1 MPa * (x"]),
        ('"1 MPa * (x / 20 um)"', '"1 MPa * x"', "load.0.traction.y", ["pressure"]),
        ('"1 MPa * (x / 20 um)"', '"__import__(1)"', "load.0.traction.y", ["__import__"]),
        ("figures = false", 'figures = "maybe"', "output.figures", ["maybe"]),
    ],
)
def test_bad_value(tmp_path, old, new, key, words):
    said = message(tmp_path, old, new)
    assert key in said
    for word in words:
        assert word in said, said


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"mm"', '"GPa"', ["mesh.length_unit", "GPa"]),
        ('"mm"', '"-1 mm"', ["mesh.length_unit", "above 0"]),
        ('length_unit = "mm"\n', "", ["mesh.length_unit", "required"]),
        ("nu = 0.3", "nu = 0.5", ["materials.plate.nu", "less than 0.5"]),
        (", nu = 0.3", "", ["materials.plate", "both E and nu"]),
        ('["lower", "upper"]', "[]", ["crack.faces", "at least 1"]),
        ('"1 MPa*m^0.5"', '"1 MPa"', ["crack.K_IC", "1 MPa"]),
    ],
)
def test_bad_value_with_a_mesh(tmp_path, old, new, words):
    said = message(tmp_path, old, new, MESH)
    for word in words:
        assert word in said, said


def test_either_mesh_or_geometry(tmp_path):
    said = message(
        tmp_path, "[geometry]", '[mesh]\nfile = "a.msh"\nlength_unit = "um"\n\n[geometry]'
    )
    assert "either [geometry] or [mesh]" in said
    with pytest.raises(CaseError, match=r"either \[geometry\] or \[mesh\]"):
        case_from({"materials": {"plate": "LLZO"}})


def test_either_pressure_or_overpotential(tmp_path):
    said = message(tmp_path, '"30 mV"', '"30 mV"\npressure = "1 MPa"')
    assert "either overpotential or pressure" in said and "filament" in said


def test_every_fault_is_reported(tmp_path):
    text = VALID.replace('"30 mV"', '"30"').replace("degree = 2", "degree = 9")
    with pytest.raises(CaseError) as caught:
        load(tmp_path, text)
    assert "filament.overpotential" in str(caught.value) and "solver.degree" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(CaseError, match="no such case file"):
        load_case(tmp_path / "absent.toml")
    with pytest.raises(CaseError, match="cannot be read"):
        load_case(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CaseError, match="cannot be read"):
        load_case(tmp_path / "binary.toml")
    with pytest.raises(CaseError, match="not valid TOML"):
        load(tmp_path, "a = 10 um")


def test_overrides(tmp_path):
    case = load(tmp_path, VALID, "filament.overpotential=40 mV", "load.1.pressure = '3 MPa'",
                "solver.degree=3", "fracture.rings=['4 um']", "geometry.a=12 um")  # fmt: skip
    assert case.filament.overpotential == "40 mV" and case.load[1].pressure == "3 MPa"
    assert case.solver.degree == 3 and case.fracture.rings == ["4 um"]
    assert case.geometry.parameters["a"] == "12 um"


@pytest.mark.parametrize(
    "item", ["nonsense", "=3", "load.7.pressure=1 MPa", "load.x.pressure=1 MPa", "title.x=1",
             "load.0=3", "a..b=1", "filament.overpotental=3 mV"],
)  # fmt: skip
def test_bad_override(tmp_path, item):
    with pytest.raises(CaseError):
        load(tmp_path, VALID, item)


def test_find_line():
    assert find_line(VALID, ("geometry", "a")) == 5
    assert find_line(VALID, ("load", 1, "pressure")) == 21
    assert find_line(VALID, ()) == 0


# -- fuzz ----------------------------------------------------------------------------------------


def reads(path: Path, text: str, *overrides: str) -> None:
    """The text gives a case or a CaseError with a message."""
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    try:
        case = load_case(path, overrides)
    except CaseError as error:
        assert str(error).strip()
        return
    assert isinstance(case, Case)
    resolved = resolved_toml(case, path.parent)
    assert resolved_toml(case_from(tomllib.loads(resolved)), path.parent) == resolved


BASE = st.sampled_from([VALID, MESH])
FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(BASE, st.integers(0, 700), st.integers(0, 20), st.text(max_size=12))
def test_fuzz_characters(tmp_path, text, start, length, new):
    new = new.encode("utf-8", "ignore").decode()
    reads(tmp_path / "case.toml", text[:start] + new + text[start + length :])


@FUZZ
@given(BASE, st.data())
def test_fuzz_lines(tmp_path, text, data):
    lines = text.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        i, j = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        if data.draw(st.booleans()):
            lines.insert(i, lines[j])
        else:
            lines[i], lines[j] = lines[j], lines[i]
    reads(tmp_path / "case.toml", "\n".join(lines))


ODD = ["1 um", "1e400 um", "nan MPa", "1 MPa*x", "x", "1/0 um", "0 mV", "2^9999 m", "(" * 500]
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANY = st.recursive(
    LEAF | st.sampled_from(ODD),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=8), x, max_size=3),
    max_leaves=5,
)


@FUZZ
@given(BASE, st.data(), ANY)
@example(VALID, None, "1e400 um")
def test_fuzz_values(tmp_path, text, data, value):
    """Any value of any type at any key, as from the Python API."""
    tree = tomllib.loads(text)
    places = []

    def walk(node):
        entries = node.items() if isinstance(node, dict) else enumerate(node)
        for key, child in entries:
            places.append((node, key))
            if isinstance(child, dict | list):
                walk(child)

    walk(tree)
    node, key = places[-1] if data is None else data.draw(st.sampled_from(places))
    node[key] = value
    try:
        assert isinstance(case_from(tree), Case)
    except CaseError as error:
        assert str(error).strip()


@FUZZ
@given(st.sampled_from(["load.1.pressure", "geometry.a", "materials", "solver.degree", "load"]),
       st.text(max_size=20), st.text(max_size=6))  # fmt: skip
def test_fuzz_overrides(tmp_path, key, value, tail):
    item = f"{key}{tail}={value}".encode("utf-8", "ignore").decode()
    reads(tmp_path / "case.toml", VALID, item)


def test_set_reaches_into_a_material_given_by_name(tmp_path):
    path = tmp_path / "case.toml"
    path.write_text(
        '[geometry]\ntype = "edge"\na = "1 um"\n[materials]\nelectrolyte = "LLZO"\n',
        encoding="utf-8",
    )
    case = load_case(path, ["materials.electrolyte.nu=0.3"])
    assert case.materials["electrolyte"].set == "LLZO"
    assert case.materials["electrolyte"].nu == 0.3
