# SPDX-License-Identifier: BSD-3-Clause
"""The documentation site, as `make docs` builds it and as a browser shows it; and what its pages say in numbers."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from needs import command, needs

needs(
    "sphinx",
    "myst-parser",
    "numpydoc",
    "pydata-sphinx-theme",
    "sphinx-copybutton",
    "playwright",
    "matplotlib",
)

from playwright.sync_api import sync_playwright  # noqa: E402

DOCS = Path(__file__).parents[2] / "docs"
# Parts of a page that shall not scroll sideways: its text and the lists beside it; on a laptop its tables as well.
PARTS = "html, .bd-article-container, .bd-sidebar-primary, .bd-sidebar-secondary"
WIDTHS = {390: PARTS, 1280: f"{PARTS}, .pst-scrollable-table-container"}  # a phone, a laptop
# Those that are wider than their room.
WIDER = """parts => [...document.querySelectorAll(parts)]
    .filter(e => e.scrollWidth > e.clientWidth).map(e => [e.tagName, e.scrollWidth, e.clientWidth])"""
# On a page: pictures without an alternative text, or that did not load; links; names of places.
SEEN = """() => ({
    nameless: [...document.images].filter(i => !i.alt.trim()).map(i => i.src),
    broken: [...document.images].filter(i => !i.naturalWidth).map(i => i.src),
    links: [...document.querySelectorAll("main a[href]")].map(a => a.href),
    places: [...document.querySelectorAll("[id]")].map(e => e.id),
})"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    built = tmp_path_factory.mktemp("site")
    options = ("--fail-on-warning", "--keep-going", "--quiet")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, DOCS, built / "html"],
        capture_output=True,
        text=True,
        cwd=built,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return built / "html"


@pytest.fixture(scope="module")
def browser():
    path = command("chromium", "chromium-browser", "google-chrome", debian="chromium")
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


def faults(browser, root):
    """The faults of the pages below a directory, in words."""
    found, links, places = [], {}, {}
    pages = sorted(root.glob("*.html")) + sorted(root.glob("idea/*.html"))
    tab = browser.new_page()
    tab.on("pageerror", lambda error: found.append(f"{tab.url}: {error}"))
    for page in pages:
        tab.goto(page.as_uri())
        for width, parts in WIDTHS.items():
            tab.set_viewport_size({"width": width, "height": 900})
            for part, wide, room in tab.evaluate(WIDER, parts):
                found.append(f"{page.relative_to(root)}: {part} of {wide} pixels in {room}")
        seen = tab.evaluate(SEEN)
        found += [
            f"{page.relative_to(root)}: no alternative text of {picture}" for picture in seen["nameless"]
        ]
        found += [f"{page.relative_to(root)}: cannot show {picture}" for picture in seen["broken"]]
        links[page], places[page] = seen["links"], seen["places"]
    tab.close()
    for page, of_page in links.items():
        for link in filter(lambda link: link.startswith("file:"), of_page):
            parts = urlsplit(link)
            target, place = Path(unquote(parts.path)), unquote(parts.fragment)
            if not target.is_file() or place not in ["", *places.get(target, [place])]:
                found.append(f"{page.relative_to(root)}: dead link {link}")
    return found


def test_pages(site, browser):
    assert len(list(site.glob("*.html"))) > 30
    assert faults(browser, site) == []


def test_every_machine_has_a_page():
    measured = {path.parent.name for path in (DOCS.parent / "benchmarks" / "results").glob("*/speed.md")}
    assert measured == {path.stem.removeprefix("speed-") for path in DOCS.glob("speed-*.md")}


def test_control(tmp_path, browser):
    """Each fault is found, and a page without one has none."""
    head = "<!doctype html><html><body><main>"
    (tmp_path / "a.html").write_text(
        f"{head}<h1 id='here'>A</h1><a href='b.html'>b</a><a href='#here'>up</a>"
    )
    (tmp_path / "b.html").write_text(head)
    assert faults(browser, tmp_path) == []
    pixel = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
    scrolls = "width: 100%; overflow-x: auto"
    (tmp_path / "b.html").write_text(
        f"{head}<div style='width: 1000px'>wide</div><img src='{pixel}'><img alt='x' src='missing.png'>"
        f"<div class='bd-article-container' style='{scrolls}'><p style='width: 900px'>wide</p></div>"
        f"<div class='pst-scrollable-table-container' style='{scrolls}'><p style='width: 1500px'>wide</p></div>"
        "<a href='a.html#there'>a</a><a href='c.html'>c</a><script>throw Error('script')</script>"
    )
    found = "\n".join(faults(browser, tmp_path))
    for fault in (
        "b.html: HTML of 1008 pixels in 390",
        "b.html: DIV of 900 pixels in 374",
        "b.html: DIV of 1500 pixels in 1264",
        "b.html: no alternative text of data:",
        "missing.png",
        "a.html#there",
        "c.html",
        "script",
    ):
        assert fault in found
    assert "in 1280" not in found and "1500 pixels in 374" not in found


# ---- figures.py, and what mathematics.md says of its pictures ----


@pytest.fixture(scope="module")
def figures():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        import figures
    return figures


def test_pictures(tmp_path, figures):
    figures.main(tmp_path)
    text = (DOCS / "mathematics.md").read_text()
    drawn = {path.name for path in tmp_path.iterdir()}
    assert drawn == set(re.findall(r"\(pictures/(\w+\.svg)\)", text))
    for name in drawn:
        for path in tmp_path / name, DOCS / "pictures" / name:
            assert path.read_text().rstrip().endswith("</svg>")


def test_segments(figures):
    """The page's numbers, and the errors that tools/fit.py has written beside the tables."""
    tables = (figures.KERNELS / "tables" / "f32_value.c").read_text()
    text = " ".join((DOCS / "mathematics.md").read_text().split())
    stated = float(re.search(r"less than (0\.\d+) · 2⁻²⁴", text)[1])
    worst = []
    for registers, name, count in (
        (True, "f32_LANES_erf", "32 segments"),
        (False, "f32_ROWS_erf", "833 segments"),
    ):
        _, errors, borders = figures.segments(registers)
        worst.append(abs(errors).max())
        written = float(re.search(rf"relative error (\S+) = \S+ \*/\nTABLE const f32 {name}\[", tables)[1])
        assert written == pytest.approx(worst[-1], rel=0.1)
        assert count in text and count.startswith(f"{len(borders)} ")
    assert stated - 0.01 < max(worst) / figures.UNIT < stated


def test_tail(figures):
    text = " ".join((DOCS / "mathematics.md").read_text().split())
    t, rounded, ours = figures.tail_errors()
    low, high = map(float, re.search(r"errors grow from (\d+) to (\d+) ULP", text).groups())
    stated = float(re.search(r"in two parts they stay below (0\.\d+) ULP", text)[1])
    assert rounded[t < 7].max() == pytest.approx(low, abs=0.6) and rounded.max() == pytest.approx(
        high, abs=0.6
    )
    assert ours.max() < stated
