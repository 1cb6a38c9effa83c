"""`ssd-centerloss train`: a detector for a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EPILOG = """
[bold]Examples[/bold]

A small net for CPUs, with center loss:

  ssd-centerloss train --data cells --out runs/cells

The same without center loss, to compare with:

  ssd-centerloss train --data cells --out runs/plain --center-features 0

Larger images, more of them:

  ssd-centerloss train --data cells --out runs/large --size 240 --iterations 3000

Digits and letters must not be mirrored:

  ssd-centerloss train --data digits --out runs/digits --no-mirror

After Ctrl-C, or for more iterations:

  ssd-centerloss train --resume --out runs/cells --iterations 3000

SSD300 from the reduced VGG16:

  ssd-centerloss train --data voc --out runs/voc --model ssd300_vgg16 --weights VGG16.caffemodel
"""


# Many parameters: each is an option of the command line.
def train(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The run folder to write.", show_default=False)
    ],
    data: Annotated[
        Path | None, typer.Option(help="The dataset folder (of `ssd-centerloss data`).")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="small (default), ssd300_vgg16 or ssd512_vgg16.")
    ] = None,
    size: Annotated[int | None, typer.Option(help="Side of the net's input in pixels.")] = None,
    batch: Annotated[int | None, typer.Option(help="Images of an iteration.")] = None,
    iterations: Annotated[int | None, typer.Option(min=1, help="Updates of the weights.")] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate.")] = None,
    center_features: Annotated[
        int | None, typer.Option(help="Length of a prior's feature; 0: the plain MultiBoxLoss.")
    ] = None,
    center_loss_weight: Annotated[
        float | None, typer.Option(help="Factor of the center loss; 0: there is none.")
    ] = None,
    center_lr: Annotated[
        float | None, typer.Option(help="How fast the centers follow the features: α, 0 to 1.")
    ] = None,
    scores_from_features: Annotated[
        bool,
        typer.Option(
            "--scores-from-features",
            help="Make class scores from the center features, not beside them.",
        ),
    ] = False,
    mirror: Annotated[
        bool | None, typer.Option("--mirror/--no-mirror", help="Mirror half of the images.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="A caffemodel to start from; layers match by name.")
    ] = None,
    skip_mismatched: Annotated[
        bool, typer.Option("--skip-mismatched", help="Leave out weights of other shapes.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of weights and augmentation; drawn if not given.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", "-j", min=1, help="Default: all processors.")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="Numbers between layers: fp32 (default), or bf16 where the processor has it."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run from its newest snapshot.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a run that is there.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
) -> None:
    """Train a detector on a dataset.

    Writes a run folder: nets and solver as prototxt, snapshots, train.log,
    results.csv (loss, mAP and each class's precision over time), curves.png.
    Ctrl-C stops after the iteration, with a snapshot; --resume goes on.
    """
    from ssd_centerloss.errors import UserError
    from ssd_centerloss.training.options import TrainOptions
    from ssd_centerloss.training.run import train as run_training

    if resume and overwrite:
        raise UserError("--resume and --overwrite exclude each other")
    options = TrainOptions(
        data=data,
        model=model,
        size=size,
        batch=batch,
        iterations=iterations,
        lr=lr,
        center_features=center_features,
        center_loss_weight=center_loss_weight,
        center_lr=center_lr,
        scores_from_features=scores_from_features or None,
        mirror=mirror,
        seed=seed,
        threads=threads,
        weights=weights,
        precision=precision,
    )
    run_training(
        options,
        out,
        resume=resume,
        overwrite=overwrite,
        skip_mismatched=skip_mismatched,
        quiet=quiet,
    )
