# SPDX-License-Identifier: BSD-3-Clause
"""Draw GELU, its two approximations and their gradients beside ReLU: ``python examples/forms.py [FILE]``.

Needs matplotlib (``pip install "gelu_fast[bench]"``); FILE is forms.png beside this one if not given."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from gelu_fast import gelu, gelu_grad

FORMS = {"exact": (False, "-"), "tanh": ("tanh", "--"), "sigmoid": ("sigmoid", ":")}
COLORS = {"exact": "#0072B2", "tanh": "#D55E00", "sigmoid": "#009E73"}


def main(file):
    x = np.linspace(-4, 3, 1401)
    figure, (value, slope, difference) = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    value.plot(x, np.maximum(x, 0), color="0.6", label="ReLU")
    slope.plot(x, np.heaviside(x, np.nan), color="0.6", label="ReLU")
    for name, (approx, style) in FORMS.items():
        y = gelu(x, approx)
        value.plot(x, y, style, color=COLORS[name], label=f"GELU, {name}")
        slope.plot(x, gelu_grad(x, approx), style, color=COLORS[name], label=f"GELU, {name}")
        if name != "exact":
            difference.plot(x, y - gelu(x), style, color=COLORS[name], label=f"{name} - exact")
    for axes, title in ((value, "value"), (slope, "gradient"), (difference, "what an approximation loses")):
        axes.set(title=title, xlabel="x")
        axes.axhline(0, color="0.85", zorder=0)
        axes.axvline(0, color="0.85", zorder=0)
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=110)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("forms.png"))
