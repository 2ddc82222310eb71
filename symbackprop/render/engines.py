"""PDF by a LaTeX engine of the user's: found, run without any freedom, its complaints read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from symbackprop.errors import SpecError, SymbackpropError, unknown

AUTO, TYPST = "auto", "typst"
JOB = "derivation"
TIME_OUT = 120.0  # seconds
RUNS = 5  # at most, until tables have their widths, contents their pages and links their ends
AGAIN = re.compile(r"Rerun (?:to get|LaTeX)")
STRICT = ("-interaction=nonstopmode", "-halt-on-error", "-file-line-error", "-no-shell-escape")
SEALED = {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1", "openin_any": "p", "openout_any": "p"}


@dataclass(frozen=True)
class Engine:
    """A program that turns LaTeX into PDF: its options, and the packages of Debian that bring it."""

    options: tuple[str, ...]
    package: str


ENGINES: Mapping[str, Engine] = {
    "latexmk": Engine(
        # -g: like the others, it runs when it is told to.
        ("-norc", "-pdf", "-g", "-silent", *(f"-latexoption={option}" for option in STRICT)),
        "latexmk texlive-latex-base texlive-pictures",
    ),
    "pdflatex": Engine(STRICT, "texlive-latex-base texlive-pictures"),
    "lualatex": Engine(STRICT, "texlive-luatex texlive-latex-base texlive-pictures"),
}


def known_engine(name: str) -> str:
    """The engine ``name``, which is there: an engine of LaTeX, or ``typst``, which ``auto`` means too.

    Raises ``SpecError`` for a name that is none and for an engine that is not installed.

    >>> known_engine("auto")
    'typst'
    """
    if name in (AUTO, TYPST):
        return TYPST
    if name not in ENGINES:
        raise SpecError(unknown("PDF engine", name, (AUTO, TYPST, *ENGINES)))
    if shutil.which(name) is None:
        raise SpecError(
            f"the PDF engine {name} is not installed; on Debian: apt install {ENGINES[name].package};"
            f" or take --pdf-engine {TYPST}, which comes with the program"
        )
    return name


def latex_pdf(source: str, name: str, time_out: float = TIME_OUT) -> bytes:
    """The PDF that the engine ``name`` makes of the LaTeX ``source``, the same bytes every time.

    Raises ``SymbackpropError`` with the line of the source if LaTeX refuses it, and after ``time_out`` seconds.
    """
    engine = ENGINES[known_engine(name)]
    with tempfile.TemporaryDirectory(prefix="symbackprop-") as folder:
        Path(folder, f"{JOB}.tex").write_text(source, encoding="utf-8")
        for _ in range(RUNS):
            log = _run([name, *engine.options, f"{JOB}.tex"], Path(folder), time_out)
            if not AGAIN.search(log):
                break
        return Path(folder, f"{JOB}.pdf").read_bytes()


def _run(command: list[str], folder: Path, time_out: float) -> str:
    """Run the engine once; returns its log."""
    try:
        ran = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **SEALED},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=time_out,
        )
    except subprocess.TimeoutExpired as error:
        raise SymbackpropError(f"{command[0]} did not finish within {time_out:g} s") from error
    log = folder / f"{JOB}.log"
    text = log.read_text(encoding="latin-1") if log.exists() else ran.stdout.decode("latin-1")
    if ran.returncode != 0 or not (folder / f"{JOB}.pdf").exists():
        raise SymbackpropError(f"{command[0]} refuses the document: {complaint(text)}")
    return text


def complaint(log: str) -> str:
    r"""What a log of LaTeX complains about: a missing file first, then the first error with its line.

    >>> complaint("! LaTeX Error: File `tikz.sty' not found.\n./derivation.tex:3: Emergency stop.")
    "File `tikz.sty' not found (install the package that holds it)"
    >>> complaint("x\n./derivation.tex:12: Undefined control sequence.\nl.12 \\alpa")
    'Undefined control sequence (line 12 of the LaTeX source)'
    """
    missing = re.search(r"File `([^']*)' not found", log)
    if missing:
        return f"{missing[0]} (install the package that holds it)"
    wrong = re.search(rf"^(?:\./)?{JOB}\.tex:(\d+): (.*)$", log, re.MULTILINE)
    if wrong:
        return f"{wrong[2].strip().rstrip('.')} (line {wrong[1]} of the LaTeX source)"
    first = re.search(r"^! (.*)$", log, re.MULTILINE)
    return first[1] if first else "it gives no reason"
