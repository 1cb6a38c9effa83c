"""Every layer case, measured on the SSD branch or computed in NumPy, gives its numbers here."""

from __future__ import annotations

from typing import Any

import pytest

import caffe
import golden

TEST_PHASE = ("detout", "rd_detout", "deteval", "dropout_test", "accuracy")

# Strict: a case that begins to pass must leave this list. The first: there the gradient of the
# location lacks the variance that the loss divides by; here it is the derivative of the loss.
# The others: MultiBoxLoss does not take RefineDet's six bottoms yet.
UNFINISHED = {
    "multibox_variance_in_target_valid",
    "rd_arm_0",
    "rd_arm_1",
    "rd_arm_2",
    "rd_odm_001_full",
    "rd_odm_001_valid",
    "rd_odm_04_full",
    "rd_odm_04_valid",
    "rd_odm_07_full",
    "rd_odm_07_valid",
}


def with_marks(case: str) -> Any:
    if case not in UNFINISHED:
        return case
    return pytest.param(case, marks=pytest.mark.xfail(reason="see UNFINISHED", strict=True))


def set_inputs(net: caffe.Net, given: golden.Arrays) -> None:
    for name, value in given.get("blob", {}).items():
        assert net.blobs[name].data.shape == value.shape
        net.blobs[name].data[...] = value
    for key, value in given.get("param", {}).items():
        layer, index = key.rsplit(":", 1)
        net.params[layer][int(index)].data[...] = value


def check_outputs(net: caffe.Net, expected: golden.Arrays) -> None:
    for name, value in expected.get("top", {}).items():
        golden.assert_close(f"top {name}", net.blobs[name].data, value)
    for name, value in expected.get("diff", {}).items():
        golden.assert_close(f"diff {name}", net.blobs[name].diff, value)
    for key, value in expected.get("paramdiff", {}).items():
        layer, index = key.rsplit(":", 1)
        golden.assert_close(f"paramdiff {key}", net.params[layer][int(index)].diff, value)


def test_there_are_cases_of_our_own() -> None:
    assert len(golden.own_cases()) >= 4


@pytest.mark.parametrize(
    "case", golden.own_cases() + [with_marks(case) for case in golden.cases(solvers=False)]
)
def test_layer_case(case: str) -> None:
    net_file = golden.folder_of(case) / "net.prototxt"
    golden.require_layer_types(net_file)
    given, expected = golden.load(case, "in.npz"), golden.load(case, "out.npz")
    net = caffe.Net(str(net_file), caffe.TEST if case.startswith(TEST_PHASE) else caffe.TRAIN)
    set_inputs(net, given)
    net.forward()
    if expected.keys() & {"diff", "paramdiff"}:
        for name, value in given.get("topdiff", {}).items():
            net.blobs[name].diff[...] = value
        net.backward()
    check_outputs(net, expected)
