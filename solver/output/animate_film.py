"""Frames to a film: GIF with one palette for all frames, or MP4 by imageio's ffmpeg."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import OutputError

#: Resolution by kind of file: a GIF holds every pixel of every frame.
DPI = {".gif": 110, ".mp4": 220}
#: How long the last frame stays [s].
_HOLD = 1.5


def check_film(target: Path, rate: float) -> None:
    """Refuse a file that cannot become a film, before anything is drawn.

    Raises:
        OutputError: For another kind of file, a rate out of range, a folder that is not there, or
            an MP4 without ffmpeg.
    """
    kind = target.suffix.lower()
    if kind not in DPI:
        raise OutputError(
            "an animation is a GIF or an MP4", key="--animate", value=str(target),
            allowed="a name that ends with .gif or .mp4",
        )  # fmt: skip
    if not 0.1 <= rate <= 60:
        raise OutputError("frames per second", key="--rate", value=rate, allowed="0.1 to 60")
    if not target.parent.is_dir():
        raise OutputError(
            "no such folder", key="--animate", value=str(target.parent), hint="Make it first"
        )
    if kind == ".mp4" and not has_ffmpeg():
        raise OutputError(
            "there is no ffmpeg here for an MP4", key="--animate", value=str(target),
            hint="Give a name that ends with .gif, or python3 -m pip install imageio-ffmpeg",
        )  # fmt: skip


def has_ffmpeg() -> bool:
    """Whether imageio finds an ffmpeg of its own."""
    from importlib.util import find_spec

    return find_spec("imageio") is not None and find_spec("imageio_ffmpeg") is not None


def write_film(
    target: Path,
    frames: Iterator[NDArray[np.uint8]],
    rate: float,
    colours: NDArray[np.uint8] | None = None,
) -> None:
    """Write frames beside the target, then move the file into place.

    Args:
        target: File that ends with .gif or .mp4.
        frames: Each of shape (height, width, 3), both even.
        rate: Frames per second.
        colours: Palette of a GIF, shape (256, 3), see `palette`.

    Raises:
        OutputError: If it cannot be written.
    """
    aside = target.with_name(f".{target.stem}.part{target.suffix.lower()}")
    try:
        if colours is not None:
            _write_gif(aside, frames, rate, colours)
        else:
            _write_mp4(aside, frames, rate)
        aside.replace(target)
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}", key="--animate", value=str(target)
        ) from None
    finally:
        aside.unlink(missing_ok=True)


def _write_gif(
    path: Path, frames: Iterator[NDArray[np.uint8]], rate: float, colours: NDArray[np.uint8]
) -> None:
    from PIL import Image

    flat = []
    for one in frames:
        numbers = _nearest(one, colours)
        picture = Image.frombytes("P", (one.shape[1], one.shape[0]), numbers.tobytes())
        picture.putpalette(colours.ravel().tolist())
        flat.append(picture)
    times = [round(1000 / rate)] * (len(flat) - 1) + [round(1000 * _HOLD)]
    flat[0].save(
        path, format="GIF", save_all=True, append_images=flat[1:], duration=times, loop=0,
        optimize=False, disposal=1,
    )  # fmt: skip


def palette(pictures: Sequence[NDArray[np.uint8]], ramp: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One palette for all frames, so that no colour flickers: white, black, the map, the rest.

    Args:
        pictures: Some of the frames, each of shape (height, width, 3).
        ramp: Colours of the map that the frames use, shape (n, 3), n < 250.

    Returns:
        Shape (256, 3).
    """
    from PIL import Image

    pixels = np.concatenate([p.reshape(-1, 3) for p in pictures])
    pixels = pixels[(pixels < 250).any(axis=1)]  # white has its own place
    rest = Image.fromarray((pixels if len(pixels) else ramp)[None])
    some = rest.quantize(254 - len(ramp), method=Image.Quantize.MEDIANCUT).getpalette() or []
    known = np.array([[255, 255, 255], [0, 0, 0]], np.uint8)
    found = np.array(some, np.uint8).reshape(-1, 3)[: 254 - len(ramp)]
    out = np.full((256, 3), 255, np.uint8)
    out[: 2 + len(ramp) + len(found)] = np.vstack([known, ramp, found])
    return out


def _nearest(pixels: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Number of the nearest colour of a palette for every pixel, shape (height, width).

    Pillow's own search rounds colours first, and white paper would turn grey.
    """
    packed = pixels.astype(np.int64) @ np.array([65536, 256, 1])
    found, where = np.unique(packed, return_inverse=True)
    mine = np.column_stack([found >> 16, (found >> 8) & 255, found & 255]).astype(np.float32)
    theirs = palette.astype(np.float32)
    # |a - b|^2 without |a|^2, which does not change the order
    far = (theirs**2).sum(axis=1) - 2 * mine @ theirs.T
    number = far.argmin(axis=1).astype(np.uint8)
    return number[where].reshape(pixels.shape[:2])


def _write_mp4(path: Path, frames: Iterator[NDArray[np.uint8]], rate: float) -> None:
    import imageio.v2 as imageio

    options: dict[str, Any] = {"codec": "libx264", "quality": 8, "macro_block_size": 2}
    writer: Any = imageio.get_writer(path, fps=rate, **options)
    with writer as film:
        frame = None
        for frame in frames:
            film.append_data(frame)
        for _ in range(round(_HOLD * rate)):
            film.append_data(frame)
