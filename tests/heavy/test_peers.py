# SPDX-License-Identifier: BSD-3-Clause
"""Other libraries, as docs/accuracy.md has them: right in the middle, wrong in the negative tail and at infinity."""

import warnings

import numpy as np
import pytest
from needs import needs

needs("torch", "onnx", "onnxruntime", "jax")

import jax  # noqa: E402
import onnxruntime  # noqa: E402
import torch  # noqa: E402
from onnx import TensorProto, helper  # noqa: E402

import gelu_fast  # noqa: E402


def of_torch(x, approx):
    form = "tanh" if approx else "none"
    return torch.nn.functional.gelu(torch.from_numpy(x), approximate=form).numpy()


def of_onnxruntime(x, approx):
    node = helper.make_node("Gelu", ["x"], ["y"], approximate="tanh" if approx else "none")
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in "xy"]
    model = helper.make_model(
        helper.make_graph([node], "gelu", value[:1], value[1:]), opset_imports=[helper.make_opsetid("", 20)]
    )
    model.ir_version = 10
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def of_jax(x, approx):
    return np.asarray(jax.nn.gelu(x, approximate=approx))


PEERS = [of_torch, of_onnxruntime, of_jax]


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("approx", [False, True])
def test_the_same_function(peer, approx):
    """The peers compute the same function, to their own accuracy, which is absolute."""
    x = np.linspace(-10, 10, 20001, dtype=np.float32)
    assert np.abs(gelu_fast.gelu(x, approx) - peer(x, approx)).max() < 2e-6


@pytest.mark.parametrize("approx", [False, True])
def test_torch_in_float64(approx):
    x = np.linspace(-3, 10, 20001)
    np.testing.assert_allclose(gelu_fast.gelu(x, approx), of_torch(x, approx), rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("approx", [False, True, "sigmoid"])
def test_torch_autograd_in_float64(approx):
    """gelu_grad is the gradient that autograd derives from the formula."""
    x = torch.linspace(-3, 10, 20001, dtype=torch.float64, requires_grad=True)
    if approx == "sigmoid":
        y = x * torch.sigmoid(1.702 * x)
    else:
        y = torch.nn.functional.gelu(x, approximate="tanh" if approx else "none")
    y.sum().backward()
    np.testing.assert_allclose(
        gelu_fast.gelu_grad(x.detach().numpy(), approx), x.grad.numpy(), rtol=1e-12, atol=1e-15
    )
    gate = np.where(x.detach() == 0, 0.5, (y / x).detach().numpy())
    np.testing.assert_allclose(gelu_fast.gelu_gate(x.detach().numpy(), approx), gate, rtol=1e-12)


@pytest.mark.parametrize("peer", PEERS)
def test_the_tail_of_others_is_lost(peer, report):
    """The others give zero where the exact value is 1e-43 or larger, a relative error of 100 %, and NaN at -inf."""
    x = np.array([-13.5, -np.inf], np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peer(x, False)
    ours = gelu_fast.gelu(x)
    report(f"{peer.__name__} at -13.5 and -inf: {theirs}; gelu_fast: {ours}")
    assert theirs[0] == 0 and ours[0] < 0
    assert np.isnan(theirs[1]) and ours[1] == 0


@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning")  # torch's own
def test_torch_tensors():
    """gelu takes a tensor as np.exp does."""
    x = torch.linspace(-3, 3, 7)
    y = gelu_fast.gelu(x)
    assert type(y) is type(np.exp(x))
    np.testing.assert_array_equal(np.asarray(y), gelu_fast.gelu(x.numpy()))
