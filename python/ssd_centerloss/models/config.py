"""What a detector's nets and solver are made from: plain values, no layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import caffe


@dataclass(frozen=True)
class Level:
    """The priors of one source layer: which boxes stand at each cell of its map.

    For each min_size s a square of s; with max_sizes (as many) a square of
    √(s·S) too; and for each aspect ratio a the boxes s·√a × s/√a and, turned,
    s/√a × s·√a (Liu et al. 2016, section 2.2, as the PriorBox layer does it).

    Attributes:
        layer: the top that the heads read.
        min_sizes, max_sizes: in pixels of the net's input.
        aspect_ratios: width to height, without 1 and without the turned ones.
        step: the distance of two cells in pixels; None: the input's size by the map's.
        normalize: the first scale of a Normalize layer between `layer` and the
            heads (ParseNet, Liu et al. 2015); None: there is none.
    """

    layer: str
    min_sizes: tuple[float, ...]
    max_sizes: tuple[float, ...] = ()
    aspect_ratios: tuple[float, ...] = (2.0,)
    step: float | None = None
    normalize: float | None = None

    @property
    def source(self) -> str:
        """The top that the heads read, after the Normalize layer."""
        return self.layer if self.normalize is None else f"{self.layer}_norm"

    @property
    def priors_per_cell(self) -> int:
        """How many boxes stand at a cell; all widths of heads follow from it."""
        shapes = {1.0}
        for ratio in self.aspect_ratios:
            shapes |= {round(ratio, 6), round(1 / ratio, 6)}
        return len(self.min_sizes) * len(shapes) + len(self.max_sizes)


@dataclass(frozen=True)
class CenterLoss:
    """The center loss beside the detection loss; see docs/center_loss.md.

    Attributes:
        features: the length of the feature vector of a prior.
        weight: the factor of the center term.
        lr: α, the part of the way to the mean that a center goes; None: the
            solver's rule moves the centers as it does weights. While features
            of different classes are alike, centers run together at this rate,
            so it is far below the 0.5 of the paper, whose features also feed
            the classifier.
        scores_from_features: the class scores of a prior are a linear function of its
            features, as in Wen et al. (2016): the softmax keeps classes apart while
            center loss draws each together, and α = 0.5 is right. The features are
            then part of the test and deploy nets too. Otherwise they are a branch
            beside the scores, as in SSD-Centerloss, which those nets do without.
    """

    features: int = 16
    weight: float = 0.1
    lr: float | None = 0.01
    scores_from_features: bool = False


@dataclass(frozen=True)
class Databases:
    """The data of a training: two LMDBs of AnnotatedDatum and what belongs to them.

    Attributes:
        train, test: the LMDB folders.
        label_map: the label map's prototxt.
        name_size: lines "NAME HEIGHT WIDTH" of the test images, in the order of the LMDB.
        test_images: their number; all are tested, each once.
    """

    train: str
    test: str
    label_map: str
    name_size: str
    test_images: int


@dataclass(frozen=True)
class Results:
    """Result files that DetectionOutput writes when it tests, in VOC's form."""

    directory: str
    prefix: str = "comp4_det_test_"


@dataclass(frozen=True)
class Pixels:
    """From grey levels to the net's input: (pixel − mean) · scale, channels BGR."""

    mean: tuple[float, float, float] = (104.0, 117.0, 123.0)
    scale: float = 1.0


@dataclass(frozen=True)
class Augmentation:
    """How training images are varied (Liu et al. 2016, section 2.2 and 3.6).

    Attributes:
        mirror: half of the images are mirrored; not for things that have a
            left and a right, as digits and letters have.
        distort: brightness, contrast, hue and saturation are shifted.
        max_expand: half of the images are put on a canvas up to so many times
            their size, so that objects get smaller; 1: never.
        min_crop: the least side of a crop, as a part of the image's; 1: no crops.
        interpolations: names of resizing methods, one drawn for each image.
    """

    mirror: bool = True
    distort: bool = True
    max_expand: float = 4.0
    min_crop: float = 0.3
    interpolations: tuple[str, ...] = ("LINEAR", "AREA", "NEAREST", "CUBIC", "LANCZOS4")


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a net learns.

    Attributes:
        iterations: updates of the weights.
        rule: the solver's type: SGD, Adam, …
        lr: the rate, base_lr.
        steps: after these parts of the iterations the rate falls to a tenth;
            empty: it falls on a line to 0.
        momentum, weight_decay: of the solver.
        warmup: in this part of the iterations the rate grows from 0.
        batch: images of a pass.
        passes: passes of an update, iter_size.
        test_interval, snapshot, display: every so many iterations.
        test_batch: images of a pass in a test, at most.
        per_class: the log has the average precision of each class.
        test_first: the net is tested before it has learned.
        seed: of weights and augmentation; −1: another one each time.
        gpu: solver_mode.
        precision: "fp32", or "bf16": 16 bits between layers, where the processor
            computes with them.
    """

    iterations: int
    rule: str = "SGD"
    lr: float = 1e-3
    steps: tuple[float, ...] = ()
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warmup: float = 0.0
    batch: int = 32
    passes: int = 1
    test_interval: int = 10000
    snapshot: int = 10000
    display: int = 10
    test_batch: int = 8
    per_class: bool = True
    test_first: bool = False
    seed: int = -1
    gpu: bool = False
    precision: str = "fp32"


@dataclass(frozen=True)
class Recipe:
    """A kind of detector: its layers, its priors, and numbers that train it well.

    `dataclasses.replace` makes another one of it.

    Attributes:
        title: one line about it.
        size: the side of the input, in pixels.
        sizes: the least and the largest side that it works with.
        body: adds the layers behind `data`, for a net of a size.
        levels: the sources of the heads and their priors, for a size.
        pixels, augmentation, schedule: see there.
    """

    title: str
    size: int
    sizes: tuple[int, int]
    body: Callable[[caffe.NetSpec, int], None]
    levels: Callable[[int], tuple[Level, ...]]
    schedule: Schedule
    pixels: Pixels = field(default_factory=Pixels)
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True)
class Config:
    """What one net of a recipe is made for.

    Attributes:
        num_classes: with the background, as the label map counts them.
        databases: the data.
        files: the folder of the prototxt files.
        snapshots: the start of the snapshots' names.
        center_loss: None: the plain MultiBoxLoss.
        name: the nets are called NAME_train, NAME_test, NAME_deploy.
        results: None: no result files.
        extended: the train net has what Caffe-SSD cannot read: the loss's terms as
            further outputs, and a new order of the images in each epoch.
        workers: with `extended`, the threads that prepare images.
        size: the input's side; None: the recipe's.
    """

    num_classes: int
    databases: Databases
    files: str
    snapshots: str
    center_loss: CenterLoss | None = None
    name: str = "ssd"
    results: Results | None = None
    extended: bool = False
    workers: int = 1
    size: int | None = None


@dataclass(frozen=True)
class Nets:
    """Three NetParameters and a SolverParameter."""

    train: Any
    test: Any
    deploy: Any
    solver: Any
