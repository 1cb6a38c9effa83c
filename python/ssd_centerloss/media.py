"""Images and videos from the places that a user names: files, folders, cameras."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssd_centerloss.data.source import IMAGE_SUFFIXES
from ssd_centerloss.errors import UserError

VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm"})
DEFAULT_RATE = 25.0
"""Frames a second of a video that does not say."""


@dataclass(frozen=True)
class Source:
    """An image or a video.

    name : its path within the folder that was given (a file's: its name), without the suffix;
           no two sources have the same
    """

    path: Path
    name: str

    @property
    def is_video(self) -> bool:
        return self.path.suffix.lower() in VIDEO_SUFFIXES


def find_sources(places: Sequence[Path]) -> tuple[list[Source], list[str]]:
    """The images and videos of files and folders, in order; and what is wrong with the places.

    Folders are searched to any depth, by suffix; a file is taken as it is.
    """
    found: list[Source] = []
    problems: list[str] = []
    names: set[str] = set()
    for place in places:
        if place.is_dir():
            inside = sorted(path for path in place.rglob("*") if _is_medium(path))
            paths = [(path, path.relative_to(place).with_suffix("")) for path in inside]
            if not paths:
                problems.append(f"{place}: no images or videos in this folder")
        elif place.exists():
            paths = [(place, Path(place.stem))]
        else:
            problems.append(f"{place}: no such file or folder")
            continue
        for path, name in paths:
            found.append(Source(path, _unique(name.as_posix(), names)))
    return found, problems


def _is_medium(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES.union(IMAGE_SUFFIXES)


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    taken.add(candidate)
    return candidate


class Video:
    """The frames of a video file or a camera.

    count : of the frames, as the file says; 0 if it does not
    rate  : frames a second
    """

    def __init__(self, source: Path | int) -> None:
        """Opens a file, or the camera of a number. Raises UserError where that fails."""
        import cv2

        where = f"camera {source}" if isinstance(source, int) else str(source)
        self._capture = cv2.VideoCapture(source if isinstance(source, int) else where)
        if not self._capture.isOpened():
            raise UserError(f"{where}: cannot be opened as a video")
        self.count = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate = rate if 0 < rate < 1000 else DEFAULT_RATE
        self._where = where

    def frames(self) -> Generator[NDArray[np.uint8], None, None]:
        """Each frame, BGR. Raises UserError if there is none at all."""
        seen = 0
        try:
            while True:
                there, frame = self._capture.read()
                if not there:
                    break
                seen += 1
                yield np.asarray(frame, np.uint8)
        finally:
            self._capture.release()
        if seen == 0:
            raise UserError(f"{self._where}: no frame can be read")


class VideoFile:
    """An MP4 that frames are added to; a context manager. The first frame tells its size."""

    def __init__(self, path: Path, rate: float) -> None:
        self.path, self._rate = path, rate
        self._writer: Any = None

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.release()

    def add(self, frame: NDArray[np.uint8]) -> None:
        """Raises UserError where this OpenCV cannot write such a video."""
        import cv2

        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            size = (frame.shape[1], frame.shape[0])
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self.path), code, self._rate, size)
            if not self._writer.isOpened():
                raise UserError(f"{self.path}: cannot be written as a video of {size} pixels")
        self._writer.write(frame)
