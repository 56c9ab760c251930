# SPDX-License-Identifier: BSD-3-Clause
"""Draw GELU, its two approximations and their gradients beside ReLU and ELU, and the random form around its mean:
``python examples/forms.py [FILE]``.

Needs matplotlib (``pip install "gelu_fast[bench]"``). Without FILE it writes forms.png beside this script."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from gelu_fast import gelu, gelu_grad, stochastic_gelu

FORMS = {"exact": (False, "-"), "tanh": ("tanh", "--"), "sigmoid": ("sigmoid", ":")}
COLORS = {"exact": "#0072B2", "tanh": "#D55E00", "sigmoid": "#009E73"}
SAMPLES, AVERAGED = 250, 40  # points in a draw; draws in the mean


def main(file):
    x = np.linspace(-4, 3, 1401)
    figure, axes = plt.subplots(2, 2, figsize=(11, 7.2), layout="constrained")
    (value, slope), (random, difference) = axes
    for panel, relu, elu in (
        (value, np.maximum(x, 0), np.where(x > 0, x, np.expm1(x))),
        (slope, np.heaviside(x, np.nan), np.where(x > 0, 1, np.exp(x))),
    ):
        panel.plot(x, relu, color="0.6", label="ReLU")
        panel.plot(x, elu, color="#CC79A7", label="ELU")
    for name, (approx, style) in FORMS.items():
        y = gelu(x, approx)
        value.plot(x, y, style, color=COLORS[name], label=f"GELU, {name}")
        slope.plot(x, gelu_grad(x, approx), style, color=COLORS[name], label=f"GELU, {name}")
        if name != "exact":
            difference.plot(x, y - gelu(x), style, color=COLORS[name], label=f"{name} - exact")

    at = np.linspace(-4, 3, SAMPLES)
    mean = np.mean([stochastic_gelu(at, seed) for seed in range(AVERAGED)], axis=0)
    random.plot(at, stochastic_gelu(at, 1), ".", color="0.6", markersize=4, label="one draw")
    random.plot(at, mean, ".", color="#E69F00", markersize=4, label=f"mean of {AVERAGED} draws")
    random.plot(x, gelu(x), color=COLORS["exact"], label="GELU, exact")

    titles = {
        value: "value",
        slope: "gradient",
        random: "the random form: x, or 0",
        difference: "what an approximation loses",
    }
    for panel, title in titles.items():
        panel.set(title=title, xlabel="x")
        panel.axhline(0, color="0.85", zorder=0)
        panel.axvline(0, color="0.85", zorder=0)
        panel.legend(frameon=False)
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=90)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("forms.png"))
