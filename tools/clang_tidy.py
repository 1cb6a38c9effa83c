"""Runs clang-tidy over the sources of a CMake build, in parallel, and remembers what passed.

Tests are left out: the headers that they include are looked at with the
sources, and GoogleTest's macros are not ours.

A file that passed is not looked at again until it, a header of this project
that it includes, its compile command, the settings or clang-tidy change.

Most of the time goes into reading headers, so files are looked at in groups, as
one source. A group passes, or what it complains of (clashing names of its files,
too) is looked for in each half of it: what is said is of a single file, alone.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import source_groups

ROOMS = ("src", "python")
GROUP_SIZE = 16
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)


@dataclass(frozen=True)
class Unit:
    """One file to look at, with the arguments that it is compiled with."""

    source: Path
    directory: str
    arguments: tuple[str, ...]

    def include_directories(self) -> list[Path]:
        """Where its includes are looked for; its own folder first."""
        pairs = zip(self.arguments, self.arguments[1:], strict=False)
        separate = [value for flag, value in pairs if flag in ("-I", "-isystem")]
        joined = [arg[2:] for arg in self.arguments if arg.startswith("-I") and len(arg) > 2]
        return [self.source.parent, *(Path(path) for path in joined + separate)]


def without_precompiled_header(arguments: list[str]) -> tuple[str, ...]:
    """The arguments less those that name g++'s precompiled header, which clang cannot read."""
    kept: list[str] = []
    skip = False
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if skip:
            skip = False
        elif argument == "-include" and following.endswith("cmake_pch.hxx"):
            skip = True
        elif argument != "-Winvalid-pch":
            kept.append(argument)
    return tuple(kept)


def read_units(build: Path, root: Path) -> list[Unit]:
    """The files of the build's compile commands that lie in ROOMS."""
    units = []
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        source = Path(entry["directory"], entry["file"]).resolve()
        if not any(source.is_relative_to(root / room) for room in ROOMS):
            continue
        arguments = without_precompiled_header(shlex.split(entry["command"]))
        units.append(Unit(source, entry["directory"], arguments))
    return sorted(units, key=lambda unit: unit.source)


def project_files(unit: Unit, root: Path) -> list[Path]:
    """The source and the headers under root that it includes, directly or not."""
    directories = [path for path in unit.include_directories() if path.is_relative_to(root)]
    seen: set[Path] = set()
    pending = [unit.source]
    while pending:
        file = pending.pop()
        if file in seen:
            continue
        seen.add(file)
        for name in INCLUDE.findall(file.read_text(encoding="utf-8")):
            candidates = [file.parent / name, *(directory / name for directory in directories)]
            pending += [path.resolve() for path in candidates if path.is_file()][:1]
    return sorted(seen)


def fingerprint(unit: Unit, root: Path, settings: bytes) -> str:
    """Changes with everything that the verdict on this unit depends on."""
    digest = hashlib.sha256(settings)
    digest.update("\0".join(unit.arguments).encode())
    for file in project_files(unit, root):
        digest.update(str(file).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def extra_arguments() -> list[str]:
    """What clang needs beyond g++'s arguments: g++'s omp.h, and no warnings: g++ gives those."""
    gcc = subprocess.run(
        ["g++", "-print-file-name=include"], check=True, capture_output=True, text=True
    ).stdout.strip()
    flags = ["-Wno-error", "-Wno-unknown-warning-option", "-idirafter", gcc]
    return [f"--extra-arg={flag}" for flag in flags]


@dataclass(frozen=True)
class Tidy:
    """A way to call clang-tidy."""

    command: tuple[str, ...]
    scratch: Path

    def settings(self) -> bytes:
        """What verdicts depend on beyond the files and their compile commands."""
        done = subprocess.run([self.command[0], "--version"], check=True, capture_output=True)
        (config,) = (arg.partition("=")[2] for arg in self.command if arg.startswith("--config-f"))
        return done.stdout + Path(config).read_bytes() + " ".join(self.command).encode()

    def look(self, units: list[Unit]) -> tuple[int, str]:
        """Looks at the units as one: exit status, and what there is to say."""
        source = units[0].source if len(units) == 1 else self.joined(units)
        folders = {f"-iquote{unit.source.parent}" for unit in units}
        compiler = [arg for arg in units[0].arguments if arg != str(units[0].source)]
        done = subprocess.run(
            [*self.command, str(source), "--", *compiler[1:], *sorted(folders)],
            cwd=units[0].directory,
            capture_output=True,
            text=True,
            check=False,
        )
        noise = re.compile(r"^\d+ warnings?.*(generated|treated as error).*\n?", re.MULTILINE)
        return done.returncode, done.stdout + noise.sub("", done.stderr)

    def joined(self, units: list[Unit]) -> Path:
        """One source of all: copied, as some checks look at nothing that a source includes."""
        text = "\n".join(unit.source.read_text(encoding="utf-8") for unit in units)
        file = self.scratch / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.cpp"
        file.write_text(text, encoding="utf-8")
        return file

    def verdicts(self, units: list[Unit]) -> list[tuple[Unit, str | None]]:
        """Each unit with the complaints about it, or None where it passed."""
        status, text = self.look(units)
        if status == 0:
            return [(unit, None) for unit in units]
        if len(units) == 1:
            return [(units[0], text)]
        middle = len(units) // 2
        return self.verdicts(units[:middle]) + self.verdicts(units[middle:])


def grouped(units: list[Unit]) -> list[list[Unit]]:
    """Groups of units that are compiled alike and whose names do not clash."""
    alike: dict[tuple[str, ...], list[Unit]] = {}
    for unit in units:
        output = unit.arguments.index("-o") + 1 if "-o" in unit.arguments else -1
        own = {output, *(i for i, arg in enumerate(unit.arguments) if arg == str(unit.source))}
        key = tuple(arg for i, arg in enumerate(unit.arguments) if i not in own)
        alike.setdefault((unit.directory, *key), []).append(unit)
    groups = []
    for family in alike.values():
        texts = [unit.source.read_text(encoding="utf-8") for unit in family]
        numbers = source_groups.distribute(texts, -(-len(family) // GROUP_SIZE))
        groups += [[family[number] for number in group] for group in numbers]
    return groups


def check(units: list[Unit], build: Path, root: Path, jobs: int) -> int:
    """Looks at the units that changed since they passed; the number that fail."""
    passed, scratch = build / "tidy" / "passed", build / "tidy" / "groups"
    passed.mkdir(parents=True, exist_ok=True)
    scratch.mkdir(exist_ok=True)
    config = f"--config-file={root / '.clang-tidy'}"
    tidy = Tidy(("clang-tidy", "--quiet", config, *extra_arguments()), scratch)
    settings = tidy.settings()
    keys = {unit.source: fingerprint(unit, root, settings) for unit in units}
    pending = [unit for unit in units if not (passed / keys[unit.source]).exists()]
    print(f"clang-tidy: {len(pending)} of {len(units)} files to look at", flush=True)

    failures = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for verdicts in pool.map(tidy.verdicts, grouped(pending)):
            for unit, complaints in verdicts:
                if complaints is None:
                    (passed / keys[unit.source]).touch()
                    continue
                failures += 1
                print(complaints, flush=True)
    return failures


def main() -> int:
    """Reads the command line; 1 where a file fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path, help="a configured build directory")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    build = options.build.resolve()
    failures = check(read_units(build, root), build, root, options.jobs)
    if failures:
        print(f"clang-tidy: {failures} file(s) with complaints")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
