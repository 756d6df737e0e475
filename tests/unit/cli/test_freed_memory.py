"""Freed memory stays with a process that asked for that, and other C libraries are left alone."""

import ctypes
import platform
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from evenhand.cli.freed_memory import keep_freed_memory

PROGRAM = """
import resource
from evenhand.cli.freed_memory import keep_freed_memory
keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
bytes(range(256)) * 2**18
before = faults()
bytes(range(256)) * 2**18
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to")
def test_a_block_that_was_freed_is_handed_out_again_without_new_pages() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    assert int(done.stdout) < 2**26 / 4096 / 10


@pytest.mark.parametrize("library", [SimpleNamespace(), None])
def test_another_c_library_is_left_as_it_is(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(_: None) -> Any:
        if library is None:
            raise OSError
        return library

    monkeypatch.setattr(ctypes, "CDLL", opened)
    keep_freed_memory()
