# SPDX-License-Identifier: BSD-3-Clause
"""A user's code, for type checkers. test_typing.py also runs it, and compares the stated types with the results'."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, assert_type

import numpy as np
from numpy.typing import NDArray

import gelu_fast as g

x: NDArray[np.float32] = np.linspace(-3, 3, 6, dtype=np.float32)
x64 = x.astype(np.float64)
y = np.empty_like(x)
sigma: NDArray[np.float32] = x + 4
integers: NDArray[np.int64] = np.arange(6)
one, half = np.float32(1), np.float16(1)

# An array of a float type gives an array of that type, and so does a scalar; Python's numbers are np.float64.
assert_type(g.gelu(x), NDArray[np.float32])
assert_type(g.gelu_gate(x64, "tanh", casting="unsafe"), NDArray[np.float64])
assert_type(g.gelu_grad(x, approx="none", order="C", subok=False), NDArray[np.float32])
assert_type(g.gelu_backward(x, x, True), NDArray[np.float32])
assert_type(g.gelu(x, approximate="tanh"), NDArray[np.float32])
assert_type(g.geglu(x, approximate=True, axis=0), NDArray[np.float32])
assert_type(g.stochastic_gelu(x, 1, approximate="none"), NDArray[np.float32])
assert_type(g.bias_gelu(x, x), NDArray[np.float32])
assert_type(g.geglu(x, axis=0, dim=None), NDArray[np.float32])
assert_type(g.geglu(x, x), NDArray[np.float32])
assert_type(g.geglu_backward(x, x, x), tuple[NDArray[np.float32], NDArray[np.float32]])
assert_type(g.gelu(one), np.float32)
assert_type(g.gelu(half, "sigmoid"), np.float16)
assert_type(g.gelu(1.0), np.float64)
assert_type(g.gelu_grad(1), np.float64)
assert_type(g.gelu_backward(one, one), np.float32)
assert_type(g.bias_gelu(1.0, 2), np.float64)
assert_type(g.geglu(half, half), np.float16)
assert_type(g.geglu_backward(1.0, 2.0, 3.0), tuple[np.float64, np.float64])

# For all else, the stubs say at least whether the result is an array.
assert_type(g.gelu(integers), NDArray[Any])
assert_type(g.gelu([1.0, 2.0]), NDArray[Any])
assert_type(g.gelu(x, mu=x64, sigma=2.0), NDArray[Any])
assert_type(g.gelu(x, dtype=np.float64), NDArray[Any])
assert_type(g.gelu(integers, signature="d->d"), NDArray[Any])
assert_type(g.gelu(integers, dtype="f2", casting="unsafe"), NDArray[Any])
assert_type(g.gelu_backward(x, 1.0), NDArray[Any])
assert_type(g.bias_gelu(1.0, x), NDArray[Any])
assert_type(g.geglu_backward(x, x, 1), tuple[NDArray[Any], NDArray[Any]])
assert_type(g.gelu(np.int8(1)), np.floating[Any])
assert_type(g.gelu(1.0, mu=one, sigma=2), np.floating[Any])
assert_type(g.gelu(1.0, dtype=np.float32), np.floating[Any])
assert_type(g.geglu(1.0, np.int8(2)), np.floating[Any])

# With out, the result is that array.
assert_type(g.gelu(x64, out=y, casting="same_kind"), NDArray[np.float32])
assert_type(g.gelu_gate(integers, "tanh", out=(y,), where=y > 0, mu=x, casting="unsafe"), NDArray[np.float32])
assert_type(g.gelu_backward(x, x, out=y), NDArray[np.float32])
assert_type(g.bias_gelu(x, 1.0, out=y), NDArray[np.float32])
assert_type(g.geglu(x, x, out=y), NDArray[np.float32])
d_gate, d_up = g.geglu_backward(x, x, x, out=(y, x.copy()))
assert_type(d_gate, NDArray[np.float32])

# The random form, with its mask or without.
assert_type(g.stochastic_gelu(x, 1), NDArray[np.float32])
assert_type(g.stochastic_gelu(x, np.random.default_rng(1), approx="tanh"), NDArray[np.float32])
assert_type(g.stochastic_gelu(x, return_mask=True), tuple[NDArray[np.float32], NDArray[np.bool]])
assert_type(g.stochastic_gelu(x, out=y, return_mask=True), tuple[NDArray[np.float32], NDArray[np.bool]])
assert_type(g.stochastic_gelu(x64, out=y), NDArray[np.float32])
assert_type(g.stochastic_gelu(integers, return_mask=True), tuple[NDArray[Any], NDArray[np.bool]])
assert_type(g.stochastic_gelu(1.0, return_mask=True), tuple[np.float64, np.bool])
assert_type(g.stochastic_gelu(one), np.float32)
assert_type(g.stochastic_gelu(x, np.random.SeedSequence(1), offset=6), NDArray[np.float32])
assert_type(
    g.stochastic_gelu(x, [1, 2], offset=6, return_mask=True), tuple[NDArray[np.float32], NDArray[np.bool]]
)

# The ufuncs, and what every ufunc has.
assert_type(g.gelu_erf(x), NDArray[np.float32])
assert_type(g.gelu_gate_tanh(x, y), NDArray[np.float32])
assert_type(g.gelu_grad_sigmoid(1.0), np.float64)
assert_type(g.gelu_backward_erf(x, x), NDArray[np.float32])
assert_type(g.geglu_tanh(one, one), np.float32)
assert_type(g.bias_gelu_erf(x, integers), NDArray[Any])
assert_type(g.gelu_mu_sigma_erf(x, x, sigma), NDArray[np.float32])
assert_type(g.gelu_mu_sigma_erf(x, 0.0, 1.0, out=y), NDArray[np.float32])
assert_type(g.gelu_backward_mu_sigma_tanh(x, x, 0, 1), NDArray[Any])
assert_type(g.geglu_backward_erf(x, x, x), tuple[NDArray[np.float32], NDArray[np.float32]])
assert_type(g.geglu_backward_erf(1.0, 2.0, 3.0)[0], np.float64)
ufunc: np.ufunc = g.geglu_sigmoid
assert_type(g.gelu_erf.nin, int)

# The functions fit a parameter that takes any activation.
Activation = Callable[[NDArray[np.float32]], NDArray[np.float32]]
activations: list[Activation] = [g.gelu, g.gelu_tanh, partial(g.gelu, approx="sigmoid")]
for activation in activations:
    assert_type(activation(x), NDArray[np.float32])
named = [g.activation("gelu_new"), g.activation("gelu", "ggml"), g.activation("Gelu", framework="onnx")]
activations += named
assert_type(named[0](x), NDArray[np.float32])
assert_type(g.activation("gelu")(1.0, out=None), np.float64)
assert_type(g.activation("gelu_10")(integers), NDArray[Any])
assert_type(g.activation("laplace")(x64, out=y, casting="same_kind"), NDArray[np.float32])
name: str = g.gelu.__name__ + g.gelu_erf.__name__

n: int = g.get_num_threads()
g.set_num_threads(None)
version: str = g.__version__

if TYPE_CHECKING:
    assert_type(g.gelu(x, where=x > 0), NDArray[np.float32])  # NumPy warns of unwritten memory

    def of_any_type(a: NDArray[Any]) -> int:
        assert_type(g.gelu(a), NDArray[Any])
        assert_type(g.stochastic_gelu(a), NDArray[Any])
        return g.geglu_backward(a, a, a)  # error

    a: int = g.gelu(x)  # error
    b: int = g.gelu(1.0)  # error
    c: int = g.gelu_erf(x)  # error
    biased = g.bias_gelu(x, x)
    d: NDArray[np.float64] = biased  # error
    e: NDArray[np.float32] = g.geglu_backward(x, x, x)  # error
    f: NDArray[np.float32] = g.stochastic_gelu(x, return_mask=True)  # error
    f1, f2 = g.stochastic_gelu(1.0)  # error
    g.gelu(x, "erf")  # error
    g.stochastic_gelu(x, 1, offset="two")  # error
    g.gelu(x, approximate="erf")  # error
    g.gelu(x, False, "tanh")  # error
    g.gelu_erf(x, approximate="tanh")  # error
    g.gelu()  # error
    g.gelu(x, out=[1.0])  # error
    g.gelu(x, casting="safest")  # error
    g.bias_gelu(x)  # error
    g.bias_gelu(x, x, mu=1.0)  # error
    g.gelu_backward(x, approx=True)  # error
    g.geglu(x, axis="last")  # error
    g.geglu_backward(x, x, x, out=x)  # error
    g.stochastic_gelu(x, "seed")  # error
    g.gelu_erf(x, approx="tanh")  # error
    g.geglu_erf(x)  # error
    g.gelu_erf(x=x)  # error
    g.activation(1)  # error
    g.activation("gelu", "caffe")  # error
    g.activation("gelu")(x, "tanh")  # error
    g.set_num_threads("two")  # error
    g.gelu_tan(x)  # error
