"""Files are written all together or not at all."""

import pytest

from symbackprop.errors import SymbackpropError
from symbackprop.files import write_files


def everything_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_files_are_written_byte_for_byte_in_order(tmp_path):
    paths = write_files(tmp_path / "new" / "folder", {"b.md": "δ\n", "a.svg": b"\r\n", "pictures/c.svg": ""})
    assert [path.name for path in paths] == ["b.md", "a.svg", "c.svg"]
    assert [path.read_bytes() for path in paths] == ["δ\n".encode(), b"\r\n", b""]
    below = everything_below(tmp_path / "new" / "folder")
    assert [name.replace("\\", "/") for name in below] == ["a.svg", "b.md", "pictures", "pictures/c.svg"]


def test_old_files_are_replaced(tmp_path):
    for text in ("a long first version", "short"):
        write_files(tmp_path, {"a.md": text})
    assert (tmp_path / "a.md").read_text() == "short"


def test_a_failure_leaves_everything_as_it_was(tmp_path):
    (tmp_path / "old.md").write_text("old")
    (tmp_path / "taken").mkdir()
    with pytest.raises(SymbackpropError, match=r"^cannot write into '[^\n]*': there is a folder of that name$"):
        write_files(tmp_path, {"old.md": "new", "deep/down/x.md": "x", "taken": "text"})
    assert everything_below(tmp_path) == ["old.md", "taken"]
    assert (tmp_path / "old.md").read_text() == "old"


def test_a_file_in_the_way_is_an_error_of_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SymbackpropError, match=r"^cannot write into '[^\n]*$"):
        write_files(tmp_path / "file" / "folder", {"a.md": "a"})


def test_text_that_cannot_be_encoded_leaves_nothing(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        write_files(tmp_path / "new", {"a.md": "fine", "b.md": "\ud800"})
    assert everything_below(tmp_path) == []
