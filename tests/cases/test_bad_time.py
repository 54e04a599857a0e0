"""Cases in time that cannot be run: one message with key, value, allowed range, what to do."""

import pytest
from ssbmech.cli import main

FILAMENT = """
[geometry]
type = "edge"
a = "10 um"
width = "100 um"
height = "200 um"

[materials]
electrolyte = "LLZO"

[thin_filament]
flow = "none"

[electrochemistry]
conductivity = { electrolyte = "0.46 mS/cm" }

[[electrode]]
group = ["left", "crack_lower", "crack_upper"]
area_specific_resistance = "5 ohm*cm^2"

[[electrode]]
group = "right"
kinetics = "none"

[[step]]
do = "plate"
current_density = "1 mA/cm^2"
duration = "1 h"
"""

STRIPPING = """
[geometry]
type = "cell"
width = "20 um"
electrolyte = "10 um"
lithium = "10 um"

[materials.electrolyte]
set = "LLZO"

[materials.lithium]
set = "Li"
flow = { law = "norton" }

[contact]

[stack]
pressure = "3 MPa"

[[electrode]]
group = "li_sse"
area_specific_resistance = "5 ohm*cm^2"

[[electrode]]
group = "cathode_plane"
kinetics = "none"

[[step]]
do = "strip"
current_density = "1 mA/cm^2"
duration = "1 h"
"""

#: Text, what stands in its place, words of the message.
BAD = [
    (FILAMENT, '"0.46 mS/cm"', '"0 mS/cm"', ["electrochemistry.conductivity", "above 0"]),
    (FILAMENT, 'area_specific_resistance = "5 ohm*cm^2"',
     'exchange_current_density = "-1 mA/cm^2"', ["exchange_current_density", "above 0"]),
    (FILAMENT, 'duration = "1 h"', "", ["never ends", "duration", "capacity"]),
    (FILAMENT, 'current_density = "1 mA/cm^2"', "", ["needs current_density", "1 mA/cm^2"]),
    (FILAMENT, 'do = "plate"', 'do = "rest"', ["rest", "takes no current_density"]),
    (FILAMENT, '"1 mA/cm^2"', '"-1 mA/cm^2"', ["not positive", "strip"]),
    (FILAMENT, 'duration = "1 h"', 'duration = "-1 h"', ["duration", "above 0"]),
    (FILAMENT, 'group = "right"', 'group = "left"', ["'left'", "electrode.0", "one electrode"]),
    (FILAMENT, "[[step]]",
     '[[electrode]]\ngroup = "top"\nkinetics = "none"\npotential = "1 V"\n\n[[step]]',
     ["electrode.2", "Leave it out"]),
    (FILAMENT, "[[step]]", '[time]\ncounter = "botom"\n\n[[step]]', ["time.counter", "'botom'"]),
    (FILAMENT, "[[step]]", '[time]\nsmallest_step = "2 h"\n\n[[step]]', ["time.smallest_step"]),
    (FILAMENT, "[[step]]", '[filament]\npressure = "1 MPa"\n\n[[step]]', ["filament", "comes out"]),
    (FILAMENT, "[[step]]", '[time]\nstop_at = ["contact_lost"]\n\n[[step]]',
     ["time.stop_at", "extension"]),
    (FILAMENT, '"LLZO"', '{ set = "LLZO", K_IC = "-1 MPa*m^0.5" }', ["K_IC", "above 0"]),
    (FILAMENT, 'flow = "none"', 'flow = "plastic"', ["norton"]),
    (STRIPPING, '"3 MPa"', '"-3 MPa"', ["stack", "positive in compression"]),
    (STRIPPING, 'kinetics = "none"\n\n[[step]]', 'kinetics = "none"\n\n[thin_filament]\n\n[[step]]',
     ["either [thin_filament] or [contact]"]),
    (STRIPPING, '"norton"', '"nortn"', ["flow.law", "norton"]),
    (STRIPPING, STRIPPING[STRIPPING.index("[[step]]"):], "", ["there is no [[step]]"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new", "words"), BAD)
def test_refused_with_the_reason(tmp_path, capsys, text, old, new, words):
    assert old in text
    path = tmp_path / "case.toml"
    path.write_text(text.replace(old, new, 1))
    assert main(["check", str(path)]) == 1
    said = capsys.readouterr().err
    assert said.count("ssbmech: ") == 1
    for word in words:
        assert word in said, said


@pytest.mark.parametrize("text", [FILAMENT, STRIPPING], ids=["filament", "stripping"])
def test_the_cases_themselves_are_good(tmp_path, text):
    path = tmp_path / "case.toml"
    path.write_text(text)
    assert main(["check", str(path)]) == 0
