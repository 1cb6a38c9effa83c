"""Images, Datums, BlobProtos and the Transformer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from caffe import io
from caffe.proto import caffe_pb2


@pytest.fixture
def image() -> Any:
    return np.random.default_rng(1).integers(0, 256, (6, 8, 3), np.uint8)


# -- messages ---------------------------------------------------------------------


def test_blobproto_round_trip() -> None:
    data = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    blob = io.array_to_blobproto(data, 2 * data)
    assert list(blob.shape.dim) == [2, 3, 4]
    np.testing.assert_array_equal(io.blobproto_to_array(blob), data)
    np.testing.assert_array_equal(io.blobproto_to_array(blob, return_diff=True), 2 * data)
    with pytest.raises(ValueError, match="diff has shape"):
        io.array_to_blobproto(data, data[0])


def test_legacy_and_double_blobprotos() -> None:
    blob = caffe_pb2.BlobProto(num=1, channels=2, height=1, width=3, data=range(6))
    assert io.blobproto_to_array(blob).shape == (1, 2, 1, 3)
    blob = caffe_pb2.BlobProto(double_data=[0.1, 0.2])
    blob.shape.dim.append(2)
    np.testing.assert_array_equal(io.blobproto_to_array(blob), [0.1, 0.2])
    scalar = caffe_pb2.BlobProto(data=[4])
    scalar.shape.SetInParent()
    assert io.blobproto_to_array(scalar) == 4


def test_blobproto_vectors() -> None:
    arrays = [np.arange(3, dtype=np.float32), np.ones((2, 2), np.float32)]
    back = io.blobprotovector_str_to_arraylist(io.arraylist_to_blobprotovector_str(arrays))
    for ours, theirs in zip(arrays, back, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_datum_round_trips(image: Any) -> None:
    channels_first = image.transpose(2, 0, 1)
    datum = io.array_to_datum(channels_first, label=7)
    assert (datum.channels, datum.height, datum.width, datum.label) == (3, 6, 8, 7)
    assert datum.data == channels_first.tobytes()
    np.testing.assert_array_equal(io.datum_to_array(datum), channels_first)
    floats = channels_first / np.float32(7)
    datum = io.array_to_datum(floats)
    assert not datum.HasField("label")
    np.testing.assert_array_equal(io.datum_to_array(datum), floats)
    with pytest.raises(ValueError, match="channels × height × width"):
        io.array_to_datum(channels_first[0])


def test_encoded_datums_are_decoded(image: Any) -> None:
    datum = caffe_pb2.Datum(encoded=True, data=cv2.imencode(".png", image)[1].tobytes())
    np.testing.assert_array_equal(io.datum_to_array(datum), image.transpose(2, 0, 1))
    datum.data = b"no image"
    with pytest.raises(ValueError, match="8 bytes are no image"):
        io.datum_to_array(datum)


# -- images -------------------------------------------------------------------------


def test_load_image_gives_rgb_in_unit_range(tmp_path: Path, image: Any) -> None:
    cv2.imwrite(str(tmp_path / "i.png"), image)  # OpenCV's order is BGR
    loaded = io.load_image(tmp_path / "i.png")
    assert loaded.dtype == np.float32
    np.testing.assert_allclose(loaded, image[:, :, ::-1] / 255.0, atol=1e-7)
    grey = io.load_image(str(tmp_path / "i.png"), color=False)
    assert grey.shape == (6, 8, 1)
    # ITU-R 601: 0.299 R + 0.587 G + 0.114 B.
    np.testing.assert_allclose(grey[:, :, 0], loaded @ np.float32([0.299, 0.587, 0.114]), atol=1e-5)


@pytest.mark.parametrize("bits", [8, 16])
def test_load_image_of_other_formats(tmp_path: Path, image: Any, bits: int) -> None:
    full = 2**bits - 1
    values = (image / 255.0 * full).round().astype(np.uint8 if bits == 8 else np.uint16)
    cv2.imwrite(str(tmp_path / "grey.png"), values[:, :, 0])
    grey = io.load_image(tmp_path / "grey.png")
    assert grey.shape == (6, 8, 3)
    np.testing.assert_allclose(grey[:, :, 2], values[:, :, 0] / full, atol=1e-7)
    assert io.load_image(tmp_path / "grey.png", color=False).shape == (6, 8, 1)
    with_alpha = np.concatenate([values, values[:, :, :1]], axis=2)
    cv2.imwrite(str(tmp_path / "alpha.png"), with_alpha)
    loaded = io.load_image(tmp_path / "alpha.png")
    np.testing.assert_allclose(loaded, values[:, :, ::-1] / full, atol=1e-7)


def test_load_image_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.png"):
        io.load_image(tmp_path / "nothing.png")
    for content in (b"", b"text"):
        (tmp_path / "bad.png").write_bytes(content)
        with pytest.raises(ValueError, match=r"bad\.png"):
            io.load_image(tmp_path / "bad.png")


def test_resize_image_is_bilinear_with_half_pixel_centers() -> None:
    ramp = np.arange(8, dtype=np.float32)[None, :, None].repeat(4, axis=0)
    # Halving takes the mean of two neighbours; doubling steps by a half, edges repeated.
    np.testing.assert_allclose(
        io.resize_image(ramp, (2, 4))[0, :, 0], [0.5, 2.5, 4.5, 6.5], atol=1e-6
    )
    doubled = io.resize_image(ramp, (4, 16))[0, :, 0]
    np.testing.assert_allclose(doubled[:4], [0, 0.25, 0.75, 1.25], atol=1e-6)
    assert io.resize_image(np.zeros((4, 4, 7)), (2, 3)).shape == (2, 3, 7)
    assert set(np.unique(io.resize_image(ramp, (4, 16), interp_order=0))) == set(range(8))
    with pytest.raises(ValueError, match="0, 1 or 3"):
        io.resize_image(ramp, (2, 2), interp_order=2)


def test_resize_to_the_same_size_changes_nothing(image: Any) -> None:
    for order in (0, 1, 3):
        np.testing.assert_array_equal(io.resize_image(image, (6, 8), order), image)


def test_oversample_gives_corners_center_and_mirrors(image: Any) -> None:
    crops = io.oversample([image, image[::-1]], (4, 5))
    assert crops.shape == (20, 4, 5, 3)
    np.testing.assert_array_equal(crops[0], image[:4, :5])
    np.testing.assert_array_equal(crops[1], image[:4, 3:])
    np.testing.assert_array_equal(crops[2], image[2:, :5])
    np.testing.assert_array_equal(crops[3], image[2:, 3:])
    np.testing.assert_array_equal(crops[4], image[1:5, 1:6])
    np.testing.assert_array_equal(crops[5:10], crops[:5, :, ::-1])
    np.testing.assert_array_equal(crops[10], image[::-1][:4, :5])
    with pytest.raises(ValueError, match="do not fit"):
        io.oversample([image], (7, 5))


# -- preprocessing --------------------------------------------------------------------


def full_transformer(mean: Any) -> io.Transformer:
    transformer = io.Transformer({"data": (1, 3, 6, 8)})
    transformer.set_transpose("data", (2, 0, 1))
    transformer.set_channel_swap("data", (2, 0, 1))  # not its own inverse
    transformer.set_raw_scale("data", 255)
    transformer.set_mean("data", mean)
    transformer.set_input_scale("data", 0.5)
    return transformer


def test_the_steps_come_in_caffes_order() -> None:
    image = np.random.default_rng(0).uniform(size=(6, 8, 3)).astype(np.float32)
    mean = np.array([10.0, 20.0, 30.0])
    got = full_transformer(mean).preprocess("data", image)
    swapped = image.transpose(2, 0, 1)[[2, 0, 1]]
    np.testing.assert_allclose(
        got, (swapped * 255 - mean[:, None, None]) * 0.5, rtol=1e-4, atol=1e-4
    )
    assert got.dtype == np.float32


def test_deprocess_undoes_preprocess() -> None:
    image = np.random.default_rng(0).uniform(size=(6, 8, 3)).astype(np.float32)
    before = image.copy()
    mean = np.random.default_rng(1).uniform(0, 200, (3, 6, 8))
    transformer = full_transformer(mean)
    values = transformer.preprocess("data", image)
    # Values near 255 are kept to 2e-5.
    np.testing.assert_allclose(transformer.deprocess("data", values), image, atol=1e-6)
    np.testing.assert_allclose(transformer.deprocess("data", values[None]), image, atol=1e-6)
    np.testing.assert_array_equal(image, before)


def test_nothing_set_changes_nothing_but_the_size() -> None:
    image = np.random.default_rng(0).uniform(size=(12, 16, 3)).astype(np.float32)
    transformer = io.Transformer({"data": (1, 3, 6, 8)})
    np.testing.assert_array_equal(
        transformer.preprocess("data", image), io.resize_image(image, (6, 8))
    )


def test_grey_images_survive() -> None:
    transformer = io.Transformer({"data": (1, 1, 6, 8)})
    transformer.set_transpose("data", (2, 0, 1))
    image = np.random.default_rng(0).uniform(size=(6, 8, 1)).astype(np.float32)
    back = transformer.deprocess("data", transformer.preprocess("data", image))
    np.testing.assert_array_equal(back, image)


def test_means_of_all_shapes() -> None:
    transformer = io.Transformer({"data": (1, 3, 6, 8)})
    for shape, stored in [
        ((3,), (3, 1, 1)),
        ((6, 8), (1, 6, 8)),
        ((3, 6, 8), (3, 6, 8)),
        ((3, 12, 16), (3, 6, 8)),
    ]:
        transformer.set_mean("data", np.ones(shape))
        assert transformer.mean["data"].shape == stored
        assert np.all(transformer.mean["data"] == 1)


def test_wrong_settings_are_named() -> None:
    transformer = io.Transformer({"data": (1, 3, 6, 8)})
    with pytest.raises(ValueError, match="'dat' is none of the inputs: data"):
        transformer.set_raw_scale("dat", 1)
    with pytest.raises(ValueError, match="none of the inputs"):
        transformer.preprocess("other", np.zeros((6, 8, 3)))
    with pytest.raises(ValueError, match="needs 3 axes"):
        transformer.set_transpose("data", (1, 0))
    with pytest.raises(ValueError, match="3 channels"):
        transformer.set_channel_swap("data", (1, 0))
    with pytest.raises(ValueError, match="3 channels, the mean 2"):
        transformer.set_mean("data", np.zeros(2))
    with pytest.raises(ValueError, match="the mean of data has shape"):
        transformer.set_mean("data", np.zeros((2, 6, 8)))
