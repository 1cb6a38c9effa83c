"""Puts C++ sources into groups that can be compiled as one: each header is then read once a group.

In one group no two files may define the same name outside of classes and
functions, as the helpers in their anonymous namespaces may. Names are found by
the form that clang-format gives to a file: what such a definition begins with
stands in the first column.
"""

from __future__ import annotations

import re

TYPE = re.compile(r"(?:template <.*> )?(?:struct|class|union|enum(?: class)?) (\w+)")
ALIAS = re.compile(r"using (?:[\w:]*::)?(\w+)\b(?!::)|#\s*define (\w+)")
# Up to the first bracket, = or ; of the line.
OTHER = re.compile(r"\w[^({=;\[]*?(?<![\w:~])(\w+)\s*[({=;\[]")
# A class has one explicit instantiation, which must not precede members that another file defines.
MEMBER = re.compile(r"\w[^({=;\[]*?(\w+)<\w+>::|INSTANTIATE_CLASS\((\w+)\)")
# A namespace goes on in the next file; and macros: GoogleTest's, registrations, instantiations.
NO_NAME = re.compile(r"namespace\b|[A-Z][A-Z0-9_]+\(")


def defined_names(text: str) -> set[str]:
    """The names that a source defines outside of classes and functions."""
    names = set()
    for line in text.splitlines():
        match = MEMBER.match(line)
        if match is None and not NO_NAME.match(line):
            match = TYPE.match(line) or ALIAS.match(line) or OTHER.match(line)
        if match is not None:
            names.add(match[match.lastindex or 1])
    return names - {"operator"}


def distribute(texts: list[str], count: int) -> list[list[int]]:
    """The texts' indices in `count` groups, of neighbours where their names allow it.

    Where one clashes with all groups, they become more.
    """
    groups: list[list[int]] = [[] for _ in range(count)]
    taken: list[set[str]] = [set() for _ in range(count)]
    room = -(-len(texts) // count)
    for index, text in enumerate(texts):
        names = defined_names(text)
        first = index * count // len(texts)
        order = sorted(range(len(groups)), key=lambda g: (len(groups[g]) >= room, abs(g - first)))
        home = next((group for group in order if not names & taken[group]), None)
        if home is None:
            home = len(groups)
            groups.append([])
            taken.append(set())
        groups[home].append(index)
        taken[home] |= names
    return [group for group in groups if group]
