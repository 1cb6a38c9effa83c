"""Trains a digit classifier with and without center loss, and draws what changes.

The 1,797 handwritten digits that scikit-learn carries go into a database; a
small net whose last hidden layer has two features is trained by `caffe train`
in three ways: softmax alone, softmax + center loss, and center loss fine-tuned
from softmax alone. The two features of each test digit are a point of the
plane, so the effect of center loss can be seen (Wen et al., ECCV 2016, fig. 2).

    python examples/digits_center_loss.py
    python examples/digits_center_loss.py --out runs/strong --center-loss-weight 0.3
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from google.protobuf import text_format
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits

import caffe
from caffe import layers as L
from caffe import params as P
from caffe.proto import caffe_pb2
from ssd_centerloss.class_geometry import ClassGeometry, measure
from ssd_centerloss.database import write_database

matplotlib.use("Agg")
import matplotlib.pyplot as plt

CLASSES = 10
LARGEST_VALUE = 16  # of a scikit-learn digit's pixels


@dataclass(frozen=True)
class Config:
    """What a run is made of; every field is an option of the command line."""

    out: Path = Path("runs/digits")
    center_loss_weight: float = 0.1
    center_lr: float = 0.5
    iterations: int = 1500
    batch_size: int = 64
    seed: int = 1


@dataclass(frozen=True)
class Variant:
    """One way of training, in a folder of its own."""

    name: str
    title: str
    center_loss: bool
    start_from: str | None = None


VARIANTS = (
    Variant("softmax", "softmax alone", center_loss=False),
    Variant("center", "softmax + center loss", center_loss=True),
    Variant("fine_tuned", "fine-tuned with center loss", center_loss=True, start_from="softmax"),
)


@dataclass(frozen=True)
class Result:
    """What a trained net makes of the test digits."""

    variant: Variant
    features: NDArray[np.floating]
    labels: NDArray[np.integer]
    accuracy: float
    geometry: ClassGeometry


def write_digits(folder: Path) -> None:
    """Writes folder/train_lmdb and folder/test_lmdb: three quarters and one of the digits.

    scikit-learn's order goes by writers, so the test digits are by other hands.
    """
    digits = load_digits()
    images = digits.images.astype(np.uint8)
    border = len(images) * 3 // 4
    for name, part in (("train", slice(0, border)), ("test", slice(border, None))):
        write_database(
            folder / f"{name}_lmdb",
            (
                (f"{i:05d}", caffe.io.array_to_datum(image[None], int(label)).SerializeToString())
                for i, (image, label) in enumerate(
                    zip(images[part], digits.target[part], strict=True)
                )
            ),
        )


def add_trunk(net: caffe.NetSpec, data: Any) -> None:
    """Three convolutions, a layer of two features, and scores of the ten classes."""
    top = data
    for i, num_output in enumerate((32, 32, 64), start=1):
        convolution = L.Convolution(
            top, kernel_size=3, pad=1, num_output=num_output, weight_filler={"type": "msra"}
        )
        net[f"conv{i}"] = convolution
        net[f"prelu{i}"] = top = L.PReLU(convolution, in_place=True)
        if i > 1:
            net[f"pool{i}"] = top = L.Pooling(top, pool=P.Pooling.MAX, kernel_size=2, stride=2)
    net.feature = L.InnerProduct(top, num_output=2, weight_filler={"type": "xavier"})
    net.score = L.InnerProduct(net.feature, num_output=CLASSES, weight_filler={"type": "xavier"})


def add_data(net: caffe.NetSpec, source: Path, batch_size: int) -> None:
    """Digits of a database, their pixels scaled to 0 … 1."""
    net.data, net.label = L.Data(
        ntop=2,
        source=str(source),
        backend=P.Data.LMDB,
        batch_size=batch_size,
        transform_param={"scale": 1 / LARGEST_VALUE},
    )


def train_net(config: Config, center_loss: bool) -> caffe_pb2.NetParameter:
    """The net that learns; the center loss is one layer more."""
    net = caffe.NetSpec()
    add_data(net, config.out / "train_lmdb", config.batch_size)
    add_trunk(net, net.data)
    net.loss = L.SoftmaxWithLoss(net.score, net.label)
    if center_loss:
        net.center_loss, net.center_distance = L.CenterLoss(
            net.feature,
            net.label,
            ntop=2,
            loss_weight=[config.center_loss_weight, 0],
            center_loss_param={"num_output": CLASSES, "center_lr": config.center_lr},
        )
    return net.to_proto()


def test_net(config: Config) -> caffe_pb2.NetParameter:
    """The net that the solver tests: nine batches of 50 are the 450 test digits."""
    net = caffe.NetSpec()
    add_data(net, config.out / "test_lmdb", 50)
    add_trunk(net, net.data)
    net.loss = L.SoftmaxWithLoss(net.score, net.label)
    net.accuracy = L.Accuracy(net.score, net.label)
    return net.to_proto()


def deploy_net(batch_size: int) -> caffe_pb2.NetParameter:
    """The net without its data and losses."""
    net = caffe.NetSpec()
    net.data = L.Input(input_param={"shape": {"dim": [batch_size, 1, 8, 8]}})
    add_trunk(net, net.data)
    return net.to_proto()


def solver(config: Config, folder: Path) -> caffe_pb2.SolverParameter:
    """Adam, its rate falling to a tenth after two thirds of the iterations."""
    return caffe_pb2.SolverParameter(
        train_net=str(folder / "train.prototxt"),
        test_net=[str(folder / "test.prototxt")],
        test_iter=[9],
        test_interval=500,
        type="Adam",
        base_lr=2e-3,
        momentum=0.9,
        momentum2=0.999,
        lr_policy="step",
        gamma=0.1,
        stepsize=config.iterations * 2 // 3,
        weight_decay=5e-4,
        display=100,
        max_iter=config.iterations,
        snapshot_prefix=str(folder / "digits"),
        solver_mode=caffe_pb2.SolverParameter.CPU,
        random_seed=config.seed,
    )


def write_text(path: Path, message: Any) -> None:
    """Writes a message as prototxt."""
    path.write_text(text_format.MessageToString(message))


def weights_of(config: Config, name: str) -> Path:
    """Where a variant's training leaves its weights."""
    return config.out / name / f"digits_iter_{config.iterations}.caffemodel"


def caffe_command() -> str:
    """The caffe command on the PATH, or beside this Python."""
    return shutil.which("caffe") or str(Path(sys.executable).with_name("caffe"))


def train(config: Config, variant: Variant) -> None:
    """Runs `caffe train`; the log is FOLDER/train.log, and its last line tells why it failed."""
    folder = config.out / variant.name
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "train.prototxt", train_net(config, variant.center_loss))
    write_text(folder / "test.prototxt", test_net(config))
    write_text(folder / "solver.prototxt", solver(config, folder))
    command = [caffe_command(), "train", "-solver", str(folder / "solver.prototxt")]
    if variant.start_from is not None:
        command += ["-weights", str(weights_of(config, variant.start_from))]
    log = folder / "train.log"
    with open(log, "w") as stream:
        status = subprocess.run(command, stderr=stream, check=False).returncode
    if status != 0:
        last_line = (log.read_text().splitlines() or ["(nothing)"])[-1]
        sys.exit(f"caffe train failed; the last line of {log}:\n{last_line}")


def evaluate(config: Config, variant: Variant) -> Result:
    """Runs the trained net on the test digits."""
    digits = load_digits()
    border = len(digits.images) * 3 // 4
    images, labels = digits.images[border:], digits.target[border:]
    folder = config.out / variant.name
    write_text(folder / "deploy.prototxt", deploy_net(len(images)))
    net = caffe.Net(
        str(folder / "deploy.prototxt"), caffe.TEST, weights=str(weights_of(config, variant.name))
    )
    net.blobs["data"].data[...] = images[:, None] / LARGEST_VALUE
    net.forward()
    features = net.blobs["feature"].data.copy()
    accuracy = float((net.blobs["score"].data.argmax(axis=1) == labels).mean())
    return Result(variant, features, labels, accuracy, measure(features, labels))


def draw(results: list[Result], path: Path) -> None:
    """The planes of features beside each other; crosses are the class means."""
    figure, axes = plt.subplots(1, len(results), figsize=(5 * len(results), 5))
    colors = plt.get_cmap("tab10")
    for axis, result in zip(axes, results, strict=True):
        for digit in range(CLASSES):
            points = result.features[result.labels == digit]
            axis.scatter(*points.T, s=8, color=colors(digit), label=str(digit))
            axis.plot(*points.mean(axis=0), "x", color="black", markersize=7)
        axis.set_title(
            f"{result.variant.title}\naccuracy {result.accuracy:.3f}, "
            f"within / between {result.geometry.ratio:.3f}"
        )
        axis.set_aspect("equal", adjustable="datalim")
    axes[0].legend(title="digit", fontsize="small", ncol=2)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def report(results: list[Result]) -> Table:
    """The figures side by side."""
    table = Table(title="450 test digits")
    for heading in ("", "accuracy", "within-class distance", "between centers", "ratio"):
        table.add_column(heading, justify="left" if not heading else "right")
    for result in results:
        geometry = result.geometry
        table.add_row(
            result.variant.title,
            f"{result.accuracy:.4f}",
            f"{geometry.within:.3f}",
            f"{geometry.between:.3f}",
            f"{geometry.ratio:.4f}",
        )
    return table


def parse_arguments() -> Config:
    """The configuration from the command line; the options are the fields of Config."""
    summary, _, examples = (__doc__ or "").partition("\n\n    python")
    parser = argparse.ArgumentParser(
        description=summary,
        epilog=f"examples:\n    python{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, default in vars(Config()).items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=type(default) if not isinstance(default, Path) else Path,
            default=default,
            help=f"default: {default}",
        )
    return Config(**vars(parser.parse_args()))


def main() -> None:
    """Runs the whole comparison."""
    config = parse_arguments()
    console = Console()
    write_digits(config.out)
    console.print(f"databases of digits: {config.out}/train_lmdb, {config.out}/test_lmdb")
    results = []
    for variant in VARIANTS:
        with console.status(f"training: {variant.title}"):
            train(config, variant)
        results.append(evaluate(config, variant))
        console.print(f"trained: {variant.title}, log in {config.out / variant.name}/train.log")
    console.print(report(results))
    picture = config.out / "features.png"
    draw(results, picture)
    console.print(f"the two features of every test digit: {picture}")


if __name__ == "__main__":
    main()
