"""benchmarks/results.md: tables of medians and ratios, made of results.json alone."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from benchmarks.cases import (
    DATA,
    INFERENCE,
    LOSS,
    MEMORY,
    SHARES,
    SIDES,
    START,
    TITLES,
    TRAINING,
)
from benchmarks.figures import check_table
from benchmarks.results import Results, Row
from benchmarks.runner import shown
from benchmarks.stats import ratio, spread

Table = list[list[str]]


def markdown(results: Results) -> str:
    """The whole report."""
    parts = ["# Measured speed", _head(results)]
    sections = [
        ("What it should reach", check_table(results)),
        ("Training step", training_table(results)),
        ("Inference", inference_table(results)),
        ("How a training step grows", growth_table(results)),
        ("Loss layers alone", loss_table(results)),
        ("Where our training step goes", shares_table(results)),
        ("Peak memory of training", memory_table(results)),
        ("From the start of a process to the first detections", start_table(results)),
        ("Data pipeline", data_table(results)),
    ]
    for title, table in sections:
        if len(table) > 1:
            parts += [f"## {title}", NOTES.get(title, ""), _table(table)]
    return "\n\n".join(part for part in parts if part) + "\n"


NOTES = {
    "Training step": "Forward, loss (MultiBoxCenterLoss with matching and mining), backward and "
    "update, images in memory; the same layers, weights, images and ground truth on both sides. "
    "Milliseconds or seconds are medians over rounds; ± is half the distance of their quarters; "
    "× is how many times as fast as PyTorch's row of the same precision, with the quarters of "
    "the rounds' own ratios.",
    "Inference": "One image in memory to boxes after suppression. PyTorch runs eager, as "
    "TorchScript or compiled, whichever its worker found fastest; PyTorch, onnxruntime and ncnn "
    "get decoding and suppression from numpy and cv2's C++. × is how many times as fast as the "
    "row our side of the same precision is.",
    "Loss layers alone": "Forward and backward on random predictions; 8 images at the size of "
    "SSD300, 32 at that of SSD512.",
    "Where our training step goes": "Percent of the step by type of layer, forward and backward. "
    "What is fused counts where it runs.",
    "Peak memory of training": "The largest resident size of a process that makes three steps; "
    "glibc's allocator as it comes, on all sides; ours knows from an earlier process how to do "
    "its convolutions.",
    "From the start of a process to the first detections": "A new process each time: "
    "interpreter, import, weights, first forward.",
    "Data pipeline": "AnnotatedData decodes, augments and batches; cv2 beside it only decodes and "
    "resizes the same JPEGs.",
}


def _head(results: Results) -> str:
    of = results.machine
    lines = [
        f"{results.date}. {of['processor']}, {of['cores']} cores "
        f"({', '.join(of['flags'])}), {of['memory_gib']:.0f} GiB; {of['system']}; "
        f"{results.threads} threads on every side; load at the start {of['load']:.1f}.",
        f"{'; '.join(results.versions())}.",
        f"Measured by `{results.command}`: the sides take turns, round by round, each in a "
        "process of its own.",
    ]
    return "\n\n".join(lines)


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "| --- " * len(rows[0]) + "|")
    return "\n".join(lines)


def _time(values: Sequence[float]) -> str:
    return f"{shown(median(values))} ± {100 * spread(values):.0f} %"


def _parts(case: str) -> tuple[str, str, str]:
    """Model, batch and variant of a key."""
    _, model, batch, *variant = case.split("/")
    return model, batch, "".join(variant)


def training_table(results: Results) -> Table:
    table = [["net", "batch", "side", "a step", "images/s", "×"]]
    for case in results.cases(TRAINING):
        model, batch, _ = _parts(case)
        for name, row in results.of(case).items():
            start = [TITLES[model], batch, name]
            if not row.values:
                table.append([*start, row.note, "", ""])
                continue
            rate = int(batch) / median(row.values)
            table.append([*start, _time(row.values), f"{rate:.2f}", _against_torch(results, row)])
    return table


def _against_torch(results: Results, row: Row) -> str:
    side = SIDES[row.side]
    theirs = results.values(row.case, f"PyTorch {side.precision}")
    return str(ratio(row.values, theirs)) if side.ours and theirs else ""


def inference_table(results: Results) -> Table:
    table = [["net", "side", "an image", "peak memory", "ours is"]]
    for case in results.cases(INFERENCE):
        for name, row in results.of(case).items():
            way = f" ({row.about['way']})" if "way" in row.about else ""
            start = [TITLES[_parts(case)[0]], name + way]
            if not row.values:
                table.append([*start, row.note, "", ""])
                continue
            ours = results.values(case, f"ours {SIDES[name].precision}")
            times = "" if SIDES[name].ours or not ours else str(ratio(ours, row.values))
            peak = f"{row.about['mib']:.0f} MiB" if "mib" in row.about else ""
            table.append([*start, _time(row.values), peak, times])
    return table


def growth_table(results: Results) -> Table:
    """Milliseconds an image by batch and size; the fastest of each side."""
    cases = results.cases(TRAINING)
    batches = sorted({int(_parts(case)[1]) for case in cases})
    table = [["net", "side", *(f"batch {batch}" for batch in batches)]]
    for model in dict.fromkeys(_parts(case)[0] for case in cases):
        sides = dict.fromkeys(
            r.side for r in results.rows if r.case.startswith(f"{TRAINING}/{model}/")
        )
        for side in sides:
            cells = []
            for batch in batches:
                values = results.values(f"{TRAINING}/{model}/{batch}", side)
                cells.append(f"{1e3 * median(values) / batch:.0f} ms an image" if values else "–")
            table.append([TITLES[model], side, *cells])
    return table


def loss_table(results: Results) -> Table:
    table = [["layer", "size of", "images", "ours", "PyTorch, vectorized", "×"]]
    for case in results.cases(LOSS):
        model, batch, variant = _parts(case)
        ours, theirs = results.values(case, "ours fp32"), results.values(case, "PyTorch fp32")
        rows = results.of(case)
        cells = [
            _time(values) if values else rows[side].note if side in rows else "–"
            for side, values in (("ours fp32", ours), ("PyTorch fp32", theirs))
        ]
        times = str(ratio(ours, theirs)) if ours and theirs else ""
        table.append([variant, TITLES[model], batch, *cells, times])
    return table


def shares_table(results: Results) -> Table:
    """A row for each type of layer that takes 0.1 percent or more, a column for each side."""
    cases = results.cases(SHARES)
    if not cases:
        return []
    rows = [row for row in results.of(cases[0]).values() if row.values]
    types = [_percents(row) for row in rows]
    names = dict.fromkeys(name for shares in types for name in shares)
    order = sorted(names, key=lambda name: -max(shares.get(name, 0) for shares in types))
    model, batch, _ = _parts(cases[0])
    table = [[f"{TITLES[model]}, batch {batch}", *(row.side for row in rows)]]
    for name in order:
        if any(shares.get(name, 0) >= 0.1 for shares in types):
            table.append([name, *(f"{shares.get(name, 0):.1f} %" for shares in types)])
    table.append(["the step", *(shown(row.values[0]) for row in rows)])
    return table


def _percents(row: Row) -> dict[str, float]:
    total = sum(row.about["types"].values())
    return {name: 100 * part / total for name, part in row.about["types"].items()}


def memory_table(results: Results) -> Table:
    table = [["net", "batch", "side", "peak", "of PyTorch's"]]
    for case in results.cases(MEMORY):
        model, batch, _ = _parts(case)
        for name, row in results.of(case).items():
            start = [TITLES[model], batch, name]
            if not row.values:
                table.append([*start, row.note, ""])
                continue
            theirs = results.values(case, f"PyTorch {name.split()[-1]}")
            part = f"{row.values[0] / theirs[0]:.2f}" if theirs else ""
            table.append([*start, f"{row.values[0]:.0f} MiB", part])
    return table


def start_table(results: Results) -> Table:
    table = [["net", "side", "median", "slowest"]]
    for case in results.cases(START):
        for name, row in results.of(case).items():
            start = [TITLES[case.split("/")[1]], name]
            if row.values:
                table.append([*start, shown(median(row.values)), shown(max(row.values))])
            else:
                table.append([*start, row.note, ""])
    return table


def data_table(results: Results) -> Table:
    table = [["what", "images/s"]]
    for case in results.cases(DATA):
        for row in results.of(case).values():
            if not row.values:
                table.append([row.side, row.note])
                continue
            table.append(["AnnotatedData, full augmentation", f"{median(row.values):.0f}"])
            beside = median(row.about["beside"])
            table.append(["cv2 in Python threads, decode and resize alone", f"{beside:.0f}"])
    return table
