"""``symbp``: arguments in; a summary on the terminal and files out.

Whatever is slow to import is imported inside the command that needs it, so that help and mistakes answer at once.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from symbackprop.errors import SpecError, SymbackpropError, shown, unknown

if TYPE_CHECKING:
    from pathlib import Path

    from symbackprop.network.spec import NetworkSpec

REFUTED, BAD_INPUT, INTERRUPTED = 1, 2, 130
GALLERY = "output"
CATALOGUES = ("activations", "losses", "penalties", "notations", "examples", "formats", "targets")
LISTINGS = ("auto", "all", "none")
# The options that describe a network, and the argument of ``api.network`` that each one gives.
DESCRIBING = {
    "net": "layers",
    "act": "activation",
    "out_act": "output_activation",
    "loss": "loss",
    "class_weights": "class_weights",
    "bias": "bias",
    "penalty": "penalty",
    "param": "parameters",
    "train": "train",
}
LONGEST_PRINTED = 3000  # characters of a raw derivative that still belong on a terminal
REDUCED = {"outputs": "output_reduction", "batch": "batch_reduction"}
PAGE_WORDS = ("title", "author")
YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Commands(click.Group):
    """A group whose answer to a mistyped command names the nearest one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None:
            raise SpecError(unknown("command", args[0], self.commands))
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="symbackprop")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Derive, prove, typeset and run the backpropagation of a neural network."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def network_options(command: Callable[..., int]) -> Callable[..., int]:
    """The options that say which network is meant, and how it is derived and checked."""
    for option in reversed(
        [
            click.option("--net", metavar="SIZES", help="Layer sizes, input first.  [default: 2-3-1]"),
            click.option("--act", metavar="NAMES", help="Activation: a name or a formula in z; commas between layers."),
            click.option("--out-act", metavar="NAME", help="Activation of the output layer."),
            click.option("--loss", metavar="NAME", help="Loss: a name, or a formula in the output a and the target t."),
            click.option("--class-weights", metavar="NUMBERS", help="How much each class counts in the loss: 1,2,0.5."),
            click.option(
                "--param", metavar="NAME=NUMBER", multiple=True, help="A number for a letter in the formulas."
            ),
            click.option("--train", metavar="NAMES", help="Letters in activations that are learned like weights."),
            click.option(
                "--bias", metavar="[LIST]", is_flag=False, flag_value="true", help="Biases: in all layers, or yes,no,…"
            ),
            click.option("--no-bias", is_flag=True, help="No biases."),
            click.option("--penalty", metavar="KIND[:λ]", help="Penalty, such as l2:0.1; without λ it stays symbolic."),
            click.option("--spec", metavar="FILE", help="A TOML file that describes the network."),
            click.option("--example", metavar="NAME", help="A network that comes with the program, such as S4."),
            click.option("--notation", metavar="NAME", help="Notation profile: letters, index order, layout."),
            click.option("--listing", metavar="WHICH", default="auto", help="Weight by weight: auto, all or none."),
            click.option("--seed", type=int, default=0, show_default=True, help="Seed of the numeric checks."),
        ]
    ):
        command = option(command)
    return command


def summary_options(command: Callable[..., int]) -> Callable[..., int]:
    """The options that say how much is printed."""
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")(command)
    return click.option("-q", "--quiet", is_flag=True, help="Print what was refuted, and nothing else.")(command)


@cli.command()
@network_options
@summary_options
@click.option("--format", "formats", metavar="NAMES", help="What to write, with commas.  [default: all]")
@click.option("--target", "targets", metavar="NAMES", help="Which programs to write, with commas, such as numpy,torch.")
@click.option("--out", metavar="DIR", help="Where to write.  [default: output/ and the network's name]")
@click.option("--weight", metavar="ADDRESS", help="Show the gradient of one weight, such as 'w22[2]', and its paths.")
@click.option("--detail", metavar="LEVEL", default="full", help="How much documents show: exam, lecture or full.")
@click.option("--numbers", is_flag=True, help="Put numbers into every equation: those of the file, the others drawn.")
@click.option("--sizes", metavar="WHICH", default="numeric", help="numeric; symbolic adds a document for any sizes.")
@click.option("--layouts", metavar="WHICH", help="Chain rule between arrays: numerator, denominator or both layouts.")
@click.option("--compare", metavar="NOTATION", help="Write the equations beside those of another notation instead.")
@click.option("--title", metavar="TEXT", help="Title of the document.")
@click.option("--author", metavar="TEXT", help="Author of the document.")
@click.option(
    "--pdf-engine", metavar="NAME", default="auto", help="auto or typst; or latexmk, pdflatex, lualatex if installed."
)
@click.option("--markdown", metavar="FLAVOUR", default="github", help="Markdown for github or for jupyter.")
def derive(
    *,
    formats: str | None,
    targets: str | None,
    out: str | None,
    weight: str | None,
    detail: str,
    numbers: bool,
    sizes: str,
    layouts: str | None,
    compare: str | None,
    title: str | None,
    author: str | None,
    pdf_engine: str,
    markdown: str,
    quiet: bool,
    as_json: bool,
    **given: Any,
) -> int:
    """Derive a network's gradients; write the documents and the code."""
    from pathlib import Path

    from symbackprop import terminal
    from symbackprop.render.engines import known_engine
    from symbackprop.render.markdown import known_flavour

    wanted, programs = _formats(formats), _targets(targets)
    known_engine(pdf_engine)
    known_flavour(markdown)
    with terminal.working("deriving", quiet=quiet):
        shown = {"weight": weight, "detail": detail, "numbers": numbers, "sizes": sizes, "layouts": layouts}
        spec, derivation = _derivation(given, shown, title=title, author=author)
        rows = derivation.summary() if weight is None else _one_weight(derivation, weight)
    folder = Path(out) if out else Path(GALLERY, _name(given))
    if compare is not None:
        return _compared(derivation, compare, wanted, folder, {"quiet": quiet, "as_json": as_json})
    with terminal.working("checking", quiet=quiet):
        report = derivation.check(seed=given["seed"])
    with terminal.working("writing", quiet=quiet):
        paths = derivation.write(folder, wanted, given["seed"], pdf_engine, markdown, targets=programs)
    terminal.Summary(spec, report, rows, paths).show(quiet=quiet, as_json=as_json)
    return _exit_code(report)


def _compared(derivation: Any, notation: str, wanted: Sequence[str], folder: Path, how: dict[str, bool]) -> int:
    """Write the translation page of two notations, and print it."""
    from symbackprop import terminal
    from symbackprop.files import write_files
    from symbackprop.render.translation import PAGES

    translation = derivation.compare(notation)
    made = {PAGES[form].file: translation.page(form) for form in wanted if form in PAGES}
    if not made:
        raise SpecError(f"a comparison is written as {' or '.join(PAGES)}; --format asks for {', '.join(wanted)}")
    paths = write_files(folder, made)
    terminal.show_translation(translation, paths, **how)
    return 0


@cli.command()
@network_options
@summary_options
def check(quiet: bool, as_json: bool, **given: Any) -> int:
    """Run the proofs and the numeric checks only; exit 1 if anything is refuted."""
    from symbackprop import terminal

    with terminal.working("checking", quiet=quiet):
        spec, derivation = _derivation(given)
        report = derivation.check(seed=given["seed"])
    terminal.Summary(spec, report).show(quiet=quiet, as_json=as_json)
    return _exit_code(report)


@cli.command("list")
@click.argument("catalogue")
def list_catalogue(catalogue: str) -> int:
    """List activations, losses, penalties, notations, examples, formats or targets."""
    from symbackprop import terminal

    if catalogue not in CATALOGUES:
        raise SpecError(unknown("list", catalogue, CATALOGUES))
    terminal.show_table(_rows(catalogue))
    return 0


@cli.command()
@click.option("--out", metavar="DIR", default=GALLERY, show_default=True, help="Where the gallery is written.")
def examples(out: str) -> int:
    """Write the documents and the code of every example network."""
    from pathlib import Path

    from symbackprop import api, terminal

    code = 0
    for name in api.examples():
        with terminal.working(f"deriving {name}"):
            derivation = api.derive(api.example(name))
            report = derivation.check(seed=0)
            paths = derivation.write(Path(out) / name, formats=list(api.FORMATS))
        terminal.show_paths(paths)
        code = max(code, _exit_code(report))
    return code


def _derivation(
    given: dict[str, Any], shown: dict[str, Any] | None = None, **texts: str | None
) -> tuple[NetworkSpec, Any]:
    """The network that the options describe, with these ``texts`` on its title page, and its derivation.

    ``shown`` are the options that say what documents show of it.
    """
    from dataclasses import replace

    from symbackprop import api
    from symbackprop.network.options import line_of_text

    if given["listing"] not in LISTINGS:
        raise SpecError(unknown("listing", given["listing"], LISTINGS))
    spec = _spec(given)
    title, author = (line_of_text(key, text) if (text := texts.get(key)) is not None else None for key in PAGE_WORDS)
    spec = replace(spec, title=title or spec.title, author=author or spec.author)
    options = {"notation": given["notation"], "listing": given["listing"], "seed": given["seed"]}
    return spec, api.derive(spec, **options, **(shown or {}))


def _spec(given: dict[str, Any]) -> NetworkSpec:
    from symbackprop import api

    described = {argument: given[option] for option, argument in DESCRIBING.items() if given[option] not in (None, ())}
    if given["no_bias"]:
        if "bias" in described:
            raise SpecError("--bias and --no-bias exclude each other; give one of them")
        described["bias"] = "false"
    sources = [source for source in ("spec", "example") if given[source] is not None]
    if sources and (described or len(sources) > 1):
        extra = [f"--{option.replace('_', '-')}" for option in (*DESCRIBING, "no_bias") if given[option]]
        others = ", ".join([*(f"--{source}" for source in sources[1:]), *extra])
        raise SpecError(f"--{sources[0]} describes the whole network; leave out {others}")
    if given["spec"] is not None:
        return api.load(given["spec"])
    if given["example"] is not None:
        return api.example(given["example"])
    missing = [f"--{option}" for option in ("act", "loss") if given[option] is None]
    if missing:
        raise SpecError(f"{' and '.join(missing)} missing; expected --act and --loss, or --spec, or --example")
    if "bias" in described:
        described["bias"] = _bias(described["bias"])
    if "train" in described:
        described["train"] = [name.strip() for name in described["train"].split(",")]
    if "parameters" in described:
        described["parameters"] = _parameters(described["parameters"])
    if given["notation"] is not None:
        from symbackprop.notation.profile import load_profile

        # What the source of a notation sums or averages, the network does where nothing else is said.
        reductions = load_profile(given["notation"]).reductions
        described |= {REDUCED[key]: value for key, value in reductions.items()}
    return api.network(described.pop("layers", "2-3-1"), **described)


def _parameters(texts: tuple[str, ...]) -> dict[str, str]:
    """Each ``NAME=NUMBER``; the name is checked where the network is read."""
    numbers: dict[str, str] = {}
    for text in texts:
        name, sign, number = (part.strip() for part in text.partition("="))
        if not (name and sign and number):
            raise SpecError(f"--param is {shown(text)}; expected a name and a number, like beta=1.5")
        if name in numbers:
            raise SpecError(f"--param gives {name} twice; give one number")
        numbers[name] = number
    return numbers


def _bias(text: str) -> bool | list[bool]:
    words = [word.strip().lower() for word in text.split(",")]
    if not all(word in YES_NO for word in words):
        raise SpecError(f"--bias is {shown(text)}; expected yes, no or a list of them, one per layer after the input")
    return YES_NO[words[0]] if len(words) == 1 else [YES_NO[word] for word in words]


def _formats(text: str | None) -> list[str]:
    from symbackprop import api

    if text is None:
        return list(api.FORMATS)
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in api.FORMATS:
            raise SpecError(unknown("format", name, api.FORMATS))
    return names


def _targets(text: str | None) -> tuple[str, ...]:
    from symbackprop.emit.targets import known_targets

    return known_targets(name.strip() for name in text.split(",")) if text is not None else ()


def _name(given: dict[str, Any]) -> str:
    """The folder's name: what the user wrote."""
    from symbackprop.files import folder_name

    if given["example"] is not None:
        words = [given["example"]]
    elif given["spec"] is not None:
        words = [re.split(r"[/\\]", given["spec"])[-1].removesuffix(".toml")]
    else:
        words = [
            given["net"] or "2-3-1",
            given["act"],
            given["out_act"],
            given["loss"],
            given["class_weights"],
            given["penalty"],
            *given["param"],
            given["train"] and f"train {given['train']}",
        ]
    return folder_name(word for word in words if word)


def _one_weight(derivation: Any, weight: str) -> list[tuple[str, str]]:
    gradient = derivation.gradient(weight)
    raw = str(gradient.expanded)
    return [
        (
            f"dE/d{weight}",
            raw if len(raw) <= LONGEST_PRINTED else f"({len(raw)} characters; Python's .expanded has them)",
        ),
        ("chain rule", str(gradient.chain)),
        ("with δ", str(gradient.delta_form)),
        *derivation.way(weight),
    ]


def _rows(catalogue: str) -> list[tuple[str, ...]]:
    """The lines of one list: name, aliases and formula, or name and description."""
    if catalogue in ("notations", "examples", "formats"):
        from symbackprop import api

        table = {"notations": api.notations(), "examples": api.examples(), "formats": api.FORMATS}[catalogue]
        return list(table.items())
    if catalogue == "targets":
        from symbackprop.emit.targets import PROGRAMS

        return [(name, row.file, row.description) for name, row in PROGRAMS.items()]
    from symbackprop.catalogue.activations import ACTIVATIONS
    from symbackprop.catalogue.losses import LOSSES
    from symbackprop.catalogue.penalties import PENALTIES
    from symbackprop.render.listing import listed

    rows: dict[str, Any] = {"activations": ACTIVATIONS, "losses": LOSSES, "penalties": PENALTIES}
    return list(listed(rows[catalogue].values()))


def _exit_code(report: Any) -> int:
    return REFUTED if any(row.verdict is False for row in report.rows) else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``symbp``; returns the exit status: 0 done, 1 a check was refuted, 2 bad input."""
    pointer = None
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without δ shows '?' instead of a traceback
    try:
        return cli.main(args=arguments, prog_name="symbp", standalone_mode=False) or 0
    except click.ClickException as error:
        message = error.format_message()
    except SymbackpropError as error:
        message, pointer = str(error), getattr(error, "pointer", None)
    except click.Abort:
        return INTERRUPTED
    click.echo(f"symbp: {' '.join(message.split())}", err=True)
    for line in pointer or ():
        click.echo(line, err=True)
    return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
