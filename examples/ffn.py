#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""
The feed-forward blocks of well-known models in plain NumPy, forward and backward, with gelu_fast inside.

    pip install ".[peers]"
    python examples/ffn.py [--threads N] [--quick] [--write [DIR]] [--draw [DIR]]

BERT, GPT-2, ViT, MLP-Mixer and a GEGLU block; beside them two whose activation is ReLU, the first Transformer and
DETR, and the gate of a Conformer's convolution module, whose sigmoid is no GELU. First their outputs and gradients
are checked against torch's autograd in float64. Then they are timed in float32, at the sizes of the real models:
with gelu_fast, with the usual formulas of NumPy and SciPy in its place, and in torch.

`--write` measures instead the activation's share of each block, by one thread, beside ReLU's in the same block. It
stores the shares in DIR/benchmarks/results/transformers.json and draws DIR/docs/idea/transformers.svg, which
`--draw` draws again. DIR is this checkout by default. docs/idea/transformers.md shows both.
"""

import argparse
import math
import os
import sys
from collections.abc import Callable
from datetime import date
from functools import partial
from importlib import metadata
from statistics import median
from time import perf_counter, sleep, thread_time
from typing import NamedTuple

import stored

try:
    import numpy as np
    import torch
    from scipy.special import erf, expit
    from torch.nn import functional as F

    import gelu_fast
    from gelu_fast import _core
    from gelu_fast.selftest.machine import cpu_name
except ModuleNotFoundError as error:
    sys.exit(f'{error}\nThis example needs an extra: pip install ".[peers]"')

try:
    from threadpoolctl import threadpool_limits
except ModuleNotFoundError:
    threadpool_limits = None

RESULTS, PICTURE = "benchmarks/results/transformers.json", "docs/idea/transformers.svg"


# ---- the activations: two sets of functions to choose from ----


def plain_gate(x, approx):
    """The gate, which x is multiplied with. math.sqrt keeps float32; np.sqrt(2) would silently make it float64."""
    if approx == "tanh":  # x * x * x, as x**3 takes far longer
        return 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x))))
    return 0.5 * (1 + erf(x / math.sqrt(2)))


def plain_grad(x, gate, approx):
    """The derivative of x * gate."""
    if approx == "tanh":
        return gate + 2 * x * gate * (1 - gate) * (math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * (x * x)))
    return gate + x * np.exp(-0.5 * (x * x)) / math.sqrt(2 * math.pi)


def plain_bias_gelu(x, bias, approx):
    x = x + bias
    return x * plain_gate(x, approx)


def plain_gelu_backward(dy, x, approx, out):
    return np.multiply(dy, plain_grad(x, plain_gate(x, approx), approx), out=out)


def plain_geglu(h):
    up, gate = np.split(h, 2, axis=-1)
    return gate * plain_gate(gate, "none") * up


def plain_geglu_backward(dy, gate, up, out):
    phi = plain_gate(gate, "none")
    gated_backward(dy, up, gate * phi, plain_grad(gate, phi, "none"), out)


def gated_backward(dy, up, value, grad, out):
    d_gate, d_up = out  # which may be gate and up themselves
    np.multiply(dy * up, grad, out=d_gate)
    np.multiply(dy, value, out=d_up)


def glu(h):
    up, gate = np.split(h, 2, axis=-1)
    return up * expit(gate)


def glu_backward(dy, gate, up, out):
    s = expit(gate)
    gated_backward(dy, up, s, s * (1 - s), out)


def bias_relu(x, bias, approx):
    x = x + bias
    return np.maximum(x, 0, out=x)


def relu_backward(dy, x, approx, out):
    return np.multiply(dy, x > 0, out=out)


def reglu(h):
    up, gate = np.split(h, 2, axis=-1)
    return np.maximum(gate, 0) * up


def reglu_backward(dy, gate, up, out):
    above = gate > 0
    gated_backward(dy, up, np.maximum(gate, 0), above, out)


NO_GELU = {  # the same in both sets
    "glu": glu,
    "glu_backward": glu_backward,
    "bias_relu": bias_relu,
    "relu_backward": relu_backward,
}
FUNCTIONS = {
    "gelu_fast": {
        "bias_gelu": gelu_fast.bias_gelu,
        "gelu_backward": gelu_fast.gelu_backward,
        "geglu": gelu_fast.geglu,
        "geglu_backward": gelu_fast.geglu_backward,
        **NO_GELU,
    },
    "plain NumPy": {
        "bias_gelu": plain_bias_gelu,
        "gelu_backward": plain_gelu_backward,
        "geglu": plain_geglu,
        "geglu_backward": plain_geglu_backward,
        **NO_GELU,
    },
}
RELU = {  # ReLU in the place of every activation
    "bias_gelu": bias_relu,
    "gelu_backward": relu_backward,
    "geglu": reglu,
    "geglu_backward": reglu_backward,
    "glu": reglu,
    "glu_backward": reglu_backward,
    "bias_relu": bias_relu,
    "relu_backward": relu_backward,
}


# ---- layers: forward keeps what backward needs, backward leaves the parameters' gradients in `grads` ----
#
# Arrays are (texts or images, tokens, channels). A layer may overwrite the array that the layer before returns, so
# each forward allows one backward. draw(*shape) gives random numbers for the parameters.

EPS = 1e-5  # of LayerNorm


class Linear:
    def __init__(self, draw, n_in, n_out, bias=True):
        self.parameters = [draw(n_out, n_in) / math.sqrt(n_in)]  # the shape that torch has
        if bias:
            self.parameters.append(0.1 * draw(n_out))

    def forward(self, x):
        weight, *bias = self.parameters
        self.x = x.reshape(-1, x.shape[-1])  # one long list of tokens
        y = self.x @ weight.T
        if bias:
            y += bias[0]
        return y.reshape(*x.shape[:-1], -1)

    def backward(self, dy):
        weight, *bias = self.parameters
        flat = dy.reshape(-1, dy.shape[-1])
        self.grads = [flat.T @ self.x]
        if bias:
            self.grads.append(flat.sum(axis=0))
        return (flat @ weight).reshape(*dy.shape[:-1], -1)


class LayerNorm:
    def __init__(self, draw, n):
        self.parameters = [1 + 0.1 * draw(n), 0.1 * draw(n)]

    def forward(self, x):
        gain, shift = self.parameters
        self.normal = x - x.mean(axis=-1, keepdims=True)
        self.scale = 1 / np.sqrt(np.square(self.normal).mean(axis=-1, keepdims=True) + EPS)
        self.normal *= self.scale
        return self.normal * gain + shift

    def backward(self, dy):
        gain, _ = self.parameters
        self.grads = [(dy * self.normal).sum(axis=(0, 1)), dy.sum(axis=(0, 1))]
        d = dy * gain
        along = (d * self.normal).mean(axis=-1, keepdims=True)
        return self.scale * (d - d.mean(axis=-1, keepdims=True) - self.normal * along)


class BiasGelu:
    """GELU, or ReLU if `approx` is "relu", and the bias, which the Linear before it leaves out."""

    def __init__(self, draw, functions, n, approx):
        self.parameters = [0.1 * draw(n)]
        names = ("bias_relu", "relu_backward") if approx == "relu" else ("bias_gelu", "gelu_backward")
        self.function, self.function_backward = (functions[name] for name in names)
        self.approx = approx

    def forward(self, h):
        self.h = h
        return self.function(h, self.parameters[0], self.approx)

    def backward(self, dy):
        self.h += self.parameters[0]
        dh = self.function_backward(dy, self.h, self.approx, out=dy)
        self.grads = [dh.sum(axis=(0, 1))]
        return dh


class Gated:
    """The first half of the channels, times an activation of the second half."""

    parameters = grads = ()

    def __init__(self, forward, backward):
        self.function, self.function_backward = forward, backward

    def forward(self, h):
        self.h = h
        return self.function(h)

    def backward(self, dy):
        up, gate = np.split(self.h, 2, axis=-1)  # views of h, which the gradients overwrite
        self.function_backward(dy, gate, up, out=(gate, up))
        return self.h


class Transpose:
    """Tokens and channels change places."""

    parameters = grads = ()

    def forward(self, x):
        return x.swapaxes(1, 2)

    backward = forward


class Chain:
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy

    @property
    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters]

    @property
    def grads(self):
        return [g for layer in self.layers for g in layer.grads]


class Residual(Chain):
    """x plus the output of the layers for x."""

    def forward(self, x):
        return x + super().forward(x)

    def backward(self, dy):
        return dy + super().backward(dy)


# ---- the blocks; and each in torch, with a list of the same parameters ----


def mlp(draw, functions, n, inner, approx):
    gelu = BiasGelu(draw, functions, inner, approx)
    return Linear(draw, n, inner, bias=False), gelu, Linear(draw, inner, n)


def torch_mlp(x, p, approx):
    activation = F.relu if approx == "relu" else partial(F.gelu, approximate=approx)
    return F.linear(activation(F.linear(x, p[0], p[1])), p[2], p[3])


def torch_norm(x, p):
    return F.layer_norm(x, p[0].shape, p[0], p[1], EPS)


def norm_last(draw, functions, tokens, width, inner, approx):
    return Chain(Residual(*mlp(draw, functions, width, inner, approx)), LayerNorm(draw, width))


def torch_norm_last(x, p, approx):
    return torch_norm(x + torch_mlp(x, p[:4], approx), p[4:])


def norm_first(draw, functions, tokens, width, inner, approx):
    return Residual(LayerNorm(draw, width), *mlp(draw, functions, width, inner, approx))


def torch_norm_first(x, p, approx):
    return x + torch_mlp(torch_norm(x, p[:2]), p[2:], approx)


def mixer(draw, functions, tokens, width, inner, approx):
    """The tokens of each channel are mixed, then the channels of each token."""
    across = mlp(draw, functions, tokens, width // 2, approx)
    return Chain(
        Residual(LayerNorm(draw, width), Transpose(), *across, Transpose()),
        norm_first(draw, functions, tokens, width, inner, approx),
    )


def torch_mixer(x, p, approx):
    x = x + torch_mlp(torch_norm(x, p[:2]).mT, p[2:6], approx).mT
    return torch_norm_first(x, p[6:], approx)


def geglu(draw, functions, tokens, width, inner, approx):
    """FFN_GEGLU of arXiv:2002.05202, which has no biases; its matrices V and W are one."""
    gated = Gated(functions["geglu"], functions["geglu_backward"])
    return Chain(Linear(draw, width, 2 * inner, bias=False), gated, Linear(draw, inner, width, bias=False))


def torch_geglu(x, p, approx):
    up, gate = F.linear(x, p[0]).chunk(2, dim=-1)
    return F.linear(F.gelu(gate, approximate=approx) * up, p[1])


def conformer(draw, functions, tokens, width, inner, approx):
    """The convolution module of arXiv:2005.08100 up to its gate, and its last pointwise convolution."""
    gated = Gated(functions["glu"], functions["glu_backward"])
    wide = Linear(draw, width, 2 * inner)  # a pointwise convolution
    return Residual(LayerNorm(draw, width), wide, gated, Linear(draw, inner, width))


def torch_conformer(x, p, approx):
    return x + F.linear(F.glu(F.linear(torch_norm(x, p[:2]), p[2], p[3])), p[4], p[5])


class Block(NamedTuple):
    numpy: Callable
    torch: Callable
    approx: str | None  # as torch calls it; or "relu"
    size: tuple  # of the real model: texts or images, tokens, width, inner width


# BERT and ViT are exact in Hugging Face's code; GPT-2 and MLP-Mixer have the tanh form in their authors'.
BLOCKS = {
    "BERT-base": Block(norm_last, torch_norm_last, "none", (1, 512, 768, 3072)),
    "GPT-2": Block(norm_first, torch_norm_first, "tanh", (1, 512, 768, 3072)),
    "ViT-B/16": Block(norm_first, torch_norm_first, "none", (1, 197, 768, 3072)),
    "MLP-Mixer-B/16": Block(mixer, torch_mixer, "tanh", (1, 196, 768, 3072)),
    "GEGLU": Block(geglu, torch_geglu, "none", (1, 512, 768, 2048)),
    "Conformer's GLU": Block(conformer, torch_conformer, None, (1, 512, 512, 512)),
    "Transformer base": Block(norm_last, torch_norm_last, "relu", (1, 512, 512, 2048)),
    "DETR": Block(norm_last, torch_norm_last, "relu", (1, 850, 256, 2048)),
}
SMALL = 2, 5, 6, 7


def make(name, functions, dtype, size, approx=None):
    """The block with random parameters, its input, and the gradient of its output: the same at each call. `approx`
    replaces the block's own."""
    rng = np.random.default_rng(0)

    def draw(*shape):
        return rng.standard_normal(shape).astype(dtype)

    approx = approx or BLOCKS[name].approx
    block = BLOCKS[name].numpy(draw, functions, *size[1:], approx)
    return block, draw(*size[:3]), draw(*size[:3])


def numpy_run(name, functions, dtype, size, approx=None, backward=True):
    """A function that gives the output, and the gradients of the input and the parameters."""
    block, x, dy = make(name, functions, dtype, size, approx)
    if not backward:
        return lambda: block.forward(x)
    return lambda: (block.forward(x), block.backward(dy), *block.grads)


def torch_run(name, dtype, size):
    block, x, dy = make(name, FUNCTIONS["plain NumPy"], dtype, size)
    leaves = [torch.from_numpy(a).requires_grad_() for a in (x, *block.parameters)]
    dy = torch.from_numpy(dy)

    def run():
        y = BLOCKS[name].torch(leaves[0], leaves[1:], BLOCKS[name].approx)
        return y, *torch.autograd.grad(y, leaves, dy)

    return run


# ---- are they right? ----


def check(name, functions):
    """The largest errors of the output and of the gradients, relative to the largest number of each array."""
    found = numpy_run(name, functions, np.float64, SMALL)()
    expected = [a.detach().numpy() for a in torch_run(name, np.float64, SMALL)()]
    errors = [np.abs(a - b).max() / np.abs(b).max() for a, b in zip(found, expected, strict=True)]
    return errors[0], max(errors[1:])


def print_checks():
    print("Largest errors against torch's autograd, float64:\n")
    print(" " * 17 + "".join(f"{label:>24}" for label in FUNCTIONS))
    print(" " * 17 + f"{'output':>12}{'gradients':>12}" * len(FUNCTIONS))
    for name in BLOCKS:
        errors = [error for functions in FUNCTIONS.values() for error in check(name, functions)]
        print(f"{name:17}" + "".join(f"{error:12.1e}" for error in errors))
        if not max(errors) < 1e-12:
            sys.exit("These errors are too large: something is wrong.")


# ---- how long do they take, and how much of it is the activation? ----


def timed(function, seconds, clock):
    """The function, wrapped so that each call appends the seconds that it takes to a list."""

    def call(*args, **kwargs):
        start = clock()
        result = function(*args, **kwargs)
        seconds.append(clock() - start)
        return result

    return call


def in_turns(contenders, runs, clock, pause):
    """For each contender, (run, seconds of the activation), the seconds of all of its runs, and the activation's."""
    results = {label: [] for label in contenders}
    for i in range(runs + 1):
        for label, (run, spent) in contenders.items():  # in turns, so that other load affects all alike
            sleep(pause)
            spent.clear()
            start = clock()
            run()
            total = clock() - start
            if i > 0:  # the first run warms up
                results[label].append((total, sum(spent)))
    return results


def watched_run(name, functions, size, clock, **options):
    """A run with these functions, and the list of the seconds that they take."""
    spent = []
    watched = {key: timed(function, spent, clock) for key, function in functions.items()}
    return numpy_run(name, watched, np.float32, size, **options), spent


def measure(name, size, runs):
    """For each contender, medians of the seconds of forward and backward, and of the activation's share."""
    contenders = {"torch": (torch_run(name, np.float32, size), [])}  # its activation is not timed
    for label, functions in FUNCTIONS.items():
        contenders[label] = watched_run(name, functions, size, perf_counter)
    # A pause, until the threads of the one before stop spinning, which would slow this one down.
    return {
        label: [median(total for total, _ in rows), median(spent / total for total, spent in rows)]
        for label, rows in in_turns(contenders, runs, perf_counter, pause=0.05).items()
    }


def one_number_of_threads(threads):
    gelu_fast.set_num_threads(threads)
    torch.set_num_threads(threads)
    if threadpool_limits is not None:
        threadpool_limits(threads, user_api="blas")


def print_times(threads, quick):
    one_number_of_threads(threads)
    blas = threads if threadpool_limits is not None else "its default, as threadpoolctl is not installed"
    runs = 1 if quick else 5
    print(f"\nForward and backward, float32, medians of {runs}; threads: {threads}, NumPy's BLAS: {blas}.")
    print("Beside each time, the activation's share of it:\n")
    print(f"{'':17}{'tokens':>8}" + "".join(f"{label:>22}" for label in FUNCTIONS) + f"{'torch':>14}")
    for name, block in BLOCKS.items():
        size = SMALL if quick else block.size
        times = measure(name, size, runs)
        line = f"{name:17}{size[0] * size[1]:8}"
        for label in FUNCTIONS:
            total, share = times[label]
            line += f"{1e3 * total:11.2f} ms{100 * share:6.1f} %"
        print(line + f"{1e3 * times['torch'][0]:11.2f} ms")


# ---- the activation's share, beside ReLU's ----

ACTIVATIONS = {"none": "exact GELU", "tanh": "tanh GELU", "relu": "ReLU", None: "a sigmoid gate"}
# A bar's label, color and hatch.
LOOKS = {
    "plain NumPy": ("GELU (GLU: sigmoid) by NumPy and SciPy", "#9CC9E3", "///"),
    "gelu_fast": ("GELU by gelu_fast", "#0072B2", ""),
    "ReLU": ("ReLU by NumPy", "#555555", ""),
}


def shares(name, size, runs, backward):
    """
    The activation's share of a block's time: with GELU by both sets of functions, and with ReLU.

    Where the block has ReLU, GELU takes its place. A GLU, whose gate is a sigmoid, has no GELU by gelu_fast. The
    ratios are those of the block's time to that with ReLU, which ran in the same round. Times are the thread's CPU
    time: on a busy machine, a long matrix product loses more of the wall's time to others than a short activation.
    """
    approx = BLOCKS[name].approx
    contenders = {
        label: watched_run(
            name,
            functions,
            size,
            thread_time,
            approx="none" if approx == "relu" else approx,
            backward=backward,
        )
        for label, functions in FUNCTIONS.items()
        if label == "plain NumPy" or approx is not None
    }
    contenders["ReLU"] = watched_run(name, RELU, size, thread_time, backward=backward)
    found = in_turns(contenders, runs, thread_time, pause=0)
    totals = {label: [total for total, _ in rows] for label, rows in found.items()}
    return {
        "block": name,
        "activation": ACTIVATIONS[approx],
        "size": list(size),
        "pass": "forward and backward" if backward else "forward",
        "ms": {label: 1e3 * median(total) for label, total in totals.items()},
        "share": {
            label: 100 * median(spent / total for total, spent in rows) for label, rows in found.items()
        },
        "over ReLU": {
            label: median(ours / relu for ours, relu in zip(total, totals["ReLU"]))
            for label, total in totals.items()
        },
    }


def measure_shares(quick):
    """The shares of all blocks, as the file has them, by one thread."""
    if threadpool_limits is None:
        sys.exit("threadpoolctl is needed, as NumPy's BLAS shall have one thread.")
    one_number_of_threads(1)
    runs = 3 if quick else 15
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    about = {
        "CPU": cpu_name(),
        "ISA level": _core.isa_level,
        "date": date.today().isoformat(),
        "versions": {
            "gelu_fast": gelu_fast.__version__,
            **{name: metadata.version(name) for name in ("numpy", "scipy")},
        },
        "BLAS": " ".join(blas[key] for key in ("name", "version")),
        "runs": runs,
        "malloc": {name: os.environ[name] for name in sorted(os.environ) if name.startswith("MALLOC_")},
        "load": os.getloadavg()[0],
    }
    rows = []
    for backward in (False, True):
        for name, block in BLOCKS.items():
            rows.append(shares(name, SMALL if quick else block.size, runs, backward))
            cells = "".join(f"{label:>14}{share:6.1f} %" for label, share in rows[-1]["share"].items())
            print(f"{name:17} {rows[-1]['pass']:20}" + cells)
    return {"about": about, "rows": rows}


def draw(results, file):
    """Bars of the shares: a group for each block, a panel for each pass; narrow, so that a phone shows them."""
    import matplotlib.pyplot as plt

    plt.rcParams.update({"svg.hashsalt": "transformers", "svg.fonttype": "none", "hatch.linewidth": 0.8})
    figure, panels = plt.subplots(2, 1, figsize=(4.8, 10), layout="constrained", sharex=True)
    activations = {row["block"]: row["activation"] for row in results["rows"]}
    names = list(activations)
    for panel, title in zip(panels, ("forward", "forward and backward")):
        rows = [row for row in results["rows"] if row["pass"] == title]
        for i, (label, (words, color, hatch)) in enumerate(LOOKS.items()):
            places = [names.index(row["block"]) + 0.27 * (i - 1) for row in rows if label in row["share"]]
            widths = [row["share"][label] for row in rows if label in row["share"]]
            bars = panel.barh(places, widths, 0.25, color=color, hatch=hatch, edgecolor="white", label=words)
            panel.bar_label(bars, fmt="%.1f", padding=2, fontsize=8)
        panel.set(title=title, xlabel="activation's share of the block's time, %")
        panel.set_yticks(range(len(names)), [f"{name}\nhas {activations[name]}" for name in names])
        panel.invert_yaxis()
        panel.margins(x=0.12)
        panel.spines[["top", "right", "left"]].set_visible(False)
        panel.tick_params(axis="y", length=0)
        panel.tick_params(axis="x", labelbottom=True)
    figure.legend(*panels[0].get_legend_handles_labels(), frameon=False, loc="outside upper center")
    figure.savefig(file, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description="Feed-forward blocks in NumPy: checked, and timed.")
    parser.add_argument("--threads", type=int, default=1, help="of all contenders (default: 1)")
    parser.add_argument("--quick", action="store_true", help="small sizes, whose times mean nothing")
    stored.add_options(parser, "shares")
    options = parser.parse_args()
    into = options.draw or options.write
    if not options.draw:
        print_checks()
        if not into:
            print_times(options.threads, options.quick)
            return
        stored.write(measure_shares(options.quick), into / RESULTS)
    stored.draw(draw, into / RESULTS, into / PICTURE)


if __name__ == "__main__":
    main()
