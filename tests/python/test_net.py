"""caffe.Net: its forms, its blobs as views, running parts of it, its weights."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import caffe
import nets


@pytest.fixture
def net_file(tmp_path: Path) -> Path:
    file = tmp_path / "net.prototxt"
    file.write_text(nets.TWO_LAYERS)
    return file


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    file = tmp_path / "two.caffemodel"
    nets.two_layers().save(file)
    return file


# -- construction ---------------------------------------------------------------


def test_all_forms_of_the_constructor(net_file: Path, weights: Path) -> None:
    trained = nets.two_layers().params["conv"][0].data
    plain = caffe.Net(str(net_file), caffe.TEST)
    assert not np.array_equal(plain.params["conv"][0].data, trained)
    for net in (
        caffe.Net(str(net_file), str(weights), caffe.TEST),
        caffe.Net(net_file, weights, phase=caffe.TEST),
        caffe.Net(str(net_file), caffe.TEST, weights=str(weights)),
        caffe.Net(str(net_file), caffe.TEST, 0, ["a"], str(weights)),
        caffe.Net(network_file=net_file, phase=caffe.TEST, level=1, stages=["a"], weights=weights),
        caffe.Net(nets.parse(nets.TWO_LAYERS), caffe.TEST, weights=weights),
    ):
        assert net.phase == caffe.TEST
        np.testing.assert_array_equal(net.params["conv"][0].data, trained)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((), {}, "which phase"),
        (("w",), {}, "which phase"),
        ((caffe.TEST,), {"phase": caffe.TRAIN}, "phase is given twice"),
        ((caffe.TEST, 0, [], "w", 5), {}, "at most"),
        ((caffe.TEST,), {"dtype": np.float16}, "float32 or float64"),
    ],
)
def test_wrong_arguments_are_named(
    net_file: Path, arguments: tuple[Any, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        caffe.Net(str(net_file), *arguments, **options)


STAGED = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 } } }
layer { name: "a" type: "TanH" bottom: "x" top: "a" include { stage: "s" } }
layer { name: "b" type: "TanH" bottom: "x" top: "b" include { min_level: 2 } }
layer { name: "c" type: "TanH" bottom: "x" top: "c" include { phase: TEST } }
"""


def test_phase_level_and_stages_choose_layers(tmp_path: Path) -> None:
    file = tmp_path / "staged.prototxt"
    file.write_text(STAGED)
    for network in (str(file), nets.parse(STAGED)):
        assert "a" in caffe.Net(network, caffe.TRAIN, stages=["s"]).blobs
        assert "b" in caffe.Net(network, caffe.TRAIN, level=2).blobs
        assert "c" in caffe.Net(network, caffe.TEST).blobs
        assert list(caffe.Net(network, caffe.TRAIN).blobs) == ["x"]


def test_errors_of_the_runtime_are_caffe_errors(tmp_path: Path) -> None:
    with pytest.raises(caffe.Error, match=r"nowhere\.prototxt"):
        caffe.Net(str(tmp_path / "nowhere.prototxt"), caffe.TEST)
    with pytest.raises(RuntimeError, match=r"bad.*Convolutoin.*Convolution"):
        nets.make('layer { name: "bad" type: "Convolutoin" }')


# -- structure --------------------------------------------------------------------


def test_names_and_layers() -> None:
    net = nets.two_layers()
    names = ["x", "conv", "tanh", "score", "score_score_0_split", "loss", "probability"]
    assert net._layer_names == names
    assert net.name == "two"
    assert net.inputs == ["x", "label"]
    assert net.outputs == ["loss", "probability"]
    assert list(net.params) == ["conv", "score"]
    assert [blob.shape for blob in net.params["conv"]] == [(5, 3, 4, 4), (5,)]
    assert net.top_names["x"] == ["x", "label"]
    assert net.bottom_names["tanh"] == net.top_names["tanh"] == ["conv"]
    assert net.layers[1].type == "Convolution"
    assert net.layers[1].name == "conv"
    assert len(net.layers[1].blobs) == 2
    assert net.layer_dict["conv"] is net.layers[1]
    assert net.blob_loss_weights["loss"] == 2
    assert net.blob_loss_weights["score"] == 0
    assert net._inputs == [0, 1]
    assert [list(net.blobs)[i] for i in net._outputs] == net.outputs


def test_blobs_are_views_with_caffes_shapes() -> None:
    net = nets.two_layers()
    blob = net.blobs["x"]
    assert isinstance(blob, caffe.Blob)
    assert blob.shape == (2, 3, 4, 4)
    assert (blob.num, blob.channels, blob.height, blob.width, blob.count) == (2, 3, 4, 4, 96)
    assert blob.data.dtype == np.float32
    blob.data[1, 2, 3, 3] = 7
    assert blob.data[1, 2, 3, 3] == 7
    blob.data[...] = 1
    blob.diff[...] = 2
    assert blob.data.sum() == 96
    assert blob.diff.sum() == 192
    assert net.blobs["loss"].data.shape == ()
    assert np.shares_memory(blob.data, blob.data)


def test_dtype_gives_double_nets() -> None:
    single, double = nets.two_layers(), nets.two_layers(np.float64)
    assert single.dtype == np.float32
    assert double.dtype == np.float64
    assert double.blobs["x"].data.dtype == double.params["conv"][0].diff.dtype == np.float64
    for layer, blobs in single.params.items():
        for ours, theirs in zip(blobs, double.params[layer], strict=True):
            theirs.data[...] = ours.data
    want = double.forward()["loss"]
    # One ulp of a value near 1 is 1e-7; a few dozen are summed.
    np.testing.assert_allclose(single.forward()["loss"], want, rtol=1e-5)


def test_a_view_keeps_its_memory() -> None:
    net = nets.two_layers()
    data = net.blobs["x"].data
    data[...] = 3
    blob = net.blobs["x"]
    blob.reshape(50, 3, 4, 4)  # moves to larger memory
    net.blobs["label"].reshape(50)
    net.reshape()
    assert data.sum() == 3 * 96
    weights = net.params["conv"][0].data
    weights[...] = 1
    del net, blob
    gc.collect()
    assert data.sum() == 3 * 96
    assert weights.sum() == 5 * 3 * 4 * 4


def test_reshape_takes_dims_or_a_sequence_and_carries_through() -> None:
    net = nets.two_layers()
    net.blobs["x"].reshape(6, 3, 4, 4)
    net.blobs["label"].reshape(np.int64(6))
    net.reshape()
    assert net.blobs["score"].shape == (6, 4, 1, 1)
    net.blobs["x"].reshape((3, 3, 4, 4))
    assert net.blobs["x"].data.shape == (3, 3, 4, 4)
    with pytest.raises(TypeError):
        net.blobs["x"].reshape(1.5)
    with pytest.raises(caffe.Error):
        net.blobs["x"].reshape(-1, 2)


def test_an_empty_blob_has_an_empty_view() -> None:
    net = nets.two_layers()
    net.blobs["x"].reshape(0, 3, 4, 4)
    assert net.blobs["x"].data.shape == (0, 3, 4, 4)


# -- running ------------------------------------------------------------------------


def test_forward_returns_outputs_and_asked_blobs() -> None:
    net = nets.two_layers()
    results = net.forward(blobs=["conv"])
    assert set(results) == {"loss", "probability", "conv"}
    probability = results["probability"].reshape(2, 4)
    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-6)
    loss = -np.log(probability[[0, 1], [1, 3]]).mean()
    np.testing.assert_allclose(results["loss"], loss, rtol=1e-5)


def test_forward_takes_inputs_by_name() -> None:
    net = nets.two_layers()
    x = np.full((2, 3, 4, 4), 0.5, np.float32)
    results = net.forward(x=x, label=np.array([0, 1]))
    np.testing.assert_array_equal(net.blobs["x"].data, x)
    assert results["loss"] == net.forward()["loss"]
    with pytest.raises(ValueError, match="inputs are"):
        net.forward(x=x)
    with pytest.raises(ValueError, match="a batch of 2"):
        net.forward(x=x[:1], label=np.array([0]))


def test_start_and_end_run_a_part() -> None:
    net = nets.two_layers()
    net.forward()
    conv = net.blobs["conv"].data.copy()
    net.blobs["conv"].data[...] = 0
    results = net.forward(start="score", end="score")
    assert list(results) == ["score"]
    assert np.all(results["score"] == 0)  # no bias filler: the bias is zero
    results = net.forward(end="tanh")
    np.testing.assert_array_equal(results["conv"], conv)
    with pytest.raises(ValueError, match="did you mean score"):
        net.forward(start="scor")
    with pytest.raises(ValueError, match="no blob 'nothing'"):
        net.forward(blobs=["nothing"])


def test_partial_runs_see_what_whole_runs_fuse() -> None:
    net = nets.make(
        """layer { name: "x" type: "Input" top: "x" input_param {
             shape { dim: 2 dim: 3 dim: 9 dim: 8 } } }
        layer { name: "conv" type: "Convolution" bottom: "x" top: "y" convolution_param {
          num_output: 16 kernel_size: 3 weight_filler { type: "xavier" } } }
        layer { name: "scale" type: "Scale" bottom: "y" top: "y" scale_param {
          filler { value: -2 } } }
        layer { name: "relu" type: "ReLU" bottom: "y" top: "y" }""",
        caffe.TEST,
    )
    net.blobs["x"].data[...] = np.random.default_rng(3).normal(size=(2, 3, 9, 8))
    whole = net.forward()["y"].copy()
    conv = net.forward(end="conv")["y"].copy()
    assert np.any(conv < 0)
    np.testing.assert_allclose(net.forward(end="scale")["y"], -2 * conv, rtol=1e-5)
    np.testing.assert_allclose(whole, np.maximum(-2 * conv, 0), atol=1e-5)
    np.testing.assert_allclose(net.forward()["y"], whole, rtol=1e-6)
    np.testing.assert_allclose(net.forward(start="relu")["y"], whole, rtol=1e-6)
    factors = net.params["scale"][0].data  # kept: it may be written to at any time
    for factor in (1, 3):
        factors[...] = factor
        np.testing.assert_allclose(net.forward()["y"], np.maximum(factor * conv, 0), atol=1e-5)


def test_backward_fills_diffs() -> None:
    net = nets.two_layers(np.float64, force_backward=True)
    net.forward()
    probability = net.blobs["probability"].data.reshape(2, 4).copy()
    net.blobs["probability"].diff[...] = 0
    results = net.backward(diffs=["score"])
    assert set(results) == {"x", "label", "score"}
    # d(2 · mean cross entropy)/d score, where the loss weight is 2 and N is 2.
    want = probability - np.eye(4)[[1, 3]]
    np.testing.assert_allclose(results["score"].reshape(2, 4), want, atol=1e-12)
    assert np.any(results["x"] != 0)
    results = net.backward(start="loss", end="score")
    assert list(results) == ["conv"]


def test_backward_takes_output_diffs() -> None:
    net = nets.make(
        """force_backward: true
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
        layer { name: "y" type: "Power" bottom: "x" top: "y" power_param { scale: 4 } }"""
    )
    net.forward()
    diff = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(net.backward(y=diff)["x"], 4 * diff)
    with pytest.raises(ValueError, match="outputs are"):
        net.backward(x=diff)
    with pytest.raises(ValueError, match="a batch of 2"):
        net.backward(y=diff[:1])


def test_parameter_diffs_add_up_until_they_are_cleared() -> None:
    net = nets.two_layers(np.float64)
    net.blobs["probability"].diff[...] = 0
    net.forward()
    net.backward()
    once = net.params["conv"][0].diff.copy()
    net.backward()
    np.testing.assert_allclose(net.params["conv"][0].diff, 2 * once, rtol=1e-12)
    before = net.params["conv"][0].data.copy()
    net.update()
    np.testing.assert_allclose(net.params["conv"][0].data, before - 2 * once, rtol=1e-12)
    net.clear_param_diffs()
    assert not net.params["conv"][0].diff.any()


def test_forward_all_runs_batches_and_cuts_the_padding() -> None:
    net = nets.two_layers()
    x = np.random.default_rng(0).normal(size=(5, 3, 4, 4)).astype(np.float32)
    labels = np.array([0, 1, 2, 3, 0])
    results = net.forward_all(blobs=["score"], x=x, label=labels)
    assert results["score"].shape == (5, 4, 1, 1)
    assert results["probability"].shape == (5, 4, 1, 1)
    assert results["loss"].shape == (3,)  # one a batch
    for i in range(5):
        one = net.forward(x=x[[i, i]], label=labels[[i, i]], blobs=["score"])
        np.testing.assert_allclose(results["score"][i], one["score"][0], rtol=1e-5)
    with pytest.raises(ValueError, match="different lengths"):
        net.forward_all(x=x, label=labels[:4])


def test_forward_backward_all() -> None:
    net = nets.make(
        """force_backward: true
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
        layer { name: "y" type: "Power" bottom: "x" top: "y" power_param { power: 2 } }"""
    )
    x = np.arange(15, dtype=np.float32).reshape(5, 3)
    diff = np.ones((5, 3), np.float32)
    forward, backward = net.forward_backward_all(x=x, y=diff)
    np.testing.assert_allclose(forward["y"], x * x, rtol=1e-6)
    np.testing.assert_allclose(backward["x"], 2 * x, rtol=1e-6)


def test_forward_lets_other_threads_run() -> None:
    # Threads never take turns by themselves in this test: only a release of the
    # interpreter lock between the two callbacks lets the other one in.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        assert any(other_thread_ran_inside_forward() for _ in range(1000))
    finally:
        sys.setswitchinterval(interval)


def other_thread_ran_inside_forward() -> bool:
    net = nets.two_layers()
    inside = threading.Event()
    ran: list[int] = []
    ran_at_end: list[bool] = []

    def other() -> None:
        inside.wait()
        ran.append(1)

    thread = threading.Thread(target=other)
    thread.start()
    net.after_forward(lambda layer: inside.set() if layer == 0 else None)
    net.after_forward(lambda layer: ran_at_end.append(bool(ran)) if layer == 5 else None)
    net.forward()
    thread.join()
    return ran_at_end[0]


# -- MemoryData ------------------------------------------------------------------------

MEMORY = """
layer { name: "m" type: "MemoryData" top: "x" top: "label"
        memory_data_param { batch_size: 2 channels: 1 height: 1 width: 3 } }
layer { name: "y" type: "Power" bottom: "x" top: "y" power_param { scale: 2 } }
"""


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_set_input_arrays_feeds_batches_without_a_copy(dtype: Any) -> None:
    net = nets.make(MEMORY, dtype=dtype)
    data = np.arange(12, dtype=dtype).reshape(4, 1, 1, 3)
    labels = np.arange(4, dtype=dtype).reshape(4, 1, 1, 1)
    net.set_input_arrays(data, labels)
    for first in (0, 2, 0):
        np.testing.assert_array_equal(net.forward()["y"], 2 * data[first : first + 2])
        np.testing.assert_array_equal(net.blobs["label"].data, [first, first + 1])
    data[...] = 5
    assert np.all(net.forward()["y"] == 10)


def test_views_of_input_arrays_outlive_them() -> None:
    net = nets.make(MEMORY)
    net.set_input_arrays(np.full((2, 1, 1, 3), 4, np.float32), np.zeros(2, np.float32))
    net.forward()
    view = net.blobs["x"].data
    for _ in range(100):  # the first arrays would be freed and used again
        net.set_input_arrays(np.ones((2, 1, 1, 3), np.float32), np.zeros(2, np.float32))
    net.forward()
    assert np.all(view == 4)
    assert np.all(net.blobs["x"].data == 1)


@pytest.mark.parametrize(
    ("data", "labels", "error", "message"),
    [
        (np.zeros((2, 1, 1, 3)), np.zeros(2), TypeError, "of float32, got float64"),
        ([[1]], np.zeros(2, np.float32), TypeError, "of float32, got list"),
        (np.zeros((2, 1, 1, 6), "f4")[..., ::2], np.zeros(2, "f4"), TypeError, "C-contiguous"),
        (np.zeros((2, 1, 3), "f4"), np.zeros(2, "f4"), ValueError, "the data must be N"),
        (np.zeros((2, 1, 1, 4), "f4"), np.zeros(2, "f4"), ValueError, "the data must be N"),
        (np.zeros((2, 1, 1, 3), "f4"), np.zeros(3, "f4"), ValueError, "expected 2 labels"),
        (np.zeros((3, 1, 1, 3), "f4"), np.zeros(3, "f4"), caffe.Error, "multiple of the batch"),
    ],
)
def test_wrong_input_arrays_are_named(
    data: Any, labels: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        nets.make(MEMORY).set_input_arrays(data, labels)


def test_input_arrays_need_a_memory_data_layer() -> None:
    arrays = np.zeros((2, 1, 1, 3), np.float32), np.zeros(2, np.float32)
    with pytest.raises(ValueError, match="no MemoryData layer"):
        nets.two_layers().set_input_arrays(*arrays)
    with pytest.raises(caffe.Error, match=r"y .*is no MemoryData"):
        nets.make(MEMORY).set_input_arrays(*arrays, index=1)


# -- callbacks -----------------------------------------------------------------------


def test_callbacks_run_around_each_layer() -> None:
    net = nets.two_layers()
    net.blobs["probability"].diff[...] = 0
    events: list[tuple[str, int]] = []
    net.before_forward(lambda i: events.append(("before", i)))
    net.after_forward(lambda i: events.append(("after", i)))
    net.before_backward(lambda i: events.append(("before back", i)))
    net.after_backward(lambda i: events.append(("after back", i)))
    net.forward(start="score", end="score")
    net.backward(start="score", end="score")
    assert events == [("before", 3), ("after", 3), ("before back", 3), ("after back", 3)]


def test_an_exception_in_a_callback_comes_back() -> None:
    net = nets.two_layers()

    def stop(layer: int) -> None:
        raise KeyError(layer)

    net.after_forward(stop)
    with pytest.raises(KeyError, match="0"):
        net.forward()


def test_callbacks_do_not_keep_the_net_alive() -> None:
    net = nets.two_layers()
    net.after_forward(lambda _layer, net=net: net.name)  # type: ignore[misc]
    reference = weakref.ref(net)
    del net
    gc.collect()
    assert reference() is None


# -- memory --------------------------------------------------------------------------


def test_released_blobs_cannot_be_read() -> None:
    net, plain = nets.two_layers(), nets.two_layers()
    assert not net.release_memory
    net.set_release_memory(keep=["score"])
    assert net.release_memory
    for each in (net, plain):
        each.forward()
        each.backward()
    for side in ("data", "diff"):
        with pytest.raises(caffe.Error, match="given back"):
            getattr(net.blobs["conv"], side)
        for name in ("x", "score", "loss"):
            np.testing.assert_array_equal(
                getattr(net.blobs[name], side), getattr(plain.blobs[name], side)
            )
    for layer in net.params:
        for ours, theirs in zip(net.params[layer], plain.params[layer], strict=True):
            np.testing.assert_array_equal(ours.diff, theirs.diff)
    with pytest.raises(ValueError, match="no blob 'scores'"):
        net.set_release_memory(keep=["scores"])
    net.set_release_memory(False)
    net.forward()
    np.testing.assert_array_equal(net.blobs["conv"].data, plain.blobs["conv"].data)


def test_a_view_held_keeps_the_values_of_a_net_that_releases_memory() -> None:
    net = nets.make(nets.TWO_LAYERS, caffe.TEST)
    net.forward()
    view = net.blobs["conv"].data
    net.set_release_memory()
    net.forward()
    assert np.all(np.isfinite(view))
    np.testing.assert_array_equal(net.blobs["conv"].data, view)
    del view
    net.forward()
    with pytest.raises(caffe.Error, match="given back"):
        net.blobs["conv"].data.sum()


# -- weights -------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["caffemodel", "h5"])
def test_weights_go_through_files(tmp_path: Path, suffix: str) -> None:
    net = nets.two_layers()
    file = tmp_path / f"weights.{suffix}"
    (net.save_hdf5 if suffix == "h5" else net.save)(str(file))
    other = caffe.Net(nets.parse(nets.TWO_LAYERS), caffe.TRAIN)
    report = other.copy_from(str(file))
    assert sorted(report.loaded) == ["conv", "score"]
    assert report.mismatched == report.missing == []
    for layer, blobs in net.params.items():
        for ours, theirs in zip(blobs, other.params[layer], strict=True):
            np.testing.assert_array_equal(ours.data, theirs.data)


def test_load_hdf5_reads_what_save_hdf5_wrote(tmp_path: Path) -> None:
    net = nets.two_layers()
    net.save_hdf5(tmp_path / "w.h5")
    other = caffe.Net(nets.parse(nets.TWO_LAYERS), caffe.TRAIN)
    other.load_hdf5(tmp_path / "w.h5")
    np.testing.assert_array_equal(other.params["score"][0].data, net.params["score"][0].data)


def test_mismatched_shapes_are_an_error_or_are_reported(weights: Path) -> None:
    other = nets.make(nets.TWO_LAYERS.replace("num_output: 4", "num_output: 7"))
    before = other.params["conv"][0].data.copy()
    with pytest.raises(caffe.Error, match="score"):
        other.copy_from(str(weights))
    np.testing.assert_array_equal(other.params["conv"][0].data, before)
    report = other.copy_from(str(weights), skip_mismatched=True)
    assert report.loaded == ["conv"]
    assert len(report.mismatched) == 1
    assert "score" in str(report.mismatched[0])


def test_weights_given_to_the_constructor_are_reported_and_named(
    net_file: Path, weights: Path
) -> None:
    assert caffe.Net(net_file, caffe.TEST).weights_report is None
    report = caffe.Net(net_file, caffe.TEST, weights=weights).weights_report
    assert report is not None
    assert sorted(report.loaded) == ["conv", "score"]
    with pytest.raises(caffe.Error, match=r"two\.caffemodel.*score"):
        nets.make(nets.TWO_LAYERS.replace("num_output: 4", "num_output: 7"), weights=weights)
    with pytest.raises(caffe.Error, match="Convolutio") as error:
        nets.make(nets.TWO_LAYERS.replace('Convolution"', 'Convolutio"'), weights=weights)
    assert "caffemodel" not in str(error.value)


def test_weights_from_a_message() -> None:
    source = nets.parse(nets.TWO_LAYERS)
    del source.layer[2:]
    source.layer[1].blobs.add().shape.dim.extend([5, 3, 4, 4])
    source.layer[1].blobs[0].data.extend([0.25] * 240)
    source.layer[1].blobs.add().shape.dim.extend([5])
    source.layer[1].blobs[1].data.extend([1] * 5)
    net = nets.two_layers()
    net.copy_from(source)
    assert np.all(net.params["conv"][0].data == 0.25)


def test_shared_weights_are_the_same_memory() -> None:
    net, other = nets.two_layers(), nets.two_layers()
    other.share_with(net)
    net.params["conv"][0].data[...] = 0.125
    assert np.all(other.params["conv"][0].data == 0.125)
    del net
    gc.collect()
    assert np.all(other.params["conv"][0].data == 0.125)


def test_an_old_net_message_is_upgraded() -> None:
    net = nets.make(
        """input: "x" input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 3
        layers { name: "y" type: TANH bottom: "x" top: "y" }"""
    )
    assert net.inputs == ["x"]
    assert net.layer_dict["y"].type == "TanH"
