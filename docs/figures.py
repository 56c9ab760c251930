# SPDX-License-Identifier: BSD-3-Clause
"""Draw the pictures of mathematics.md from gelu_fast and from the tables of its kernels:
``python docs/figures.py [DIRECTORY]``.

Needs matplotlib. Without DIRECTORY it writes into docs/pictures."""

import re
import sys
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from gelu_fast import gelu, gelu_gate, gelu_grad

DOCS = Path(__file__).resolve().parent
KERNELS = DOCS.parent / "gelu_fast" / "kernels"
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"
HEX = re.compile(r"-?(?:0x[0-9a-f.]+p[+-]\d+|0\.)(?=f)")
UNIT = 2.0**-24  # half an ULP of 1 in float32
SMALLEST_NORMAL, SMALLEST = 2.0**-126, 2.0**-149


def table(name):
    """A table of float32, as tools/fit.py has written it."""
    text = (KERNELS / "tables" / "f32_value.c").read_text()
    rows = re.search(rf"\b{name}\[\d+\]\[\d+\] = {{\n(.*?)\n}};", text, re.DOTALL)[1]
    return np.array([[float.fromhex(number) for number in HEX.findall(row)] for row in rows.splitlines()])


def constant(name, registers=False):
    """A number of coeffs_f32.h: where there are two, that for tables in registers, or in memory."""
    found = re.findall(
        rf"^#define f32_{name} (\S+?)f? ", (KERNELS / "coeffs_f32.h").read_text(), re.MULTILINE
    )
    number = found[0] if registers else found[-1]
    return float.fromhex(number) if "x" in number else int(number)


def T(t):
    """T of the exact form, in float64."""
    return -gelu(-t)


def segments(registers):
    """t, the relative error of the exact form's polynomials there, in float64, and the borders of the segments."""
    width = constant("WIDTH_erf", registers)
    end, inner = constant("END_erf", registers), constant("INNER_erf", registers)
    t = np.linspace(0, end, 100_001)[1:]
    k = np.rint(t / width).astype(int)
    if registers:
        centers, *coefficients = table("f32_LANES_erf")
        center = centers[k]
    else:
        coefficients = table("f32_ROWS_erf").T
        center = np.maximum(k - 1, 0) * width
    polynomial = np.zeros_like(t)
    for c in coefficients[::-1]:
        polynomial = polynomial * (t - center) + c[k]
    polynomial += np.where(k <= inner, t / 2, 0)  # there the table holds T(t) - t/2
    return t, (polynomial - T(t)) / T(t), (np.arange(k.max() + 1) - 0.5) * width


def figure(rows, height):
    drawn = Figure(figsize=(6.4, height), layout="constrained")
    panels = drawn.subplots(rows, 1)
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
    return drawn, panels


def draw_curve():
    drawn, (value, size) = figure(2, 7)
    x = np.linspace(-3, 3, 601)
    value.fill_between(x, np.maximum(x, 0), gelu(x), color=BLUE, alpha=0.15, linewidth=0)
    value.plot(x, np.maximum(x, 0), "--", color=GREY)
    value.plot(x, gelu(x), color=BLUE)
    for at, place in (-1, (-1, -0.42)), (1, (1.22, 0.68)):
        value.vlines(at, gelu(float(at)), max(at, 0), color="black", linewidth=2)
        value.text(*place, f"T({abs(at)})", ha="center")
    value.text(1.75, 2.1, "max(x, 0)", color=GREY, ha="right")
    value.text(2.35, 2.0, "gelu(x)", color=BLUE)
    value.set(
        title="gelu(x) = max(x, 0) − T(|x|): the gap is the same on both sides", xlabel="x", ylim=(-0.5, 3.1)
    )

    t = np.linspace(0, 15, 3001)[1:]
    curves = {
        "T of gelu": (T(t), BLUE),
        "T of the gate": (gelu_gate(-t), GREEN),
        "|T| of the gradient": (np.abs(gelu_grad(-t)), ORANGE),
    }
    for name, (values, color) in curves.items():
        size.semilogy(t, values, color=color, label=name)
    end, cutoff = constant("END_erf"), constant("CUTOFF_erf")
    size.axvspan(0, end, color=BLUE, alpha=0.08, linewidth=0)
    size.axvspan(end, cutoff, color=ORANGE, alpha=0.08, linewidth=0)
    for at, text in (
        (end / 2, "polynomials\nin segments"),
        (8.3, "exponential\n× smooth factor"),
        (15, "zero"),
    ):
        size.text(at, 1e-29, text, ha="center", va="bottom")
    for limit, text in (SMALLEST_NORMAL, "smallest normal float32"), (SMALLEST, "smallest float32"):
        size.axhline(limit, color=GREY, linewidth=0.8, linestyle=":")
        size.text(0.1, limit, text, color=GREY, va="bottom", fontsize=8)
    size.set(title="T(t), float32, tables in memory", xlabel="t = |x|", xlim=(0, 15.6), ylim=(1e-50, 10))
    size.legend(frameon=False, loc="upper right")
    return drawn


def draw_segments():
    drawn, (value, *errors) = figure(3, 8)
    t, in_registers, borders = segments(registers=True)
    shown = np.append(borders, t[-1])
    for left, right in zip(shown[::2], shown[1::2]):
        value.axvspan(max(left, 0), right, color=BLUE, alpha=0.1, linewidth=0)
    centers = table("f32_LANES_erf")[0]
    value.plot(t, T(t), color=BLUE)
    value.plot(centers, T(centers), ".", color=BLUE)
    value.set(title=f"T(t) in the {len(borders)} segments of the table in registers, with their centers")
    errors[0].plot(t, in_registers / UNIT, color=BLUE, linewidth=0.6)
    errors[0].set(title="error of their polynomials (x86-64-v4)")
    t, in_memory, borders = segments(registers=False)
    segment = np.searchsorted(borders, t) - 1
    low, high = (
        [edge(in_memory[segment == k]) / UNIT for k in range(len(borders))] for edge in (np.min, np.max)
    )
    errors[1].fill_between(borders + constant("WIDTH_erf") / 2, low, high, color=GREEN, linewidth=0)
    errors[1].set(title=f"error of the {len(borders)} cubic polynomials in memory (other levels)")
    for panel in errors:
        panel.axhline(0, color=GREY, linewidth=0.5)
        panel.set(ylim=(-0.25, 0.25), ylabel="relative error / 2⁻²⁴")
    for panel in value, *errors:
        panel.set_xlim(0, t[-1])
    errors[1].set_xlabel("t")
    return drawn


def tail_errors():
    """t, and the errors in ULP of T there: of exp(-v) w with v rounded to float32, and of gelu_fast."""
    t = np.linspace(constant("END_erf"), 14, 60_000).astype(np.float32)
    exact = T(t.astype(np.float64))
    v = t * t / np.float32(2)
    w = np.exp(t.astype(np.float64) ** 2 / 2) * exact  # all else is in float64
    rounded = (np.exp(-v.astype(np.float64)) * w).astype(np.float32)
    ulp = np.spacing(exact.astype(np.float32)).astype(np.float64)
    return t, np.abs(rounded - exact) / ulp, np.abs(T(t) - exact) / ulp


def draw_tail():
    drawn, (factor, error) = figure(2, 6)
    t = np.linspace(constant("END_erf"), constant("CUTOFF_erf"), 500)
    factor.plot(t, T(t) * np.exp(t * t / 2), color=BLUE)
    factor.axhline(1 / np.sqrt(2 * np.pi), color=GREY, linestyle=":")
    factor.text(t[0], 0.3986, "limit: 1/√(2π)", color=GREY, va="top")
    factor.set(title="the smooth factor T(t) exp(t²/2) of the exact form", xlabel="t")
    t, rounded, ours = tail_errors()
    bins = (-1, 100)
    middle = t.reshape(bins).mean(axis=1)
    for errors, color in (rounded, GREY), (ours, BLUE):
        error.semilogy(middle, errors.reshape(bins).max(axis=1), color=color)
    error.axhline(1, color=GREY, linestyle=":")
    error.text(6.6, 40, "exp of an argument in one float32", color=GREY, va="bottom")
    error.text(6.6, 0.42, "gelu_fast: an argument in two parts", color=BLUE, va="top")
    error.set(title="largest error of T(t) in float32, in ULP", xlabel="t", ylim=(0.2, 100))
    return drawn


PICTURES = {"curve": draw_curve, "segments": draw_segments, "tail": draw_tail}


def main(directory):
    directory.mkdir(exist_ok=True)
    with matplotlib.rc_context(
        {"svg.hashsalt": "gelu_fast", "font.size": 10, "path.simplify_threshold": 0.3}
    ):
        for name, draw in PICTURES.items():
            draw().savefig(directory / f"{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "pictures")
