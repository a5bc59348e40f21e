"""What can be said of a picture in numbers: faces, light, sharpness, noise, and whether it is the same as another.

Faces are counted with the Haar cascades that come with OpenCV's wheel: old and modest, and so a count of none is said
only of a picture that is light and sharp enough. Nothing that could tell one child from another is computed or kept.
"""

from __future__ import annotations

import functools
import hashlib
import os
from typing import TYPE_CHECKING

import cv2
import msgspec
import numpy as np

from infra.parts.process import die_with_parent
from proctoring.decoding import UnreadableError, opened

if TYPE_CHECKING:
    from cv2.typing import MatLike as Grey

LARGEST_SIDE = 640
DARK, BRIGHT, BLURRED = 40.0, 225.0, 15.0
# A sensor is never silent: below this the picture was drawn or computed. Compression smooths, so it is set low.
SILENT = 0.12
NICE = 10


class Numbers(msgspec.Struct, frozen=True):
    """What was seen. `same` is equal for equal files and says nothing else."""

    faces: int
    light: float
    sharp: float
    noise: float
    same: str

    @property
    def fit(self) -> bool:
        """Light and sharp enough that a count of faces means something."""
        return DARK <= self.light <= BRIGHT and self.sharp >= BLURRED


def begin() -> None:
    """A process of checks: behind everything else, one thread."""
    die_with_parent()
    os.nice(NICE)
    cv2.setNumThreads(1)


def look(body: bytes) -> Numbers | None:
    """The numbers of a picture; None when it cannot be decoded."""
    # OpenCV's stub knows of no None, which is its answer to what it cannot decode.
    decoded: Grey | None
    try:
        # OpenCV tells a size only after it has made room for it.
        with opened(body):
            decoded = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_GRAYSCALE)
    except (cv2.error, UnreadableError):
        return None
    grey = decoded
    if grey is None or min(grey.shape) < 16:
        return None
    most = max(grey.shape)
    if most > LARGEST_SIDE:
        grey = cv2.resize(grey, None, fx=LARGEST_SIDE / most, fy=LARGEST_SIDE / most, interpolation=cv2.INTER_AREA)
    return Numbers(
        faces=_faces(grey),
        light=round(float(grey.mean()), 1),
        sharp=round(float(cv2.Laplacian(grey, cv2.CV_64F).var()), 1),
        noise=round(noise_of(grey), 3),
        same=hashlib.blake2b(body, digest_size=8).hexdigest(),
    )


def noise_of(grey: Grey) -> float:
    """Standard deviation of the noise, in levels of grey.

    Source  Immerkær (1996), Fast Noise Variance Estimation, Computer Vision and Image Understanding 64(2).
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float64)
    inner = cv2.filter2D(grey.astype(np.float64), -1, mask)[1:-1, 1:-1]
    return float(np.sqrt(np.pi / 2) * np.abs(inner).mean() / 6)


def _faces(grey: Grey) -> int:
    even = cv2.equalizeHist(grey)
    least = max(24, min(grey.shape) // 6)
    front, side = _cascades()
    found = len(front.detectMultiScale(even, scaleFactor=1.1, minNeighbors=5, minSize=(least, least)))
    if found:
        return found
    # A turned head is a head: the cascade of profiles knows the left, the mirrored picture the right.
    for turned in (even, cv2.flip(even, 1)):
        if len(side.detectMultiScale(turned, scaleFactor=1.1, minNeighbors=4, minSize=(least, least))):
            return 1
    return 0


@functools.cache
def _cascades() -> tuple[cv2.CascadeClassifier, cv2.CascadeClassifier]:
    folder = os.path.dirname(cv2.__file__) + "/data/"  # noqa: PTH120 (OpenCV takes text)
    names = ("haarcascade_frontalface_default.xml", "haarcascade_profileface.xml")
    return cv2.CascadeClassifier(folder + names[0]), cv2.CascadeClassifier(folder + names[1])
