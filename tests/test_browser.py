"""The page in a real browser: clicked, typed into, stepped through."""

from __future__ import annotations

import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from symbackprop import api
from symbackprop.calculus.inert import Chain, Partial
from symbackprop.derivation.numbers import drawn, equations, leaves
from symbackprop.network.quantities import OUT, PRE, TARGET, WEIGHT
from symbackprop.render.equations import equation_numbers
from tests.browser import browser, needs_chromium

pytestmark = needs_chromium

S1_WEIGHTS = [f"w{i}{j}[1]" for j in (1, 2, 3) for i in (1, 2)] + [f"w{i}1[2]" for i in (1, 2, 3)]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Pages by name, written once."""
    folder, written = tmp_path_factory.mktemp("pages"), {}

    def page(name, derivation):
        if name not in written:
            written[name] = folder / f"{name}.html"
            written[name].write_text(derivation.files(["html"])["derivation.html"], "utf-8")
        return written[name].as_uri()

    return page


@pytest.fixture(scope="module")
def s1():
    return api.derive("S1")


@pytest.fixture
def page(chromium, pages, s1):
    """The page of S1, freshly loaded; nothing may appear on the console."""
    chromium.get(pages("S1", s1))
    yield chromium
    assert chromium.get_log("browser") == []


def entries(driver, selector):
    return {part.get_attribute("data-entry") for part in driver.find_elements(By.CSS_SELECTOR, selector)}


def click_on(driver, entry):
    """Click on the letters of a part of the picture."""
    driver.find_element(By.CSS_SELECTOR, f'.network [data-entry="{entry}"] text').click()


def on_paths(derivation, weight):
    """The edges of all paths of a weight, from the chain rule's own factors."""
    found = set()
    for path in derivation.paths(weight):
        for factor in path.args:
            assert isinstance(factor, Partial)
            if getattr(factor.of, "base", None) == PRE:
                by = factor.by
                edge = WEIGHT[by.indices[0], by.indices[1], factor.of.indices[1]] if by.base == OUT else by
                found.add(str(edge))
    return found


@pytest.mark.parametrize("weight", S1_WEIGHTS)
def test_selecting_a_weight_lights_its_paths_and_shows_its_product(page, s1, weight):
    click_on(page, weight)
    assert entries(page, ".network .edge.lit") == on_paths(s1, weight)
    shown = page.find_elements(By.CSS_SELECTOR, "#about .product")
    factors = s1.gradient(weight).chain.args
    assert [came_from(page, piece) for piece in marked(shown[0])] == sources(s1, weight)
    assert len(marked(shown[0])) == len(factors)
    product = next(step.right for step in s1.steps if step.label == f"{weight}.product")
    assert isinstance(product, Chain)
    assert [letters(content(page, value)) for value in marked(shown[1])] == [letters(str(f)) for f in product.args]


def marked(element):
    return element.find_elements(By.CSS_SELECTOR, "[data-from]")


def came_from(driver, factor):
    return driver.execute_script("return arguments[0].dataset.from", factor)


def content(driver, formula):
    return driver.execute_script("return arguments[0].textContent", formula)


def sources(derivation, weight):
    """Where the factors of a weight's chain come from: ∂E/∂a and ∂a/∂z from the unit, ∂z/∂a and ∂z/∂w from the edge."""
    found = []
    for factor in derivation.gradient(weight).chain.args:
        if getattr(factor.of, "base", None) == PRE:
            by, to = factor.by, factor.of.indices[1]
            found.append(str(WEIGHT[by.indices[0], by.indices[1], to] if by.base == OUT else by))
        else:
            found.append(str(factor.of if getattr(factor.of, "base", None) == OUT else factor.by))
    return found


def letters(text):
    """A formula's letters and digits alone, so that S1's ``w_{11}[2]`` and ``w11[2]`` read the same."""
    return [c for c in text.replace("−", "-").replace("′", "'") if c.isascii() and (c.isalnum() or c in "-[]'")]


@pytest.mark.parametrize("weight", S1_WEIGHTS)
def test_factors_have_the_colour_and_the_number_of_the_edges_and_units_they_come_from(page, s1, weight):
    click_on(page, weight)
    tags = dict(zip(dict.fromkeys(sources(s1, weight)), range(1, 99), strict=False))
    looks = {}
    for root in ("#about", ".equation.about-it"):
        factors = page.find_elements(By.CSS_SELECTOR, f"{root} .numbered [data-from]")
        assert {came_from(page, factor) for factor in factors} == set(tags)
        for factor in factors:
            source, colour = came_from(page, factor), factor.value_of_css_property("color")
            part = page.find_element(By.CSS_SELECTOR, f'.network [data-entry="{source}"]')
            assert part.value_of_css_property("color") == colour
            assert page.execute_script("return arguments[0].nextSibling.textContent", factor) == str(tags[source])
            looks[source] = colour
    assert len(set(looks.values())) == len(tags)
    drawn = page.find_elements(By.CSS_SELECTOR, ".network text.which")
    assert sorted(each.text for each in drawn) == sorted(map(str, tags.values()))


def test_the_printed_equations_of_a_weight_have_its_factors_coloured_and_no_other_has(page, s1):
    click_on(page, "w11[1]")
    numbers = equation_numbers(s1.written)
    chain = page.find_element(By.ID, f"eq-{numbers['w11[1].chain']}")
    assert [came_from(page, factor) for factor in marked(chain)] == sources(s1, "w11[1]")
    derived = page.find_element(By.ID, f"eq-{numbers['w11[1].factor.3']}")
    assert [came_from(page, side) for side in marked(derived)] == ["w11[2]", "w11[2]"]
    other = page.find_element(By.ID, f"eq-{numbers['w21[1].chain']}")
    assert len(marked(other)) == 5
    assert other.find_elements(By.CSS_SELECTOR, ".colour, .numbered") == []
    page.find_element(By.ID, "clear").click()
    assert page.find_elements(By.CSS_SELECTOR, "main .colour, main .numbered, .network .colour, .which") == []


def test_stepping_colours_the_factors_of_the_equation(page, s1):
    number = equation_numbers(s1.written)["w11[2].chain"]
    order = [each.get_attribute("id") for each in page.find_elements(By.CSS_SELECTOR, ".equation")]
    forth = page.find_element(By.ID, "forth")
    for _ in range(order.index(f"eq-{number}") + 1):
        forth.click()
    current = page.find_element(By.CSS_SELECTOR, ".equation.current")
    assert current.get_attribute("id") == f"eq-{number}"
    assert [came_from(page, factor) for factor in marked(current)] == ["a1[3]", "a1[3]", "w11[2]"]
    assert len(current.find_elements(By.CSS_SELECTOR, ".numbered .colour")) == 6  # each factor, and its number
    forth.click()
    assert page.find_element(By.ID, f"eq-{number}").find_elements(By.CSS_SELECTOR, ".numbered") == []


def test_selecting_scrolls_to_the_equations_and_marks_them(page, s1):
    click_on(page, "w21[2]")
    marked = page.find_elements(By.CSS_SELECTOR, ".equation.about-it")
    assert len(marked) == sum(step.label.startswith("w21[2].") for step in s1.steps)
    top = page.execute_script("return arguments[0].getBoundingClientRect().top", marked[0])
    assert 0 <= top <= page.execute_script("return innerHeight")


def test_units_and_deltas_can_be_selected_and_the_selection_cleared(page):
    click_on(page, "a2[2]")
    assert entries(page, ".network .edge.lit") == {"w12[1]", "w22[1]", "w21[2]"}
    click_on(page, "delta1[2]")
    assert entries(page, ".network .edge.lit") == {"w11[2]"}
    assert "δ" in page.find_element(By.ID, "about").text
    page.find_element(By.ID, "clear").click()
    assert entries(page, ".network .lit") == set()
    assert not page.find_element(By.ID, "about").is_displayed()


def test_the_keyboard_selects_what_the_mouse_selects(page):
    buttons = page.find_elements(By.CSS_SELECTOR, '.network [role="button"]')
    assert {button.get_attribute("data-entry") for button in buttons} >= {*S1_WEIGHTS, "x1", "a1[3]", "delta3[2]"}
    assert [button.get_attribute("tabindex") for button in buttons].count("0") == 1
    assert all(button.get_attribute("aria-label") for button in buttons)
    first = next(button for button in buttons if button.get_attribute("tabindex") == "0")
    page.execute_script("arguments[0].focus()", first)
    active = page.switch_to.active_element
    active.send_keys(Keys.HOME)
    for key in (Keys.END, Keys.ARROW_LEFT):
        page.switch_to.active_element.send_keys(key)
    focused = page.switch_to.active_element
    focused.send_keys(Keys.ENTER)
    assert focused.get_attribute("aria-pressed") == "true"
    assert page.find_element(By.ID, "about").is_displayed()
    focused.send_keys(Keys.ESCAPE)
    assert not page.find_element(By.ID, "about").is_displayed()


def test_stepping_goes_through_the_equations_in_order(page):
    order = [each.get_attribute("id") for each in page.find_elements(By.CSS_SELECTOR, ".equation")]
    back, forth = page.find_element(By.ID, "back"), page.find_element(By.ID, "forth")
    assert not back.is_enabled()
    seen = []
    for button in (forth, forth, forth, forth, forth, forth, back):
        button.click()
        (current,) = page.find_elements(By.CSS_SELECTOR, ".equation.current")
        seen.append(current.get_attribute("id"))
    assert seen == [*order[:6], order[4]]
    assert entries(page, ".network .lit") == set(current.get_attribute("data-entries").split())


def dependents(derivation, of):
    """Everything the derivation computes from ``of``, by following its equations."""
    known = {str(of)}
    for step in equations(derivation):
        if known & {str(leaf) for leaf in leaves(step.right)}:
            known.add(address(step.left))
    return known - {str(of)}


def address(expr):
    return f"d{expr.of}/d{expr.by}" if isinstance(expr, Partial) else str(expr)


def outputs(driver):
    found = driver.find_elements(By.CSS_SELECTOR, "#numbers output[data-value]")
    return {each.get_attribute("data-value"): each.get_attribute("title") for each in found}


@pytest.mark.parametrize("weight", ["w11[1]", "w23[1]", "w31[2]"])
def test_a_changed_weight_changes_exactly_what_depends_on_it(page, s1, weight):
    before = outputs(page)
    field = page.find_element(By.CSS_SELECTOR, f'[data-given="{weight}"]')
    page.execute_script(
        "arguments[0].value = '1.37'; arguments[0].dispatchEvent(new Event('input', {bubbles: true}))", field
    )
    after = outputs(page)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == dependents(s1.derivation, weight) & set(after)
    marked = page.find_elements(By.CSS_SELECTOR, "#numbers output.changed")
    assert {each.get_attribute("data-value") for each in marked} == changed
    slider = page.find_element(By.CSS_SELECTOR, f'[data-slider="{weight}"]')
    assert slider.get_attribute("value") == "1.37"
    page.find_element(By.ID, "reset").click()
    assert outputs(page) == before


def test_a_selected_gradient_follows_the_numbers(page):
    click_on(page, "w11[1]")
    shown = page.find_element(By.CSS_SELECTOR, "#about output")
    before = shown.text
    page.find_element(By.CSS_SELECTOR, '[data-slider="x1"]').send_keys(Keys.ARROW_RIGHT * 20)
    assert shown.text != before
    assert shown.text == page.find_element(By.CSS_SELECTOR, '#numbers [data-value="dE/dw11[1]"]').text


NETWORKS = {
    "softmax": {"layers": "3-4-3", "activation": "tanh", "loss": "ce"},
    "erf": {"layers": "2-3-2", "activation": "gelu", "loss": "mse"},
    "cases": {"layers": "2-3-1", "activation": "elu", "loss": "huber"},
    "penalty": {
        "layers": "2-2-1",
        "activation": "sigmoid",
        "loss": "ce",
        "penalty": {"kind": "l2", "strength": 0.3, "form": "plain"},
    },
}


def errors(chromium, derivation, code):
    """The relative differences between what a page computes with ``code`` and what the NumPy module computes."""
    graph, module = derivation.graph, derivation.compile()
    assert module.WEIGHT_LAYOUT == "from_to"
    parameters = {of: place_of(of) for of in (*graph.weights(), *graph.biases())}
    chromium.get("about:blank")
    for seed in range(5):
        numbers = {entry: float(value) for entry, value in drawn(graph, seed).items()}
        given = {str(entry): value for entry, value in numbers.items()}
        found = chromium.execute_script(f"{code}\nreturn gradients(arguments[0])", given)
        params = {key: np.zeros(shape) for key, shape in module.SHAPES.items()}
        for of, (name, at) in parameters.items():
            params[name][at] = numbers[of]
        x = np.array([numbers[OUT[1, i]] for i in graph.units(1)])
        t = np.array([numbers[TARGET[k]] for k in graph.units(graph.depth)])
        loss, grads = module.loss_and_gradients(params, x, t)
        pairs = [(found["E"], loss), *((found[f"dE/d{of}"], grads[name][at]) for of, (name, at) in parameters.items())]
        yield from (abs(ours - float(numpys)) / (1e-3 + abs(float(numpys))) for ours, numpys in pairs)


def place_of(of):
    layer, *units = (int(n) for n in of.indices)
    return f"{'W' if of.base == WEIGHT else 'b'}{layer}", tuple(n - 1 for n in units)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_arithmetic_of_the_page_is_that_of_numpy(chromium, name):
    derivation = api.derive(api.network(**NETWORKS[name]))
    assert max(errors(chromium, derivation, derivation.page_code["gradients.js"])) < 1e-11


def test_wrong_arithmetic_would_be_seen(chromium):
    derivation = api.derive(api.network(**NETWORKS["softmax"]))
    code = derivation.page_code["gradients.js"]
    wrong = code.replace("const delta2_3 = (exp3_2 - t2", "const delta2_3 = (t2 - exp3_2")
    assert wrong != code
    assert max(errors(chromium, derivation, wrong)) > 1e-3


def test_an_equation_is_copied_as_latex(page):
    page.execute_script("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    equation = page.find_element(By.ID, "eq-1")
    page.execute_script("arguments[0].scrollIntoView()", equation)
    page.execute_script("arguments[0].focus()", button := equation.find_element(By.CSS_SELECTOR, ".copy"))
    button.click()
    assert page.execute_script("return window.copied") == equation.get_attribute("data-latex")
    assert equation.get_attribute("data-latex").startswith("z_j[2] =")


@pytest.mark.parametrize("example", ["S1", "S4"])
def test_the_page_fits_a_telephone_and_comes_in_dark(chromium, pages, example):
    chromium.get(pages(example, api.derive(example)))
    look = {"light": None, "dark": None}
    for scheme in look:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        look[scheme] = chromium.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    assert look["light"] != look["dark"]
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        assert chromium.execute_script("return document.documentElement.scrollWidth") <= 390
    finally:
        chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_without_script_the_page_can_be_read(chromium, pages, s1):
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chromium.get(pages("S1", s1))
        assert not chromium.find_element(By.ID, "controls").is_displayed()
        equations = chromium.find_elements(By.CSS_SELECTOR, ".equation")
        assert len(equations) > 60
        assert all(each.is_displayed() and each.size["height"] > 10 for each in equations)
        assert chromium.find_element(By.CSS_SELECTOR, ".picture").is_displayed()
        assert chromium.find_elements(By.CSS_SELECTOR, ".copy") == []
    finally:
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_the_maths_font_is_the_one_in_the_page(page):
    assert page.execute_script("return document.fonts.check('16px \"STIX Two Math\"')")
    # With the font, a stretched bracket is as high as what it encloses; without, it is a box.
    assert page.execute_script("return [...document.fonts].every((font) => font.status === 'loaded')")


def test_parts_of_larger_networks_are_selected_too(chromium, pages):
    unit_by_unit = api.derive(api.network("8-16-16-4", activation="tanh", loss="ce"), detail="lecture")
    chromium.get(pages("hundreds", unit_by_unit))
    part = chromium.find_element(By.CSS_SELECTOR, '.network .node[data-entry="a16[2]"]')
    part.click()
    assert "a16[2]" in chromium.find_element(By.ID, "about").text.replace("\n", "")
    assert len(entries(chromium, ".network .edge.lit")) == 8 + 16
    button = chromium.find_element(By.CSS_SELECTOR, '.network [data-entry="w3,16[1]"]')
    chromium.execute_script("arguments[0].focus()", button)
    button.send_keys(Keys.ENTER)
    assert len(entries(chromium, ".network .edge.lit")) == 1 + 16 + 16 * 4
    assert "paths to the error: 256" in chromium.find_element(By.ID, "about").text
    blocks = api.derive(api.network("20-30-10-5", activation="relu", loss="ce"))
    chromium.get(pages("blocks", blocks))
    chromium.find_element(By.CSS_SELECTOR, '.network .label[data-entry="W[2]"] text').click()
    assert entries(chromium, ".network .lit") == {
        "W[2]", "b[2]", "layer[3]", "n[3]", "f[3]", "W[3]", "b[3]", "layer[4]", "n[4]", "f[4]", "E", "E-out",
    }  # fmt: skip
    assert chromium.find_elements(By.CSS_SELECTOR, ".equation.about-it") != []
    assert chromium.get_log("browser") == []
