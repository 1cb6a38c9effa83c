"""The machine of a measurement, for the report."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16")


@dataclass(frozen=True)
class Machine:
    """What times depend on."""

    processor: str
    cores: int
    flags: tuple[str, ...]
    memory_gib: float
    system: str
    load: float


def describe() -> Machine:
    """This machine, now."""
    info = _read("/proc/cpuinfo")
    flags = _field(info, "flags", "").split()
    memory = _field(_read("/proc/meminfo"), "MemTotal", "0 kB").split()[0]
    return Machine(
        processor=_field(info, "model name", platform.processor() or platform.machine()),
        cores=cores(),
        flags=tuple(flag for flag in FLAGS if flag in flags),
        memory_gib=int(memory) / (1 << 20),
        system=f"{_system()}, Linux {platform.release()}, glibc {platform.libc_ver()[1]}",
        load=os.getloadavg()[0],
    )


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0))


def available_gib() -> float:
    """The memory that new processes can have; unknown: no limit."""
    text = _field(_read("/proc/meminfo"), "MemAvailable", "")
    return int(text.split()[0]) / (1 << 20) if text else float("inf")


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _field(text: str, name: str, otherwise: str) -> str:
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return otherwise
