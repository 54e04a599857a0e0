"""Cases of a reaction front that cannot be run: one message with key, value, range, what to do."""

import pytest
from ssbmech.cli import main

#: One carrier, no electrodes.
PLAIN = """
[geometry]
type = "cell"
width = "4 um"
electrolyte = "10 um"
lithium = "1 um"
h_max = "0.7 um"
model = "plane_strain"

[materials]
electrolyte = { E = "100 GPa", nu = 0.25 }
lithium = "Li"

[interphase]
law = "mixed_control"
initial_thickness = "4 um"
growth_constant = "1e-14 m^2/s"
reaction_rate = "1e-8 m/s"

[interphase.expansion]
volume_change = 0.1
electrolyte_molar_volume = "40 cm^3/mol"

[interphase.front]

[[step]]
do = "rest"
duration = "10 s"

[output]
fields = false
figures = false
mesh = false
"""

#: Two carriers.
MIEC = (
    PLAIN.replace('"mixed_control"', '"miec"')
    .replace('growth_constant = "1e-14 m^2/s"\nreaction_rate = "1e-8 m/s"\n', """
ionic_conductivity = "1e-6 S/cm"
electronic_conductivity = "1e-4 S/cm"
reduction_potential = "1.5 V"
reaction_resistance = "20 ohm*cm^2"
volume_per_lithium = "20 cm^3/mol"
""")
    + """
[electrochemistry]
conductivity = { electrolyte = "1e-5 S/cm" }

[[electrode]]
group = "li_sse"
kinetics = "none"

[[electrode]]
group = "cathode_plane"
kinetics = "none"
"""
)  # fmt: skip

FRONT, STEP = "[interphase.front]", "[[step]]"

#: Text, what stands in its place, words of the message: what the blocks say.
READ = [
    # check_front
    (PLAIN, FRONT, '[interphase.grown]\nparameter = "interlayer"\ngroup = "interlayer"\n'
     f'thicknesses = ["1 um"]\n\n{FRONT}', ["interphase.front", "interphase.grown", "Leave out"]),
    (PLAIN, 'law = "mixed_control"', 'law = "mixed_control"\nage = "1 h"',
     ["interphase.age", "[[step]]"]),
    (PLAIN, 'law = "mixed_control"', 'law = "window"\nreduction_potential = "1 V"\n'
     'oxidation_potential = "2 V"\nvolume_per_lithium = "20 cm^3/mol"\n'
     'ionic_conductivity = "1e-6 S/cm"\nelectronic_conductivity = "1e-6 S/cm"', ["interphase"]),
    (PLAIN, 'growth_constant = "1e-14 m^2/s"\nreaction_rate = "1e-8 m/s"',
     'limit = "1 mm"\ngrowth_constant = "1e-14 m^2/s"', ["interphase"]),
    (PLAIN, PLAIN[PLAIN.index(STEP):PLAIN.index("[output]")], "",
     ["interphase.front", "no [[step]]", 'do = "rest"']),
    (MIEC, MIEC[MIEC.index("[[electrode]]"):], "", ["interphase.front", "miec", "[[electrode]]"]),
    (PLAIN, STEP, '[[electrode]]\ngroup = "li_sse"\nkinetics = "none"\n\n[[electrode]]\n'
     'group = "cathode_plane"\nkinetics = "none"\n\n' + STEP, ["electrode", "mixed_control"]),
    (PLAIN, 'do = "rest"', 'do = "plate"\ncurrent_density = "1 mA/cm^2"',
     ["electrode", "programme asks for a current"]),
    (PLAIN, STEP, f"[contact]\n\n{STEP}", ["contact", "lithium is left out"]),
    (PLAIN, 'lithium = "Li"', 'lithium = { set = "Li", flow = { law = "norton" } }',
     ["materials.lithium.flow", "lithium is left out"]),
    (PLAIN, STEP, f'[stack]\npressure = "1 MPa"\n\n{STEP}', ["stack", "lithium is left out"]),
    (MIEC, 'group = "li_sse"', 'group = "li_sse"\nlayer = true',
     ["electrode.0.layer", "interphase.front"]),
    # events that cannot happen
    (PLAIN, STEP, f'[time]\nstop_at = ["extension"]\n\n{STEP}', ["time.stop_at", "cracking"]),
    (PLAIN, STEP, f'[time]\nstop_at = ["cracking"]\n\n{STEP}',
     ["time.stop_at", "interphase.front.strength"]),
    (PLAIN, FRONT, f'{FRONT}\nstrength = "1 MPa"\nstress = false', ["strength", "stress"]),
    (PLAIN, FRONT, f'{FRONT}\nviscosity = "1e12 Pa*s"\nstress = false', ["viscosity", "stress"]),
    # values
    (PLAIN, FRONT, f'{FRONT}\nwidth = "0 um"', ["interphase.front.width", "above 0"]),
    (PLAIN, FRONT, f"{FRONT}\nretained = 0.0", ["interphase.front.retained"]),
    (PLAIN, FRONT, f"{FRONT}\nnu = 0.5", ["interphase.front.nu"]),
    (PLAIN, FRONT, f'{FRONT}\nE = "0 GPa"', ["interphase.front.E", "above 0"]),
    (PLAIN, FRONT, f'{FRONT}\nviscosity = "0 Pa*s"', ["interphase.front.viscosity", "above 0"]),
    (PLAIN, FRONT, f'{FRONT}\nshape = "1 V"', ["interphase.front.shape"]),
    (PLAIN, FRONT, f'{FRONT}\ninterface_energy = "-1 J/m^2"', ["interface_energy", "0 J/m^2"]),
    (PLAIN, FRONT, f'{FRONT}\ninterface_energy = "1 J/m^2"', ["interface_energy", "miec"]),
    (PLAIN, "volume_change = 0.1", "volume_change = -1.0", ["volume_change"]),
    (MIEC, '"20 cm^3/mol"', '"0 cm^3/mol"', ["volume_per_lithium", "above 0"]),
    (PLAIN, '"40 cm^3/mol"', '"0 cm^3/mol"', ["electrolyte_molar_volume", "above 0"]),
    (PLAIN, '"1e-14 m^2/s"', '"0 m^2/s"', ["growth_constant", "above 0"]),
    (PLAIN, FRONT, f'{FRONT}\nwidht = "1 um"', ["width"]),
]  # fmt: skip

GEOMETRY = PLAIN[PLAIN.index("[geometry]") : PLAIN.index("[materials]")]
PENNY = '[geometry]\ntype = "penny"\na = "10 um"\nhalf_width = "40 um"\n\n'
GRAINS = MIEC.replace('h_max = "0.7 um"', 'h = "0.6 um"').replace(
    "[materials]", '[geometry.grains]\nsize = "3 um"\nseed = 7\n\n[materials]'
)
ELECTRO = "[electrochemistry]\n"

#: Likewise: what the mesh and the values say together.
MADE = [
    # at the start
    (PLAIN, 'initial_thickness = "4 um"', 'initial_thickness = "1 um"',
     ["interphase.initial_thickness", "'1 um'", "thinner than 3 widths", "nowhere below"]),
    (PLAIN, FRONT, f'{FRONT}\nshape = "-2 um * exp(-(x / (1 um))^2)"',
     ["interphase.initial_thickness", "thinner than 3 widths"]),
    (PLAIN, 'initial_thickness = "4 um"', 'initial_thickness = "30 um"',
     ["interphase.initial_thickness", "'30 um'", "used up the electrolyte", "more electrolyte"]),
    (MIEC, 'initial_thickness = "4 um"', 'initial_thickness = "9 um"',
     ["interphase.initial_thickness", "'9 um'", "reached the counter electrode"]),
    (PLAIN, FRONT, f'{FRONT}\nwidth = "0.2 um"',
     ["interphase.front.width", "'0.2 um'", "at least", "h_max"]),
    # bodies
    (PLAIN.replace('lithium = "Li"\n', "").replace(FRONT, f'{FRONT}\nsurface = ["crack_upper"]'),
     GEOMETRY, PENNY, ["geometry.model", "3d", "axisymmetric"]),
    (GRAINS, ELECTRO,
     ELECTRO + 'boundary_resistance = { grain_boundaries = "2 ohm*cm^2" }\n',
     ["electrochemistry.boundary_resistance", "Leave it out"]),
    (GRAINS, 'conductivity = { electrolyte = "1e-5 S/cm" }',
     'conductivity_axes = { electrolyte = ["1e-5 S/cm", "1e-5 S/cm", "1e-6 S/cm"] }',
     ["electrochemistry.conductivity_axes", "Leave it out"]),
    (MIEC, ELECTRO, ELECTRO + 'electronic_conductivity = { electrolyte = "1e-9 S/cm" }\n',
     ["electrochemistry.electronic_conductivity", "Leave it out"]),
    (MIEC, 'group = "cathode_plane"', 'group = "cathode_plane"\nopen_circuit_voltage = "3 V"',
     ["electrode.1.open_circuit_voltage", "3 V", "Leave it out"]),
    (MIEC, 'group = "li_sse"', 'group = "li_sse"\nnormal_stress = "-1 MPa"',
     ["electrode.0.normal_stress", "-1 MPa", "Leave it out"]),
    # surfaces
    (PLAIN, FRONT, f'{FRONT}\nsurface = ["li_see"]',
     ["interphase.front.surface", "li_see", "li_sse"]),
    (MIEC, FRONT, f'{FRONT}\nsurface = ["cathode_plane"]',
     ["interphase.front.surface.0", "cathode_plane", "li_sse"]),
    (MIEC, 'group = "li_sse"\nkinetics = "none"',
     'group = "li_sse"\nexchange_current_density = "1 mA/cm^2"',
     ["electrode.0.kinetics", "none", "interface_resistance"]),
    (PLAIN, 'law = "mixed_control"', 'law = "mixed_control"\nelectrolyte = "electrolite"',
     ["interphase.electrolyte", "electrolite", "electrolyte"]),
    # stress
    (PLAIN, FRONT, f'[interphase.stress]\nreaction_energy = "20 kJ/mol"\n\n{FRONT}\nstress = false',
     ["interphase.stress", "none is computed"]),
    (PLAIN.replace("volume_change = 0.1", "volume_change = 0.0"), FRONT,
     f'[interphase.stress]\nreaction_energy = "20 kJ/mol"\n\n{FRONT}', ["interphase.stress"]),
    (PLAIN, "volume_change = 0.1", 'volume_change = 0.1\nstrain = "finite"',
     ["interphase.expansion.strain", "small"]),
    (PLAIN, "volume_change = 0.1", "volume_change = 0.1\nnormal_share = 1.0",
     ["interphase.front.normal", "x, y or z"]),
    (PLAIN.replace("plane_strain", "plane_stress"), FRONT, f'{FRONT}\nviscosity = "1e12 Pa*s"',
     ["geometry.model", "plane_stress", "viscosity"]),
    (PLAIN, '"100 GPa", nu', '"100 GPa * (1 + y / (10 um))", nu',
     ["interphase.front.E", "graded"]),
    (PLAIN, 'E = "100 GPa", nu = 0.25', 'C11 = "150 GPa", C12 = "50 GPa", C44 = "60 GPa"',
     ["materials.electrolyte", "cubic", "stress = false"]),
    # what belongs to lithium
    (PLAIN, STEP, f'[[load]]\ngroup = "bottom"\npressure = "1 MPa"\n\n{STEP}',
     ["load.0", "bottom", "lithium is left out"]),
    (PLAIN, STEP, f'[[constraint]]\ngroup = "bottom"\nu = {{ y = "0 um" }}\n\n{STEP}',
     ["constraint.0", "bottom", "lithium is left out"]),
    (PLAIN, STEP, f'[[eigenstrain]]\ngroup = "lithium"\nstrain = 0.01\n\n{STEP}',
     ["eigenstrain.0", "lithium"]),
    (PLAIN.replace('lithium = "Li"', 'lithium = { set = "Li", expansion = "5e-5 1/K" }'), STEP,
     f'[[temperature]]\ngroup = "lithium"\nchange = "10 K"\n\n{STEP}',
     ["temperature.0", "lithium"]),
    (PLAIN, STEP, f'[[body_force]]\ngroup = "lithium"\nforce = {{ y = "1 N/m^3" }}\n\n{STEP}',
     ["body_force.0", "lithium"]),
]  # fmt: skip


def said(tmp_path, capsys, text, command):
    path = tmp_path / "case.toml"
    path.write_text(text)
    words = [command, str(path)] + (["-o", str(tmp_path / "out")] if command == "run" else [])
    code = main(words)
    return code, capsys.readouterr().err


@pytest.mark.parametrize(("text", "old", "new", "words"), READ)
def test_refused_when_read(tmp_path, capsys, text, old, new, words):
    assert old in text
    code, message = said(tmp_path, capsys, text.replace(old, new, 1), "check")
    assert code == 1, message
    assert message.count("ssbmech: ") == 1
    for word in words:
        assert word in message, message


@pytest.mark.parametrize(("text", "old", "new", "words"), MADE)
def test_refused_when_made(tmp_path, capsys, text, old, new, words):
    assert old in text
    code, message = said(tmp_path, capsys, text.replace(old, new, 1), "run")
    assert code == 1, message
    assert message.count("ssbmech: ") == 1
    assert "Traceback" not in message
    for word in words:
        assert word in message, message


@pytest.mark.parametrize("text", [PLAIN, MIEC], ids=["plain", "miec"])
def test_the_cases_themselves_are_good(tmp_path, capsys, text):
    code, message = said(tmp_path, capsys, text, "run")
    assert code == 0, message
