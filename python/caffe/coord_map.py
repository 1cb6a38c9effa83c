"""How the coordinates of one blob of a net map to those of another; crops that align them.

A map takes an index x of the output to index a·x + b of the input, along all
spatial axes (those after `axis`) alike or each by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caffe.net_spec import Function, Top, layers

POINTWISE = frozenset(
    [
        "AbsVal",
        "BNLL",
        "BatchNorm",
        "Bias",
        "Clip",
        "Dropout",
        "ELU",
        "Eltwise",
        "Exp",
        "LRN",
        "Log",
        "MVN",
        "Normalize",
        "PReLU",
        "Power",
        "ReLU",
        "Scale",
        "Sigmoid",
        "Softmax",
        "Split",
        "Swish",
        "TanH",
        "Threshold",
    ]
)


class UndefinedMapException(Exception):
    """A layer does not map coordinates."""


class AxisMismatchException(Exception):
    """Two maps begin at different axes."""


@dataclass(frozen=True)
class CoordMap:
    """x → scale · x + shift for the axes from `axis` on; axis None is the identity anywhere."""

    axis: int | None
    scale: NDArray[np.float64]
    shift: NDArray[np.float64]

    @classmethod
    def identity(cls) -> CoordMap:
        return cls(None, np.ones(1), np.zeros(1))

    def then(self, inner: CoordMap) -> CoordMap:
        """The map of `self` after `inner`: x → self(inner(x))."""
        axes = {axis for axis in (self.axis, inner.axis) if axis is not None}
        if len(axes) > 1:
            raise AxisMismatchException(f"maps of axes {sorted(axes)} cannot be joined")
        return CoordMap(
            axes.pop() if axes else None,
            self.scale * inner.scale,
            self.scale * inner.shift + self.shift,
        )

    def inverse(self) -> CoordMap:
        return CoordMap(self.axis, 1 / self.scale, -self.shift / self.scale)

    def equals(self, other: CoordMap) -> bool:
        return bool(
            np.allclose(self.scale, other.scale, rtol=1e-9, atol=0)
            and np.allclose(self.shift, other.shift, rtol=0, atol=1e-9)
        )


def conv_params(fn: Function) -> tuple[int, NDArray[Any], NDArray[Any], NDArray[Any]]:
    """(axis, stride, kernel extent, pad) of a Convolution, Deconvolution, Pooling or Im2col."""
    params = _params_of(fn)
    if any(name.endswith(("_h", "_w")) for name in params):
        raise UndefinedMapException(
            f"{fn.type_name}: give kernel_size, stride and pad rather than their _h and _w forms"
        )
    dilation = np.atleast_1d(params.get("dilation", 1))
    extent = (np.atleast_1d(params.get("kernel_size", 1)) - 1) * dilation + 1
    return (
        int(params.get("axis", 1)),
        np.atleast_1d(params.get("stride", 1)),
        extent,
        np.atleast_1d(params.get("pad", 0)),
    )


def crop_params(fn: Function) -> tuple[int, NDArray[Any]]:
    """(axis, offset) of a Crop."""
    params = fn.params.get("crop_param", fn.params)
    return int(params.get("axis", 2)), np.atleast_1d(params.get("offset", 0))


def _params_of(fn: Function) -> dict[str, Any]:
    inner = "pooling_param" if fn.type_name == "Pooling" else "convolution_param"
    params = fn.params.get(inner, fn.params)
    return dict(params)


def coord_map(fn: Function) -> CoordMap:
    """From the coordinates of a layer's top to those of its first bottom.

    A convolution's output x looks at input stride·x − pad + (extent − 1)/2 in
    the middle; a deconvolution maps the other way.

    Raises:
        UndefinedMapException: the layer's type moves coordinates otherwise.
    """
    if fn.type_name in POINTWISE:
        return CoordMap.identity()
    if fn.type_name in ("Convolution", "Pooling", "Im2col"):
        axis, stride, extent, pad = conv_params(fn)
        return CoordMap(axis, stride.astype(float), (extent - 1) / 2 - pad)
    if fn.type_name == "Deconvolution":
        axis, stride, extent, pad = conv_params(fn)
        return CoordMap(axis, stride.astype(float), (extent - 1) / 2 - pad).inverse()
    if fn.type_name == "Crop":
        axis, offset = crop_params(fn)
        return CoordMap(axis - 1, np.ones(1), offset.astype(float))
    raise UndefinedMapException(f"{fn.type_name} does not map coordinates")


def _maps_to_ancestors(top: Top) -> dict[Top, CoordMap]:
    """The map from `top` to every blob that it is computed from, along first bottoms where
    a layer aligns only these (Crop), along all bottoms otherwise."""
    maps = {top: CoordMap.identity()}
    waiting = [top]
    while waiting:
        at = waiting.pop()
        try:
            step = coord_map(at.fn)
        except UndefinedMapException:
            continue
        bottoms = at.fn.inputs[:1] if at.fn.type_name == "Crop" else at.fn.inputs
        for bottom in bottoms:
            found = step.then(maps[at])
            if bottom not in maps:
                maps[bottom] = found
                waiting.append(bottom)
            elif not maps[bottom].equals(found):
                raise UndefinedMapException(
                    f"paths to the {bottom.fn.type_name} layer disagree about coordinates"
                )
    return maps


def coord_map_from_to(top_from: Top, top_to: Top) -> tuple[int | None, Any, Any]:
    """(axis, a, b): index x of `top_from` is at a·x + b of `top_to`, through what both come from.

    Raises:
        UndefinedMapException: no common ancestor is reached by maps.
    """
    from_maps = _maps_to_ancestors(top_from)
    to_maps = _maps_to_ancestors(top_to)
    for ancestor, to_map in to_maps.items():
        if ancestor in from_maps:
            joined = to_map.inverse().then(from_maps[ancestor])
            return joined.axis, _plain(joined.scale), _plain(joined.shift)
    raise UndefinedMapException(
        "the two tops have no common ancestor by layers that map coordinates"
    )


def _plain(values: NDArray[np.float64]) -> Any:
    """One number where all axes agree."""
    return float(values[0]) if np.all(values == values[0]) else values


def crop(top_from: Top, top_to: Top) -> Any:
    """A Crop layer that cuts `top_from` to the size and place of `top_to`.

    Raises:
        ValueError: they differ in scale, or the offset is negative or no integer.
    """
    axis, scale, shift = coord_map_from_to(top_from, top_to)
    if not np.allclose(scale, 1, rtol=1e-9, atol=0):
        raise ValueError(f"crop: the tops differ in scale by {scale}")
    if np.any(np.asarray(shift) > 1e-9):
        raise ValueError(f"crop: top_from begins {shift} inside top_to; nothing to cut there")
    if not np.allclose(shift, np.round(shift), rtol=0, atol=1e-9):
        raise ValueError(f"crop: the offset {shift} is no integer")
    offsets = (-np.round(np.atleast_1d(shift))).astype(int)
    return layers.Crop(
        top_from,
        top_to,
        crop_param={"axis": (1 if axis is None else axis) + 1, "offset": [int(v) for v in offsets]},
    )
