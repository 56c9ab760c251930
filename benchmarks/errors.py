# SPDX-License-Identifier: BSD-3-Clause
"""Errors of gelu_fast and its peers in float32: the largest error in ULP in each bin of x, as a picture and as
numbers: python benchmarks/errors.py [--into DIR]"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import peers
from matplotlib.figure import Figure
from report import STYLES, save

from gelu_fast import _core

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests"))
import oracle  # noqa: E402

LOW, HIGH, BIN, POINTS = -15, 6, 0.1, 100  # range of x, width of a bin, points in a bin
NAMES = {"exact": "gelu_erf", "tanh": "gelu_tanh"}  # the oracle's
DRAWN = ("SciPy formula", "NumPy formula", "JAX", "ONNX Runtime", "torch", "gelu_fast")
VISIBLE = 0.1  # ULP, and drawn for smaller errors, as a log axis has no 0


def largest_errors():
    """The start of each bin, and {form: {who: largest error in each bin}}."""
    bins = round((HIGH - LOW) / BIN)
    x = np.linspace(LOW, HIGH, bins * POINTS, endpoint=False).astype(np.float32)
    found = {form: {} for form in NAMES}
    for form, name in NAMES.items():
        exact = oracle.in_float64(name, x.astype(np.float64))
        for peer in peers.PEERS:
            if peer.name in DRAWN and form in peer.does:
                got = np.asarray(peer.prepare(form, x, None)())
                found[form][peer.name] = oracle.error(got, exact).reshape(bins, POINTS).max(axis=1)
    return x[::POINTS], found


def picture(about, x, found, path):
    figure = Figure(figsize=(14, 6.5), layout="constrained")
    panels = figure.subplots(1, len(found), sharey=True)
    for panel, (form, errors) in zip(panels, found.items(), strict=True):
        for who in sorted(errors, key=DRAWN.index):
            style = STYLES[who] | dict(markersize=4, markevery=10)
            panel.semilogy(x + BIN / 2, np.maximum(errors[who], VISIBLE), label=who, **style)
        panel.axhline(1, color="#777777", linestyle=":")
        panel.set_title(form)
        panel.set_xlabel("x")
        panel.grid(alpha=0.3)
        panel.legend(frameon=False)
    panels[0].set_ylabel(f"largest error in ULP; {VISIBLE} and less as {VISIBLE}")
    figure.suptitle(
        f"Error of GELU in float32, {len(x)} bins of {POINTS} points (ISA level {about['ISA level']})"
    )
    save(figure, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.rsplit(":", 1)[0])
    parser.add_argument("--into", type=Path, default=ROOT / "benchmarks" / "results", metavar="DIR")
    into = parser.parse_args().into
    x, found = largest_errors()
    about = {"ISA level": _core.isa_level, "from": LOW, "width of a bin": BIN, "points in a bin": POINTS}
    lists = [
        f'"{form}, {who}": {json.dumps([float(f"{v:.3g}") for v in errors])}'
        for form, of_form in found.items()
        for who, errors in of_form.items()
    ]
    into.mkdir(exist_ok=True)
    (into / "errors.json").write_text(",\n".join([f'{{"about": {json.dumps(about)}', *lists]) + "}\n")
    picture(about, x, found, into / "errors.png")


if __name__ == "__main__":
    main()
