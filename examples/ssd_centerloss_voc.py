"""Writes what SSD300 or SSD512 with center loss needs to train on VOC0712, and trains it.

The train, test, deploy and solver prototxt and a run script go into a folder;
what is missing (data, pre-trained weights) is named, with where to get it.
The nets are plain Caffe-SSD but for the layer MultiBoxCenterLoss.

    python examples/ssd_centerloss_voc.py
    python examples/ssd_centerloss_voc.py --size 512 --center-loss-weight 0.05
    python examples/ssd_centerloss_voc.py --center-features 0      # SSD as published
    python examples/ssd_centerloss_voc.py --data my_dataset --weights VGG.caffemodel --run
    python examples/ssd_centerloss_voc.py --resume --run
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from ssd_centerloss import models
from ssd_centerloss.data.label_map import LabelMap
from ssd_centerloss.errors import UserError
from ssd_centerloss.models.files import write_text
from ssd_centerloss.training.process import caffe_command

VOC_CLASSES, VOC_TEST_IMAGES = 21, 4952  # with the background; VOC2007 test
WEIGHTS = Path("VGG_ILSVRC_16_layers_fc_reduced.caffemodel")
VOC_URL = "http://host.robots.ox.ac.uk/pascal/VOC"
HOW_TO_GET_DATA = f"""\
VOC2007 and VOC2012, unpacked into one folder VOCdevkit:
    {VOC_URL}/voc2007/VOCtrainval_06-Nov-2007.tar
    {VOC_URL}/voc2007/VOCtest_06-Nov-2007.tar
    {VOC_URL}/voc2012/VOCtrainval_11-May-2012.tar
  then: ssd-centerloss data voc VOCdevkit -o @DATA --split train=trainval --split test=VOC2007/test
  Your own data: `ssd-centerloss data --help`, and --data FOLDER here."""
HOW_TO_GET_WEIGHTS = """\
VGG_ILSVRC_16_layers_fc_reduced.caffemodel, the reduced VGG16 of ParseNet:
    https://gist.github.com/weiliu89/2ed6e13bfd5b57cf81d6
  then: --weights FILE. With --weights "" the net starts from nothing: VGG16 hardly learns so."""


@dataclass(frozen=True)
class Options:
    """Every field is an option of the command line.

    data has the parts that train_lmdb, test_lmdb, label_map and name_size do not name.
    """

    size: int = 300
    batch: int = 32
    pass_batch: int = 8
    iterations: int = 120_000
    lr: float = 1e-3
    classes: int = 0
    center_features: int = 16
    center_loss_weight: float = 0.1
    data: Path = Path("voc0712")
    train_lmdb: Path | None = None
    test_lmdb: Path | None = None
    label_map: Path | None = None
    name_size: Path | None = None
    weights: str = str(WEIGHTS)
    out: Path = Path("runs/ssd_voc")
    resume: bool = False
    run: bool = False


HELP = {
    "size": "300 or 512",
    "batch": "images of an update",
    "pass_batch": "images in memory at once",
    "classes": "with the background; 0: as the label map has, 21 without one",
    "center_features": "length of a prior's feature; 0: SSD's own MultiBoxLoss",
    "data": "a folder of `ssd-centerloss data`",
    "weights": "a caffemodel to start from",
    "resume": "go on from the newest snapshot",
    "run": "train now",
}


def databases(options: Options) -> models.Databases:
    """The four parts of the data, from the dataset folder where they are not given."""
    name_size = options.name_size or options.data / "test_name_size.txt"
    images = len(name_size.read_text().splitlines()) if name_size.exists() else VOC_TEST_IMAGES
    return models.Databases(
        train=str(options.train_lmdb or options.data / "train_lmdb"),
        test=str(options.test_lmdb or options.data / "test_lmdb"),
        label_map=str(options.label_map or options.data / "labelmap.prototxt"),
        name_size=str(name_size),
        test_images=images,
    )


def recipe(options: Options) -> models.Recipe:
    """SSD of the size, with the options' numbers."""
    if min(options.batch, options.pass_batch) < 1:
        raise UserError("--batch and --pass-batch: expected 1 or more")
    if options.batch % options.pass_batch:
        raise UserError(f"--batch {options.batch} is no multiple of {options.pass_batch} a pass")
    name = f"ssd{options.size}_vgg16"
    if name not in models.RECIPES:
        raise UserError(f"--size {options.size}: expected 300 or 512")
    ssd = models.RECIPES[name]
    schedule = replace(
        ssd.schedule,
        iterations=options.iterations,
        lr=options.lr,
        batch=options.pass_batch,
        passes=options.batch // options.pass_batch,
        snapshot=5000,
    )
    return replace(ssd, schedule=schedule)


def num_classes(options: Options, label_map: Path) -> int:
    """What the label map has, which must be what was asked for."""
    if not label_map.exists():
        return options.classes or VOC_CLASSES
    found = LabelMap.read(label_map).num_classes
    if options.classes not in (0, found):
        raise UserError(f"{label_map}: {found} classes with the background, not {options.classes}")
    return found


def build(options: Options, ssd: models.Recipe) -> models.Nets:
    """The nets and the solver."""
    data = databases(options)
    center_loss = None
    if options.center_features and options.center_loss_weight:
        center_loss = models.CenterLoss(options.center_features, options.center_loss_weight)
    return models.build(
        ssd,
        models.Config(
            num_classes=num_classes(options, Path(data.label_map)),
            databases=data,
            files=str(options.out),
            snapshots=str(options.out / "ssd"),
            center_loss=center_loss,
            name=f"SSD{options.size}",
        ),
    )


def missing(options: Options) -> list[str]:
    """What training cannot begin without, and where to get it."""
    data = databases(options)
    absent = [
        path
        for path in (data.train, data.test, data.label_map, data.name_size)
        if not Path(path).exists()
    ]
    found = []
    if absent:
        how = HOW_TO_GET_DATA.replace("@DATA", str(options.data))
        found.append(f"missing data: {', '.join(absent)}\n  {how}")
    starts_new = not (options.resume and newest_state(options.out))
    if starts_new and options.weights and not Path(options.weights).exists():
        found.append(f"missing weights: {options.weights}\n  {HOW_TO_GET_WEIGHTS}")
    return found


def newest_state(out: Path) -> Path | None:
    """The solverstate of the most iterations."""
    states = out.glob("ssd_iter_*.solverstate")
    return max(states, key=lambda path: int(path.stem.rpartition("_")[2]), default=None)


def command(options: Options) -> list[str]:
    """What trains: from the newest snapshot, from weights, or from nothing."""
    words = [caffe_command(), "train", "-solver", str(options.out / "solver.prototxt")]
    words += ["-log", str(options.out / "train.log")]
    state = newest_state(options.out) if options.resume else None
    if state is not None:
        return [*words, "-snapshot", str(state)]
    return [*words, "-weights", options.weights] if options.weights else words


def write_script(options: Options) -> Path:
    """OUT/train.sh, to be run where this was: paths are as they were given."""
    script = options.out / "train.sh"
    write_text(script, f"#!/bin/sh\nset -e\n{shlex.join(command(options))}\n")
    script.chmod(0o755)
    return script


def parse_arguments(arguments: list[str] | None) -> Options:
    """The options from the command line."""
    summary, _, examples = (__doc__ or "").partition("\n\n    python")
    parser = argparse.ArgumentParser(
        description=summary,
        epilog=f"examples:\n    python{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, default in vars(Options()).items():
        flag, text = f"--{name.replace('_', '-')}", HELP.get(name, "")
        if isinstance(default, bool):
            parser.add_argument(flag, action="store_true", help=text)
            continue
        kind = Path if default is None else type(default) if not isinstance(default, Path) else Path
        note = f"{text}; default: {default}" if text else f"default: {default}"
        parser.add_argument(flag, type=kind, default=default, help=note.replace("%", "%%"))
    return Options(**vars(parser.parse_args(arguments)))


def prepare(options: Options, ssd: models.Recipe) -> Path:
    """Writes everything into OUT and returns the run script."""
    if options.resume and not newest_state(options.out):
        raise UserError(f"--resume: {options.out} has no ssd_iter_N.solverstate")
    models.write(build(options, ssd), options.out)
    return write_script(options)


def main(arguments: list[str] | None = None) -> int:
    """Writes, reports and, where asked, trains."""
    options = parse_arguments(arguments)
    try:
        script = prepare(options, recipe(options))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{options.out}: train, test, deploy and solver.prototxt; {script} trains")
    absent = missing(options)
    print(*absent, sep="\n")
    if not options.run or absent:
        return 1 if options.run else 0
    return subprocess.run([os.path.abspath(script)], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
