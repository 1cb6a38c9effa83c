"""Computes the cases of tests/data/golden from the layers' definitions, in plain NumPy.

Each case has the form of the cases measured on the SSD branch: net.prototxt,
in.npz and out.npz. Nothing of the runtime takes part, so a checkout alone has
numbers of another origin to compare with. Run it to write the cases anew:

    python tests/data/make_golden.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
FOLDER = Path(__file__).parent / "golden"
INPUT = 'layer {{ name: "{0}" type: "Input" top: "{0}" input_param {{ shape {{ {1} }} }} }}\n'


def write(name: str, layers: str, given: dict[str, Array], expected: dict[str, Array]) -> None:
    """Writes one case; inputs become Input layers, and every blob gets its gradient."""
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    inputs = "".join(
        INPUT.format(key[5:], " ".join(f"dim: {dim}" for dim in value.shape))
        for key, value in given.items()
        if key.startswith("blob:")
    )
    (folder / "net.prototxt").write_text(f"force_backward: true\n{inputs}{layers}\n")
    np.savez(folder / "in.npz", **{key: value.astype("f4") for key, value in given.items()})
    np.savez(folder / "out.npz", **{key: value.astype("f4") for key, value in expected.items()})


def convolution(random: np.random.Generator) -> None:
    """Stride 2, pad 2, dilation 2, two groups: every product of the definition, one by one."""
    x, w, b = (random.normal(size=shape) for shape in ((2, 4, 7, 6), (6, 2, 3, 3), (6,)))
    pad, stride, dilation = 2, 2, 2
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    height, width = (padded.shape[2] - 5) // stride + 1, (padded.shape[3] - 5) // stride + 1
    y = np.tile(b[None, :, None, None], (2, 1, height, width))
    dy = random.normal(size=y.shape)
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    for n, o, i, j in np.ndindex(*y.shape):
        for c, p, q in np.ndindex(*w.shape[1:]):
            at = n, o // 3 * 2 + c, i * stride + p * dilation, j * stride + q * dilation
            y[n, o, i, j] += padded[at] * w[o, c, p, q]
            dpadded[at] += dy[n, o, i, j] * w[o, c, p, q]
            dw[o, c, p, q] += dy[n, o, i, j] * padded[at]
    write(
        "convolution",
        'layer { name: "y_layer" type: "Convolution" bottom: "x" top: "y" convolution_param {'
        " num_output: 6 kernel_size: 3 stride: 2 pad: 2 dilation: 2 group: 2 } }",
        {"blob:x": x, "param:y_layer:0": w, "param:y_layer:1": b, "topdiff:y": dy},
        {
            "top:y": y,
            "diff:x": dpadded[:, :, pad:-pad, pad:-pad],
            "paramdiff:y_layer:0": dw,
            "paramdiff:y_layer:1": dy.sum(axis=(0, 2, 3)),
        },
    )


def softmax_with_loss(random: np.random.Generator) -> None:
    """The mean of −ln p over the labels that are not ignored."""
    x = random.normal(size=(5, 4))
    label = np.array([1, 3, 9, 0, 1])
    exponential = np.exp(x)
    p = exponential / exponential.sum(axis=1, keepdims=True)
    counted = np.flatnonzero(label != 9)
    gradient = np.zeros_like(x)
    gradient[counted] = p[counted] / len(counted)
    gradient[counted, label[counted]] -= 1 / len(counted)
    write(
        "softmax_with_loss",
        'layer { name: "y_layer" type: "SoftmaxWithLoss" bottom: "x" bottom: "label" top: "y"'
        " loss_param { ignore_label: 9 } propagate_down: true propagate_down: false }",
        {"blob:x": x, "blob:label": label},
        {"top:y": -np.log(p[counted, label[counted]]).mean(), "diff:x": gradient},
    )


def center_loss(random: np.random.Generator) -> None:
    """Wen et al., ECCV 2016, eq. 2 to 4."""
    x, centers = random.normal(size=(6, 3)), random.normal(size=(4, 3))
    label = np.array([2, 0, 2, 3, 2, 0])
    difference = x - centers[label]
    step = np.zeros_like(centers)
    for j in range(len(centers)):
        own = difference[label == j]
        step[j] = -own.sum(axis=0) / (1 + len(own))
    write(
        "center_loss",
        'layer { name: "y_layer" type: "CenterLoss" bottom: "x" bottom: "label" top: "y"'
        " center_loss_param { num_output: 4 } propagate_down: true propagate_down: false }",
        {"blob:x": x, "blob:label": label, "param:y_layer:0": centers},
        {
            "top:y": (difference**2).sum() / len(x) / 2,
            "diff:x": difference / len(x),
            "paramdiff:y_layer:0": step,
        },
    )


def max_pooling(random: np.random.Generator) -> None:
    """Windows of 3 at steps of 2, the last one partly outside (Caffe rounds up)."""
    x = random.permutation(2 * 3 * 6 * 7).reshape(2, 3, 6, 7) / 50.0
    y, dx = np.zeros((2, 3, 3, 3)), np.zeros_like(x)
    dy = random.normal(size=y.shape)
    for n, c, i, j in np.ndindex(*y.shape):
        window = x[n, c, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
        p, q = np.unravel_index(window.argmax(), window.shape)
        y[n, c, i, j] = window[p, q]
        dx[n, c, 2 * i + p, 2 * j + q] += dy[n, c, i, j]
    write(
        "max_pooling",
        'layer { name: "y_layer" type: "Pooling" bottom: "x" top: "y"'
        " pooling_param { pool: MAX kernel_size: 3 stride: 2 } }",
        {"blob:x": x, "topdiff:y": dy},
        {"top:y": y, "diff:x": dx},
    )


def main() -> None:
    """Writes every case; the same numbers each time."""
    for seed, case in enumerate((convolution, softmax_with_loss, center_loss, max_pooling)):
        case(np.random.default_rng(seed))


if __name__ == "__main__":
    main()
