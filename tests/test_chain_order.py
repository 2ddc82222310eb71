"""The chain rule between arrays in numerator or denominator layout: a profile chooses, both only on request."""

import pytest
from networks import derived

from symbackprop import api
from symbackprop.derivation.matrix_terms import ORDERS, ChainRule
from symbackprop.errors import SpecError
from symbackprop.notation.profile import load_profile, profile_from_toml, profile_names
from symbackprop.render.equations import all_sections
from symbackprop.render.show import to_text

SAYS = {
    "numerator": "In numerator layout, which is used here",
    "denominator": "In denominator layout, which is used here",
    "both": "In denominator layout every derivative is transposed",
}


def chain_rules(derivation):
    sections = all_sections(derivation.written, derivation.profile.layout(batch=False))
    return {s.label: s for section in sections for s in section.steps if isinstance(s.right, ChainRule)}


@pytest.mark.parametrize("order", ORDERS)
def test_a_profile_chooses_and_what_is_printed_is_checked(order):
    derivation = api.BackpropDerivation(derived("tanh"), profile_from_toml(f"chain_order = '{order}'", "mine"))
    page = derivation.files(["md"])["derivation.md"]
    assert {name for name, text in SAYS.items() if text in page} == (
        {"numerator", "both"} if order == "both" else {order}
    )
    printed = chain_rules(derivation)
    checked = [row for row in derivation.check().rows if row.name.startswith("chains.w.")]
    assert [row.name for row in checked] == list(printed)
    assert all(row.verdict is True for row in checked)
    turned = {label for label, step in printed.items() if step.right.denominator}
    expected = {"numerator": set(), "denominator": set(printed), "both": {"chains.w.1.reversed", "chains.w.2.reversed"}}
    assert turned == expected[order]


def test_the_order_of_the_factors_is_the_reverse():
    texts = {}
    for order in ("numerator", "denominator"):
        derivation = api.derive("S3", layouts=order)
        texts[order] = to_text(chain_rules(derivation)["chains.w.2"].right, derivation._notation)
    factors = texts["numerator"].split(" · ")
    assert len(factors) == 3
    assert texts["denominator"].split(" · ") == factors[::-1]


@pytest.mark.parametrize("name", profile_names())
def test_only_the_source_that_speaks_of_both_prints_both(name):
    assert load_profile(name).chain_order == ("both" if name == "S3" else "numerator")


def test_layouts_on_request():
    assert SAYS["both"] in api.derive("S1", layouts="both").files(["md"])["derivation.md"]
    assert SAYS["both"] not in api.derive("S1").files(["md"])["derivation.md"]
    with pytest.raises(SpecError) as caught:
        api.derive("S1", layouts="bth")
    assert str(caught.value) == "unknown layout of derivatives 'bth'; did you mean 'both'?"
