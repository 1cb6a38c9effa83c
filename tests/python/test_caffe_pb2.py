"""The schema as Python messages."""

from __future__ import annotations

import copy
import importlib
import pickle

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, text_format

from caffe.proto import caffe_pb2


def test_messages_have_their_defaults_and_nested_types() -> None:
    pooling = caffe_pb2.PoolingParameter()
    assert pooling.pool == caffe_pb2.PoolingParameter.MAX == 0
    assert pooling.stride == 1
    assert caffe_pb2.PoolingParameter.PoolMethod.Value("AVE") == 1
    assert caffe_pb2.SolverParameter.SnapshotFormat.Name(1) == "BINARYPROTO"
    assert caffe_pb2.LayerParameter().loss_weight == []


def test_the_enums_of_the_file_stand_in_the_module() -> None:
    assert (caffe_pb2.TRAIN, caffe_pb2.TEST) == (0, 1)
    assert caffe_pb2.Phase.Name(1) == "TEST"
    assert caffe_pb2.DESCRIPTOR.package == "caffe"


def test_every_message_of_the_file_is_there() -> None:
    names = caffe_pb2.DESCRIPTOR.message_types_by_name
    assert len(names) > 80
    for name, descriptor in names.items():
        assert getattr(caffe_pb2, name).DESCRIPTOR is descriptor


def test_messages_go_through_text_bytes_copies_and_pickles() -> None:
    text = 'name: "n" layer { name: "a" include { phase: TEST } blobs { data: [1, 2] } }'
    net = text_format.Parse(text, caffe_pb2.NetParameter())
    assert caffe_pb2.NetParameter.FromString(net.SerializeToString()) == net
    assert copy.deepcopy(net) == net
    assert pickle.loads(pickle.dumps(net)) == net
    assert text_format.Parse(text_format.MessageToString(net), caffe_pb2.NetParameter()) == net


def test_an_unknown_field_is_an_error() -> None:
    with pytest.raises(text_format.ParseError, match="no_such_field"):
        text_format.Parse("no_such_field: 1", caffe_pb2.NetParameter())


def test_another_schema_of_the_same_name_does_not_clash() -> None:
    other = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe")
    other.message_type.add(name="NetParameter").field.add(
        name="other", number=1, type=5, label=1, json_name="other"
    )
    descriptor_pool.Default().Add(other)
    assert "other" not in caffe_pb2.NetParameter.DESCRIPTOR.fields_by_name
    again = importlib.reload(caffe_pb2)
    assert "layer" in again.NetParameter.DESCRIPTOR.fields_by_name
