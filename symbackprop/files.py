"""Writing files so that a reader never sees half of one, and a failure leaves nothing behind."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from symbackprop.errors import SymbackpropError, shown


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
