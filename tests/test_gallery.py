"""The gallery in ``output/`` is what the program makes today, byte for byte (``symbp examples`` makes it anew)."""

from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.api import FORMATS

GALLERY = Path(__file__).resolve().parent.parent / "output"


@pytest.mark.parametrize("name", list(sb.examples()))
def test_committed_files_are_what_is_written_now(name, tmp_path):
    written = {path.name: path.read_bytes() for path in sb.derive(name).write(tmp_path, formats=FORMATS)}
    committed = {path.name: path.read_bytes() for path in (GALLERY / name).iterdir()}
    assert set(written) == set(committed)
    differing = [file for file in written if written[file] != committed[file]]
    assert not differing, f"run `symbp examples`: {', '.join(differing)} of {name} changed"


def test_nothing_else_is_in_the_gallery():
    assert {path.name for path in GALLERY.iterdir()} == set(sb.examples())
