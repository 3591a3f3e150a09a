"""The page of viz.page in a real browser: every control, the numbers, keys, touch, links, folding, and for everyone.

Needs Debian's chromium and Playwright's Python package; skips where one is missing.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from viz_programs import diamond, expression, leaf

import tinygrad_dl as tg
from tinygrad_dl import nn, viz
from tinygrad_dl.nn import functional as F

CHROMIUM = shutil.which("chromium")
MISSING = [
    name
    for name, there in (
        ("chromium", CHROMIUM is not None),
        ("the package playwright", find_spec("playwright") is not None),
        ("the package axe-playwright-python", find_spec("axe_playwright_python") is not None),
    )
    if not there
]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open a page in a browser of its own; in the end nothing was complained of and nothing was asked for."""
    complaints: list[str] = []
    contexts = []

    def show(made: Any, step: int | None = None, width: int = 1280, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda request: complaints.append(request.url) if "://" in request.url[:9] else None)
        address = made.save(tmp_path / "page.html").path.as_uri()
        tab.goto(address + ("" if step is None else f"#step={step}"))
        assert [told for told in complaints if not told.startswith(address)] == []
        complaints.clear()
        return tab

    yield show
    for context in contexts:
        context.close()
    assert complaints == []


def made(f: Any, *inputs: Any, **options: Any) -> Any:
    return viz.page(f, *inputs, path=None, **{"language": "en", **options})


def example(**options: Any) -> Any:
    return made(expression, 5.0, 3.0, 2.0, **options)


def network(**options: Any) -> Any:
    tg.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    X, y = tg.randn(5, 3), tg.tensor([0, 1, 1, 0, 1])
    with viz.trace():
        loss = F.cross_entropy(net(X), y)
    return made(loss, **options)


def step_of(tab: Any) -> int:
    return int(tab.locator("#count").inner_text().split()[1])


def chips(tab: Any, node: str) -> list[str]:
    """The value and the gradient that a node shows, by its name."""
    found = tab.locator(".node").filter(
        has=tab.locator("text.box").get_by_text(re.compile(rf"^{re.escape(node)}( =|$)"))
    )
    return found.locator(".chip text").all_text_contents()


def press(tab: Any, label: str) -> None:
    tab.get_by_role("button", name=label, exact=True).click()


# --- the steps


def test_every_number_is_the_engines_and_none_comes_too_early(show: Any) -> None:
    inputs = {"a": leaf(5.0), "b": leaf(3.0), "c": leaf(2.0)}
    with viz.trace():
        J = expression(*inputs.values())
    page = made(J)
    J.backward()
    values = {"a": "5", "b": "3", "c": "2", "u": "6", "v": "11", "J": f"{J.item():g}"}
    gradients = {name: f"{tensor.grad.item():g}" for name, tensor in inputs.items()} | {"u": "3", "v": "3", "J": "1"}
    seen_at = {"a": 1, "b": 1, "c": 1, "u": 2, "v": 3, "J": 4}
    full_at = {"J": 5, "v": 6, "a": 7, "u": 7, "b": 8, "c": 8}
    tab = show(page)
    for step in range(1, 9):
        assert step_of(tab) == step
        for name in values:
            value = values[name] if step >= seen_at[name] else "not yet"
            gradient = gradients[name] if step >= full_at[name] else "not yet"
            assert chips(tab, name) == [value, gradient], (step, name)
        press(tab, "Step forward")
    assert tab.locator(".node.leaf.full").count() == 3


def test_a_step_lights_up_and_says_all_there_is_to_say(show: Any) -> None:
    tab = show(example(), step=8)
    assert tab.locator(".node.now text.box").text_content() == "u = b·c"
    assert tab.locator("path.edge.lit").count() == 2
    panel = tab.locator("#now").inner_text()
    for words in ("Through u = b·c", "dJ/du = 3", "du/db = c = 2", "3·c = 3·2 = 6", "3·b = 3·3 = 9", "b is a leaf"):
        assert words in panel
    said = tab.locator("#said")
    assert said.get_attribute("aria-live") == "polite"
    assert "step 8 of 8. Through u = b·c" in said.inner_text() and "to b: 3·c = 3·2 = 6" in said.inner_text()
    lines = tab.locator("#lines li").all_inner_texts()
    assert lines[0] == "Forward" and lines[-1] == "dJ/dc = dJ/du · du/dc = 3·b = 3·3 = 9"
    assert tab.locator("#lines li.now").count() == 2


def test_a_part_of_a_sum_is_shown_as_a_part(show: Any) -> None:
    def f(a: Any) -> Any:
        b = a * a
        return a + b

    tab = show(made(f, 3.0), step=5)
    assert chips(tab, "a") == ["3", "1"] and tab.locator(".chip.part").count() == 1
    assert tab.locator(".node.leaf.full").count() == 0
    press(tab, "Last step")
    assert chips(tab, "a") == ["3", "7"] and tab.locator(".chip.part").count() == 0


def test_a_gradient_that_never_comes_is_not_zero(show: Any) -> None:
    class First(tg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Any, b: Any) -> Any:
            return a * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return 2 * g, None

    a, b = leaf(3.0), leaf(4.0)
    with viz.trace():
        J = First.apply(a, b)
    tab = show(made(J))
    assert chips(tab, "b") == ["4", "not yet"]
    press(tab, "Last step")
    assert chips(tab, "a") == ["3", "2"] and chips(tab, "b") == ["4", "no gradient"]


def test_back_undoes_forward(show: Any) -> None:
    for page in (example(), network(fold=True), network(fold=False)):
        tab = show(page)
        state = lambda tab=tab: (step_of(tab), tab.locator("main").inner_html())  # noqa: E731
        seen = [state()]
        while seen[-1][0] < len(page.data["steps"]):
            tab.keyboard.press("ArrowRight")
            seen.append(state())
        for before in reversed(seen[:-1]):
            tab.keyboard.press("ArrowLeft")
            assert state() == before


# --- controls


def test_buttons_slider_and_lists(show: Any) -> None:
    tab = show(example())
    press(tab, "Last step")
    assert step_of(tab) == 8
    press(tab, "Step back")
    assert step_of(tab) == 7
    press(tab, "First step")
    assert step_of(tab) == 1
    tab.get_by_role("slider", name="Step").fill("6")
    assert step_of(tab) == 6
    jump = tab.get_by_role("combobox", name="Jump to")
    assert jump.locator("option:checked").inner_text() == "6. Through J = 3·v"
    jump.select_option("3. v = a + u")
    assert step_of(tab) == 3


def test_play_pauses_goes_on_and_stops_at_the_end(show: Any) -> None:
    tab = show(example())
    tab.clock.install()
    tab.get_by_role("combobox", name="Speed").select_option("fast")
    press(tab, "Play")
    tab.clock.run_for(1000)
    assert step_of(tab) == 3
    press(tab, "Pause")
    tab.clock.run_for(5000)
    assert step_of(tab) == 3
    tab.get_by_role("combobox", name="Speed").select_option("slow")
    press(tab, "Play")
    tab.clock.run_for(3000)
    assert step_of(tab) == 4
    tab.clock.run_for(30_000)
    assert step_of(tab) == 8 and tab.get_by_role("button", name="Play", exact=True).is_visible()
    press(tab, "Play")
    assert step_of(tab) == 1, "from the beginning again"
    press(tab, "Step forward")
    tab.clock.run_for(10_000)
    assert step_of(tab) == 2, "a step by hand pauses"


def test_light_dark_large_and_zoom(show: Any) -> None:
    tab = show(example(), color_scheme="light")
    paper = lambda: tab.evaluate("getComputedStyle(document.body).backgroundColor")  # noqa: E731
    light = paper()
    press(tab, "Light or dark")
    dark = paper()
    assert (
        light != dark
        and show(example(), color_scheme="dark").evaluate("getComputedStyle(document.body).backgroundColor") == dark
    )
    press(tab, "Light or dark")
    assert paper() == light
    size = lambda: float(tab.evaluate("getComputedStyle(document.querySelector('#now dd')).fontSize").rstrip("px"))  # noqa: E731
    normal, large = size(), tab.get_by_role("button", name="Large type")
    large.click()
    assert size() > 1.3 * normal and large.get_attribute("aria-pressed") == "true"
    large.click()
    assert size() == normal
    wide = lambda: tab.locator("#graph svg").bounding_box()["width"]  # noqa: E731
    before = wide()
    press(tab, "Zoom in")
    assert wide() > 1.2 * before
    press(tab, "Zoom out")
    assert wide() == pytest.approx(before)


def test_keys(show: Any) -> None:
    tab = show(example())
    for key, step in (("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("End", 8), ("Home", 1)):
        tab.keyboard.press(key)
        assert step_of(tab) == step
    tab.keyboard.press("Space")
    assert tab.get_by_role("button", name="Pause").is_visible()
    tab.keyboard.press("Space")
    assert tab.get_by_role("button", name="Play", exact=True).is_visible()
    tab.get_by_role("button", name="Step forward").focus()
    tab.keyboard.press("Space")
    assert step_of(tab) == 2, "space presses the button that has the focus"
    tab.locator(".node").first.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#pinned").is_visible()
    tab.keyboard.press("Escape")
    assert not tab.locator("#pinned").is_visible()
    reached = set()
    tab.locator("body").click(position={"x": 3, "y": 3})
    for _ in range(25):
        tab.keyboard.press("Tab")
        reached.add(tab.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.id"))
    assert {"Step forward", "Step", "Jump to", "u = b·c, result, value: 6, gradient: not yet"} <= reached


SWIPE = """([from, to]) => {
  const target = document.querySelector('#now');
  const touch = x => new Touch({identifier: 1, target, clientX: x, clientY: 300});
  const send = (name, x, on) => target.dispatchEvent(new TouchEvent(name, {bubbles: true, touches: on ? [touch(x)] : [],
    changedTouches: [touch(x)]}));
  send('touchstart', from, true); send('touchend', to, false);
}"""


def test_touch(show: Any) -> None:
    tab = show(example(), width=390, has_touch=True, is_mobile=True)
    tab.evaluate(SWIPE, [300, 100])
    assert step_of(tab) == 2
    tab.evaluate(SWIPE, [100, 300])
    assert step_of(tab) == 1
    tab.evaluate(SWIPE, [110, 100])
    assert step_of(tab) == 1, "a tap is no swipe"
    tab.get_by_role("button", name="Step forward").tap()
    assert step_of(tab) == 2
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out on a phone"


def test_links_to_a_step(show: Any) -> None:
    tab = show(example(), step=7)
    assert step_of(tab) == 7
    press(tab, "Step back")
    assert tab.url.endswith("#step=6")
    tab.evaluate("location.hash = '#step=3'")
    tab.wait_for_function("document.getElementById('count').textContent.includes('step 3 ')")
    assert step_of(show(example(), step=99)) == 8


# --- nodes


def test_a_click_pins_a_node_with_all_that_is_known(show: Any) -> None:
    tab = show(network(fold=False))
    node = tab.get_by_role("button", name=re.compile(r"^u = X weightᵀ"))
    node.click()
    words = tab.locator("#pinned").inner_text()
    assert "u = X net[0].weightᵀ + net[0].bias" in words and "(5, 4)" in words and "float32" in words
    assert "net (Sequential) › net[0] (Linear)" in words and "test_page_in_browser.py" in words
    assert words.count("not yet") == 2 and tab.locator("#pinned table").count() == 0
    press(tab, "Last step")
    assert "not yet" not in tab.locator("#pinned").inner_text() and tab.locator("#pinned table").count() == 2
    assert tab.locator("#pinned td").count() == 40
    press(tab, "Forward: step 2")
    assert step_of(tab) == 2 and tab.locator(".node.now").get_attribute("aria-pressed") == "true"
    press(tab, "Backward: step 10")
    assert step_of(tab) == 10
    node.click()
    assert not tab.locator("#pinned").is_visible()
    node.click()
    press(tab, "Unpin")
    assert not tab.locator("#pinned").is_visible()


def test_modules_fold_and_unfold(show: Any) -> None:
    page = network(fold=True)
    tab = show(page)
    assert tab.locator(".node").count() == 3 and "0 of 7 values" not in tab.locator(".group").text_content()
    tab.keyboard.press("ArrowRight")
    assert step_of(tab) == 4, "what happens in a folded module is one step"
    assert "7 of 7 values" in tab.locator(".group").text_content()
    assert "inside net: Sequential" in tab.locator("#now").inner_text()
    assert tab.locator(".group.now").count() == 1
    tab.locator(".group").click()
    assert tab.locator(".group").count() == 3 and tab.locator(".node").count() == 4
    assert tab.get_by_role("button", name="net: Sequential, unfolded").get_attribute("aria-expanded") == "true"
    tab.keyboard.press("Home")
    tab.keyboard.press("ArrowRight")
    assert step_of(tab) == 2
    press(tab, "Unfold all")
    assert tab.locator(".node").count() == len(page.data["nodes"])
    tab.get_by_role("button", name="net[0]: Linear, unfolded").locator(".frame-name").click()
    assert tab.locator(".node").count() == len(page.data["nodes"]) - 3
    press(tab, "Fold all")
    assert tab.locator(".node").count() == 3


APART = """() => {
  const found = [], name = e => e.textContent || e.parentNode.textContent;
  const boxes = [...document.querySelectorAll('.node .body, .chip, .label')]
    .filter(e => getComputedStyle(e).visibility == 'visible').map(e => [e, e.getBoundingClientRect()]);
  const beside = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1;
  const overlap = (a, b) => !beside(a, b) && a.top < b.bottom - 2 && b.top < a.bottom - 2;
  boxes.forEach(([e, a], i) => boxes.slice(i + 1).forEach(([f, b]) => overlap(a, b) && found.push([name(e), name(f)])));
  const matrix = document.querySelector('#graph svg').getScreenCTM();
  const within = (p, b) => p.x > b.left + 2 && p.x < b.right - 2 && p.y > b.top + 2 && p.y < b.bottom - 2;
  for (const path of document.querySelectorAll('path.edge'))
    for (let at = 0; at < path.getTotalLength() - 9; at += 3) {
      const p = path.getPointAtLength(at).matrixTransform(matrix);
      for (const [e, b] of boxes) if (within(p, b)) found.push(['line', name(e)]);
    }
  for (const g of document.querySelectorAll('.node')) {
    const [text, body] = ['.box', '.body'].map(part => g.querySelector(part).getBoundingClientRect());
    if (text.width > body.width - 4) found.push(['wide', g.textContent]);
  }
  return found;
}"""


def around_a_module(**options: Any) -> Any:
    """Two values that pass a module by, above and below."""
    tg.manual_seed(0)
    inner = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3))
    x = tg.randn(4, 3)
    with viz.trace():
        h, k = inner[0](x), inner[2](x)
        loss = (h + tg.tanh(inner(tg.sin(h + k))) * k * h).sum()
    return made(loss, **options)


def test_nothing_touches_anything_in_the_browser_either(show: Any) -> None:
    pages = [example(), made(diamond, 3.0), network(fold=False), network(fold=True), around_a_module(fold=False)]
    for page in pages:
        tab = show(page, step=len(page.data["steps"]))
        assert tab.evaluate(APART) == []


def test_names_numbers_and_titles_are_text(show: Any) -> None:
    evil = "</script><img src=x onerror=alert(1)>\"'{{}}\u2028&amp;"
    named = {evil: leaf([float("nan"), float("inf"), -1.0])}
    with viz.trace():
        J = named[evil].sum()
    tab = show(made(J, title=evil))
    assert tab.title().startswith("</script><img") and tab.locator("main img[src=x]").count() == 0
    assert tab.locator("#now dt").inner_text().startswith("</script><img src=x")
    assert tab.locator("#now td").all_inner_texts() == ["NaN", "∞", "−1"]


# --- for everyone


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(show: Any, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for page, step, width in ((example(), 7, 1280), (network(fold=False), 9, 1280), (network(fold=True), 5, 390)):
        tab = show(page, step=step, width=width, color_scheme=scheme)
        tab.locator(".node").first.click()
        found = Axe().run(tab).response["violations"]
        told = [(violation["id"], [node["html"][:120] for node in violation["nodes"]]) for violation in found]
        assert told == []


def test_captions_in_turkish(show: Any) -> None:
    tab = show(example(language="tr"), step=5)
    assert tab.locator("html").get_attribute("lang") == "tr"
    assert tab.locator("h1").inner_text() == "J = 3·(a + b·c) için geri yayılım"
    panel = tab.locator("#now").inner_text()
    assert "Geri yayılım · adım 5 / 8" in panel and "kayıptan" in panel
    assert "henüz yok" in tab.locator("#graph").text_content()
    press(tab, "İleri")
    assert "Zincir kuralı: J = 3·v" in tab.locator("#now").inner_text()
    assert "gelen gradyan" in tab.locator("#now").inner_text()
    press(tab, "Oynat")
    assert tab.get_by_role("button", name="Duraklat").is_visible()


def test_on_paper_there_are_no_controls(show: Any) -> None:
    tab = show(example(), step=8, color_scheme="dark")
    tab.emulate_media(media="print")
    assert not tab.locator(".bar").is_visible() and tab.locator("#lines li").count() == 11
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_in_the_frame_of_a_notebook(browser: Any) -> None:
    complaints: list[str] = []
    tab = browser.new_page()
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.set_content(example()._repr_html_())
    frame = tab.frame_locator("iframe")
    frame.get_by_role("button", name="Step forward").click()
    assert frame.locator("#count").inner_text() == "step 2 of 8" and complaints == []
    tab.close()


# --- size and speed


def chain(operations: int) -> Any:
    def f(a: Any) -> Any:
        for _ in range(operations):
            a = tg.tanh(a)
        return a

    return made(f, 1.0)


def test_sixty_nodes_take_few_elements(show: Any) -> None:
    """Which decides how soon a browser paints them."""

    def f(x: Any) -> Any:
        for _ in range(15):
            a, b = x * x, tg.tanh(x)
            x = a + b * 0.5
        return x

    page = made(f, 0.5, fold=False)
    assert len(page.data["nodes"]) >= 60
    tab = show(page)
    assert tab.locator(".node").count() == len(page.data["nodes"])
    assert tab.locator("*").count() < 1500


def test_three_thousand_operations_can_be_stepped_through(show: Any) -> None:
    tab = show(chain(3000))
    assert tab.locator(".group").count() == 15
    tab.keyboard.press("ArrowRight")
    assert step_of(tab) == 201
    tab.locator(".group").first.click()
    tab.locator(".group").nth(1).click()
    assert tab.locator("*").count() < 20_000
    tab.keyboard.press("End")
    assert step_of(tab) == 6002
