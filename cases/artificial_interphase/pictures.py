"""Pictures of an interphase of two materials in stripes, with or without a coat beside it.

    python3 cases/artificial_interphase/pictures.py

writes `mosaic.png` anew, the picture of the case beside this file.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Values of the picture, as in `labels` of the case.
ELECTROLYTE, GOOD, POOR, COAT = 1, 2, 3, 4
#: Edge of a pixel, thickness of the mosaic, and of the electrolyte [um].
PIXEL, MOSAIC, THICK = 0.125, 0.5, 20.0


def picture(
    coat: float, *, pitch: float = 4.0, periods: int = 2, above: bool = False
) -> NDArray[np.uint8]:
    """One number per pixel, the first row at the top; lithium is the lower edge of the picture.

    Args:
        coat: Thickness of the coat [um]; 0: none.
        pitch: Period of the stripes, half of them good [um].
        periods: How many; the picture begins and ends in the middle of a good stripe.
        above: Whether the coat lies between mosaic and electrolyte, not on the lithium.
    """
    n = round(pitch / PIXEL)
    stripe = np.repeat([GOOD, POOR, GOOD], [n // 4, n // 2, n // 4])
    row = np.tile(stripe, periods)
    layers = [(row, MOSAIC), (np.full(len(row), COAT), coat)]
    from_top = [(np.full(len(row), ELECTROLYTE), THICK), *(layers[::-1] if above else layers)]
    rows = [np.tile(values, (round(t / PIXEL), 1)) for values, t in from_top]
    return np.concatenate(rows).astype(np.uint8)


def save(path: Path, values: NDArray[np.uint8]) -> None:
    """Write a picture as PNG with one byte per pixel."""
    from PIL import Image

    Image.fromarray(values).save(path)


if __name__ == "__main__":
    save(Path(__file__).parent / "mosaic.png", picture(1.0, periods=5))
