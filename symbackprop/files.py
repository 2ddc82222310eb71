"""Names of folders; writing files so that a reader never sees half of one, and a failure leaves nothing behind."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from symbackprop.errors import SymbackpropError, shown

LONGEST_NAME = 80  # characters of a folder's name
SAYS_ALL = re.compile(r"[\w.,:=\s-]*", re.ASCII)  # texts that hyphens in place of all but letters leave apart


def folder_name(texts: Iterable[str]) -> str:
    """A folder's name from what the user wrote, with nothing in it that a file system minds.

    Texts that differ in what the name cannot show, such as two formulas, are told apart by a mark at its end.

    >>> folder_name(["2-3-1", "relu, tanh", "mse"])
    '2-3-1-relu-tanh-mse'
    >>> folder_name(["(a - t)**4/4"]), folder_name(["(a-t)**4/4"]), folder_name(["(a-t)*4/4"])
    ('a-t-4-4-e96d6e', 'a-t-4-4-e96d6e', 'a-t-4-4-fd8329')
    """
    text = "-".join(texts)
    name = re.sub(r"[^\w.]+", "-", text, flags=re.ASCII).strip("-.")
    if SAYS_ALL.fullmatch(text) and 0 < len(name) <= LONGEST_NAME:
        return name
    mark = hashlib.sha256("".join(text.split()).encode()).hexdigest()[:6]
    return f"{name[: LONGEST_NAME - 7]}-{mark}".strip("-.")


def write_files(folder: Path, contents: Mapping[str, str | bytes]) -> list[Path]:
    r"""Write every file of ``contents`` (name -> text) into ``folder``, all of them or none; returns their paths.

    Each is written under a temporary name first; they are renamed once all are written. Text is UTF-8 with ``\n``.
    A name may lead into a folder below (``pictures/network.svg``). Raises ``SymbackpropError`` if that fails.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in write_files(Path(folder), {"a.md": "# E", "b.py": "E = 0"})]
    ['a.md', 'b.py']
    """
    targets = {folder / name: text for name, text in contents.items()}
    made: list[Path] = []
    temporary = {target: target.with_name(f".{target.name}.{os.getpid()}.tmp") for target in targets}
    try:
        for target, text in targets.items():
            made += [path for path in (target.parent, *target.parent.parents) if not path.exists()]
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary[target].write_bytes(text if isinstance(text, bytes) else text.encode())
        for target in targets:
            if target.is_dir():
                raise IsADirectoryError(None, "there is a folder of that name", str(target))
        for target in targets:
            temporary[target].replace(target)
    except OSError as error:
        _remove(temporary.values(), made)
        raise SymbackpropError(f"cannot write into {shown(str(folder))}: {error.strerror or error}") from error
    except BaseException:
        _remove(temporary.values(), made)
        raise
    return list(targets)


def _remove(files: Iterable[Path], folders: list[Path]) -> None:
    # Whatever goes wrong here must not hide the failure that led here.
    for path in files:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    for folder in sorted(folders, key=lambda path: -len(path.parts)):
        with suppress(OSError):
            folder.rmdir()
