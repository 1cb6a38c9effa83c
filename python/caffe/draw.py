"""Draws a net: `python -m caffe.draw net.prototxt net.svg`.

A box is a layer, with the layers that run in place on its top; an arrow is a
blob. Graphviz's `dot` lays the picture out where it is installed, matplotlib
draws a plainer one where it is not: pictures of nets should not need a
package from outside Python, but are better with one.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from caffe.proto import caffe_pb2

# Fill colours by what a layer is for.
DATA, WEIGHTS, LOSS, OTHER = "#d5e8d4", "#dae8fc", "#f8cecc", "#f5f5f5"
WEIGHTED = ("Convolution", "Deconvolution", "InnerProduct", "Embed")


@dataclass
class Node:
    """A layer and those that follow it in place."""

    lines: list[str]
    color: str
    inputs: list[tuple[int, str]] = field(default_factory=list)
    """(index of the node that makes it, name) of each bottom."""


def net_nodes(net: Any, phase: int | None = None) -> list[Node]:
    """The layers of a NetParameter, those of one phase only if it is given.

    Raises:
        ValueError: the net is of the old format, with `layers`.
    """
    if len(net.layers):
        raise ValueError("this net is of the old format; `caffe upgrade_net_proto_text` renews it")
    nodes: list[Node] = []
    makers: dict[str, int] = {}
    for layer in net.layer:
        if not _in_phase(layer, phase):
            continue
        if list(layer.bottom) == list(layer.top) and len(layer.top) == 1 and layer.top[0] in makers:
            nodes[makers[layer.top[0]]].lines.append(f"{layer.name} ({layer.type})")
            continue
        inputs = [(makers[name], name) for name in layer.bottom if name in makers]
        makers.update({name: len(nodes) for name in layer.top})
        nodes.append(Node(_describe(layer), _color(layer), inputs))
    return nodes


def dot_source(net: Any, rankdir: str = "LR", phase: int | None = None) -> str:
    """The net in Graphviz's language."""
    lines = ["digraph {", f"rankdir={rankdir};", 'node [shape=box style=filled fontname="Arial"];']
    for i, node in enumerate(net_nodes(net, phase)):
        lines.append(f'{i} [label={_quoted(node.lines)} fillcolor="{node.color}"];')
        lines += [f"{maker} -> {i} [label={_quoted([name])}];" for maker, name in node.inputs]
    return "\n".join([*lines, "}", ""])


def draw_net(
    caffe_net: Any, rankdir: str = "LR", ext: str = "png", phase: int | None = None
) -> bytes:
    """The picture of a NetParameter.

    Args:
        caffe_net: the message.
        rankdir: where the net runs: LR, RL, TB or BT.
        ext: the format: png, svg or pdf; dot for Graphviz's source.
        phase: only what caffe.TRAIN or caffe.TEST has.
    """
    if rankdir not in ("LR", "RL", "TB", "BT"):
        raise ValueError(f"rankdir is LR, RL, TB or BT, got {rankdir!r}")
    if ext not in ("png", "svg", "pdf", "dot"):
        raise ValueError(f"a net is drawn as png, svg, pdf or dot, not as {ext!r}")
    source = dot_source(caffe_net, rankdir, phase).encode()
    if ext == "dot":
        return source
    dot = shutil.which("dot")
    if dot is None:
        return _draw_with_matplotlib(net_nodes(caffe_net, phase), rankdir, ext)
    return subprocess.run([dot, f"-T{ext}"], input=source, capture_output=True, check=True).stdout


def draw_net_to_file(
    caffe_net: Any,
    filename: str | os.PathLike[str],
    rankdir: str = "LR",
    phase: int | None = None,
) -> None:
    """Writes the picture in the format that the file's name ends with."""
    path = Path(filename)
    path.write_bytes(draw_net(caffe_net, rankdir, path.suffix.removeprefix("."), phase))


def _in_phase(layer: Any, phase: int | None) -> bool:
    if phase is None:
        return True
    included = [rule.phase == phase for rule in layer.include if rule.HasField("phase")]
    excluded = [rule.phase == phase for rule in layer.exclude if rule.HasField("phase")]
    return (not included or any(included)) and not any(excluded)


def _describe(layer: Any) -> list[str]:
    lines = [f"{layer.name} ({layer.type})"]
    for _, value in layer.ListFields():
        if not hasattr(value, "DESCRIPTOR") or not hasattr(value, "ListFields"):
            continue
        shown = ("num_output", "kernel_size", "stride", "pad", "pool", "group", "dilation")
        for option, number in value.ListFields():
            if option.name in shown:
                lines.append(f"{option.name}: {_plain(option, number)}")
    return lines


def _plain(option: Any, value: Any) -> str:
    if option.enum_type is not None:
        return str(option.enum_type.values_by_number[value].name)
    return str(value) if isinstance(value, int) else " ".join(str(item) for item in value)


def _color(layer: Any) -> str:
    if layer.type in WEIGHTED:
        return WEIGHTS
    if "Loss" in layer.type:
        return LOSS
    return OTHER if len(layer.bottom) else DATA


def _quoted(lines: Sequence[str]) -> str:
    escaped = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return '"' + "\\n".join(escaped) + '"'


def _places(nodes: Sequence[Node]) -> list[tuple[int, float]]:
    """(rank, place in the rank): the rank is the longest way from a source, and
    within it nodes stand in the order of the mean place of what they read."""
    ranks: list[int] = []
    for node in nodes:
        ranks.append(max((ranks[maker] + 1 for maker, _ in node.inputs), default=0))
    places = [0.0] * len(nodes)
    for rank in range(max(ranks, default=-1) + 1):
        members = [i for i, at in enumerate(ranks) if at == rank]
        wish = {
            i: sum(places[m] for m, _ in nodes[i].inputs) / max(len(nodes[i].inputs), 1)
            for i in members
        }
        for order, i in enumerate(sorted(members, key=wish.__getitem__)):
            places[i] = order - (len(members) - 1) / 2
    return list(zip(ranks, places, strict=True))


def _draw_with_matplotlib(nodes: Sequence[Node], rankdir: str, ext: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Room for a box, in inches, along the ranks and across.
    along, across = (3.2, 1.6) if rankdir in ("LR", "RL") else (1.6, 3.2)
    places = _places(nodes)
    length = 1 + max((rank for rank, _ in places), default=0)
    width = 1 + 2 * max((abs(place) for _, place in places), default=0)
    points = [_point(rank * along, place * across, rankdir) for rank, place in places]
    size = (length * along, width * across)
    figure = Figure(figsize=size if rankdir in ("LR", "RL") else size[::-1])
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    for end, node in zip(points, nodes, strict=True):
        for maker, name in node.inputs:
            begin = points[maker]
            axes.annotate(
                "", end, begin, arrowprops={"arrowstyle": "->", "shrinkA": 30, "shrinkB": 30}
            )
            axes.text(
                (begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2, name, ha="center", fontsize=7
            )
    for (x, y), node in zip(points, nodes, strict=True):
        box = {"boxstyle": "round", "facecolor": node.color}
        axes.text(x, y, "\n".join(node.lines), ha="center", va="center", fontsize=8, bbox=box)
    xs, ys = zip(*points, strict=True) if points else ((0.0,), (0.0,))
    axes.set_xlim(min(xs) - 1.6, max(xs) + 1.6)
    axes.set_ylim(min(ys) - 0.8, max(ys) + 0.8)
    picture = io.BytesIO()
    figure.savefig(picture, format=ext)
    return picture.getvalue()


def _point(forward: float, sideways: float, rankdir: str) -> tuple[float, float]:
    return {
        "LR": (forward, -sideways),
        "RL": (-forward, -sideways),
        "TB": (sideways, -forward),
        "BT": (sideways, forward),
    }[rankdir]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m caffe.draw", description="Draws a net.")
    parser.add_argument("net", type=Path, help="the prototxt file")
    parser.add_argument("picture", type=Path, help="a .png, .svg, .pdf or .dot file")
    parser.add_argument("--rankdir", default="LR", help="where it runs: LR, RL, TB or BT")
    parser.add_argument("--phase", choices=("TRAIN", "TEST"), help="draw one phase only")
    given = parser.parse_args(arguments)
    net = text_format.Parse(given.net.read_text(encoding="utf-8"), caffe_pb2.NetParameter())
    phase = None if given.phase is None else caffe_pb2.Phase.Value(given.phase)
    draw_net_to_file(net, given.picture, given.rankdir, phase)


if __name__ == "__main__":
    main()
