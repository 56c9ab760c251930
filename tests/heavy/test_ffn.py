# SPDX-License-Identifier: BSD-3-Clause
"""The blocks of examples/ffn.py, against torch's own modules and autograd."""

import itertools
import re
import subprocess
import sys

import numpy as np
import pytest
from needs import example, needs

import gelu_fast

needs("torch", "scipy")

import torch  # noqa: E402
from torch import nn  # noqa: E402

SCRIPT, ffn = example("ffn")

SIZE = 3, 7, 10, 12  # texts or images, tokens, width, inner width: all different, also from half the width
FORWARD = "bias_gelu", "geglu", "glu"
BACKWARD = "gelu_backward", "geglu_backward", "glu_backward"

each_block = pytest.mark.parametrize("name", ffn.BLOCKS)
each_set = pytest.mark.parametrize("functions", ffn.FUNCTIONS.values(), ids=ffn.FUNCTIONS)


# ---- the same blocks, made of torch's modules; the parameters have the same order ----


class Exact(nn.Module):
    def forward(self, x):
        return x * torch.special.ndtr(x)


class Swapped(nn.Sequential):
    def forward(self, x):
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class NormFirst(nn.Module):
    def __init__(self, width, *layers):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.layers(self.norm(x))


class NormLast(nn.Module):
    def __init__(self, width, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        return self.norm(x + self.layers(x))


class Geglu(nn.Module):
    """GEGLU with the paper's two matrices. V is the first half of the block's single matrix."""

    def __init__(self, width, inner):
        super().__init__()
        self.v_and_w = nn.Parameter(torch.empty(2 * inner, width))
        self.w2 = nn.Parameter(torch.empty(width, inner))

    def forward(self, x):
        v, w = self.v_and_w.tensor_split(2)
        return (Exact()(x @ w.T) * (x @ v.T)) @ self.w2.T


def mlp(n, inner, activation):
    return nn.Linear(n, inner), activation, nn.Linear(inner, n)


def reference(name):
    _, tokens, width, inner = SIZE
    tanh = nn.GELU("tanh")
    if name == "BERT-base":
        return NormLast(width, *mlp(width, inner, Exact()))
    if name == "GPT-2":
        return NormFirst(width, *mlp(width, inner, tanh))
    if name == "ViT-B/16":
        return NormFirst(width, *mlp(width, inner, Exact()))
    if name == "MLP-Mixer-B/16":
        mix_tokens = NormFirst(width, Swapped(*mlp(tokens, width // 2, tanh)))
        return nn.Sequential(mix_tokens, NormFirst(width, *mlp(width, inner, tanh)))
    if name == "GEGLU":
        return Geglu(width, inner)
    if name == "Conformer's GLU":
        convolutions = nn.Conv1d(width, 2 * inner, 1), nn.GLU(dim=1), nn.Conv1d(inner, width, 1)
        return NormFirst(width, Swapped(*convolutions))
    raise AssertionError(f"no reference for {name}")


def expected(name):
    """The output, and the gradients of the input and of the parameters."""
    block, x, dy = ffn.make(name, ffn.FUNCTIONS["plain NumPy"], np.float64, SIZE)
    module = reference(name).double()
    parameters = list(module.parameters())
    with torch.no_grad():
        for parameter, value in zip(parameters, block.parameters, strict=True):
            assert parameter.squeeze(-1).shape == value.shape  # a convolution's weight is (out, in, 1)
            parameter.copy_(torch.from_numpy(value).reshape(parameter.shape))
    x = torch.from_numpy(x).requires_grad_()
    y = module(x)
    grads = torch.autograd.grad(y, [x, *parameters], torch.from_numpy(dy))
    shapes = [x.shape, x.shape, *(value.shape for value in block.parameters)]
    return [a.detach().numpy().reshape(shape) for a, shape in zip((y, *grads), shapes, strict=True)]


def largest_errors(found, wanted):
    """The largest error of each array, relative to its largest number."""
    for a, b in zip(found, wanted, strict=True):
        assert a.shape == b.shape and np.isfinite(a).all() and np.abs(b).max() > 0.01
    return [np.abs(a - b).max() / np.abs(b).max() for a, b in zip(found, wanted)]


@each_set
@each_block
def test_against_torch(name, functions):
    found = ffn.numpy_run(name, functions, np.float64, SIZE)()
    assert max(largest_errors(found, expected(name))) < 1e-13


@each_block
def test_torch_blocks(name):
    """The torch block that the example compares with, in results and in times, is the same block."""
    found = [a.detach().numpy() for a in ffn.torch_run(name, np.float64, SIZE)()]
    assert max(largest_errors(found, expected(name))) < 1e-13


@each_block
def test_sets_agree(name):
    fast, plain = (ffn.numpy_run(name, functions, np.float32, SIZE)() for functions in ffn.FUNCTIONS.values())
    assert {a.dtype for a in (*fast, *plain)} == {np.dtype(np.float32)}
    assert max(largest_errors(fast, plain)) < 1e-5


@each_set
@each_block
def test_runs_again(name, functions):
    """The backward pass overwrites many arrays, but none that the next run needs."""
    run = ffn.numpy_run(name, functions, np.float64, SIZE)
    first = [a.copy() for a in run()]
    for a, b in zip(first, run(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_sets():
    fast, plain = ffn.FUNCTIONS["gelu_fast"], ffn.FUNCTIONS["plain NumPy"]
    assert fast.keys() == plain.keys() == {*FORWARD, *BACKWARD}
    for function in fast.keys() - {"glu", "glu_backward"}:
        assert fast[function] is getattr(gelu_fast, function)
        assert plain[function] is not fast[function]


def slightly_wrong(functions, wrong):
    """The set of functions; those in `wrong` get a first argument that is slightly too large."""

    def worsen(function):
        return lambda first, *others, **options: function(first * (1 + 1e-9), *others, **options)

    return {key: worsen(function) if key in wrong else function for key, function in functions.items()}


@each_set
@each_block
def test_check(name, functions):
    assert max(ffn.check(name, functions)) < 1e-13
    output, gradients = ffn.check(name, slightly_wrong(functions, FORWARD))
    assert 1e-11 < output < 1e-8 and 1e-11 < gradients < 1e-8
    output, gradients = ffn.check(name, slightly_wrong(functions, BACKWARD))
    assert output < 1e-13 and 1e-11 < gradients < 1e-8


def test_failed_check_ends_the_script(monkeypatch):
    ffn.print_checks()
    wrong = slightly_wrong(ffn.FUNCTIONS["gelu_fast"], BACKWARD)
    monkeypatch.setitem(ffn.FUNCTIONS, "gelu_fast", wrong)
    with pytest.raises(SystemExit, match="too large"):
        ffn.print_checks()


@pytest.mark.parametrize("name, calls", [("BERT-base", 2), ("MLP-Mixer-B/16", 4), ("Conformer's GLU", 2)])
def test_measure(monkeypatch, name, calls):
    """The clock advances by one at each reading. It is read at both ends, and twice by each activation."""
    monkeypatch.setattr(ffn, "perf_counter", itertools.count().__next__)
    monkeypatch.setattr(ffn, "sleep", lambda seconds: None)
    total = 2 * calls + 1
    times = ffn.measure(name, SIZE, 3)
    assert times == {
        "torch": [1, 0],
        "gelu_fast": [total, calls / total],
        "plain NumPy": [total, calls / total],
    }


def test_script():
    command = [sys.executable, SCRIPT, "--quick"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    checks, times = ended.stdout.split("Forward and backward")
    for name in ffn.BLOCKS:
        found = re.search(rf"^{name}" + r" +(\S+)" * 4 + "$", checks, re.MULTILINE)
        assert found, checks
        assert all(0 < float(error) < 1e-13 for error in found.groups())

        contender = r" +(\d+\.\d+) ms +(\d+\.\d) %"
        found = re.search(rf"^{name} +\d+{contender * 2} +(\d+\.\d+) ms$", times, re.MULTILINE)
        assert found, times
        fast, fast_share, plain, plain_share, torch_time = map(float, found.groups())
        assert min(fast, plain, torch_time) > 0
        assert 0 < fast_share < 100 and 0 < plain_share < 100
