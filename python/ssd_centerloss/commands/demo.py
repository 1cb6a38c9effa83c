"""`ssd-centerloss demo`: from nothing to a trained detector and its pictures."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

SMALLEST = 24  # pixels of a digit: three cells of the finest map
GRID_IMAGES = 9
GRID_SIDE = 220

EPILOG = """
[bold]Examples[/bold]

  ssd-centerloss demo

  ssd-centerloss demo --out runs/plain --center-features 0 --iterations 1500
"""


@dataclass(frozen=True)
class DemoFolders:
    """Where the demo's steps write."""

    out: Path

    @property
    def scenes(self) -> Path:
        return self.out / "scenes"

    @property
    def data(self) -> Path:
        return self.out / "data"

    @property
    def run(self) -> Path:
        return self.out / "run"

    @property
    def picture(self) -> Path:
        return self.out / "detections.png"


def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The folder to write; an older demo is replaced.")
    ] = Path("runs/demo"),
    iterations: Annotated[int, typer.Option(min=1, help="Updates of the weights.")] = 1200,
    center_features: Annotated[
        int | None, typer.Option(help="Length of a prior's feature; 0: the plain MultiBoxLoss.")
    ] = None,
    center_loss_weight: Annotated[
        float | None, typer.Option(help="Factor of the center loss.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of scenes, weights and augmentation.")] = 1,
    threads: Annotated[
        int | None, typer.Option("--threads", "-j", min=1, help="Default: all processors.")
    ] = None,
) -> None:
    """Train a detector of handwritten digits from nothing, and look at it.

    Draws scenes of real digits on textured backgrounds (scikit-learn's; no
    digit of the test scenes is in a training scene), writes their dataset,
    trains the small net with center loss, evaluates it on the test scenes and
    draws what it finds in some of them. A few minutes on two cores.
    """
    from ssd_centerloss.commands.eval import evaluate
    from ssd_centerloss.training.options import TrainOptions
    from ssd_centerloss.training.run import train

    begin = time.monotonic()
    folders = DemoFolders(out)
    _step("scenes of handwritten digits")
    make_dataset(folders, seed, threads)
    _step("training")
    options = TrainOptions(
        data=folders.data,
        iterations=iterations,
        center_features=center_features,
        center_loss_weight=center_loss_weight,
        mirror=False,
        seed=seed,
        threads=threads,
    )
    train(options, folders.run, overwrite=folders.run.exists())
    _step("evaluation")
    evaluate(folders.run)
    draw_detections(folders)
    _step(f"done in {time.monotonic() - begin:.0f} s")
    typer.echo(f"detections: {folders.picture}")
    typer.echo(f"loss and mAP over time: {folders.run / 'curves.png'}")
    typer.echo(f"more: ssd-centerloss detect {folders.run} {folders.scenes / 'JPEGImages'}")


def make_dataset(folders: DemoFolders, seed: int, threads: int | None = None) -> None:
    """Draws the scenes, as a Pascal VOC folder, and writes their dataset."""
    from ssd_centerloss.data.prepare import prepare
    from ssd_centerloss.data.progress import default_threads
    from ssd_centerloss.data.voc import read_voc
    from ssd_centerloss.data.writer import WriteOptions, write_dataset
    from ssd_centerloss.scenes import SceneOptions, write_scenes

    write_scenes(folders.scenes, SceneOptions(smallest=SMALLEST, seed=seed), overwrite=True)
    threads = threads or default_threads()
    source = read_voc([folders.scenes], [], 0.0, seed)
    prepared = prepare(source, None, threads)
    write_dataset(folders.data, prepared, WriteOptions(seed=seed, threads=threads, overwrite=True))


def draw_detections(folders: DemoFolders) -> None:
    """Draws what the run finds in the first test scenes beside what is there."""
    import itertools

    from ssd_centerloss.data.dataset import Dataset
    from ssd_centerloss.drawing import write_image
    from ssd_centerloss.evaluation.grid import Sample, detections_grid
    from ssd_centerloss.evaluation.split import read_split
    from ssd_centerloss.inference import Detector

    detector = Detector.from_run(folders.run)
    scenes = itertools.islice(read_split(Dataset.open(folders.data), "test"), GRID_IMAGES)
    samples = [
        Sample(scene.image, detector.detect([scene.image])[0], scene.truth)
        for scene in scenes
        if scene.image is not None
    ]
    picture = detections_grid(samples, detector.label_map.names, side=GRID_SIDE)
    write_image(folders.picture, picture)


def _step(text: str) -> None:
    typer.secho(f"\n== {text}", bold=True)
