"""`ssd-centerloss data`: annotations into databases, and databases looked at."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ssd_centerloss.errors import UserError

if TYPE_CHECKING:
    from ssd_centerloss.data.dataset import Dataset
    from ssd_centerloss.data.label_map import LabelMap
    from ssd_centerloss.data.prepare import Prepared
    from ssd_centerloss.data.source import Source
    from ssd_centerloss.data.writer import WriteOptions

SHOWN_PROBLEMS = 10  # of a kind, on the terminal; the file has all

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Write datasets from annotations (voc, coco, folder), look at them (check), "
    "make one (digits).",
)

# -- options that the writing commands share ---------------------------------

Out = Annotated[
    Path, typer.Option("--out", "-o", help="The dataset folder to write.", show_default=False)
]
Classes = Annotated[
    str,
    typer.Option(
        help="Class names in the order of their labels: a,b,c; or a file with one in each line; "
        "or a label map (.prototxt). Default: the names found in the annotations, sorted.",
        show_default=False,
    ),
]
Splits = Annotated[
    list[str] | None,
    typer.Option("--split", help="A split to write, NAME=SET[,SET…]; may come several times."),
]
TestFraction = Annotated[
    float, typer.Option(help="Share of images drawn for test, where the source has no splits.")
]
Seed = Annotated[int, typer.Option(help="Of the shuffling and of drawn splits.")]
Shuffle = Annotated[bool, typer.Option(help="Records in an order drawn with the seed.")]
Resize = Annotated[
    str, typer.Option(metavar="WxH", help="Resize every image, encoded anew.", show_default=False)
]
MinDim = Annotated[
    int | None, typer.Option(min=1, help="Resize so that the shorter side has this many pixels.")
]
Quality = Annotated[
    int | None,
    typer.Option(min=1, max=100, help="Encode every image anew as JPEG of this quality."),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Write nothing if anything is wrong with the data.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a dataset that is there.")]
Threads = Annotated[int, typer.Option("--threads", "-j", min=0, help="0: one for each processor.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")]


@dataclass(frozen=True)
class Writing:
    """The options that the writing commands share, as they were given."""

    out: Path
    classes: str
    seed: int
    shuffle: bool
    resize: str
    min_dim: int | None
    quality: int | None
    strict: bool
    overwrite: bool
    threads: int
    quiet: bool

    def options(self) -> WriteOptions:
        from ssd_centerloss.data.progress import default_threads
        from ssd_centerloss.data.writer import WriteOptions

        if self.resize and self.min_dim:
            raise UserError("--resize and --min-dim exclude each other")
        return WriteOptions(
            shuffle=self.shuffle,
            seed=self.seed,
            resize=_parse_size(self.resize) if self.resize else None,
            min_dim=self.min_dim,
            quality=self.quality,
            threads=self.threads or default_threads(),
            overwrite=self.overwrite,
            quiet=self.quiet,
        )


def _parse_size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) > 0 and int(height) > 0):
        raise UserError(f"--resize {text}: expected WIDTHxHEIGHT in pixels, for instance 300x300")
    return int(width), int(height)


def read_classes(text: str) -> LabelMap | None:
    """The label map that --classes asks for; None if it was left out."""
    from ssd_centerloss.data.label_map import LabelMap
    from ssd_centerloss.data.text_file import read_lines

    if not text:
        return None
    path = Path(text)
    if path.suffix in (".prototxt", ".pbtxt"):
        return LabelMap.read(path)
    if os.path.isfile(text):  # Path.is_file raises where a list is too long for a name
        names = read_lines(path)
    elif path.suffix == ".txt" or "/" in text:
        raise UserError(f"--classes {text}: no such file")
    else:
        names = text.split(",")
    try:
        return LabelMap.of(name.strip() for name in names if name.strip())
    except UserError as error:
        raise UserError(f"--classes {text}: {error}") from None


def _write(source: Callable[[], Source], writing: Writing) -> None:
    """Reads, checks, reports and writes."""
    from ssd_centerloss.data.dataset import INDEX
    from ssd_centerloss.data.folders import check_target
    from ssd_centerloss.data.prepare import prepare
    from ssd_centerloss.data.writer import write_dataset

    options = writing.options()
    label_map = read_classes(writing.classes)
    check_target(writing.out, INDEX, writing.overwrite)
    prepared = prepare(source(), label_map, options.threads, options.quiet)
    _report(prepared, writing.strict)
    summary = write_dataset(writing.out, prepared, options)
    if not writing.quiet:
        _print_summary(writing.out, summary)


def _report(prepared: Prepared, strict: bool) -> None:
    """Prints what is wrong; all of it, and an error, where --strict asks for that."""
    lines = prepared.report.lines(None if strict else SHOWN_PROBLEMS)
    for line in lines:
        typer.echo(line, err=True)
    if strict and lines:
        count = len(prepared.report)
        what = "problem" if count == 1 else "problems"
        raise UserError(f"{count} {what} in the data; --strict wrote nothing")


def _print_summary(out: Path, summary: dict[str, Any]) -> None:
    splits = summary["splits"]
    names = ["images", "without boxes", "boxes", "difficult", *summary["classes"]]
    width = max(len(name) for name in names) + 2
    typer.echo(
        f"{out}: {len(summary['classes'])} classes, num_classes {1 + len(summary['classes'])}"
    )
    typer.echo(" " * width + "".join(f"{split:>10}" for split in splits))
    columns = [
        [s["images"], s["without_boxes"], sum(s["boxes"].values()), s["difficult"]]
        + [s["boxes"][name] for name in summary["classes"]]
        for s in splits.values()
    ]
    for name, *counts in zip(names, *columns, strict=True):
        typer.echo(f"{name:<{width}}" + "".join(f"{count:>10}" for count in counts))


# -- commands ----------------------------------------------------------------

_VOC_EPILOG = """
[bold]Examples[/bold]

VOC0712 as the papers use it (07+12 trainval; 07 test):

  ssd-centerloss data voc VOCdevkit -o voc0712 --split train=trainval --split test=VOC2007/test

Your own folder with Annotations, JPEGImages and ImageSets/Main:

  ssd-centerloss data voc my_data -o my_dataset --strict
"""


@app.command("voc", epilog=_VOC_EPILOG)
def voc(  # each parameter is an option
    folders: Annotated[
        list[Path], typer.Argument(help="VOC folders, or folders of them (VOCdevkit).")
    ],
    out: Out,
    split: Splits = None,
    classes: Classes = "",
    test_fraction: TestFraction = 0.2,
    seed: Seed = 0,
    shuffle: Shuffle = True,
    resize: Resize = "",
    min_dim: MinDim = None,
    quality: Quality = None,
    strict: Strict = False,
    overwrite: Overwrite = False,
    threads: Threads = 0,
    quiet: Quiet = False,
) -> None:
    """Write a dataset from Pascal VOC folders.

    A SET of --split is a list in ImageSets/Main, of every folder that has it,
    or of one: FOLDER/LIST. Without --split: train from trainval (or train),
    test from test (or val). Without any lists, a test split is drawn.
    """
    from ssd_centerloss.data.voc import read_voc

    writing = Writing(
        out, classes, seed, shuffle, resize, min_dim, quality, strict, overwrite, threads, quiet
    )
    _write(lambda: read_voc(folders, split or [], test_fraction, seed), writing)


_COCO_EPILOG = """
[bold]Examples[/bold]

COCO itself:

  ssd-centerloss data coco instances_train2017.json instances_val2017.json
  --images train2017 --images val2017 -o coco

One file beside its images, a fifth of which are drawn for test:

  ssd-centerloss data coco cells/annotations.json -o my_dataset
"""


@app.command("coco", epilog=_COCO_EPILOG)
def coco(  # each parameter is an option
    out: Out,
    files: Annotated[
        list[Path] | None, typer.Argument(help="COCO JSON files, one for each split.")
    ] = None,
    images: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder with the images; may come several times. Default: that of each file.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option("--split", help="NAME=JSON[,JSON…], instead of the arguments."),
    ] = None,
    classes: Classes = "",
    test_fraction: TestFraction = 0.2,
    seed: Seed = 0,
    shuffle: Shuffle = True,
    resize: Resize = "",
    min_dim: MinDim = None,
    quality: Quality = None,
    strict: Strict = False,
    overwrite: Overwrite = False,
    threads: Threads = 0,
    quiet: Quiet = False,
) -> None:
    """Write a dataset from COCO JSON.

    Several files become the splits that their names or folders say: train,
    val (called test where there is none) and test. Labels follow the ids of
    the categories. Crowds become difficult boxes; images without annotations stay.
    """
    from ssd_centerloss.data.coco import read_coco

    writing = Writing(
        out, classes, seed, shuffle, resize, min_dim, quality, strict, overwrite, threads, quiet
    )
    _write(lambda: read_coco(files or [], images or [], split or [], test_fraction, seed), writing)


_FOLDER_EPILOG = """
[bold]Examples[/bold]

Images with YOLO texts or VOC XML beside them, or with a table labels.csv:

  ssd-centerloss data folder my_photos -o my_dataset --test-fraction 0.25

An export for YOLO (train/images, train/labels, valid/images, …, data.yaml):

  ssd-centerloss data folder export -o my_dataset
"""


@app.command("folder", epilog=_FOLDER_EPILOG)
def folder(  # each parameter is an option
    folder: Annotated[Path, typer.Argument(help="The folder with images.", show_default=False)],
    out: Out,
    split: Annotated[
        list[str] | None,
        typer.Option("--split", help="NAME=FOLDER[,FOLDER…] below the folder. Default: train, …"),
    ] = None,
    keep_unlabelled: Annotated[
        bool,
        typer.Option("--keep-unlabelled", help="Images without an annotation show nothing."),
    ] = False,
    classes: Classes = "",
    test_fraction: TestFraction = 0.2,
    seed: Seed = 0,
    shuffle: Shuffle = True,
    resize: Resize = "",
    min_dim: MinDim = None,
    quality: Quality = None,
    strict: Strict = False,
    overwrite: Overwrite = False,
    threads: Threads = 0,
    quiet: Quiet = False,
) -> None:
    """Write a dataset from a plain folder.

    Annotations are texts of YOLO, VOC's XML, or a table (labels.csv:
    filename,xmin,ymin,xmax,ymax,class), beside the images or in labels/ or
    annotations/. Subfolders train, val and test become splits; without them
    a test split is drawn. YOLO's numbers are named by data.yaml, classes.txt or --classes.
    """
    from ssd_centerloss.data.folder import FolderOptions, read_folder

    writing = Writing(
        out, classes, seed, shuffle, resize, min_dim, quality, strict, overwrite, threads, quiet
    )
    label_map = read_classes(classes)
    names = label_map.classes if label_map else ()
    options = FolderOptions(split or [], test_fraction, seed, names, keep_unlabelled)

    def source() -> Source:
        found = read_folder(folder, options)
        if not quiet:
            for name, origin in found.origin.items():
                typer.echo(f"{name}: {origin}")
        return found

    _write(source, writing)


_DIGITS_EPILOG = """
[bold]Example[/bold]

  ssd-centerloss data digits digits_voc

  ssd-centerloss data voc digits_voc -o digits
"""


@app.command("digits", epilog=_DIGITS_EPILOG)
def digits(  # each parameter is an option
    out: Annotated[Path, typer.Argument(help="The VOC folder to write.", show_default=False)],
    train: Annotated[int, typer.Option(min=1, help="Scenes in the list train.")] = 400,
    test: Annotated[int, typer.Option(min=1, help="Scenes in the list test.")] = 100,
    size: Annotated[int, typer.Option(min=64, help="Pixels of a scene's side.")] = 160,
    smallest: Annotated[int, typer.Option(min=8, help="Pixels of the smallest digits.")] = 20,
    largest: Annotated[int, typer.Option(min=8, help="Pixels of the largest digits.")] = 90,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace such a folder.")] = False,
) -> None:
    """Make scenes of real handwritten digits, as a Pascal VOC folder.

    The digits are those that come with scikit-learn; the writers of test are not those of train.
    """
    from ssd_centerloss.scenes import SceneOptions, write_scenes

    options = SceneOptions(train, test, size, smallest, largest, seed)
    write_scenes(out, options, overwrite)
    typer.echo(f"{out}: {train} scenes to train on, {test} to test on, {size} × {size} pixels")


_CHECK_EPILOG = """
[bold]Examples[/bold]

  ssd-centerloss data check my_dataset --picture samples.png

  ssd-centerloss data check VOC0712_trainval_lmdb --label-map labelmap_voc.prototxt
"""


@app.command("check", epilog=_CHECK_EPILOG)
def check(  # each parameter is an option
    path: Annotated[Path, typer.Argument(help="A dataset folder, or one LMDB of any origin.")],
    label_map: Annotated[
        Path | None,
        typer.Option(
            help="Names the classes. Default: the dataset's, or labelmap.prototxt beside the LMDB.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        list[str] | None, typer.Option("--split", help="Of the dataset; default: all.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", "-p", help="Write drawn samples here (PNG).")
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Samples of each database to draw.")] = 12,
    seed: Annotated[int, typer.Option(help="Of the choice of samples.")] = 0,
    threads: Threads = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Read databases back: images, boxes, sizes, and what is broken (exit code 1)."""
    from ssd_centerloss.data.check import (
        CheckOptions,
        check_database,
        check_dataset,
        describe,
        same_images,
        sample_names,
    )
    from ssd_centerloss.data.progress import default_threads

    dataset, classes, databases = _databases(path, label_map, split or [])
    options = CheckOptions(samples if picture else 0, seed, threads or default_threads(), quiet)
    findings = {}
    for name, database in databases.items():
        found = findings[name] = check_database(database, classes, options)
        if dataset is not None:
            check_dataset(dataset, name, found)
        typer.echo("\n".join([f"{name}: {found.records} records", *describe(found, classes)]))
        for line in found.report.lines(SHOWN_PROBLEMS):
            typer.echo(line, err=True)
    for line in same_images(findings):
        typer.echo(line)
    drawn = [sample for found in findings.values() for sample in found.samples]
    if picture and drawn:
        from ssd_centerloss.drawing import write_image
        from ssd_centerloss.evaluation.grid import truth_grid

        write_image(picture, truth_grid(drawn, sample_names(list(findings.values()), classes)))
        typer.echo(f"samples are drawn in {picture}")
    wrong = sum(len(found.report) for found in findings.values())
    if wrong:
        raise UserError(f"{path}: {wrong} {'thing is' if wrong == 1 else 'things are'} wrong")


def _databases(
    path: Path, label_map: Path | None, splits: list[str]
) -> tuple[Dataset | None, LabelMap | None, dict[str, Path]]:
    """The dataset if it is one, the classes where they are known, and the databases by name."""
    from ssd_centerloss.data.dataset import LABEL_MAP, Dataset
    from ssd_centerloss.data.label_map import LabelMap

    classes = LabelMap.read(label_map) if label_map else None
    if (path / "data.mdb").is_file():
        if splits:
            raise UserError(f"--split {splits[0]}: {path} is one database, without splits")
        beside = path.resolve().parent / LABEL_MAP
        if classes is None and beside.is_file():
            classes = LabelMap.read(beside)
        return None, classes, {path.name: path}
    dataset = Dataset.open(path)
    wanted = splits or dataset.splits
    databases = {split: dataset.lmdb(split) for split in wanted}
    return dataset, classes or dataset.label_map, databases
