"""The scripts of tools/ that a fresh machine and lint depend on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import check_sizes  # noqa: E402
import clang_tidy  # noqa: E402
import source_groups  # noqa: E402


@dataclass
class Machine:
    """A pretended Debian: commands of ours stand before the system's in PATH."""

    folder: Path

    def command(self, name: str, script: str) -> None:
        """Puts a shell script there under this name."""
        file = self.folder / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/bash\n{script}\n")
        file.chmod(0o755)

    def has(self, *packages: str, root: bool = True, apt: str = "exit 0") -> None:
        """These packages are installed; apt-get notes what it is asked to do."""
        installed = "|".join(packages) or "none"
        self.command(
            "dpkg-query",
            f'case "${{!#}}" in {installed}) echo installed;; *) echo not-installed; exit 1;; esac',
        )
        self.command("id", f"echo {0 if root else 1000}")
        self.command("apt-get", f'echo "$@" >> "{self.folder}/log"; {apt}')
        self.command("sudo", "exit 1")

    def install(self, wanted: str) -> subprocess.CompletedProcess[str]:
        """Runs the script on a list of packages."""
        (self.folder / "list").write_text(wanted)
        return subprocess.run(
            [ROOT / "tools" / "install_system_packages.sh"],
            env={
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "SYSTEM_PACKAGES": str(self.folder / "list"),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def apt_calls(self) -> list[str]:
        """The arguments of each call of apt-get."""
        log = self.folder / "log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


WANTED = "# a comment\ng++\nlibfoo-dev  # why\n\n?graphviz  # nicer\n"


def test_nothing_missing_asks_for_nothing(machine: Machine) -> None:
    machine.has("g++", "libfoo-dev", "graphviz")
    done = machine.install(WANTED)
    assert (done.returncode, done.stdout, machine.apt_calls) == (0, "", [])


def test_a_missing_optional_package_alone_is_left_out(machine: Machine) -> None:
    machine.has("g++", "libfoo-dev")
    assert machine.install(WANTED).returncode == 0
    assert machine.apt_calls == []


def test_root_installs_what_is_missing_and_no_more(machine: Machine) -> None:
    machine.has("g++")
    done = machine.install(WANTED)
    assert done.returncode == 0, done.stderr
    update, required, optional = machine.apt_calls
    assert update.endswith("update")
    assert required.endswith("--no-install-recommends install libfoo-dev")
    assert optional.endswith("install graphviz")


def test_a_failing_optional_package_is_no_failure(machine: Machine) -> None:
    machine.has("g++", apt='[ "${!#}" != graphviz ]')
    done = machine.install(WANTED)
    assert done.returncode == 0
    assert "Going on without graphviz" in done.stderr


def test_failing_updates_still_try_the_lists_that_are_there(machine: Machine) -> None:
    machine.has("g++", "graphviz", apt='[ "${!#}" != update ]')
    done = machine.install(WANTED)
    assert done.returncode == 0
    assert len(machine.apt_calls) == 2


def test_a_user_without_sudo_is_told_what_to_do(machine: Machine) -> None:
    machine.has("g++", root=False)
    done = machine.install(WANTED)
    assert done.returncode == 1
    assert machine.apt_calls == []
    assert "apt-get update && apt-get install libfoo-dev\n" in done.stderr


def test_a_user_with_sudo_installs_through_it(machine: Machine) -> None:
    machine.has("g++", "graphviz", root=False)
    machine.command("sudo", f'[ "$1" != -n ] || shift; echo "$@" >> "{machine.folder}/sudo"; "$@"')
    assert machine.install(WANTED).returncode == 0
    assert machine.apt_calls[-1].endswith("install libfoo-dev")
    assert "apt-get" in (machine.folder / "sudo").read_text()


def test_a_failing_installation_is_told(machine: Machine) -> None:
    machine.has("g++", apt="exit 100")
    done = machine.install(WANTED)
    assert done.returncode == 1
    assert "apt-get install libfoo-dev" in done.stderr


def test_the_list_names_what_cmake_asks_for() -> None:
    listed = (ROOT / "tools" / "system_packages.txt").read_text()
    dependencies = (ROOT / "cmake" / "Dependencies.cmake").read_text()
    for package in ("g++", "protobuf-compiler", "liblmdb-dev", "libgtest-dev", "python3-dev"):
        assert package in dependencies
        assert f"\n{package}\n" in listed


def test_sizes_are_counted(tmp_path: Path) -> None:
    layers = tmp_path / "src" / "caffe" / "layers"
    layers.mkdir(parents=True)
    (layers / "short.cpp").write_text("x\n" * check_sizes.MAX_LAYER_LINES)
    (layers / "long.cpp").write_text("x\n" * (check_sizes.MAX_LAYER_LINES + 1))
    (layers / "argued.cpp").write_text("// long file: a table\n" * 700)
    (tmp_path / "src" / "long.hpp").write_text("x\n" * (check_sizes.MAX_FILE_LINES + 1))
    assert check_sizes.complaints(tmp_path) == [
        "src/caffe/layers/long.cpp: 251 lines, at most 250",
        "src/long.hpp: 601 lines, at most 600",
    ]


def test_a_changed_header_is_looked_at_again(tmp_path: Path) -> None:
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "a.hpp").write_text('#include "b.hpp"\n')
    (tmp_path / "include" / "b.hpp").write_text("int b();\n")
    source = tmp_path / "a.cpp"
    source.write_text("#include <vector>\n#include <a.hpp>\n")
    unit = clang_tidy.Unit(source, str(tmp_path), ("g++", f"-I{tmp_path}/include", "-c", "a.cpp"))
    before = clang_tidy.fingerprint(unit, tmp_path, b"settings")
    assert clang_tidy.fingerprint(unit, tmp_path, b"settings") == before
    assert clang_tidy.fingerprint(unit, tmp_path, b"others") != before
    (tmp_path / "include" / "b.hpp").write_text("long b();\n")
    assert clang_tidy.fingerprint(unit, tmp_path, b"settings") != before


def test_a_precompiled_header_is_kept_from_clang() -> None:
    arguments = ["g++", "-Winvalid-pch", "-include", "/b/cmake_pch.hxx", "-include", "x.h", "a.cpp"]
    assert clang_tidy.without_precompiled_header(arguments) == ("g++", "-include", "x.h", "a.cpp")


SOURCE = """\
#define LIMIT 3
namespace caffe {
namespace {
using Tag = dnnl::memory::format_tag;
using std::swap;
constexpr int kRows = 3;
struct Row : Base {
  int column = 2;
};
template <typename Dtype>
std::map<string, int> Count(const vector<Dtype>& rows,
                            int limit) {
  int inside = kRows;
}
}  // namespace
template <typename Dtype>
void ScaleLayer<Dtype>::Reshape(int n) {}
bool operator==(const Row& a, const Row& b) { return true; }
INSTANTIATE_CLASS(ScaleLayer);
TEST(Scale, Rows) {}
}  // namespace caffe
"""


def test_names_that_may_clash_are_those_outside_of_classes_and_functions() -> None:
    names = {"LIMIT", "Tag", "swap", "kRows", "Row", "Count", "ScaleLayer"}
    assert source_groups.defined_names(SOURCE) == names


def test_sources_that_clash_are_in_different_groups() -> None:
    texts = ["int a;", "int b;", "int a;", "int c;", "int d;", "int a;"]
    assert source_groups.distribute(texts, 2) == [[0, 1], [2, 3, 4], [5]]
    assert source_groups.distribute(["int a;"] * 2, 1) == [[0], [1]]


@dataclass
class Sources:
    """A pretended project whose clang-tidy complains of what says `bad`."""

    root: Path

    def write(self, name: str, text: str) -> None:
        """A source of the project."""
        (self.root / "src").mkdir(exist_ok=True)
        (self.root / "src" / name).write_text(text)

    def lint(self, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, list[str]]:
        """The failures, what is said, and what clang-tidy was asked to look at."""
        build = self.root / "build"
        build.mkdir(exist_ok=True)
        names = sorted((self.root / "src").glob("*.cpp"))
        commands = [
            {"directory": str(build), "file": str(f), "command": f"g++ -O3 -o {f.stem}.o -c {f}"}
            for f in names
        ]
        (build / "compile_commands.json").write_text(json.dumps(commands))
        (self.root / ".clang-tidy").touch()
        log = self.root / "log"
        log.write_text("")
        units = clang_tidy.read_units(build, self.root)
        failures = clang_tidy.check(units, build, self.root, jobs=1)
        seen = [Path(line).read_text() for line in log.read_text().split()]
        return failures, capsys.readouterr().out, seen


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    """A project of four sources, two of which clash."""
    script = f"""case "$1" in --version) exit 0;; esac
for arg in "$@"; do case "$arg" in
  --) break;; *.cpp) echo "$arg" >> "{tmp_path}/log"; ! grep -H bad "$arg" || exit 1;;
esac; done"""
    Machine(tmp_path).command("clang-tidy", script)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    project = Sources(tmp_path)
    for name, text in {"a": "int a;", "b": "int b;", "c": "int b;", "d": "int d;"}.items():
        project.write(f"{name}.cpp", text)
    return project


def test_sources_are_linted_together_and_then_only_what_changed(
    sources: Sources, capsys: pytest.CaptureFixture[str]
) -> None:
    failures, _, seen = sources.lint(capsys)
    assert (failures, seen) == (0, ["int a;\nint b;\nint d;", "int b;"])
    assert sources.lint(capsys)[2] == []
    sources.write("d.cpp", "int e;")
    assert sources.lint(capsys)[2] == ["int e;"]


def test_a_complaint_is_of_the_file_alone_and_the_others_pass(
    sources: Sources, capsys: pytest.CaptureFixture[str]
) -> None:
    sources.write("d.cpp", "bad")
    failures, said, seen = sources.lint(capsys)
    assert failures == 1
    assert said.split()[-1] == f"{sources.root}/src/d.cpp:bad"
    assert seen[:3] == ["int a;\nint b;\nbad", "int a;", "int b;\nbad"]
    assert sources.lint(capsys)[2] == ["bad"]
