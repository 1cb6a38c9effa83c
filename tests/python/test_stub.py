"""The stub of the extension and the extension have the same names."""

from __future__ import annotations

import ast
from pathlib import Path

import caffe
from caffe import _caffe

# Shared by the float and the double class in the stub alone.
ONLY_IN_STUB = {"LayerBlobs", "_Layer", "_Net", "_Solver"}


def names_of(nodes: list[ast.stmt]) -> set[str]:
    functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    return {name for name in functions if not name.startswith("__")}


def stub() -> ast.Module:
    return ast.parse((Path(caffe.__file__).parent / "_caffe.pyi").read_text())


def test_functions_and_classes() -> None:
    tree = stub()
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    in_stub = (names_of(tree.body) | classes) - ONLY_IN_STUB
    assert in_stub == {name for name in vars(_caffe) if not name.startswith("__")}


def test_members() -> None:
    classes = {node.name: node for node in stub().body if isinstance(node, ast.ClassDef)}

    def members(name: str) -> set[str]:
        bases = [base.id for base in classes[name].bases if isinstance(base, ast.Name)]
        found = names_of(classes[name].body)
        return found.union(*(members(base) for base in bases if base in classes))

    for name in set(classes) - ONLY_IN_STUB - {"Error", "Blob"}:
        real = {member for member in vars(getattr(_caffe, name)) if not member.startswith("__")}
        assert members(name) == real, name
