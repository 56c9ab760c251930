# SPDX-License-Identifier: BSD-3-Clause
"""The blocks of examples/ffn.py, against torch's own modules and autograd, and the activation's share of their time."""

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from needs import example, needs

import gelu_fast

needs("torch", "scipy", "threadpoolctl", "matplotlib")

import torch  # noqa: E402
from torch import nn  # noqa: E402

SCRIPT, ffn = example("ffn")
ROOT = Path(__file__).parents[2]

SIZE = 3, 7, 10, 12  # texts or images, tokens, width, inner width: all different, also from half the width
FORWARD = "bias_gelu", "geglu", "glu", "bias_relu"
BACKWARD = "gelu_backward", "geglu_backward", "glu_backward", "relu_backward"

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
    if name in ("Transformer base", "DETR"):
        return NormLast(width, *mlp(width, inner, nn.ReLU()))
    if name == "GEGLU":
        return Geglu(width, inner)
    if name == "Conformer's GLU":
        convolutions = nn.Conv1d(width, 2 * inner, 1), nn.GLU(dim=1), nn.Conv1d(inner, width, 1)
        return NormFirst(width, Swapped(*convolutions))
    raise AssertionError(f"no reference for {name}")


def expected(name):
    """The output, and the gradients of the input and of the parameters."""
    return results_of(
        reference(name).double(), *ffn.make(name, ffn.FUNCTIONS["plain NumPy"], np.float64, SIZE)
    )


def results_of(module, block, x, dy):
    """The same of a module of torch, with the block's parameters."""
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
    for function in fast.keys() - ffn.NO_GELU.keys():
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


class Reglu(Geglu):
    """GEGLU with ReLU in GELU's place."""

    def forward(self, x):
        v, w = self.v_and_w.tensor_split(2)
        return (torch.relu(x @ w.T) * (x @ v.T)) @ self.w2.T


@each_block
def test_relu_in_its_place(name):
    """The blocks that GELU's share is compared with are the same ones with ReLU, or with ReLU as their gate."""
    block, x, dy = ffn.make(name, ffn.RELU, np.float64, SIZE)
    found = ffn.numpy_run(name, ffn.RELU, np.float64, SIZE)()
    module = {"GEGLU": Reglu(SIZE[2], SIZE[3])}.get(name) or reference(name)
    parts = {nn.GELU: nn.ReLU, Exact: nn.ReLU}
    for parent in list(module.modules()):
        for key, child in list(parent.named_children()):
            if type(child) in parts:
                setattr(parent, key, parts[type(child)]())
            elif type(child) is nn.GLU:
                setattr(parent, key, RectifiedGate())
    wanted = results_of(module.double(), block, x, dy)
    assert max(largest_errors(found, wanted)) < 1e-13


class RectifiedGate(nn.Module):
    """The first half of the channels times ReLU of the second."""

    def forward(self, x):
        up, gate = x.chunk(2, dim=1)
        return up * torch.relu(gate)


@pytest.mark.parametrize("name", ["Transformer base", "DETR"])
def test_gelu_in_place_of_relu(name):
    """And where the block has ReLU, its share is compared with that of exact GELU."""
    for functions in ffn.FUNCTIONS.values():
        block, x, dy = ffn.make(name, functions, np.float64, SIZE, "none")
        found = ffn.numpy_run(name, functions, np.float64, SIZE, "none")()
        module = NormLast(SIZE[2], *mlp(SIZE[2], SIZE[3], Exact()))
        assert max(largest_errors(found, results_of(module.double(), block, x, dy))) < 1e-13


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


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name, calls", [("BERT-base", 1), ("MLP-Mixer-B/16", 2), ("DETR", 1), ("GEGLU", 1)])
def test_shares(monkeypatch, name, calls, backward):
    """The clock advances by one at each reading; so an activation that is not timed has a share of 0."""
    monkeypatch.setattr(ffn, "thread_time", itertools.count().__next__)
    calls *= 1 + backward
    total = 2 * calls + 1
    row = ffn.shares(name, SIZE, 3, backward)
    assert list(row["share"].values()) == pytest.approx([100 * calls / total] * 3)
    assert set(row["ms"].values()) == {1e3 * total}
    assert row["share"].keys() == {"gelu_fast", "plain NumPy", "ReLU"}
    assert set(row["over ReLU"].values()) == {1}
    assert row["pass"] == ("forward and backward" if backward else "forward")


def test_shares_of_gelu_where_the_block_has_relu(monkeypatch):
    asked = []

    def bias_gelu(h, bias, approx):
        asked.append(approx)
        return gelu_fast.bias_gelu(h, bias, approx)

    functions = {**ffn.FUNCTIONS["gelu_fast"], "bias_gelu": bias_gelu}
    monkeypatch.setitem(ffn.FUNCTIONS, "gelu_fast", functions)
    assert ffn.shares("DETR", SIZE, 3, False)["activation"] == "ReLU"
    assert asked == ["none"] * 4
    ffn.shares("GPT-2", SIZE, 3, False)
    assert asked[4:] == ["tanh"] * 4


def test_shares_of_a_glu():
    row = ffn.shares("Conformer's GLU", SIZE, 3, False)
    assert row["share"].keys() == {"plain NumPy", "ReLU"} and row["activation"] == "a sigmoid gate"
    assert row["over ReLU"]["plain NumPy"] > 0 and row["over ReLU"]["ReLU"] == 1


def test_write_and_draw(tmp_path):
    command = [sys.executable, SCRIPT, "--quick", "--write", tmp_path]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0 and ended.stderr == "", ended.stderr
    results = json.loads((tmp_path / ffn.RESULTS).read_text())
    assert len(results["rows"]) == 2 * len(ffn.BLOCKS)
    for row in results["rows"]:
        assert all(0 < share < 100 for share in row["share"].values())
    picture = tmp_path / ffn.PICTURE
    drawn = picture.read_bytes()
    picture.unlink()
    ended = subprocess.run([sys.executable, SCRIPT, "--draw", tmp_path], capture_output=True, timeout=300)
    assert ended.returncode == 0 and picture.read_bytes() == drawn


def test_picture_is_that_of_the_results(tmp_path):
    results = json.loads((ROOT / ffn.RESULTS).read_text())
    assert [row["block"] for row in results["rows"]] == 2 * list(ffn.BLOCKS)
    ffn.draw(results, tmp_path / "new.svg")
    old, new = (path.read_text() for path in (ROOT / ffn.PICTURE, tmp_path / "new.svg"))
    wanted = sorted(f"{share:.1f}" for row in results["rows"] for share in row["share"].values())
    for text in old, new:  # the numbers beside the bars
        assert sorted(re.findall(r"font-size: 8px[^>]*>([\d.]+)</text>", text)) == wanted


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
