#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""
The pictures and the tables of docs/idea/, the pages on the idea of GELU.

    pip install ".[examples]"
    python examples/idea.py [DIR]

writes each picture of PICTURES to DIR, or to docs/idea/. tools/readme.py writes TABLES into the pages. Each number and
each curve is computed here.
"""

import math
import sys
from pathlib import Path

import numpy as np

from gelu_fast import gelu, gelu_gate, gelu_grad, stochastic_gelu

# Okabe and Ito's colours, which colour-blind readers tell apart too; one for each function, on all pages.
COLORS = {
    "GELU": "#0072B2",
    "ReLU": "#555555",
    "ELU": "#E69F00",
    "PReLU": "#009E73",
    "stochastic": "#56B4E9",
    "tanh": "#CC79A7",
    "sigmoid": "#D55E00",
    "other": "#000000",
}
STYLE = {
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 2,
    "path.simplify": False,
    "svg.fonttype": "none",  # letters stay letters: they can be searched, and the file is small
    "svg.hashsalt": "gelu_fast",  # the same names of parts in each run
}
SLOPE = 0.25  # PReLU's a at the start of the training (He et al.)
FORMS = ("tanh", "sigmoid")
BAND = 1.96  # standard deviations on each side, which hold 95 % of a normal distribution
CUBIC, LOGISTIC = 0.044715, 1.702  # the constants of the two forms

erf = np.vectorize(math.erf, otypes=[float])


# ---- functions that gelu_fast does not have ----


def relu(x):
    return np.maximum(x, 0)


def prelu(x):
    return np.where(x > 0, x, SLOPE * x)


def elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def step(x):
    """ReLU's gate and gradient; at 0 it has none."""
    return np.heaviside(x, np.nan)


def prelu_grad(x):
    return np.where(x > 0, 1, np.where(x < 0, SLOPE, np.nan))


def elu_grad(x):
    return np.exp(np.minimum(x, 0))


ACTIVATIONS = {
    "ReLU": (relu, step),
    "PReLU": (prelu, prelu_grad),
    "ELU": (elu, elu_grad),
    "GELU": (gelu, gelu_grad),
}


def density(x):
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def area(x):
    """The area under the density up to x, by the trapezoid rule."""
    at = np.linspace(-12, x, 100_001)
    return np.trapezoid(density(at), at)


def tanh_gate(x, cubic):
    return (1 + np.tanh(math.sqrt(2 / math.pi) * (x + cubic * x**3))) / 2


def sigmoid_gate(x, slope):
    return gelu_gate(x, "sigmoid", sigma=LOGISTIC / slope)


def usual(x):
    """The formula with erf, each operation rounded to float32."""
    half, root = np.float32(0.5), np.float32(math.sqrt(2))
    return half * x * (1 + erf(x / root).astype(np.float32))


def mean_of_draws(x, draws):
    """The mean at each x of so many draws of the random form; the number of draws is the seed."""
    return stochastic_gelu(np.broadcast_to(x, (draws, x.size)), draws).mean(axis=0)


def standard_error(x, draws):
    """The standard deviation of that mean."""
    gate = gelu_gate(x)
    return np.abs(x) * np.sqrt(gate * (1 - gate) / draws)


def relative(y, exact):
    return np.abs(y - exact) / np.abs(exact)


def one_ulp(exact):
    """One ULP of float32, the bound of gelu_fast's error, as a relative error."""
    return np.spacing(np.abs(exact).astype(np.float32)) / np.abs(exact)


def convergence():
    """Numbers of draws; the root mean square error of their mean, found and expected; the share inside the band."""
    draws = 4 ** np.arange(7)
    x = np.linspace(-4, 3, 701)
    found, expected, inside = [], [], []
    for n in draws.tolist():
        error, deviation = mean_of_draws(x, n) - gelu(x), standard_error(x, n)
        found.append(math.sqrt(np.mean(error**2)))
        expected.append(math.sqrt(np.mean(deviation**2)))
        inside.append(np.mean(np.abs(error) <= BAND * deviation))
    return draws, found, expected, inside


# ---- pictures: each function draws one, into an empty figure ----


def panels(figure, titles, rows=1, width=8.2, height=3.4):
    """Panels with these titles, at fixed places, which do not depend on the fonts of the machine."""
    figure.set_size_inches(width, height)
    axes = figure.subplots(rows, len(titles) // rows).ravel()
    figure.subplots_adjust(
        left=0.65 / width,
        right=1 - 0.15 / width,
        bottom=0.5 / height,
        top=1 - 0.35 / height,
        wspace=0.26,
        hspace=0.45,
    )
    for panel, title in zip(axes, titles, strict=True):
        panel.set_title(title)
        panel.set_xlabel("x", labelpad=1)
    return axes


def mark_zero(*axes):
    for panel in axes:
        panel.axhline(0, color="#DDDDDD", linewidth=1, zorder=0)
        panel.axvline(0, color="#DDDDDD", linewidth=1, zorder=0)


def label(panel, x, y, text, name, **where):
    """A text in the colour of a function, darker, as thin letters look paler than lines."""
    red, green, blue = (int(COLORS[name][i : i + 2], 16) * 0.7 / 255 for i in (1, 3, 5))
    panel.text(x, y, text, color=(red, green, blue), weight="bold", **where)


def curve(figure):
    value, slope = panels(figure, ["value", "gradient"], height=3.6)
    mark_zero(value, slope)
    x = np.linspace(-4, 3, 141)
    for name, functions in ACTIVATIONS.items():
        for panel, function in zip((value, slope), functions):
            panel.plot(x, function(x), color=COLORS[name], zorder=3 if name == "GELU" else 2)
    value.set_ylim(-1.15, 3)
    label(value, 1.9, 2.2, "the others: x", "other", ha="right")
    label(value, 1.05, 0.4, "GELU", "GELU")
    label(value, -3.9, 0.1, "ReLU", "ReLU")
    label(value, -3.9, -0.63, "PReLU", "PReLU")
    label(value, -1.4, -1.0, "ELU", "ELU")
    slope.set_ylim(-0.2, 1.25)
    label(slope, 1.5, 1.16, "GELU", "GELU", ha="center")
    label(slope, -1.45, 0.42, "ELU", "ELU", ha="right")
    label(slope, -3.9, 0.28, "PReLU: a", "PReLU")
    label(slope, -3.9, -0.13, "ReLU: 0", "ReLU")
    label(slope, -0.2, 1.02, "the others: 1", "other", ha="right")


def gate(figure):
    factor, product = panels(figure, ["gate", "input × gate"])
    mark_zero(factor, product)
    x = np.linspace(-4, 3, 141)
    factor.plot(x, step(x), color=COLORS["ReLU"])
    factor.plot([0, 0], [0, 1], ":", color=COLORS["ReLU"])
    factor.plot(x, gelu_gate(x), color=COLORS["GELU"])
    label(factor, -3.9, 0.04, "0: closed", "ReLU")
    label(factor, 2.95, 1.03, "1: open", "ReLU", ha="right")
    label(factor, -0.2, 0.62, "step: sign of x", "ReLU", ha="right")
    label(factor, 0.65, 0.5, "Φ: size of x", "GELU")
    factor.set_ylim(-0.05, 1.15)
    product.plot(x, relu(x), color=COLORS["ReLU"])
    product.plot(x, x * gelu_gate(x), color=COLORS["GELU"])
    label(product, 1.15, 1.75, "ReLU = x · step(x)", "ReLU", ha="right")
    label(product, 1.25, 0.3, "GELU\n= x · Φ(x)", "GELU")
    product.set_ylim(-0.4, 3)


def mask(figure):
    random, share = panels(figure, ["one draw: x · m is x or 0", "share of m = 1 in 100 draws"])
    mark_zero(random, share)
    x = np.linspace(-4, 3, 141)
    random.plot(x, stochastic_gelu(x, 1), ".", color=COLORS["stochastic"], markersize=6)
    random.plot(x, gelu(x), color=COLORS["GELU"])
    label(random, 1.35, 2, "m = 1: x", "stochastic", ha="right")
    label(random, -3.9, 0.17, "m = 0: 0", "stochastic")
    label(random, -1.2, -1.0, "m = 1: x", "stochastic", ha="right")
    label(random, 1.15, 0.55, "GELU", "GELU")
    random.set_ylim(-1.5, 3)
    _, kept = stochastic_gelu(np.broadcast_to(x, (100, x.size)), 1, return_mask=True)
    share.plot(x, kept.mean(axis=0), ".", color=COLORS["stochastic"], markersize=6)
    share.plot(x, gelu_gate(x), color=COLORS["GELU"])
    label(share, 0.9, 0.62, "Φ(x)", "GELU")
    label(share, -0.9, 0.4, "draws", "stochastic", ha="right")
    share.set_ylim(-0.05, 1.1)


def mean(figure):
    shown = (16, 256)
    titles = [*(f"mean of {draws} draws" for draws in shown), "error of the mean"]
    *axes, error = panels(figure, titles, width=9.6)
    mark_zero(*axes)
    x = np.linspace(-4, 3, 141)
    for panel, draws in zip(axes, shown):
        band = BAND * standard_error(x, draws)
        panel.fill_between(x, gelu(x) - band, gelu(x) + band, color="#CCCCCC", linewidth=0)
        panel.plot(x, mean_of_draws(x, draws), ".", color=COLORS["stochastic"], markersize=6)
        panel.plot(x, gelu(x), color=COLORS["GELU"], linewidth=1.2)
        panel.set_ylim(-0.9, 3)
    label(axes[0], -2, 0.25, "95 % band", "ReLU", ha="center")
    label(axes[0], -2, -0.7, "mean", "stochastic", ha="right")
    label(axes[1], 1.1, 0.5, "GELU", "GELU")
    draws, found, expected, _ = convergence()
    error.loglog(draws, expected, color=COLORS["other"], linewidth=1)
    error.loglog(draws, found, "o", color=COLORS["stochastic"])
    error.set_xlabel("number of draws, n", labelpad=1)
    label(error, draws[2], expected[1], "theory: c/√n", "other")
    label(error, draws[4] / 2, found[5], "found", "stochastic", ha="right")
    error.set_xticks([1, 10, 100, 1000])
    error.set_yticks([0.01, 0.1])
    error.minorticks_off()


def areas(figure):
    at = np.array([-1.0, 0, 1])
    titles = [f"P(X ≤ {minus(f'{a:g}')}) = {area(a):.3f}" for a in at]
    *axes, distribution = panels(figure, [*titles, "Φ(x) = P(X ≤ x)"], rows=2, height=5.4)
    x = np.linspace(-4, 4, 161)
    for panel, a in zip(axes, at):
        panel.plot(x, density(x), color=COLORS["other"], linewidth=1)
        below = x[x <= a]
        panel.fill_between(below, density(below), color=COLORS["GELU"], alpha=0.5, linewidth=0)
        panel.set_ylim(0, 0.45)
    label(axes[0], 1, 0.32, "density φ", "other")
    distribution.plot(x, gelu_gate(x), color=COLORS["GELU"])
    distribution.plot(at, gelu_gate(at), "o", color=COLORS["GELU"])
    for a, probability in zip(at, gelu_gate(at)):
        label(distribution, a + 0.25, probability - 0.07, f"{probability:.3f}", "GELU")
    distribution.set_ylim(0, 1.1)


def error_function(figure):
    gates, parts = panels(figure, ["from erf to Φ", "GELU in two parts"], height=3.6)
    mark_zero(gates, parts)
    x = np.linspace(-4, 4, 161)
    scaled = erf(x / math.sqrt(2))
    gates.plot(x, erf(x), ":", color=COLORS["other"])
    gates.plot(x, scaled, "--", color=COLORS["other"])
    gates.plot(x, (1 + scaled) / 2, color=COLORS["GELU"])
    gates.set_yticks([-1, -0.5, 0, 0.5, 1])
    label(gates, -0.2, -0.6, "erf(x)", "other")
    label(gates, -1.1, -0.6, "erf(x/√2)", "other", ha="right")
    label(gates, -3.9, 0.6, "Φ(x) =\n½(1 + erf(x/√2))", "GELU")
    parts.plot(x, x / 2, ":", color=COLORS["other"])
    parts.plot(x, x / 2 * scaled, "--", color=COLORS["other"])
    parts.plot(x, x / 2 * (1 + scaled), color=COLORS["GELU"])
    label(parts, -2.5, -1.6, "x/2", "other")
    label(parts, -3.2, 1.9, "x/2 · erf(x/√2)", "other")
    label(parts, 2.5, 3, "sum: GELU", "GELU", ha="right")
    parts.set_ylim(-2, 4)


def approximations(figure):
    both, enlarged = panels(figure, ["form − exact, one scale", "tanh form − exact, enlarged"])
    mark_zero(both, enlarged)
    x = np.linspace(-6, 6, 241)
    for form in FORMS:
        both.plot(x, gelu(x, form) - gelu(x), color=COLORS[form])
    enlarged.plot(x, gelu(x, "tanh") - gelu(x), color=COLORS["tanh"])
    both.set_yticks([-0.02, -0.01, 0])
    enlarged.set_yticks([-0.0002, 0, 0.0002, 0.0004])
    label(both, -3.5, -0.012, "sigmoid", "sigmoid", ha="right")
    label(both, -5.6, 0.001, "tanh", "tanh")
    label(enlarged, -5.6, 0.00015, "tanh", "tanh")


def tail(figure):
    size, error = panels(figure, ["−GELU(x)", "relative error"], height=4)
    x = np.linspace(-14, -0.1, 140).astype(np.float32)
    exact = gelu(x.astype(np.float64))
    got = {form: gelu(x.astype(np.float64), form) for form in FORMS}
    size.semilogy(x, -exact, color=COLORS["GELU"])
    error.semilogy(x, one_ulp(exact), color=COLORS["GELU"])
    for name, y in (got | {"other": usual(x)}).items():
        look = {"color": COLORS[name], "linestyle": "--" if name == "other" else "-"}
        size.semilogy(x, np.where(y < 0, -y, np.nan), **look)
        error.semilogy(x, relative(y, exact), **look)
    last = np.flatnonzero(y < 0)[0]
    size.plot(x[last], -y[last], "o", color=COLORS["other"])
    size.set_ylim(1e-46, 10)
    size.set_yticks([1e-40, 1e-30, 1e-20, 1e-10, 1])
    error.set_ylim(1e-11, 1e9)
    error.set_yticks([1e-9, 1e-6, 1e-3, 1, 1e3, 1e6, 1e9])
    for panel in size, error:
        panel.set_xticks([-12, -8, -4, 0])
        panel.minorticks_off()
    label(size, -8.6, 1e-4, "sigmoid", "sigmoid", ha="right")
    label(size, -11, 1e-25, "GELU", "GELU", ha="right")
    label(size, -7.8, 1e-33, "tanh", "tanh")
    label(size, -5.4, 1e-17, "usual formula,\nfloat32,\nends here", "other")
    label(error, -8, 1e6, "sigmoid", "sigmoid", ha="right")
    label(error, -13.8, 4, "tanh", "tanh")
    label(error, -12.6, 0.05, "usual formula,\nfloat32", "other", va="top")
    label(error, -12.8, 2e-9, "gelu_fast, float32: below", "GELU")


def scale(figure):
    value, difference, slope = panels(figure, ["value", "value − ReLU", "gradient"], width=9.6)
    mark_zero(value, difference, slope)
    x = np.linspace(-3, 3, 241)
    for sigma, alpha in ((1, 1), (0.5, 0.7), (0.1, 0.45)):
        look = {"color": COLORS["GELU"], "alpha": alpha}
        value.plot(x, gelu(x, sigma=sigma), **look)
        difference.plot(x, gelu(x, sigma=sigma) - relu(x), **look)
        slope.plot(x, gelu_grad(x, sigma=sigma), **look)
    value.plot(x, relu(x), ":", color=COLORS["ReLU"])
    slope.plot(x, step(x), ":", color=COLORS["ReLU"])
    label(value, 1.2, 1.8, "ReLU", "ReLU", ha="right")
    label(value, 0.95, 0.35, "σ = 1", "GELU")
    difference.set_ylim(-0.18, 0.02)
    difference.set_yticks([-0.15, -0.1, -0.05, 0])
    label(difference, 0, 0.006, "σ = 0.1", "GELU", ha="center")
    label(difference, -0.8, -0.06, "0.5", "GELU", ha="right")
    label(difference, -1.5, -0.13, "σ = 1", "GELU", ha="right")
    label(slope, -0.2, 0.9, "σ = 0.1", "GELU", ha="right")
    label(slope, 0.9, 0.7, "σ = 1", "GELU")


def location(figure):
    gates, value, jump = panels(figure, ["gate, σ = 1", "value, σ = 1", "value, μ = 1"], width=9.6)
    mark_zero(gates, value, jump)
    x = np.linspace(-5, 5, 201)
    for mu, alpha in ((-2, 0.45), (0, 1), (2, 0.7)):
        gates.plot(x, gelu_gate(x, mu=mu), color=COLORS["GELU"], alpha=alpha)
        value.plot(x, gelu(x, mu=mu), color=COLORS["GELU"], alpha=alpha)
        label(gates, mu - 0.3, 0.5, minus(f"μ = {mu}" if mu < 0 else f"{mu}"), "GELU", ha="right")
    gates.set_xticks([-4, -2, 0, 2, 4])
    value.set_xticks([-4, -2, 0, 2, 4])
    label(value, -3.1, -0.9, "μ = −2", "GELU", ha="right")
    label(value, 2.4, 1, "μ = 2", "GELU")
    x = np.linspace(-1, 3, 161)
    for sigma, alpha in ((1, 1), (0.3, 0.7), (0.02, 0.45)):
        jump.plot(x, gelu(x, mu=1, sigma=sigma), color=COLORS["GELU"], alpha=alpha)
    label(jump, 0.9, 1.3, "σ = 0.02", "GELU", ha="right")
    label(jump, 1.7, 0.9, "σ = 1", "GELU")


PICTURES = {
    "curve": curve,
    "gate": gate,
    "mask": mask,
    "mean": mean,
    "areas": areas,
    "erf": error_function,
    "approximations": approximations,
    "tail": tail,
    "scale": scale,
    "location": location,
}


# ---- tables: each function gives a header and rows, which tools/readme.py writes into the page ----


def minus(text):
    return text.replace("-", "−")


def cells(format, *numbers):
    return [minus(f"{number:{format}}") for number in numbers]


def at(format, number, x):
    """A number, and the x that has it."""
    number, x = cells(format, number) + cells(".4f", x)
    return f"{number} at {x}"


def values():
    rows = []
    for x in (-3.0, -1.0, -0.1, 0.1, 1.0, 3.0):
        pairs = (cells(".3f", *(function(x) for function in pair)) for pair in ACTIVATIONS.values())
        rows.append([*cells("g", x), *(f"{value}, {slope}" for value, slope in pairs)])
    return ["x", *ACTIVATIONS], rows


def landmarks():
    x = np.arange(-60_000, 60_001) / 10_000
    y, slope = gelu(x), gelu_grad(x)
    dead = x[(x < 0) & (np.abs(slope) >= 0.001)].min()
    near = x[np.abs(y - relu(x)) >= 0.001].max()
    return ["GELU", ""], [
        ["smallest value", at(".4f", y.min(), x[y.argmin()])],
        ["largest gradient", at(".4f", slope.max(), x[slope.argmax()])],
        ["smallest gradient", at(".4f", slope.min(), x[slope.argmin()])],
        ["gradient at 0", *cells(".4f", gelu_grad(0.0))],
        ["its gradient is within 0.001 of 0", *(f"below {cell}" for cell in cells(".2f", dead))],
        ["its value is within 0.001 of ReLU's", *(f"beyond ±{cell}" for cell in cells(".2f", near))],
    ]


def products():
    rows = []
    for x in (-3.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0):
        numbers = cells(".4f", gelu_gate(x), x * gelu_gate(x), gelu_grad(x))
        rows.append([*cells("g", x, step(x), relu(x)), *numbers])
    header = ["x", "step(x)", "ReLU: x · step(x)", "Φ(x)", "GELU: x · Φ(x)", "gradient of GELU"]
    return header, rows


def draws():
    rows = []
    for n, found, expected, inside in zip(*convergence()):
        rows.append([*cells("d", n), *cells(".4f", found, expected), f"{100 * inside:.0f} %"])
    return ["draws", "error found", "expected error", "points inside the band"], rows


def probabilities():
    rows = []
    for x in (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0):
        by_erf = (1 + math.erf(x / math.sqrt(2))) / 2
        rows.append([*cells("g", x), *cells(".6f", area(x), gelu_gate(x), by_erf)])
    return ["x", "area under φ up to x", "`gelu_gate(x)`", "½(1 + erf(x/√2))"], rows


def constants():
    """The largest errors with the usual constants, with those that the slope at 0 gives, and with the best of many."""
    x = np.arange(6001) / 1000  # errors of the gate are odd
    exact = gelu_gate(x)
    rows = []
    for gate, used, of_series, tried in (
        (tanh_gate, CUBIC, 2 / (3 * math.pi) - 1 / 6, np.arange(44_500, 45_000, 5) / 1e6),
        (sigmoid_gate, LOGISTIC, 4 / math.sqrt(2 * math.pi), np.arange(1690, 1710) / 1000),
    ):
        name, digits = (gate.__name__.removesuffix("_gate"), 6 if gate is tanh_gate else 3)
        best = min(tried, key=lambda constant: np.abs(gate(x, constant) - exact).max())
        for why, constant in (
            ("series at 0", of_series),
            ("used", used),
            (f"best for Φ of {tried.size}", best),
        ):
            error = np.abs(gate(x, constant) - exact)
            cell = cells(f".{digits}f", constant)
            rows.append([name, why, *cell, *cells(".5f", error.max(), (x * error).max())])
    return ["form", "constant", "value", "largest error of Φ", "largest error of GELU"], rows


def largest_errors():
    x = np.arange(60_001) / 10_000  # the errors are even or odd
    rows = []
    for form in FORMS:
        row = [form]
        for function in gelu, gelu_gate, gelu_grad:
            error = np.abs(function(x, form) - function(x))
            row.append(at(".5f", error.max(), x[error.argmax()]).replace("at ", "at ±"))
        rows.append(row)
    return ["form", "GELU", "gate", "gradient"], rows


def negative_x():
    """x, the exact values there, and the relative errors of each way to compute less than that."""
    x = -np.arange(1, 14_001) / 1000
    narrow = x.astype(np.float32)
    exact, exact_of_narrow = gelu(x), gelu(narrow.astype(np.float64))
    errors = {f"{form} form": gelu(x, form) / exact - 1 for form in FORMS}
    errors["usual formula, float32"] = usual(narrow) / exact_of_narrow - 1
    return x, exact, errors


def relative_errors():
    x, exact, errors = negative_x()
    rows = []
    for place in (-1, -2, -3, -4, -5, -6, -8, -10):
        i = np.flatnonzero(x == place)[0]
        rows.append(
            [*cells("g", place), *cells(".2e", exact[i]), *cells(".1e", *(e[i] for e in errors.values()))]
        )
    return ["x", "exact", *(f"error: {name}" for name in errors)], rows


def thresholds():
    x, _, errors = negative_x()
    limits = (0.01, 0.1, 0.5)
    rows = []
    for name, error in errors.items():
        rows.append([name, *cells(".2f", *(x[np.abs(error) > limit].max() for limit in limits))])
    return ["relative error above", *(f"{100 * limit:g} %" for limit in limits)], rows


def scales():
    t = np.arange(1, 80_001) / 10_000
    t = np.concatenate([-t[::-1], t])  # 0 is left out: ReLU has no gradient there
    rows = []
    for sigma in (2, 1, 0.5, 0.1, 0.01, 0.001):
        x = sigma * t
        lost = np.abs(gelu(x, sigma=sigma) - relu(x))
        slope = np.abs(gelu_grad(x, sigma=sigma) - step(x))
        place, between = abs(x[lost.argmax()]), np.trapezoid(slope, x)
        largest = cells(".2g", lost.max()) + cells(".4f", lost.max() / sigma, place / sigma)
        rows.append([*cells("g", sigma), *largest, *cells(".3f", slope.max(), between / sigma)])
    of_values = ["largest difference of values", "the same / σ", "at \\|x\\| / σ"]
    return ["σ", *of_values, "largest difference of gradients", "area between gradients / σ"], rows


TABLES = {
    "curve": [values, landmarks],
    "gate": [products],
    "derivation": [draws, probabilities],
    "approximations": [constants, largest_errors, relative_errors, thresholds],
    "location-scale": [scales],
}


def draw(directory):
    try:  # here, as the tables need NumPy alone
        from matplotlib import style
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        sys.exit(f'{error}\nThis example needs an extra: pip install ".[examples]"')

    with style.context(["default", STYLE]):
        for name, picture in PICTURES.items():
            figure = Figure()
            picture(figure)
            for i, panel in enumerate(figure.axes):
                for j, part in enumerate([*panel.lines, *panel.collections]):
                    part.set_gid(f"drawn-{i}-{j}")  # tests compare these
            figure.savefig(directory / f"{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "idea")
