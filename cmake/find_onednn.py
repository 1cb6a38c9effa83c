"""Prints the folder whose include/ and lib/ hold oneDNN, where pip installed it; else nothing."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path


def folder_of(package: str, name: str) -> Path | None:
    """The folder above the one (include/… or lib/) in which the package has this file."""
    try:
        paths = [Path(str(file.locate())).resolve() for file in files(package) or []]
    except PackageNotFoundError:
        return None
    found = [path for path in paths if path.as_posix().endswith("/" + name)]
    return found[0].parents[name.count("/")] if found else None


def main() -> None:
    headers = folder_of("onednn-devel-cpu-gomp", "include/oneapi/dnnl/dnnl.hpp")
    library = folder_of("onednn-cpu-gomp", "lib/libdnnl.so")
    if headers is not None and headers == library:
        print(headers)


main()
