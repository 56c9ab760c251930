# SPDX-License-Identifier: BSD-3-Clause
"""The pages on the idea of GELU, docs/idea/: pictures, tables and numbers are those of examples/idea.py.
tests/heavy/test_recipes.py runs the code of the pages, and tests/test_package.py compares their tables."""

import math
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from needs import example, needs

needs("matplotlib", "scipy")

from scipy.integrate import quad  # noqa: E402
from scipy.optimize import minimize_scalar  # noqa: E402
from scipy.special import expit, ndtr  # noqa: E402

PAGES = Path(__file__).parents[2] / "docs" / "idea"
SCRIPT, idea = example("idea")
SVG = "{http://www.w3.org/2000/svg}"
NUMBER = r"-?\d+(?:\.\d+)?"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A directory with the pictures, drawn by the script."""
    directory = tmp_path_factory.mktemp("pictures")
    command = [sys.executable, "-W", "error::RuntimeWarning", SCRIPT, directory]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return directory


# ---- pictures ----


def parts(picture):
    """The texts of a picture, and the coordinates of each curve, area and set of points."""
    root = ElementTree.parse(picture).getroot()
    texts = ["".join("".join(text.itertext()).split()) for text in root.iter(f"{SVG}text")]
    curves = {}
    for group in root.iter(f"{SVG}g"):
        if group.get("id", "").startswith("drawn-"):
            written = [part.get(key, "") for part in group.iter() for key in ("d", "x", "y")]
            curves[group.get("id")] = np.array(re.findall(NUMBER, " ".join(written)), float)
    return texts, curves


def same(picture, other):
    """Whether two pictures show the same, to a hundredth of a point."""
    texts, curves = parts(picture)
    other_texts, other_curves = parts(other)
    return (
        texts == other_texts
        and curves.keys() == other_curves.keys()
        and all(
            curve.shape == other_curves[name].shape
            and np.allclose(curve, other_curves[name], rtol=0, atol=0.01)
            for name, curve in curves.items()
        )
    )


@pytest.mark.parametrize("name", idea.PICTURES)
def test_picture(name, drawn):
    picture = PAGES / f"{name}.svg"
    texts, curves = parts(picture)
    assert texts and sum(curve.size > 200 for curve in curves.values()) >= 3
    assert same(picture, drawn / picture.name), "draw it again: python examples/idea.py"
    assert picture.stat().st_size < 150_000


def test_control(drawn, tmp_path, monkeypatch):
    """A change of a curve, or of a text, is noticed in the pictures that show it, and there alone."""
    monkeypatch.setattr(idea, "SLOPE", 0.24)
    monkeypatch.setattr(idea, "minus", lambda text: text)
    idea.draw(tmp_path)
    changed = {name for name in idea.PICTURES if not same(drawn / f"{name}.svg", tmp_path / f"{name}.svg")}
    assert changed == {"curve", "areas", "location"}


def test_same_bytes(drawn, tmp_path):
    """A picture that did not change makes no difference to git."""
    idea.draw(tmp_path)
    for name in idea.PICTURES:
        assert (tmp_path / f"{name}.svg").read_bytes() == (drawn / f"{name}.svg").read_bytes()


def test_names_the_extra():
    code = f"import runpy, sys; sys.modules['matplotlib'] = None; runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.endswith('This example needs an extra: pip install ".[examples]"\n')


# ---- pages ----


def test_each_picture_has_a_page():
    """Each is shown, and the text in its place says what it shows."""
    shown = {}
    for page in ("index", *idea.TABLES):
        for text, picture in re.findall(r"!\[([^]]*)\]\(([^)]*)\)", (PAGES / f"{page}.md").read_text()):
            assert len(text) > 60
            assert (PAGES / picture).exists()
            shown.setdefault(picture, []).append(page)
    assert shown.keys() == {f"{name}.svg" for name in idea.PICTURES}


def test_each_table_has_a_place():
    for page, tables in idea.TABLES.items():
        written = re.findall(
            r"<!-- (\w+): written by tools/readme.py -->", (PAGES / f"{page}.md").read_text()
        )
        assert written == [make.__name__ for make in tables]


def decimals_of(text):
    """The numbers with a decimal point in a page's prose, and those in its code, formulas and tables."""
    computed = re.compile(
        r"<!-- \w+: written.*?<!-- end -->|```.*?```|\$\$.*?\$\$|\$[^$]*\$|`[^`]*`", re.DOTALL
    )
    links = re.compile(r"\]\([^)]*\)|arXiv:[\d.]+|doi:\S+")
    number = r"\d+\.\d+"
    inside = re.findall(number, " ".join(computed.findall(text)))
    return set(re.findall(number, links.sub("", computed.sub("", text)))), set(inside)


@pytest.mark.parametrize("page", ["index", *idea.TABLES])
def test_prose(page):
    """No number stands in the prose alone, where nothing compares it: code or a table has it, too, or test_band."""
    text, *_ = (PAGES / f"{page}.md").read_text().split("## References")
    prose, computed = decimals_of(text)
    compared = {str(idea.BAND)} if page == "derivation" else set()
    assert prose <= computed | compared
    prose, computed = decimals_of(text + "Its largest value is 0.3125.")
    assert prose - computed - compared == {"0.3125"}


def test_band():
    page = (PAGES / "derivation.md").read_text()
    assert f"band reaches {idea.BAND} standard deviations to each side,\nwhere 95 % of the means" in page
    assert ndtr(idea.BAND) - ndtr(-idea.BAND) == pytest.approx(0.95, abs=0.0001)


# ---- numbers: some in the tables, by SciPy ----


def gelu_by_scipy(x):
    return x * ndtr(x)


def of(table, row, column):
    """A cell of a table, found by its row's first cells, as numbers."""
    header, rows = table
    (cells,) = (cells for cells in rows if tuple(cells[: len(row)]) == row)
    return [float(number) for number in re.findall(NUMBER, cells[header.index(column)].replace("−", "-"))]


def test_landmarks():
    table = idea.landmarks()
    lowest = minimize_scalar(gelu_by_scipy, bounds=(-2, 0), method="bounded", options={"xatol": 1e-9})
    assert of(table, ("smallest value",), "") == pytest.approx([lowest.fun, lowest.x], abs=5e-5)
    for sign, name in ((1, "largest"), (-1, "smallest")):
        x = sign * math.sqrt(2)
        slope = ndtr(x) + x * math.exp(-1) / math.sqrt(2 * math.pi)
        assert of(table, (f"{name} gradient",), "") == pytest.approx([slope, x], abs=5e-5)
    assert of(table, ("gradient at 0",), "") == [0.5]


def test_areas():
    for x, *cells in idea.probabilities()[1]:
        exact, _ = quad(
            lambda u: math.exp(-u * u / 2) / math.sqrt(2 * math.pi), -20, float(x.replace("−", "-"))
        )
        assert [float(cell) for cell in cells] == pytest.approx([exact] * 3, abs=6e-7)


def test_draws():
    """The error falls with the root of the number of draws, and is the expected one."""
    draws, found, expected, inside = idea.convergence()
    assert np.allclose(np.array(expected) * np.sqrt(draws), expected[0])
    assert np.allclose(found, expected, rtol=0.12)
    assert min(inside) > 0.93 and max(inside) < 0.98


@pytest.mark.parametrize(
    "form, gate",
    [
        ("tanh", lambda x, c: (1 + np.tanh(math.sqrt(2 / math.pi) * (x + c * x**3))) / 2),
        ("sigmoid", lambda x, c: expit(c * x)),
    ],
)
def test_constants(form, gate):
    """The best constant is found by SciPy as well; the largest errors are those of its formulas."""
    header, rows = idea.constants()
    x = np.linspace(-8, 8, 16_001)
    used = of((header, rows), (form, "used"), "value")[0]
    error = np.abs(gate(x, used) - ndtr(x))
    assert of((header, rows), (form, "used"), "largest error of Φ") == [pytest.approx(error.max(), abs=6e-6)]
    largest = np.abs(x * error).max()
    assert of((header, rows), (form, "used"), "largest error of GELU") == [pytest.approx(largest, abs=6e-6)]
    best = minimize_scalar(
        lambda c: np.abs(gate(x, c) - ndtr(x)).max(),
        bounds=(0.9 * used, 1.1 * used),
        method="bounded",
        options={"xatol": 1e-9},
    )
    (row,) = (row for row in rows if row[0] == form and row[1].startswith("best"))
    assert float(row[2]) == pytest.approx(best.x, rel=3e-4) == used
    assert of(idea.largest_errors(), (form,), "gate")[0] == pytest.approx(error.max(), abs=6e-6)


def test_tail():
    x, exact, errors = idea.negative_x()
    assert np.allclose(exact, gelu_by_scipy(x), rtol=1e-12, atol=0)
    by_scipy = x * expit(1.702 * x) / gelu_by_scipy(x) - 1
    assert np.allclose(errors["sigmoid form"], by_scipy, rtol=1e-9, atol=1e-12)
    lost = errors["usual formula, float32"] == -1
    assert lost[x < -5.6].all() and not lost[x > -5.4].any()


def test_scales():
    """The largest difference to ReLU is sigma times the depth of the dip, as location-scale.md proves."""
    depth = -minimize_scalar(gelu_by_scipy, bounds=(-2, 0), method="bounded").fun
    table = idea.scales()
    for sigma, *_ in table[1]:
        assert of(table, (sigma,), "largest difference of values") == [
            pytest.approx(float(sigma) * depth, rel=0.01)
        ]
        assert of(table, (sigma,), "the same / σ") == [pytest.approx(depth, abs=6e-5)]
        assert of(table, (sigma,), "largest difference of gradients") == [0.5]
        assert of(table, (sigma,), "area between gradients / σ") == [pytest.approx(4 * depth, abs=6e-4)]
