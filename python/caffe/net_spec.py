"""Nets written as Python: `layers as L`, `params as P`, `NetSpec`, `to_proto`.

::

    n = caffe.NetSpec()
    n.data, n.label = L.Data(source="train_lmdb", backend=P.Data.LMDB, batch_size=64, ntop=2)
    n.conv1 = L.Convolution(n.data, kernel_size=5, num_output=20,
                            weight_filler=dict(type="xavier"))
    n.relu1 = L.ReLU(n.conv1, in_place=True)
    n.loss = L.SoftmaxWithLoss(n.relu1, n.label)
    print(n.to_proto())

Which keyword goes where is read from the schema: a field of LayerParameter
(`name`, `param`, `include`, `loss_weight`, `softmax_param`, …) by its name, any
other into the layer type's own message (ConvolutionParameter for Convolution).
"""

from __future__ import annotations

import difflib
import functools
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from caffe.proto import caffe_pb2


class Function:
    """One layer: its type, bottoms and parameters; its tops are made with it.

    Args:
        type_name: the layer's type.
        inputs: the bottoms.
        keywords: parameters, and `ntop` (the number of tops, 1) and `in_place`
            (the top is the bottom).
    """

    def __init__(self, type_name: str, inputs: Iterable[Top], keywords: Mapping[str, Any]) -> None:
        self.type_name = type_name
        self.inputs = tuple(inputs)
        for i, given in enumerate(self.inputs):
            if not isinstance(given, Top):
                raise TypeError(
                    f"{type_name}: bottom {i} is {given!r}; expected the top of another layer"
                )
        self.params = dict(keywords)
        self.ntop = int(self.params.pop("ntop", 1))
        self.in_place = bool(self.params.pop("in_place", False))
        if self.in_place and (self.ntop != 1 or len(self.inputs) != 1):
            raise ValueError(
                f"{type_name}: in_place needs one bottom and one top, "
                f"got {len(self.inputs)} and {self.ntop}"
            )
        self.tops = tuple(Top(self, i) for i in range(self.ntop))

    def to_proto(self) -> Any:
        """A net of this layer and those before it."""
        return to_proto(self)


class Top:
    """The nth output of a layer, to be given to others as a bottom."""

    def __init__(self, fn: Function, n: int) -> None:
        self.fn = fn
        self.n = n

    def to_proto(self) -> Any:
        """A net that ends here, with names made up for its layers."""
        return to_proto(self)


class NetSpec:
    """Names for tops; the net is what they stand for.

    Tops are set and read as attributes or items; a layer takes the name of its
    first named top. A layer without tops (`ntop=0`) is set in the same way.
    """

    tops: OrderedDict[str, Top | Function]

    def __init__(self) -> None:
        super().__setattr__("tops", OrderedDict())

    def __setattr__(self, name: str, value: Top | Function) -> None:
        if not isinstance(value, (Top, Function)):
            raise TypeError(f"{name} is set to {value!r}; expected a layer's top (is ntop right?)")
        self.tops[name] = value

    def __getattr__(self, name: str) -> Any:
        try:
            return self.tops[name]
        except KeyError:
            raise AttributeError(f"the net has no top {name!r}") from None

    def __delattr__(self, name: str) -> None:
        del self.tops[name]

    def __setitem__(self, name: str, value: Top | Function) -> None:
        setattr(self, name, value)

    def __getitem__(self, name: str) -> Any:
        return self.tops[name]

    def __delitem__(self, name: str) -> None:
        del self.tops[name]

    def __contains__(self, name: object) -> bool:
        return name in self.tops

    def __iter__(self) -> Iterator[str]:
        return iter(self.tops)

    def __len__(self) -> int:
        return len(self.tops)

    def keys(self) -> list[str]:
        return list(self.tops)

    def vals(self) -> list[Top | Function]:
        return list(self.tops.values())

    def update(self, name: str, params: Mapping[str, Any]) -> None:
        """Sets parameters of the layer that makes top `name`."""
        top = self.tops[name]
        (top.fn if isinstance(top, Top) else top).params.update(params)

    def to_proto(self) -> Any:
        """The NetParameter, layers in the order in which they need each other."""
        writer = _Writer()
        for name, top in self.tops.items():
            writer.name(name, top)
        for top in self.tops.values():
            writer.add(top.fn if isinstance(top, Top) else top)
        return writer.net


def to_proto(*tops: Top | Function) -> Any:
    """A net of all layers that these tops need; names are made up: Convolution1, …"""
    writer = _Writer()
    for top in tops:
        writer.add(top.fn if isinstance(top, Top) else top)
    return writer.net


class _Writer:
    """Writes layers into a NetParameter, each after those that it needs."""

    def __init__(self) -> None:
        self.net = caffe_pb2.NetParameter()
        self._layer_names: dict[Function, str] = {}
        self._top_names: dict[Top, str] = {}
        self._made_up: Counter[str] = Counter()
        self._tops_of: dict[Function, list[str]] = {}

    def name(self, name: str, top: Top | Function) -> None:
        if isinstance(top, Top):
            self._top_names.setdefault(top, name)
        else:
            self._layer_names.setdefault(top, name)

    def add(self, fn: Function) -> None:
        """Adds the layer, if it is not there yet; deep nets do not recurse deeply."""
        waiting = [fn]
        while waiting:
            fn = waiting[-1]
            needed = [top.fn for top in fn.inputs if top.fn not in self._tops_of]
            if needed:
                waiting.extend(reversed(needed))
                continue
            waiting.pop()
            if fn not in self._tops_of:
                self._write(fn)

    def _write(self, fn: Function) -> None:
        layer = self.net.layer.add()
        layer.type = fn.type_name
        layer.bottom.extend(self._tops_of[top.fn][top.n] for top in fn.inputs)
        top_names = [self._name_of_top(top) for top in fn.tops]
        layer.name = top_names[0] if top_names else self._name_of_layer(fn)
        self._tops_of[fn] = list(layer.bottom) if fn.in_place else top_names
        layer.top.extend(self._tops_of[fn])
        for key, value in fn.params.items():
            _assign(_message_for(layer, key), key, value, f"{fn.type_name} {layer.name!r}")

    def _name_of_top(self, top: Top) -> str:
        if top not in self._top_names:
            self._top_names[top] = self._make_name(top.fn.type_name)
        return self._top_names[top]

    def _name_of_layer(self, fn: Function) -> str:
        return self._layer_names.get(fn) or self._make_name(fn.type_name)

    def _make_name(self, type_name: str) -> str:
        self._made_up[type_name] += 1
        return f"{type_name}{self._made_up[type_name]}"


@functools.lru_cache(maxsize=1)
def _param_fields() -> dict[str, str]:
    """Layer type → the field of LayerParameter that holds its message."""
    fields: dict[str, str] = {}
    for field in caffe_pb2.LayerParameter.DESCRIPTOR.fields:
        message = field.message_type
        if message is not None and message.name.endswith("Parameter"):
            fields.setdefault(message.name.removesuffix("Parameter"), field.name)
    return fields


def _message_for(layer: Any, key: str) -> Any:
    """The message that `key` is a field of: the layer's, or its type's parameters."""
    if key in layer.DESCRIPTOR.fields_by_name:
        return layer
    field = _param_fields().get(layer.type)
    if field is None:
        near = difflib.get_close_matches(key, [f.name for f in layer.DESCRIPTOR.fields])
        raise TypeError(
            f"{layer.type} {layer.name!r}: {key!r} is no field of LayerParameter, and the type has "
            f"no parameters of its own; give them as a dict, as in softmax_param=dict(...)"
            + (f"; did you mean {' or '.join(near)}?" if near else "")
        )
    return getattr(layer, field)


def _assign(message: Any, key: str, value: Any, who: str) -> None:
    """Sets a field from Python's types: dicts for messages, lists for repeated fields."""
    fields = message.DESCRIPTOR.fields_by_name
    if key not in fields:
        near = difflib.get_close_matches(key, list(fields))
        raise TypeError(
            f"{who}: {message.DESCRIPTOR.name} has no field {key!r}"
            + (f"; did you mean {' or '.join(near)}?" if near else "")
        )
    target = getattr(message, key)
    try:
        if hasattr(target, "extend"):
            _extend(target, fields[key], value, who)
        elif fields[key].message_type is None:
            setattr(message, key, value)
        elif isinstance(value, Mapping):
            target.SetInParent()
            for name, item in value.items():
                _assign(target, name, item, who)
        else:
            target.CopyFrom(value)
    except (TypeError, ValueError) as error:
        if who in str(error):
            raise
        raise type(error)(f"{who}: {key} = {value!r}: {error}") from error


def _extend(target: Any, field: Any, value: Any, who: str) -> None:
    single = isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable)
    for item in [value] if single else value:
        if field.message_type is None:
            target.append(item)
        elif isinstance(item, Mapping):
            added = target.add()
            for name, part in item.items():
                _assign(added, name, part, who)
        else:
            target.add().CopyFrom(item)


class Layers:
    """`layers.Convolution(bottom, ...)` makes a layer of that type.

    Gives its top, a tuple of tops for `ntop` > 1, and the Function for `ntop=0`.
    """

    def __getattr__(self, type_name: str) -> Any:
        if type_name.startswith("__"):
            raise AttributeError(type_name)

        def make(*inputs: Top, **keywords: Any) -> Top | Function | tuple[Top, ...]:
            fn = Function(type_name, inputs, keywords)
            if fn.ntop == 0:
                return fn
            return fn.tops[0] if fn.ntop == 1 else fn.tops

        return make


class _Enums:
    """The values of a parameter message's enums."""

    def __init__(self, name: str) -> None:
        if not hasattr(caffe_pb2, name + "Parameter"):
            raise AttributeError(f"the schema has no {name}Parameter")
        self._descriptor = getattr(caffe_pb2, name + "Parameter").DESCRIPTOR

    def __getattr__(self, name: str) -> int:
        for enum in self._descriptor.enum_types:
            if name in enum.values_by_name:
                return int(enum.values_by_name[name].number)
        raise AttributeError(f"{self._descriptor.name} has no enum value {name!r}")


class Parameters:
    """`params.Pooling.MAX` is the enum value of PoolingParameter."""

    def __getattr__(self, name: str) -> _Enums:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Enums(name)


layers = Layers()
params = Parameters()
