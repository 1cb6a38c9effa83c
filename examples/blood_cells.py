"""Does center loss help a detector? Blood cells, with and without, over several seeds.

BCCD is a public set of 364 microscope images in Pascal VOC's format, with red
cells, white cells and platelets (github.com/Shenggan/BCCD_Dataset, MIT
licence). The same small net is trained from nothing, for the same number of
iterations and with the same seeds: with MultiBoxLoss (plain) and with
MultiBoxCenterLoss, whose features are a branch beside the class scores (center)
or what the scores are made from (joined; features: the same without center loss).

    python examples/blood_cells.py --voc BCCD --out runs/blood_cells
    python examples/blood_cells.py --voc BCCD --seeds 5 --center-loss-weight 0.3
    python examples/blood_cells.py --voc BCCD --variants plain features joined

A run that has its metrics is not made again, so the script can be stopped and
started. It prints a table and writes it to OUT/results.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

CLASSES = "Platelets,RBC,WBC"


@dataclass(frozen=True)
class Config:
    """What the experiment is made of; every field is an option of the command line."""

    voc: Path
    out: Path = Path("runs/blood_cells")
    seeds: int = 3
    iterations: int = 1000
    center_features: int = 16
    center_loss_weight: float = 0.1
    threads: int = 2
    variants: tuple[str, ...] = ("plain", "center")


@dataclass(frozen=True)
class Variant:
    """One of the losses and nets that are compared."""

    name: str
    title: str
    features: bool
    center_loss: bool
    scores_from_features: bool = False


VARIANTS = (
    Variant("plain", "MultiBoxLoss", features=False, center_loss=False),
    Variant("center", "MultiBoxCenterLoss, a branch", features=True, center_loss=True),
    Variant("features", "scores from features, no center loss", True, False, True),
    Variant("joined", "scores from features, MultiBoxCenterLoss", True, True, True),
)


def command(*arguments: object) -> None:
    """Runs `ssd-centerloss` with these arguments; its failure ends this script too."""
    line = [sys.executable, "-m", "ssd_centerloss", *map(str, arguments)]
    if subprocess.run(line, check=False).returncode:
        sys.exit(f"failed: ssd-centerloss {' '.join(map(str, arguments))}")


def dataset(config: Config) -> Path:
    """The dataset folder of all three classes, written if it is not there."""
    folder = config.out / "data"
    if not folder.exists():
        splits = ("--split", "train=trainval", "--split", "test=test")
        command("data", "voc", config.voc, "--out", folder, "--classes", CLASSES, *splits)
    return folder


def measure(config: Config, variant: Variant, seed: int) -> dict[str, Any]:
    """The metrics of one training, made if they are not there."""
    run = config.out / f"{variant.name}_{seed}"
    metrics = run / "eval" / "metrics.json"
    wanted: dict[str, float] = {
        "iterations": config.iterations,
        "center_features": config.center_features if variant.features else 0,
    }
    if variant.features:
        wanted["center_loss_weight"] = config.center_loss_weight if variant.center_loss else 0
    if not metrics.exists():
        options: dict[str, object] = {
            "--data": dataset(config),
            "--out": run,
            "--seed": seed,
            "--threads": config.threads,
            **{f"--{name.replace('_', '-')}": value for name, value in wanted.items()},
        }
        flags = ["--overwrite"] + ["--scores-from-features"] * variant.scores_from_features
        command("train", *flags, *(word for pair in options.items() for word in pair))
        command("eval", run)
    made = json.loads((run / "run.json").read_text(encoding="utf-8"))
    if any(made[name] != value for name, value in wanted.items()):
        had = ", ".join(f"{name} {made[name]}" for name in wanted)
        sys.exit(f"{run}: was made with {had}; choose another --out")
    found: dict[str, Any] = json.loads(metrics.read_text(encoding="utf-8"))
    return found


def figures(metrics: dict[str, Any]) -> dict[str, float]:
    """The numbers of the table, by their titles."""
    result = {"mAP@0.5 (VOC12)": metrics["mean"]["voc12"]}
    result |= {f"AP {row['name']}": row["voc12"] for row in metrics["classes"]}
    result["mAP@0.5 (VOC07)"] = metrics["mean"]["voc07"]
    result["AP@[.5:.95]"] = metrics["mean"]["coco"]
    for what, geometry in (metrics["features"] or {}).items():
        if isinstance(geometry, dict):
            result[f"within/between, {what.replace('_', ' ')}"] = geometry["ratio"]
    return result


def summary(values: list[float]) -> str:
    """The mean, the standard deviation, and each value."""
    each = ", ".join(f"{value:.3f}" for value in values)
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.3f} ± {spread:.3f} ({each})"


def tabulate(results: dict[str, list[dict[str, float]]]) -> list[list[str]]:
    """Rows of the table: a title, then what each variant has."""
    titles = list(
        dict.fromkeys(title for runs in results.values() for run in runs for title in run)
    )
    return [
        [title]
        + [
            summary([run[title] for run in runs]) if title in runs[0] else "–"
            for runs in results.values()
        ]
        for title in titles
    ]


def report(config: Config, rows: list[list[str]]) -> None:
    """Prints the table and writes it as Markdown."""
    columns = ["", *(variant.title for variant in chosen(config))]
    table = Table(*columns, title=f"{config.seeds} seeds, {config.iterations} iterations")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    lines = [columns, ["---"] * len(columns), *rows]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    (config.out / "results.md").write_text(text, encoding="utf-8")


def chosen(config: Config) -> list[Variant]:
    """The variants that were asked for, in the order of VARIANTS."""
    return [variant for variant in VARIANTS if variant.name in config.variants]


def parse(arguments: list[str]) -> Config:
    """Reads the command line."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--voc", type=Path, required=True, help="the folder of the VOC data")
    defaults = Config(voc=Path())
    for name, default in vars(defaults).items():
        if name == "variants":
            names = [variant.name for variant in VARIANTS]
            parser.add_argument("--variants", nargs="+", choices=names, default=default)
        elif name != "voc":
            option = "--" + name.replace("_", "-")
            parser.add_argument(option, type=type(default), default=default, help=f"{default}")
    config = Config(**vars(parser.parse_args(arguments)))
    if not config.voc.is_dir():
        parser.error(f"--voc {config.voc}: no such folder")
    if min(config.seeds, config.iterations, config.threads) < 1:
        parser.error("--seeds, --iterations and --threads must be at least 1")
    return config


def main(arguments: list[str]) -> None:
    """Makes all runs, one after the other, and compares them."""
    config = parse(arguments)
    results: dict[str, list[dict[str, float]]] = {v.name: [] for v in chosen(config)}
    for seed in range(1, config.seeds + 1):
        for variant in chosen(config):
            results[variant.name].append(figures(measure(config, variant, seed)))
    report(config, tabulate(results))


if __name__ == "__main__":
    main(sys.argv[1:])
