"""What is measured: which work, by which sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

TRAINING, INFERENCE, LOSS = "training", "inference", "loss"
DATA, MEMORY, START, SHARES = "data", "memory", "start-up", "shares"
MEASURES = (TRAINING, INFERENCE, LOSS, DATA, MEMORY, START, SHARES)
COMMAND = "caffe train"  # the side that is the command, not the Python module
MODELS = ("ssd300_vgg16", "ssd512_vgg16", "small")
TITLES = {
    "ssd300_vgg16": "SSD300-VGG16",
    "ssd512_vgg16": "SSD512-VGG16",
    "small": "the demo's small net",
}


@dataclass(frozen=True)
class Side:
    """One of those that are compared.

    module: of benchmarks.peers; keep_pages: see environment.KEEP_PAGES.
    """

    name: str
    module: str
    precision: str
    keep_pages: bool = False

    @property
    def ours(self) -> bool:
        return self.module == "ours"


OURS = tuple(Side(f"ours {p}", "ours", p) for p in ("fp32", "bf16"))
TORCH = tuple(Side(f"PyTorch {p}", "torch_ssd", p, keep_pages=True) for p in ("fp32", "bf16"))
OTHERS = (
    Side("OpenCV dnn", "opencv_dnn", "fp32"),
    Side("onnxruntime", "onnx_runtime", "fp32"),
    Side("ncnn", "ncnn_net", "fp32"),
    Side("ncnn bf16", "ncnn_net", "bf16"),
)
SIDES = {side.name: side for side in (*OURS, *TORCH, *OTHERS)}


@dataclass(frozen=True)
class Case:
    """Work that several sides do in turns.

    Attributes:
        variant: LOSS: the type of the layer.
        sides: names, of SIDES.
        rounds: at most so many; at least three, even where `seconds` are over.
        seconds: what the rounds of all sides together may take.
    """

    measure: str
    model: str
    batch: int = 1
    variant: str = ""
    sides: tuple[str, ...] = field(default=())
    rounds: int = 9
    seconds: float = 30

    @property
    def key(self) -> str:
        """Names it in results.json."""
        return "/".join(filter(None, [self.measure, self.model, str(self.batch), self.variant]))

    @property
    def title(self) -> str:
        parts = [self.measure, TITLES[self.model], self.variant, f"batch {self.batch}"]
        return " ".join(filter(None, parts))

    def request(self, side: Side, threads: int, folder: str) -> dict[str, Any]:
        """What a worker is told of it."""
        return {
            "measure": self.measure,
            "model": self.model,
            "batch": self.batch,
            "variant": self.variant,
            "precision": side.precision,
            "threads": threads,
            "folder": folder,
        }


@dataclass(frozen=True)
class Choice:
    """What the user wants measured."""

    measures: tuple[str, ...] = MEASURES
    models: tuple[str, ...] = MODELS
    batches: tuple[int, ...] = (1, 4, 8)
    precisions: tuple[str, ...] = ("fp32", "bf16")
    quick: bool = False


def _names(sides: Sequence[Side], choice: Choice) -> tuple[str, ...]:
    return tuple(side.name for side in sides if side.precision in choice.precisions)


# Seconds that the rounds of a case take on two cores of AVX-512, four sides together.
TRAINING_SECONDS = {
    ("ssd300_vgg16", 1): 30,
    ("ssd300_vgg16", 4): 75,
    ("ssd300_vgg16", 8): 75,
    ("ssd512_vgg16", 1): 45,
    ("ssd512_vgg16", 4): 75,
}


def training(choice: Choice) -> list[Case]:
    """SSD512 with 8 images takes minutes a round and 20 GiB: it is left out unless asked for."""
    cases = []
    for model in choice.models:
        for batch in choice.batches:
            if model == "ssd512_vgg16" and batch > 4 and choice.batches == Choice().batches:
                continue
            seconds = TRAINING_SECONDS.get((model, batch), 20 if model == "small" else 120)
            cases.append(_case(TRAINING, model, choice, batch, seconds, (*OURS, *TORCH)))
    return cases


def inference(choice: Choice) -> list[Case]:
    seconds = {"ssd300_vgg16": 30, "ssd512_vgg16": 40, "small": 10}
    sides = (*OURS, *TORCH, *OTHERS)
    return [_case(INFERENCE, m, choice, 1, seconds[m], sides) for m in choice.models]


def loss(choice: Choice) -> list[Case]:
    """The loss layers alone, at the sizes of SSD300 and SSD512."""
    cases = []
    for model, batch in (("ssd300_vgg16", 8), ("ssd512_vgg16", 32)):
        if model in choice.models:
            for variant in ("MultiBoxLoss", "MultiBoxCenterLoss"):
                sides = (OURS[0].name, TORCH[0].name)
                rounds, seconds = (3, 2) if choice.quick else (9, 10)
                cases.append(Case(LOSS, model, batch, variant, sides, rounds, seconds))
    return cases


def _case(
    measure: str, model: str, choice: Choice, batch: int, seconds: float, sides: Sequence[Side]
) -> Case:
    rounds, most = (3, 2.0) if choice.quick else (9, seconds)
    return Case(measure, model, batch, "", _names(sides, choice), rounds, most)


def interleaved(choice: Choice) -> list[Case]:
    """The cases whose sides take turns."""
    makers = {TRAINING: training, INFERENCE: inference, LOSS: loss}
    return [
        case for name, make in makers.items() if name in choice.measures for case in make(choice)
    ]


def memory_gib(case: Case) -> float:
    """About the memory that one side of a case needs: it decides how many live together."""
    weights = {"ssd300_vgg16": 0.7, "ssd512_vgg16": 0.7, "small": 0.3}[case.model]
    image = {"ssd300_vgg16": 0.25, "ssd512_vgg16": 0.7, "small": 0.01}[case.model]
    return weights + (image * case.batch if case.measure == TRAINING else 0.5)


def groups(case: Case, available_gib: float) -> list[tuple[str, ...]]:
    """Sides that are measured in turns: all, or, where memory is short, those of a precision.

    Raises ValueError where not even these fit.
    """
    if len(case.sides) * memory_gib(case) <= available_gib:
        return [case.sides]
    by_precision = [
        tuple(name for name in case.sides if SIDES[name].precision == precision)
        for precision in ("fp32", "bf16")
    ]
    found = [group for group in by_precision if group]
    if max(len(group) for group in found) * memory_gib(case) > available_gib:
        raise ValueError(f"needs more memory than the {available_gib:.1f} GiB there are")
    return found
