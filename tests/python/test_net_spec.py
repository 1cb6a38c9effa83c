"""Nets written as Python."""

from __future__ import annotations

import numpy as np
import pytest
from google.protobuf import text_format

import caffe
import nets
from caffe import layers as L
from caffe import params as P
from caffe.proto import caffe_pb2


def layer(text: str) -> object:
    return text_format.Parse(text, caffe_pb2.LayerParameter())


def lenet(batch_size: int = 8) -> caffe.NetSpec:
    n = caffe.NetSpec()
    n.data, n.label = L.DummyData(
        shape=[{"dim": [batch_size, 1, 28, 28]}, {"dim": [batch_size]}],
        transform_param={"scale": 1.0 / 255},
        ntop=2,
    )
    n.conv1 = L.Convolution(n.data, kernel_size=5, num_output=20, weight_filler={"type": "xavier"})
    n.pool1 = L.Pooling(n.conv1, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.relu1 = L.ReLU(n.pool1, in_place=True)
    n.score = L.InnerProduct(n.relu1, num_output=10, param=[{"lr_mult": 1}, {"lr_mult": 2}])
    n.loss = L.SoftmaxWithLoss(n.score, n.label)
    return n


def test_layers_names_and_parameters_come_out_as_written() -> None:
    net = lenet(4).to_proto()
    assert [item.name for item in net.layer] == [
        "data", "conv1", "pool1", "relu1", "score", "loss",
    ]  # fmt: skip
    assert net.layer[0] == layer(
        """name: "data" type: "DummyData" top: "data" top: "label"
        transform_param { scale: 0.0039215688 }
        dummy_data_param { shape { dim: 4 dim: 1 dim: 28 dim: 28 } shape { dim: 4 } }"""
    )
    assert net.layer[1] == layer(
        """name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
        convolution_param { num_output: 20 kernel_size: 5 weight_filler { type: "xavier" } }"""
    )
    assert net.layer[2].pooling_param.pool == caffe_pb2.PoolingParameter.MAX
    assert net.layer[3] == layer('name: "relu1" type: "ReLU" bottom: "pool1" top: "pool1"')
    assert list(net.layer[4].bottom) == ["pool1"]
    assert [spec.lr_mult for spec in net.layer[4].param] == [1, 2]
    assert list(net.layer[5].bottom) == ["score", "label"]
    assert text_format.Parse(str(net), caffe_pb2.NetParameter()) == net


def test_a_net_can_be_made_of_it() -> None:
    n = caffe.NetSpec()
    n.x = L.Input(shape={"dim": [2, 3]})
    n.y = L.Power(n.x, scale=2)
    net = caffe.Net(n.to_proto(), caffe.TEST)
    assert np.all(net.forward(x=np.ones((2, 3)))["y"] == 2)


def test_names_are_made_up_for_what_has_none() -> None:
    data = L.Input(shape={"dim": [1, 3]})
    left = L.TanH(L.TanH(data))
    net = caffe.to_proto(L.Eltwise(left, L.Sigmoid(data)))
    assert [(item.name, list(item.bottom)) for item in net.layer] == [
        ("Input1", []),
        ("TanH1", ["Input1"]),
        ("TanH2", ["TanH1"]),
        ("Sigmoid1", ["Input1"]),
        ("Eltwise1", ["TanH2", "Sigmoid1"]),
    ]
    assert left.to_proto() == caffe.to_proto(left)


def test_unnamed_layers_between_named_ones() -> None:
    n = caffe.NetSpec()
    n.x = L.Input(shape={"dim": [1, 3]})
    n.y = L.TanH(L.AbsVal(n.x))
    assert [item.name for item in n.to_proto().layer] == ["x", "AbsVal1", "y"]


def test_a_layer_is_written_once_and_before_those_that_read_it() -> None:
    n = caffe.NetSpec()
    x = L.Input(shape={"dim": [1, 3]})
    n.late = L.TanH(x)
    n.x = x
    n.same = x
    assert [item.name for item in n.to_proto().layer] == ["x", "late"]


def test_thousands_of_layers() -> None:
    top = L.Input(shape={"dim": [1]})
    for _ in range(5000):
        top = L.TanH(top)
    assert len(top.to_proto().layer) == 5001


def test_no_tops_and_several() -> None:
    n = caffe.NetSpec()
    n.a, n.b, n.c = L.Slice(L.Input(shape={"dim": [3, 1]}), slice_param={"axis": 0}, ntop=3)
    n.quiet = L.Silence(n.a, n.c, ntop=0)
    L.Silence(n.b, ntop=0)  # goes nowhere: nothing names it
    net = n.to_proto()
    assert [item.name for item in net.layer] == ["Input1", "a", "quiet"]
    assert list(net.layer[1].top) == ["a", "b", "c"]
    assert not net.layer[2].top


def test_python_and_input_layers() -> None:
    n = caffe.NetSpec()
    n.x = L.Input(input_param={"shape": [{"dim": [1, 2]}]})
    n.y = L.Python(n.x, module="m", layer="C", param_str=repr({"a": 1}), loss_weight=1)
    y = n.to_proto().layer[1]
    assert y.python_param.layer == "C"
    assert list(y.loss_weight) == [1]


def test_single_values_and_messages_go_into_repeated_fields() -> None:
    made = (
        L.Convolution(
            kernel_size=[3, 5],
            stride=2,
            include={"phase": caffe.TEST},
            param=caffe_pb2.ParamSpec(name="w"),
            weight_filler=caffe_pb2.FillerParameter(type="msra"),
        )
        .to_proto()
        .layer[0]
    )
    assert list(made.convolution_param.kernel_size) == [3, 5]
    assert list(made.convolution_param.stride) == [2]
    assert made.include[0].phase == caffe.TEST
    assert made.param[0].name == "w"
    assert made.convolution_param.weight_filler.type == "msra"


def test_parameters_under_another_types_message() -> None:
    made = L.Deconvolution(convolution_param={"num_output": 2}).to_proto().layer[0]
    assert made.convolution_param.num_output == 2
    assert L.Dropout(dropout_param={}).to_proto().layer[0].HasField("dropout_param")


def test_items_keys_update_and_deletion() -> None:
    n = caffe.NetSpec()
    n["x"] = L.Input(shape={"dim": [1, 3]})
    n["y"] = L.InnerProduct(n["x"], num_output=2)
    assert n.keys() == list(n) == ["x", "y"]
    assert len(n.vals()) == len(n) == 2
    assert "y" in n
    assert n.y is n["y"]
    n.update("y", {"param": [{"lr_mult": 0}]})
    assert n.to_proto().layer[1].param[0].lr_mult == 0
    del n["y"]
    assert "y" not in n
    n.y = L.TanH(n.x)
    del n.y
    assert n.keys() == ["x"]
    with pytest.raises(AttributeError, match="no top 'y'"):
        n.y  # noqa: B018


def test_enums() -> None:
    assert P.Pooling.AVE == 1
    assert P.Loss.VALID == caffe_pb2.LossParameter.VALID
    assert P.MultiBoxLoss.MAX_NEGATIVE == caffe_pb2.MultiBoxLossParameter.MAX_NEGATIVE
    with pytest.raises(AttributeError, match="no enum value 'MIN'"):
        P.Pooling.MIN  # noqa: B018
    with pytest.raises(AttributeError, match="no PolingParameter"):
        P.Poling  # noqa: B018


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"kernel": 3}, "ConvolutionParameter has no field 'kernel'; did you mean kernel_"),
        ({"num_output": "many"}, "num_output = 'many'"),
        ({"num_output": -1}, "num_output = -1"),
        ({"weight_filler": {"typ": "x"}}, "FillerParameter has no field 'typ'; did you mean type"),
        ({"param": [{"lr": 1}]}, "ParamSpec has no field 'lr'"),
    ],
)
def test_wrong_parameters_name_the_layer_and_the_field(
    keywords: dict[str, object], message: str
) -> None:
    n = caffe.NetSpec()
    n.conv = L.Convolution(**keywords)
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        n.to_proto()
    assert "Convolution 'conv'" in str(caught.value)


def test_a_type_without_parameters_says_where_to_give_them() -> None:
    with pytest.raises(TypeError, match="as a dict"):
        L.SoftmaxWithLoss(axis=1).to_proto()


def test_what_is_no_top_is_refused() -> None:
    n = caffe.NetSpec()
    with pytest.raises(TypeError, match="is ntop right"):
        n.a = L.Slice(L.Input(), ntop=2)
    with pytest.raises(TypeError, match="bottom 0 is 'data'"):
        L.TanH("data")
    with pytest.raises(ValueError, match="one bottom and one top"):
        L.ReLU(in_place=True)


def test_the_text_of_a_net_gives_the_net_again() -> None:
    message = nets.parse(nets.TWO_LAYERS)
    n = caffe.NetSpec()
    n.x, n.label = L.Input(shape=[{"dim": [2, 3, 4, 4]}, {"dim": [2]}], ntop=2)
    n.conv = L.Convolution(
        n.x,
        num_output=5,
        kernel_size=4,
        weight_filler={"type": "xavier"},
        bias_filler={"type": "uniform"},
    )
    n.tanh = L.TanH(n.conv, in_place=True)
    n.score = L.Convolution(n.tanh, num_output=4, kernel_size=1, weight_filler={"type": "xavier"})
    n.loss = L.SoftmaxWithLoss(n.score, n.label, loss_weight=2)
    n.probability = L.Softmax(n.score)
    message.ClearField("name")
    assert n.to_proto() == message
