"""Builds message classes from a serialized FileDescriptorProto."""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal import enum_type_wrapper

from caffe import _caffe


def define_schema(namespace: dict[str, Any]) -> None:
    """Puts what a generated module of the schema would define into `namespace`.

    These are the message classes (nested ones and enums as their attributes),
    the enums with their values, and DESCRIPTOR.
    """
    pool = descriptor_pool.DescriptorPool()
    schema = descriptor_pb2.FileDescriptorProto.FromString(_caffe.schema_descriptor())
    pool.Add(schema)
    file = pool.FindFileByName(schema.name)
    factory = _class_factory(pool)
    namespace["DESCRIPTOR"] = file
    for name, message in file.message_types_by_name.items():
        namespace[name] = _message_class(message, factory, namespace["__name__"])
    for name, enum in file.enum_types_by_name.items():
        namespace[name] = enum_type_wrapper.EnumTypeWrapper(enum)
        namespace.update({value.name: value.number for value in enum.values})


def _class_factory(pool: Any) -> Any:
    """The function that turns a descriptor into its class: its name changed in protobuf 4.22."""
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass
    return message_factory.MessageFactory(pool).GetPrototype  # type: ignore[attr-defined]


def _message_class(message: Any, factory: Any, module: str) -> Any:
    made = factory(message)
    made.__module__ = module
    for name, nested in message.nested_types_by_name.items():
        nested_class = _message_class(nested, factory, module)
        if not hasattr(made, name):
            setattr(made, name, nested_class)
    return made
