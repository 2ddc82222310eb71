"""The documents of the five sources, byte for byte. After a change that is meant: ``pytest --update-golden``."""

from pathlib import Path

import pytest

from symbackprop import api
from symbackprop.render.document import render

FOLDER = Path(__file__).with_name("golden")


@pytest.mark.parametrize("form", ["md", "tex"])
@pytest.mark.parametrize("source", ["S1", "S2", "S3", "S4", "S5"])
def test_the_document_of_a_source_is_the_golden_one(source, form, request):
    derivation = api.derive(source)
    text = render(derivation.written, None, derivation.profile, [form], view=derivation.view)[f"derivation.{form}"]
    golden = FOLDER / f"{source}.{form}"
    if request.config.getoption("--update-golden"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
