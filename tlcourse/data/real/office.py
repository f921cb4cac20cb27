"""Office-Caltech10's photographs: ten kinds of object as a shop shows them, and as three other cameras see them.

Product pictures on white (amazon), a reflex camera and a webcam in an office (dslr, webcam), and what people upload
(caltech10): Saenko et al. 2010 (ECCV) and Griffin et al. 2007, the ten classes that both have (Gong et al. 2012).
"""

from __future__ import annotations

import io
import tarfile
from typing import Any

import numpy as np

from tlcourse.data.real.bags_of_words import PICTURES, Labels, OfficeDomain
from tlcourse.data.real.files import Files

FILE = "images.tar"
SET = Files(
    name="office-photographs",
    title="The photographs of Office-Caltech10",
    source="Saenko et al. 2010, Griffin et al. 2007; published for research, no licence known",
    folder="office_caltech10",
    beside=FILE,
    sums={FILE: "04490d8bdd71f30a165f9494fa77e10a49abbb9b60adc96af60ee801a0f375cb"},
)
OBJECTS = (
    "backpack", "bike", "calculator", "headphones", "keyboard", "laptop", "monitor", "mouse", "mug", "projector",
)  # fmt: skip
Bytes = np.ndarray[Any, np.dtype[np.uint8]]


def photographs(domain: OfficeDomain, side: int = 224) -> tuple[Bytes, Labels]:
    """All pictures of a domain, sorted by name: (n, 3, side, side) uint8 RGB, and the kind of object (n,), 0 to 9.

    The shorter side is resized to `side`, and the middle is cut out. Raises UnableError where the archive is not on
    this machine, or not as it should be.
    """
    from PIL import Image  # here: only this file needs it, and only where the photographs are

    found: list[tuple[str, int, Bytes]] = []
    with tarfile.open(fileobj=io.BytesIO(SET.read(FILE))) as archive:
        for member in archive:
            parts = member.name.split("/")
            if not member.isfile() or parts[-3] != domain or parts[-2] not in OBJECTS:
                continue
            stream = archive.extractfile(member)
            assert stream is not None, "it is a file"
            with Image.open(stream, formats=["JPEG"]) as image:
                rgb = image.convert("RGB")
            scale = side / min(rgb.size)
            rgb = rgb.resize((round(rgb.width * scale), round(rgb.height * scale)), Image.Resampling.BILINEAR)
            left, top = (rgb.width - side) // 2, (rgb.height - side) // 2
            pixels = np.asarray(rgb.crop((left, top, left + side, top + side)), np.uint8)
            found.append((member.name, OBJECTS.index(parts[-2]), np.ascontiguousarray(pixels.transpose(2, 0, 1))))
    if len(found) != PICTURES[domain]:
        raise SET.damaged(SET.required(), f"{len(found)} pictures of {domain}, not {PICTURES[domain]}")
    found.sort(key=lambda one: one[0])
    return np.stack([x for _, _, x in found]), np.array([y for _, y, _ in found], np.int64)
