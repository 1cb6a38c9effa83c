"""`ssd-centerloss detect`: a run's detections in images, videos and from cameras."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Generator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ssd_centerloss.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ssd_centerloss.detections import Detections
    from ssd_centerloss.inference import Detector
    from ssd_centerloss.media import Source, Video, VideoFile

EPILOG = """
[bold]Examples[/bold]

    ssd-centerloss detect runs/cells photo.jpg folder/of/images film.mp4 --out found

    ssd-centerloss detect runs/cells folder --threshold 0.01 --json found.json --voc results

    ssd-centerloss detect runs/cells --camera 0 --show
"""
QUIT_KEYS = frozenset({27, ord("q")})  # Esc
KEPT_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})


# Many parameters: each is an option of the command line.
def detect(
    run: Annotated[Path, typer.Argument(help="A run folder, as `train` writes it.")],
    sources: Annotated[
        list[Path] | None, typer.Argument(help="Images, videos, and folders of them.")
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="The least score of a detection.")
    ] = 0.5,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder for pictures and videos with the boxes drawn. Default: RUN/detections, "
            "unless --json, --voc or --show is given.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="File for the detections in COCO's form.")
    ] = None,
    voc: Annotated[
        Path | None, typer.Option(help="Folder for VOC's result files, one for each class.")
    ] = None,
    camera: Annotated[int | None, typer.Option(min=0, help="Number of a camera.")] = None,
    frames: Annotated[
        int | None, typer.Option(min=1, help="Frames of each video, or of the camera, at most.")
    ] = None,
    show: Annotated[
        bool, typer.Option("--show/--no-show", help="Show pictures in a window; q ends.")
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option(help="Weights other than the run's newest snapshot.", show_default=False),
    ] = None,
) -> None:
    """Find objects in images, videos or what a camera sees.

    What cannot be read is named and left out, and the exit code is 1 then.
    """
    from ssd_centerloss.inference import Detector

    places = sources or []
    if not places and camera is None:
        raise UserError("nothing to look at: give images, videos, folders, or --camera N")
    if out is None and json is None and voc is None and not show:
        out = run / "detections"
    if show:
        _check_windows()
    detector = Detector.from_run(run, weights)
    work = Work(detector, threshold, out, show, frames)
    try:
        work.look_at(places, camera)
    except KeyboardInterrupt:
        if camera is None:
            raise  # a camera has no other end than this
    _write(work, json, voc)
    if work.failures:
        raise typer.Exit(1)


@dataclass
class Work:
    """Detecting, drawing and showing; what was found and what failed so far.

    out    : folder of the pictures; None: none are written
    frames : the most of a video; None: all
    """

    detector: Detector
    threshold: float
    out: Path | None
    show: bool
    frames: int | None
    found: dict[str, Detections] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    stopped: bool = False

    def look_at(self, places: Sequence[Path], camera: int | None) -> None:
        """Detects in everything; what fails is printed and kept in `failures`."""
        from ssd_centerloss.data.progress import shown
        from ssd_centerloss.media import find_sources

        sources, problems = find_sources(places)
        for problem in problems:
            self._fail(problem)
        images = [source for source in sources if not source.is_video]
        for _ in shown(self._images(images), len(images), "images"):
            pass
        videos: list[tuple[Path | int, str]] = [
            (source.path, source.name) for source in sources if source.is_video
        ]
        if camera is not None:
            videos.append((camera, f"camera{camera}"))
        for place, name in videos:
            if self.stopped:
                return
            try:
                self._video(place, name)
            except UserError as error:
                self._fail(str(error))

    def _fail(self, problem: str) -> None:
        self.failures.append(problem)
        print(problem, file=sys.stderr)

    def _target(self, file: str, source: Path | int) -> Path | None:
        """The file to write; None: none is. Raises UserError if it is the source itself."""
        path = None if self.out is None else self.out / file
        if path is None or not isinstance(source, Path):
            return path
        if path.exists() and path.samefile(source):
            raise UserError(f"{path}: --out would overwrite the source; choose another folder")
        return path

    def _images(self, sources: Sequence[Source]) -> Generator[None, None, None]:
        for source in sources:
            try:
                self._image(source)
            except UserError as error:
                self._fail(str(error))
            yield None
            if self.stopped:
                return

    def _image(self, source: Source) -> None:
        from ssd_centerloss.drawing import write_image
        from ssd_centerloss.inference import read_image

        suffix = source.path.suffix.lower()
        suffix = suffix if suffix in KEPT_SUFFIXES else ".png"
        path = self._target(f"{source.name}{suffix}", source.path)
        picture = self._detect(read_image(source.path), source.name, wait=0)
        if path is not None:
            write_image(path, picture)

    def _video(self, place: Path | int, name: str) -> None:
        from ssd_centerloss.data.progress import shown
        from ssd_centerloss.media import Video, VideoFile

        path = self._target(f"{name}.mp4", place)
        video = Video(place)
        total = min(video.count, self.frames or sys.maxsize)
        with nullcontext() if path is None else VideoFile(path, video.rate) as file:
            for _ in shown(self._frames(video, name, file), total, name):
                pass

    def _frames(
        self, video: Video, name: str, file: VideoFile | None
    ) -> Generator[None, None, None]:
        for number, frame in enumerate(itertools.islice(video.frames(), self.frames)):
            picture = self._detect(frame, f"{name}_{number:06d}", wait=1)
            if file is not None:
                file.add(picture)
            yield None
            if self.stopped:
                return

    def _detect(self, image: NDArray[np.uint8], name: str, wait: int) -> NDArray[np.uint8]:
        """The image with its boxes; `wait` milliseconds in the window, 0: until a key."""
        from ssd_centerloss.drawing import draw_detections

        found = self.detector.detect([image])[0].above(self.threshold)
        self.found[name] = found
        if self.out is None and not self.show:
            return image
        picture = draw_detections(image, found, self.detector.label_map.display)
        if self.show:
            import cv2

            cv2.imshow("detections", picture)
            self.stopped = cv2.waitKey(wait) in QUIT_KEYS
        return picture


def _write(work: Work, json: Path | None, voc: Path | None) -> None:
    from ssd_centerloss.evaluation.results import write_coco, write_voc

    names = work.detector.label_map.names
    if json is not None:
        write_coco(json, work.found, names)
    if voc is not None:
        write_voc(voc, work.found, names)
    places = [str(place) for place in (work.out, json, voc) if place is not None]
    count = sum(len(found) for found in work.found.values())
    print(
        f"{len(work.found)} images, {count} detections of {work.threshold} and more"
        + (f"; in {', '.join(places)}" if places else "")
    )
    if work.failures:
        print(f"{len(work.failures)} failed, named above", file=sys.stderr)


def _check_windows() -> None:
    import cv2

    try:
        cv2.namedWindow("detections")
    except cv2.error:
        raise UserError(
            "--show: this OpenCV has no windows (opencv-python-headless), or there is no screen; "
            "use --out and look at the files"
        ) from None
