"""The schema of a case. Quantities stay texts with units: checked here, turned to SI later.

Keeping the texts means that the resolved case written beside the results is the case itself, with
every default filled in, and runs again to the same numbers.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from ssbmech.config_electro import ElectroBlock, ElectrodeBlock, check_electrodes
from ssbmech.config_filament import ThinFilamentBlock
from ssbmech.config_flow import FlowBlock
from ssbmech.config_front import check_front
from ssbmech.config_interphase import InterphaseBlock
from ssbmech.config_layer import check_layers
from ssbmech.config_stack import ContactBlock, StackBlock
from ssbmech.config_time import StepBlock, TimeBlock
from ssbmech.config_transient import check_transient
from ssbmech.config_types import Block as _Block
from ssbmech.config_types import formula_field as _formula
from ssbmech.config_types import quantity_field as _quantity
from ssbmech.errors import nearest

Model = Literal["plane_strain", "plane_stress", "axisymmetric", "3d"]
_AXES = {"x": 0, "y": 1, "z": 2, "r": 0}


Length = _quantity("length", 0.0)
Toughness = _quantity("toughness", 0.0)
Overpotential = _quantity("potential", 0.0)
Pressure = _quantity("pressure", 0.0)
MolarVolume = _quantity("molar_volume")


class MeshBlock(_Block):
    """A mesh from a file."""

    file: str = Field(
        pattern=r"^[^\x00]+$",
        description="any file that Gmsh or meshio reads, relative to the case file",
    )
    length_unit: _quantity("length", 0.0) | None = Field(
        None,
        description="length of one coordinate unit, e.g. 'mm' or '1 um'; required, but for a "
        "mesh in parts (a folder NAME.parts from `ssbmech mesh --partition`)",
    )
    model: Model | None = Field(
        None, description="mechanical model; by default plane_strain or, of a solid mesh, 3d"
    )

    grains: bool = Field(
        False,
        description="cell groups named after grains (poly1, grain_1, ...) become the grains of "
        "one group, electrolyte, with their boundaries and orientations",
    )
    merge_duplicates: bool = Field(
        False, description="join parts whose nodes coincide but are not shared; cracks stay open"
    )

    @model_validator(mode="before")
    @classmethod
    def _unit_without_number(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("length_unit"), str):
            text = data["length_unit"].strip()
            if text and text[0].isalpha():
                data = {**data, "length_unit": f"1 {text}"}
        return data

    @property
    def in_parts(self) -> bool:
        """Whether it is a folder of parts."""
        return self.file.rstrip("/").endswith(".parts")

    @model_validator(mode="after")
    def _unit_or_parts(self) -> MeshBlock:
        if not self.in_parts and self.length_unit is None:
            raise ValueError("mesh.length_unit: required and not given, e.g. length_unit = 'mm'")
        if self.in_parts and (self.length_unit or self.grains or self.merge_duplicates):
            raise ValueError("a mesh in parts takes no length_unit, grains or merge_duplicates")
        return self


class GeometryBlock(BaseModel):
    """A geometry of the catalogue; its parameters are checked by its builder."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str = Field(description="name in the catalogue: `ssbmech mesh --list`")
    model: Model | None = Field(None, description="mechanical model; by default the geometry's")

    @field_validator("type")
    @classmethod
    def _known(cls, name: str) -> str:
        from ssbmech.meshes import catalog

        if name not in catalog.BUILDERS:
            raise ValueError(f"there is no geometry {name!r}. {nearest(name, catalog.BUILDERS)}")
        return name

    @property
    def parameters(self) -> dict[str, Any]:
        """What the builder gets, as written."""
        return dict(self.model_extra or {})


class MaterialBlock(_Block):
    """Elastic data of a group: a set of the library, values, or a set with values replaced."""

    set: str | None = Field(None, description="name in the library: `ssbmech materials`")
    E: _formula("pressure") | None = Field(None, description="Young's modulus, or a formula")
    nu: float | None = Field(None, gt=-1.0, lt=0.5, description="Poisson's ratio")
    elasticity: Literal["isotropic", "cubic"] | None = Field(
        None,
        description="which constants of a set that has both: E and nu (default), or those of its "
        "crystals, which take the orientations of the mesh's grains",
    )
    C11: Pressure | None = Field(None, description="stiffness of a cubic crystal along an axis")
    C12: _quantity("pressure") | None = Field(None, description="stiffness across two axes")
    C44: Pressure | None = Field(None, description="shear stiffness of a cubic crystal")
    K_IC: Toughness | None = Field(None, description="fracture toughness")
    expansion: _quantity("expansion") | None = Field(None, description="linear thermal expansion")
    flow: FlowBlock | None = Field(None, description="how it creeps or yields, in a case in time")

    @property
    def cubic_values(self) -> dict[str, str]:
        """Constants of a crystal that are given here, as written."""
        given = {"C11": self.C11, "C12": self.C12, "C44": self.C44}
        return {key: text for key, text in given.items() if text is not None}

    @model_validator(mode="after")
    def _complete(self) -> MaterialBlock:
        plain = self.E is not None or self.nu is not None
        cubic = bool(self.cubic_values)
        if (plain or self.elasticity == "isotropic") and (cubic or self.elasticity == "cubic"):
            raise ValueError("give either E and nu (isotropic), or C11, C12 and C44 (cubic)")
        if self.set is not None:
            return self
        if cubic and len(self.cubic_values) < 3:
            missing = ", ".join(k for k in ("C11", "C12", "C44") if k not in self.cubic_values)
            raise ValueError(f"a cubic crystal needs {missing} as well")
        if not cubic and (self.E is None or self.nu is None):
            raise ValueError(
                "give the name of a set, or both E and nu, or C11, C12 and C44 of a cubic crystal"
            )
        return self


class CrackBlock(_Block):
    """A crack, named by its faces and its front."""

    faces: list[str] = Field(
        min_length=1,
        description="facet groups of the faces, the lower one first; one face with symmetry",
    )
    front: str | list[str] = Field(description="group of the tip(s) or the front line(s)")
    symmetry: Literal["x", "y", "z"] | None = Field(
        None, description="normal of the symmetry plane on which the crack lies"
    )
    size: Length | None = Field(
        None, description="flaw size a of the geometry factor Y = K_I/(p sqrt(pi a))"
    )
    K_IC: Toughness | None = Field(None, description="toughness where the crack would run")

    @property
    def fronts(self) -> list[str]:
        """Names of the fronts."""
        return [self.front] if isinstance(self.front, str) else list(self.front)


Components = dict[Literal["x", "y", "z", "r"], _formula("pressure")]


class LoadBlock(_Block):
    """A load on a facet group."""

    group: str
    pressure: _formula("pressure") | None = Field(None, description="positive in compression")
    traction: Components | None = None

    @model_validator(mode="after")
    def _one(self) -> LoadBlock:
        if (self.pressure is None) == (self.traction is None):
            raise ValueError("give either pressure or traction = { x = ..., y = ... }")
        return self


class ConstraintBlock(_Block):
    """Prescribed displacement components on a facet group."""

    group: str
    u: dict[Literal["x", "y", "z", "r"], _formula("length")] = Field(min_length=1)


class EigenstrainBlock(_Block):
    """Stress-free strain of a material group (misfit, growth): one number or components."""

    group: str
    strain: (
        _formula("dimensionless")
        | dict[Literal["xx", "yy", "zz", "xy", "yz", "xz"], _formula("dimensionless")]
    ) = Field(description="the same in all directions, or { xx = ..., yy = ... }")


class TemperatureBlock(_Block):
    """Change of temperature of a material group; its material needs ``expansion``."""

    group: str
    change: _formula("temperature_difference")


class BodyForceBlock(_Block):
    """Force per volume in a material group."""

    group: str
    force: dict[Literal["x", "y", "z", "r"], _formula("force_density")] = Field(min_length=1)


class FilamentBlock(_Block):
    """Lithium in the flaw: the pressure on its faces, given or from an overpotential."""

    overpotential: Overpotential | None = Field(None, description="p = F overpotential/V_m")
    pressure: Pressure | None = None
    groups: list[str] | None = Field(
        None, description="facet groups it acts on; by default the crack's (filled) faces"
    )
    molar_volume: _quantity("molar_volume", 0.0) | None = Field(
        None, description="of lithium; by default the library's"
    )
    partial_molar_volume: MolarVolume = Field(
        "0 cm^3/mol", description="of Li+ in the electrolyte; V_m - V_+ takes the place of V_m"
    )

    @model_validator(mode="after")
    def _one(self) -> FilamentBlock:
        if (self.pressure is None) == (self.overpotential is None):
            raise ValueError("give either overpotential or pressure")
        return self


class FractureBlock(_Block):
    """How the fracture quantities are computed and judged."""

    rings: list[Length] = Field(default_factory=list, description="outer radii; empty: chosen")
    ring_spread_limit: float = Field(0.02, gt=0, le=1, description="beyond it a ring is refused")
    consistency_limit: float = Field(
        0.05, gt=0, le=1, description="largest (J - J(K))/J; beyond it the gate refuses"
    )
    points: int = Field(41, ge=2, le=2001, description="points along a 3-D front")
    width: Length | None = Field(None, description="of a local extension along a 3-D front")
    energy_check: bool = Field(
        False, description="also the energy release by a finite virtual extension (two solves)"
    )
    maximum: list[str] = Field(
        default_factory=list, description="facet groups where the peak principal stress is wanted"
    )


class SolverBlock(_Block):
    """Discretisation and linear solver."""

    degree: int = Field(2, ge=1, le=4, description="polynomial degree of the displacement")
    method: Literal["auto", "direct", "iterative"] = "auto"
    rtol: float = Field(1e-10, gt=0, lt=1e-3)
    coupling: Literal["monolithic", "staggered"] = Field(
        "monolithic",
        description="of body and currents where lithium is plated onto a bonded surface: staggered "
        "iterates between the two and fails where they are coupled strongly",
    )
    petsc: dict[str, str | int | float] = Field(
        default_factory=dict, description="PETSc options without the prefix ssbmech_"
    )


class OutputBlock(_Block):
    """What is written beside summary.json."""

    fields: bool = True
    figures: bool = True
    mesh: bool = Field(True, description="keep the mesh beside the results")


class Case(_Block):
    """A case: geometry or mesh, materials, loads, what to compute."""

    title: str = ""
    geometry: GeometryBlock | None = None
    mesh: MeshBlock | None = None
    materials: dict[str, MaterialBlock]
    material_files: list[Annotated[str, Field(pattern=r"^[^\x00]+$")]] = Field(
        default_factory=list, description="own material sets"
    )
    crack: CrackBlock | None = None
    filament: FilamentBlock | None = None
    load: list[LoadBlock] = Field(default_factory=list)
    constraint: list[ConstraintBlock] = Field(default_factory=list)
    eigenstrain: list[EigenstrainBlock] = Field(default_factory=list)
    temperature: list[TemperatureBlock] = Field(default_factory=list)
    body_force: list[BodyForceBlock] = Field(default_factory=list)
    electrochemistry: ElectroBlock | None = None
    electrode: list[ElectrodeBlock] = Field(default_factory=list)
    interphase: InterphaseBlock | None = None
    stack: StackBlock | None = None
    contact: ContactBlock | None = None
    thin_filament: ThinFilamentBlock | None = None
    time: TimeBlock | None = None
    step: list[StepBlock] = Field(default_factory=list)
    fracture: FractureBlock = Field(default_factory=FractureBlock)
    solver: SolverBlock = Field(default_factory=SolverBlock)
    output: OutputBlock = Field(default_factory=OutputBlock)

    @model_validator(mode="before")
    @classmethod
    def _short_materials(cls, data: Any) -> Any:
        """``electrolyte = "LLZO"`` stands for ``electrolyte = { set = "LLZO" }``."""
        if isinstance(data, dict) and isinstance(data.get("materials"), dict):
            short = {
                k: {"set": v} if isinstance(v, str) else v for k, v in data["materials"].items()
            }
            data = {**data, "materials": short}
        return data

    @model_validator(mode="after")
    def _one_mesh(self) -> Case:
        if (self.geometry is None) == (self.mesh is None):
            raise ValueError("give either [geometry] or [mesh]")
        if not self.materials:
            raise ValueError("[materials] is empty: every material group of the mesh needs one")
        check_transient(self)
        if not check_layers(self) and self.interphase is not None:
            check_interphase(self)
        if not self.step:
            check_electrodes(self.electrochemistry is not None, self.electrode)
        return self

    @property
    def is_transient(self) -> bool:
        """Whether it has a programme in time."""
        return bool(self.step)

    @property
    def flowing(self) -> tuple[str, ...]:
        """Material groups that flow."""
        return tuple(name for name, block in self.materials.items() if block.flow is not None)

    @property
    def is_mechanical(self) -> bool:
        """Whether there is anything to solve but the electric problem.

        A case without electrodes always has mechanics. One with electrodes has it when something
        loads or holds the body, or a result of mechanics is asked for.
        """
        loads = any((self.load, self.constraint, self.eigenstrain, self.temperature))
        asked = self.body_force or self.fracture.maximum or self.filament is not None
        return bool(loads or asked or not self.electrode)


def check_interphase(case: Case) -> None:
    """Refuse a growing layer that a run would not see.

    Raises:
        ValueError: With the key and what to do.
    """
    assert case.interphase is not None
    if case.interphase.front is not None:
        check_front(case)
        return
    if case.interphase.grown is None:
        raise ValueError(
            "interphase: nothing in a run grows without [interphase.grown], [interphase.front] or "
            "an electrode with layer = true. Give one of them, or ask `ssbmech interphase`, which "
            "needs no mesh"
        )
    if case.interphase.age is not None:
        raise ValueError(
            "interphase.age: belongs to a layer on an [[electrode]] with layer = true. The times "
            "of this one are in [interphase.grown]"
        )
    if case.electrode:
        raise ValueError(
            "interphase.grown: currents are not computed on a layer that is drawn and pushes. "
            "Leave out [[electrode]], or [interphase.grown] and give the lithium electrode "
            "layer = true"
        )
    if case.step:
        raise ValueError(
            "interphase: a layer grows by its law and not by the programme in [[step]]. Leave out "
            "one of them"
        )


def axis(name: str) -> int:
    """Component number of an axis name."""
    return _AXES[name]
