"""Label images: reading them, naming their values, cleaning them before they are meshed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import MeshError
from ssbmech.meshes.elements import Floats, Ints
from ssbmech.meshes.parameters import count, number

#: Group whose voxels are not meshed.
VOID = "void"
_PICTURES = (".png", ".bmp", ".gif")
_STACKS = (".tif", ".tiff")
_KINDS = "PNG, BMP, GIF, TIFF (also stacks), NPY, or a folder of pictures in the order of names"


@dataclass(frozen=True)
class LabelImage:
    """Regions on a regular grid of square pixels or cubic voxels.

    Attributes:
        values: Region of each voxel as a place in ``groups``, indexed ``[x, y]`` or ``[x, y, z]``.
        voxel: Edge of a voxel [um].
        groups: Cell group of each region; ``"void"`` is not meshed.
        grains: Grain number from 1 of each region, 0 where it is no grain; None without grains.
        low: Corner of the image with the smallest coordinates [um].
        orientations: Quaternion (x, y, z, w) of grain g in row g - 1, shape (n, 4), or none.
        notes: What was done to the image, for the record.
    """

    values: Ints
    voxel: float
    groups: tuple[str, ...]
    grains: tuple[int, ...] | None = None
    low: tuple[float, ...] = ()
    orientations: Floats | None = None
    notes: dict[str, float | str] = field(default_factory=dict)

    def measure(self, group: str) -> float:
        """Area or volume of a group by its number of voxels [um^dim]."""
        regions = [i for i, name in enumerate(self.groups) if name == group]
        return float(np.isin(self.values, regions).sum()) * self.voxel**self.values.ndim


def read_labels(path: str | Path) -> Ints:
    """Read a label image.

    Pictures have their first row at the top: it gets the largest y. Pages of a stack follow z
    upwards, the first at the smallest z. An NPY array has the same order as such a file:
    (rows, columns) or (pages, rows, columns).

    Args:
        path: PNG, BMP, GIF, TIFF or NPY file, or a folder of single pictures.

    Returns:
        Whole numbers indexed ``[x, y]`` or ``[x, y, z]``, both increasing with the coordinate.

    Raises:
        MeshError: If there is no such file, it is broken, or holds colours or fractions.
    """
    path = Path(path)
    if not path.exists():
        raise MeshError("there is no such image", key=str(path), allowed=_KINDS)
    raw = _folder(path) if path.is_dir() else _file(path)
    if raw.ndim not in (2, 3) or 0 in raw.shape:
        raise MeshError(
            "the array is no label image", key=str(path), value=raw.shape,
            allowed="(rows, columns) or (pages, rows, columns)",
        )  # fmt: skip
    if raw.ndim == 2:
        return np.ascontiguousarray(raw[::-1].T)
    return np.ascontiguousarray(raw[:, ::-1].transpose(2, 1, 0))


def _folder(path: Path) -> Ints:
    """One picture per page, in natural order of their names (slice_2 before slice_10)."""
    files = [f for f in path.iterdir() if f.suffix.lower() in (*_PICTURES, *_STACKS)]
    files.sort(key=lambda f: [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", f.name)])
    if not files:
        raise MeshError("the folder holds no pictures", key=str(path), allowed=_KINDS)
    pages = [_file(f) for f in files]
    for file, page in zip(files, pages, strict=True):
        if page.ndim != 2 or page.shape != pages[0].shape:
            raise MeshError(
                "the pictures of a folder must have one size", key=str(file), value=page.shape,
                allowed=f"{pages[0].shape[:2]}, as {files[0].name}",
            )  # fmt: skip
    return np.stack(pages)


def _file(path: Path) -> Ints:
    """The array of a file as it is stored, whole numbers only."""
    kind = path.suffix.lower()
    readers = dict.fromkeys(_PICTURES, _picture) | dict.fromkeys(_STACKS, _tiff) | {".npy": _npy}
    if kind not in readers:
        raise MeshError("not a known kind of image", key=str(path), value=kind, allowed=_KINDS)
    try:
        array = readers[kind](path)
    except (MeshError, MemoryError):
        raise
    except Exception as error:  # readers of broken files fail in any way
        raise MeshError(
            f"the image cannot be read: {type(error).__name__}: {error}", key=str(path),
            hint="Write it again; it may be cut off or of another kind than its ending says",
        ) from error  # fmt: skip
    if array.dtype.kind not in "biu":
        raise MeshError(
            "the image holds fractions, not labels", key=str(path), value=str(array.dtype),
            allowed="whole numbers",
            hint="Segment it first and save the labels as whole numbers",
        )  # fmt: skip
    if array.size and (int(array.max()) > 2**31 - 1 or int(array.min()) < -(2**31)):
        raise MeshError("labels do not fit into 32 bits", key=str(path), value=int(array.max()))
    return array.astype(np.int64)


def _refuse_colours(path: Path, what: str) -> None:
    raise MeshError(
        "the picture holds colours, not labels", key=str(path), value=what,
        allowed="one whole number per pixel: grey levels or a palette",
        hint="Save the segmentation as an 8- or 16-bit grey picture, or with a palette",
    )  # fmt: skip


def _picture(path: Path) -> NDArray[Any]:
    from PIL import Image

    with Image.open(path) as picture:
        if picture.mode not in ("1", "L", "P", "I", "I;16", "I;16B", "I;16L"):
            _refuse_colours(path, picture.mode)
        return np.array(picture)  # of a palette: the numbers of its entries


def _tiff(path: Path) -> NDArray[Any]:
    import tifffile

    with tifffile.TiffFile(path) as file:
        size = path.stat().st_size
        for page in file.pages:
            if getattr(page, "samplesperpixel", 1) > 1:
                _refuse_colours(path, f"{page.samplesperpixel} samples per pixel")
            ends = [a + b for a, b in zip(page.dataoffsets, page.databytecounts, strict=True)]
            # missing strips would come out as zeros
            if not ends or max(ends) > size:
                raise MeshError(
                    "the image is cut off", key=str(path), value=f"{size} bytes",
                    allowed=f"{max(ends, default=0)} bytes", hint="Copy or write it again",
                )  # fmt: skip
        array = np.asarray(file.asarray())
        if array.ndim == 2 or len(file.pages) == array.shape[0] or file.is_shaped:
            return array
        raise MeshError("the pages have several sizes", key=str(path), value=array.shape)


def _npy(path: Path) -> NDArray[Any]:
    return np.asarray(np.load(path, allow_pickle=False))


def label_image(
    array: Ints,
    voxel: float,
    labels: dict[int, str] | None,
    *,
    grains: bool = False,
    low: tuple[float, ...] | None = None,
    key: str = "labels",
) -> LabelImage:
    """Name the values of an array.

    Args:
        array: Indexed ``[x, y]`` or ``[x, y, z]``.
        voxel: Edge of a voxel [um].
        labels: Group of each value. With ``grains`` the values without a name are grains.
        grains: Whether values are numbers of grains of the group ``electrolyte``.
        low: Corner with the smallest coordinates [um]; by default x and z are centred and y
            starts at 0.
        key: File for messages.

    Raises:
        MeshError: If values have no name, with their number and place; or the size is wrong.
    """
    number("voxel", voxel)
    names = {int(k): str(v).strip() for k, v in (labels or {}).items()}
    if any(not re.fullmatch(r"[A-Za-z_][\w-]*", name) for name in names.values()):
        raise MeshError("a label needs the name of a group", key="labels", value=names)
    if low is None:
        extent = [n * voxel for n in array.shape]
        low = (-extent[0] / 2, 0.0, *(-e / 2 for e in extent[2:]))
    found, index = np.unique(array, return_inverse=True)
    index = index.reshape(array.shape)
    if not grains:
        _refuse_unnamed(array, found, names, voxel, low, key)
        groups = tuple(dict.fromkeys(names[int(v)] for v in found))
        place = np.array([groups.index(names[int(v)]) for v in found])
        image = LabelImage(place[index], voxel, groups, None, low)
    else:
        groups = tuple(names.get(int(v), "electrolyte") for v in found)
        numbers = np.cumsum([int(v) not in names for v in found])
        ids = tuple(0 if int(v) in names else int(k) for v, k in zip(found, numbers, strict=True))
        image = LabelImage(index.astype(np.int64), voxel, groups, ids, low)
    if set(image.groups) == {VOID}:
        raise MeshError("the image holds nothing but void", key=key)
    return image


def _refuse_unnamed(
    array: Ints,
    found: Ints,
    names: dict[int, str],
    voxel: float,
    low: tuple[float, ...],
    key: str,
) -> None:
    unnamed = [int(v) for v in found if int(v) not in names]
    if not unnamed:
        return
    bad = np.isin(array, unnamed)
    first = np.argwhere(bad)[0]
    place = ", ".join(f"{o + (i + 0.5) * voxel:g}" for o, i in zip(low, first, strict=True))
    some = ", ".join(map(str, unnamed[:8])) + (", ..." if len(unnamed) > 8 else "")
    raise MeshError(
        f"{int(bad.sum())} of {bad.size} voxels have a value without a name: {some}; "
        f"the first at ({place}) um",
        key=f"{key}: labels",
        value=names,
        hint="Name every value, for example labels = { 0 = 'lithium', 1 = 'electrolyte' }; "
        f"'{VOID}' is left out of the mesh",
    )


# -- cleaning -------------------------------------------------------------------------------------


def clean(image: LabelImage, *, specks: int = 0, majority: int = 0, merge: int = 1) -> LabelImage:
    """Coarsen, smooth by votes and remove specks, in this order.

    Args:
        image: The image.
        specks: Regions of fewer voxels go to their largest neighbour.
        majority: Rounds of a vote among each voxel and the neighbours that share a face with it.
        merge: Voxels along each axis that become one, by majority; what is left over at the high
            end is cut off.

    Returns:
        The image, with ``notes`` of what was changed.
    """
    specks = count("smallest", specks, at_least=0, at_most=10**9)
    majority = count("majority", majority, at_least=0, at_most=100)
    merge = count("merge", merge, at_least=1, at_most=1000)
    values, notes = image.values, dict(image.notes)
    if merge > 1:
        if min(values.shape) < merge:
            raise MeshError(
                "merge leaves no voxel", key="merge", value=merge,
                allowed=f"at most {min(values.shape)}",
            )  # fmt: skip
        values = _coarsen(values, merge)
        notes["voxels_merged"] = merge
    before = values
    for _ in range(majority):
        values = _vote(values)
    if specks > 1:
        values = remove_specks(values, specks)
    if majority or specks > 1:
        notes["cleaned_fraction"] = float((values != before).mean())
    return replace(image, values=values, voxel=image.voxel * merge, notes=notes)


def _coarsen(values: Ints, factor: int) -> Ints:
    """The most frequent value of each block, the smallest of equals."""
    from skimage.util import view_as_blocks

    cut = values[tuple(slice(n // factor * factor) for n in values.shape)]
    d = cut.ndim
    blocks = view_as_blocks(np.ascontiguousarray(cut), (factor,) * d)
    flat = np.sort(blocks.reshape(*blocks.shape[:d], -1), axis=-1)
    best, votes = flat[..., 0], np.zeros(flat.shape[:-1], dtype=np.int64)
    for k in range(flat.shape[-1]):
        mine = (flat == flat[..., k : k + 1]).sum(axis=-1)
        best, votes = np.where(mine > votes, flat[..., k], best), np.maximum(mine, votes)
    return best


def _vote(values: Ints) -> Ints:
    """Majority of the voxel and its face neighbours; a tie keeps the voxel."""
    padded = np.pad(values, 1, mode="edge")
    inner = tuple(slice(1, -1) for _ in values.shape)
    ballots = [values]
    for axis in range(values.ndim):
        for shift in (0, 2):
            part = list(inner)
            part[axis] = slice(shift, shift + values.shape[axis])
            ballots.append(padded[tuple(part)])
    stack = np.stack(ballots)
    best, votes = values, (stack == values).sum(axis=0)
    for ballot in ballots[1:]:
        mine = (stack == ballot).sum(axis=0)
        # among equals the smaller value wins, so that the order of axes does not matter
        better = (mine > votes) | ((mine == votes) & (best != values) & (ballot < best))
        best, votes = np.where(better, ballot, best), np.maximum(mine, votes)
    return best


def components(values: Ints) -> tuple[Ints, int]:
    """Connected parts (through faces) of equal value, numbered from 0, and how many."""
    from skimage.measure import label

    # 0 would be taken for background only if told so; -1 never occurs among regions
    parts, n = label(values, background=-1, return_num=True, connectivity=1)
    return parts.astype(np.int64) - 1, int(n)


def remove_specks(values: Ints, smallest: int) -> Ints:
    """Give connected parts of fewer than ``smallest`` voxels to their largest neighbour.

    Args:
        values: Non-negative regions.
        smallest: Number of voxels from which a part stays.
    """
    parts, n = components(values)
    size = np.bincount(parts.ravel(), minlength=n)
    small = np.flatnonzero(size < smallest)
    if not len(small) or n == 1:
        return values
    neighbours: dict[int, set[int]] = {int(k): set() for k in small}
    for a, b in _touching(parts):
        for one, other in ((a, b), (b, a)):
            if one in neighbours:
                neighbours[one].add(other)
    owner = np.arange(n)

    def root(k: int) -> int:
        while owner[k] != k:
            k = int(owner[k])
        return k

    for k in sorted(neighbours, key=lambda part: (size[part], part)):
        mine = root(k)
        if size[mine] >= smallest:  # has grown by what it was given
            continue
        around = {root(j) for j in neighbours[k]} - {mine}
        if around:
            best = min(around, key=lambda part: (-size[part], part))
            owner[mine] = best
            size[best] += size[mine]
            if best in neighbours:
                neighbours[best] |= neighbours[k]
    value = np.zeros(n, dtype=values.dtype)
    value[parts.ravel()] = values.ravel()
    roots = np.array([root(k) for k in range(n)])
    return np.asarray(value[roots][parts])


def _touching(parts: Ints) -> Iterator[tuple[int, int]]:
    """Pairs of parts that share a face."""
    pairs = []
    for axis in range(parts.ndim):
        a = np.moveaxis(parts, axis, 0)
        both = np.stack([a[:-1].ravel(), a[1:].ravel()], axis=1)
        pairs.append(np.sort(both[both[:, 0] != both[:, 1]], axis=1))
    for a, b in np.unique(np.concatenate(pairs), axis=0):
        yield int(a), int(b)


def largest_solid(image: LabelImage) -> LabelImage:
    """Without islands: solid that hangs together with the largest part through faces only.

    A part that only void surrounds would float freely, which no solver accepts.

    Returns:
        The image with islands made void; ``notes`` say how many and how many voxels.
    """
    if VOID not in image.groups:
        return image
    void = np.isin(image.values, [i for i, g in enumerate(image.groups) if g == VOID])
    parts, n = components((~void).astype(np.int64))
    size = np.bincount(parts[~void], minlength=n)
    island = ~void & (parts != int(np.argmax(size)))
    if not island.any():
        return image
    values = image.values.copy()
    values[island] = image.groups.index(VOID)
    notes = image.notes | {
        "islands_removed": float((size > 0).sum() - 1),
        "island_voxels_removed": float(island.sum()),
    }
    return replace(image, values=values, notes=notes)
