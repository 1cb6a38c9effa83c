"""Pictures of nets."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import caffe
import nets
from caffe import draw

PHASES = """
layer { name: "a" type: "Input" top: "x" include { phase: TRAIN } }
layer { name: "b" type: "Input" top: "x" include { phase: TEST } }
layer { name: "c" type: "TanH" bottom: "x" top: "y" exclude { phase: TEST } }
layer { name: "d" type: "Sigmoid" bottom: "x" top: "z" include { stage: "s" } }
"""


@pytest.fixture(params=["with dot", "without"])
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        monkeypatch.setattr(shutil, "which", lambda _name: None)
    elif shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")


def test_in_place_layers_join_the_layer_before_them() -> None:
    nodes = draw.net_nodes(nets.parse(nets.TWO_LAYERS))
    assert [node.lines for node in nodes] == [
        ["x (Input)"],
        ["conv (Convolution)", "num_output: 5", "kernel_size: 4", "tanh (TanH)"],
        ["score (Convolution)", "num_output: 4", "kernel_size: 1"],
        ["loss (SoftmaxWithLoss)"],
        ["probability (Softmax)"],
    ]
    assert nodes[3].inputs == [(2, "score"), (0, "label")]
    assert [node.color for node in nodes] == [
        draw.DATA,
        draw.WEIGHTS,
        draw.WEIGHTS,
        draw.LOSS,
        draw.OTHER,
    ]


def test_one_phase() -> None:
    def names(phase: int | None) -> list[str]:
        return [node.lines[0][0] for node in draw.net_nodes(nets.parse(PHASES), phase)]

    assert names(None) == ["a", "b", "c", "d"]
    assert names(caffe.TRAIN) == ["a", "c", "d"]
    assert names(caffe.TEST) == ["b", "d"]


def test_dot_source_quotes_names() -> None:
    net = nets.parse("""layer { name: 'a "b" \\\\' type: "Input" top: "x" }""")
    assert r'0 [label="a \"b\" \\ (Input)"' in draw.dot_source(net)
    source = draw.dot_source(nets.parse(nets.TWO_LAYERS), "TB")
    assert "rankdir=TB" in source
    assert '1 -> 2 [label="conv"];' in source


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize(
    ("suffix", "beginning"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_pictures(tmp_path: Path, suffix: str, beginning: bytes) -> None:
    file = tmp_path / f"net.{suffix}"
    draw.draw_net_to_file(nets.parse(nets.TWO_LAYERS), file)
    content = file.read_bytes()
    assert content.startswith(beginning)
    assert len(content) > 1000


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("rankdir", ["LR", "RL", "TB", "BT"])
def test_every_direction_and_an_empty_net(rankdir: str) -> None:
    for text in (nets.TWO_LAYERS, ""):
        assert draw.draw_net(nets.parse(text), rankdir, "svg").startswith(b"<?xml")


def test_branches_stand_beside_each_other() -> None:
    places = draw._places(draw.net_nodes(nets.parse(nets.TWO_LAYERS)))
    assert [rank for rank, _ in places] == [0, 1, 2, 3, 3]
    assert places[3][1] != places[4][1]
    assert len(set(places)) == len(places)


def test_wrong_arguments_are_named(tmp_path: Path) -> None:
    net = nets.parse(nets.TWO_LAYERS)
    with pytest.raises(ValueError, match="not as 'gif'"):
        draw.draw_net_to_file(net, tmp_path / "net.gif")
    with pytest.raises(ValueError, match="rankdir"):
        draw.draw_net(net, "XX")
    with pytest.raises(ValueError, match="old format"):
        draw.draw_net(nets.parse("layers { type: TANH }"))


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_text(PHASES)
    draw.main([str(tmp_path / "net.prototxt"), str(tmp_path / "net.dot"), "--phase", "TEST"])
    source = (tmp_path / "net.dot").read_text()
    assert "b (Input)" in source
    assert "a (Input)" not in source
