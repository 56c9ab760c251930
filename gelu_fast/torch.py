# SPDX-License-Identifier: BSD-3-Clause
"""
GELU for torch: gelu_fast computes tensors on a CPU, forward and backward, without a copy.

Functions
---------
gelu, bias_gelu, geglu : As the functions of gelu_fast; autograd, torch.func and torch.compile differentiate them.
GELU : The module, in place of torch.nn.GELU.
replace_gelu : Makes a model use gelu_fast.

The types are float16, float32, float64 and bfloat16, the last with ml_dtypes installed. Values and gradients have the
bits of gelu_fast's ufuncs, and so their error bounds. torch's own functions compute tensors of other devices and
layouts, nested tensors, and transforms of torch.func within torch.compile.
"""

import copy
import math
import sys
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._C import DispatchKey, DispatchKeySet, _dispatch_keys, _dispatch_tls_local_include_set
from torch._C._functorch import get_dynamic_layer_stack_depth
from torch.autograd import forward_ad
from torch.overrides import handle_torch_function, has_torch_function

import gelu_fast

try:
    from ml_dtypes import bfloat16
except ImportError:
    bfloat16 = None

__all__ = ["GELU", "Replaced", "bias_gelu", "geglu", "gelu", "replace_gelu"]

_FORMS = ("none", "tanh", "sigmoid")
_TYPES = (torch.float16, torch.float32, torch.float64)  # beside bfloat16, which NumPy lacks
_SIGMOID, _TANH, _CUBIC = 1.702, math.sqrt(2 / math.pi), 0.044715


# ---- tensors as arrays ----


def _array(t):
    """The tensor's memory as an array."""
    if t.requires_grad:
        t = t.detach()
    if t.dtype in _TYPES:
        return t.numpy()
    if t.dtype != torch.bfloat16:
        raise NotImplementedError(f"gelu_fast is not implemented for {t.dtype}")
    if bfloat16 is None:
        raise RuntimeError("bfloat16 tensors need the package ml_dtypes: pip install ml_dtypes")
    return t.view(torch.int16).numpy().view(bfloat16)


def _new(inputs):
    """A result, with the layout of the first input that repeats no element."""
    for t in inputs:
        if 0 not in t.stride():
            return torch.empty_like(t)
    return torch.empty_like(inputs[0])


# ---- torch's own functions, for all that is no array ----


def _other_gelu(x: Tensor, form: str) -> Tensor:
    return x * torch.sigmoid(_SIGMOID * x) if form == "sigmoid" else F.gelu(x, approximate=form)


def _other_gelu_backward(dy: Tensor, x: Tensor, form: str) -> Tensor:
    if form != "sigmoid":
        return torch.ops.aten.gelu_backward(dy, x, approximate=form)
    gate = torch.sigmoid(_SIGMOID * x)
    return dy * gate * (1 + _SIGMOID * x * (1 - gate))


def _other_bias_gelu(x: Tensor, bias: Tensor, form: str) -> Tensor:
    return _other_gelu(x + bias, form)


def _other_geglu(gate: Tensor, up: Tensor, form: str) -> Tensor:
    return _other_gelu(gate, form) * up


def _other_geglu_backward(dy: Tensor, gate: Tensor, up: Tensor, form: str) -> tuple[Tensor, Tensor]:
    return _other_gelu_backward(dy * up, gate, form), dy * _other_gelu(gate, form)


# ---- derivatives ----


def _save(ctx, inputs, output):
    *tensors, ctx.form = inputs
    ctx.save_for_backward(*tensors)
    ctx.save_for_forward(*tensors)


def _backward_of_gelu(ctx, dy):
    (x,) = ctx.saved_tensors
    return _gelu_backward(dy, x, ctx.form), None


def _backward_of_gelu_backward(ctx, g):
    dy, x = ctx.saved_tensors
    return _gelu_backward(g, x, ctx.form), g * dy * _second(x, ctx.form), None


def _backward_of_bias_gelu(ctx, dy):
    x, bias = ctx.saved_tensors
    d_sum = _gelu_backward(dy, x + bias, ctx.form)
    return d_sum, d_sum, None


def _backward_of_geglu(ctx, dy):
    gate, up = ctx.saved_tensors
    return *_geglu_backward(dy, gate, up, ctx.form), None


def _backward_of_geglu_backward(ctx, g_gate, g_up):
    dy, gate, up = ctx.saved_tensors
    return (
        _gelu_backward(g_gate * up, gate, ctx.form) + g_up * _gelu(gate, ctx.form),
        g_gate * dy * up * _second(gate, ctx.form) + _gelu_backward(g_up * dy, gate, ctx.form),
        _gelu_backward(g_gate * dy, gate, ctx.form),
        None,
    )


def _second(x, form):
    """The second derivative, by torch's functions; of smaller types in float32."""
    wide = x.to(torch.promote_types(x.dtype, torch.float32)).clamp(-500, 500)  # beyond, it is 0, not 0 * inf
    square = wide * wide
    if form == "none":
        second = torch.exp(-0.5 * square) * (2 - square) / math.sqrt(2 * math.pi)
    elif form == "tanh":
        u, slope = _TANH * wide * (1 + _CUBIC * square), _TANH * (1 + 3 * _CUBIC * square)
        bend = _TANH * 3 * _CUBIC * wide - torch.tanh(u) * slope * slope
        # 1 - tanh(u)**2, which keeps its tails
        second = 4 * torch.sigmoid(2 * u) * torch.sigmoid(-2 * u) * (slope + wide * bend)
    else:
        z = _SIGMOID * wide
        gate, rest = torch.sigmoid(z), torch.sigmoid(-z)
        second = _SIGMOID * gate * rest * (2 + z * (rest - gate))
    return second.to(x.dtype)


# ---- torch.library's operators, and the ways past them ----

# torch's dispatcher decides by keys: those of the tensors (device, layout, subclass, lazy negation) and those of the
# thread (modes, tracing). With these alone it would only call the CPU kernel, and record the call for autograd.
_PLAIN = 0
for _key in ("CPU", "AutogradCPU", "ADInplaceOrView", "AutocastCPU", "BackendSelect"):
    _PLAIN |= DispatchKeySet(getattr(DispatchKey, _key)).raw_repr()


def _is_plain(tensors):
    keys = _dispatch_tls_local_include_set()
    for t in tensors:
        keys = keys | _dispatch_keys(t)
    return not keys.raw_repr() & ~_PLAIN


def _is_transformed():
    """Whether a transform of torch.func or forward-mode differentiation may be at work: operators of Python have no
    gradient within the first, and drop tangents of the second."""
    return get_dynamic_layer_stack_depth() > 0 or forward_ad._current_level >= 0


def _autograd(name, **methods) -> Any:
    return type(name, (torch.autograd.Function,), {key: staticmethod(f) for key, f in methods.items()})


class _Operator:
    """The function of gelu_fast of this name, for tensors of one shape and type. torch.compile, tracing and devices use
    the operator torch.ops.gelu_fast.<name>. Plain tensors take a shorter way, as a call of the operator takes as long
    as the work on ten thousand elements."""

    def __init__(self, name, other, backward, n_out=1):
        self.compute, self.n_out = getattr(gelu_fast, name), n_out
        self.other, self.backward = other, backward
        self.op = torch.library.custom_op(f"gelu_fast::{name}", other, mutates_args=())
        self.op.register_kernel("cpu")(self.kernel)
        self.op.register_fake(lambda *args: self.results(args[:-1]))
        self.op.register_vmap(partial(self.vmap, self.op))
        self.op.register_autograd(backward, setup_context=_save)
        self.recorded = _autograd(name, forward=self.record, backward=backward)
        self.transformed = _autograd(
            name,
            forward=self.forward,
            setup_context=_save,
            backward=backward,
            vmap=partial(self.vmap, self),
            jvp=self.jvp,
        )

    def results(self, inputs):
        return _new(inputs) if self.n_out == 1 else tuple(_new(inputs) for _ in range(self.n_out))

    def write(self, results, *args):
        *inputs, form = args
        out = _array(results) if self.n_out == 1 else tuple(map(_array, results))
        self.compute(*map(_array, inputs), form, out=out)
        return results

    def kernel(self, *args):
        return self.write(self.results(args[:-1]), *args)

    def record(self, ctx, *args):
        results = self.kernel(*args)
        _save(ctx, args, results)
        return results

    def forward(self, *args):
        return (self.kernel if _is_plain(args[:-1]) else self.op)(*args)

    def vmap(self, call, info, dims, *args):
        *inputs, form = args
        moved = [
            t.expand(info.batch_size, *t.shape) if dim is None else t.movedim(dim, 0)
            for t, dim in zip(inputs, dims)
        ]
        return call(*moved, form), 0 if self.n_out == 1 else (0,) * self.n_out

    def jvp(self, ctx, *tangents):
        """Each element of a result depends on the elements at its place alone, so what passes a gradient back passes a
        tangent on."""
        results = []
        for k in range(self.n_out):
            terms = []
            for i, t in enumerate(tangents):
                if t is not None:
                    grads = [t if j == k else torch.zeros_like(t) for j in range(self.n_out)]
                    terms.append(self.backward(ctx, *grads)[i])
            results.append(sum(terms[1:], terms[0]))
        return results[0] if self.n_out == 1 else tuple(results)

    def __call__(self, *args):
        inputs = args[:-1]
        if any(t.is_nested for t in inputs):
            return self.other(*args)
        if torch.compiler.is_compiling():
            return (self.other if _is_transformed() else self.op)(*args)
        if _is_transformed():
            return self.transformed.apply(*args)
        if not _is_plain(inputs):
            return self.op(*args)
        if torch.is_grad_enabled() and any(t.requires_grad for t in inputs):
            return self.recorded.apply(*args)
        return self.kernel(*args)


_gelu = _Operator("gelu", _other_gelu, _backward_of_gelu)
_gelu_backward = _Operator("gelu_backward", _other_gelu_backward, _backward_of_gelu_backward)
_bias_gelu = _Operator("bias_gelu", _other_bias_gelu, _backward_of_bias_gelu)
_geglu = _Operator("geglu", _other_geglu, _backward_of_geglu)
_geglu_backward = _Operator("geglu_backward", _other_geglu_backward, _backward_of_geglu_backward, n_out=2)


# ---- functions ----


def _check(approximate, *tensors):
    for t in tensors:
        if not isinstance(t, Tensor):
            raise TypeError(f"expected a Tensor, not {type(t).__name__}")
    if approximate not in _FORMS:
        raise RuntimeError(f"approximate must be 'none', 'tanh' or 'sigmoid', not {approximate!r}")


def _same(a, b):
    """Both, in one type and shape, as torch.mul takes them. Nested ones stay, as torch's functions take them."""
    if a.is_nested or b.is_nested:
        return a.contiguous(), b.contiguous()
    if a.device != b.device:
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found {a.device} and {b.device}"
        )
    if a.dtype != b.dtype:
        dtype = torch.result_type(a, b)
        a, b = a.to(dtype), b.to(dtype)
    return (a, b) if a.shape == b.shape else torch.broadcast_tensors(a, b)


def _takes(out, x):
    """Whether a kernel may write GELU of x to out. Else torch says what is wrong, or makes it right."""
    return (
        not torch.compiler.is_compiling()
        and not _is_transformed()
        and _is_plain((x, out))
        and not (torch.is_grad_enabled() and (x.requires_grad or out.requires_grad))
        and (x.dtype, x.shape) == (out.dtype, out.shape)
        and out.is_contiguous()
        and (out is x or out.untyped_storage().data_ptr() != x.untyped_storage().data_ptr())
    )


def gelu(input: Tensor, approximate: str = "none", *, out: Tensor | None = None) -> Tensor:
    """
    The Gaussian error linear unit of a tensor, as torch.nn.functional.gelu, by gelu_fast.

    Parameters
    ----------
    input : Tensor
        Numbers, of any shape and memory format: float16, float32, float64 or bfloat16.
    approximate : {"none", "tanh", "sigmoid"}, optional
        The form: exact, the tanh approximation, or the sigmoid approximation.
    out : Tensor, optional
        Where the result is written to. As for every function of torch it is resized if it has another shape, and
        nothing is recorded for autograd.

    Returns
    -------
    Tensor
        GELU of each element, of the shape, type and memory format of `input`; `out` if given.

    Raises
    ------
    RuntimeError
        If `approximate` is none of the above, if the tensor is bfloat16 and ml_dtypes is not installed, or if torch
        refuses `out`, which stays as it was.
    NotImplementedError
        If the tensor is of another type.
    TypeError
        If `input` or `out` is no tensor.

    Notes
    -----
    On a CPU the result has the bits, and the error bound, of ``gelu_fast.gelu(input.numpy(), approximate)``, and the
    gradient those of `gelu_fast.gelu_backward`. torch's functions compute second and higher derivatives, from the exact
    formula. Tensors of other devices and layouts get torch's own GELU.

    `gelu_fast.set_num_threads` sets the number of threads, not `torch.set_num_threads`.

    Examples
    --------
    >>> import torch
    >>> from gelu_fast.torch import gelu
    >>> gelu(torch.tensor([-13.5, 0.0, 1.0]))
    tensor([-1.0555e-40,  0.0000e+00,  8.4134e-01])
    """
    if has_torch_function((input, out)):
        return handle_torch_function(gelu, (input, out), input, approximate, out=out)
    _check(approximate, input)
    if out is None:
        return _gelu(input, approximate)
    if not isinstance(out, Tensor):
        raise TypeError(f"out must be a Tensor, not {type(out).__name__}")
    if not torch.compiler.is_compiling() and out.is_inference() and not torch.is_inference_mode_enabled():
        # torch would say so after it has written.
        raise RuntimeError("Inplace update to inference tensor outside InferenceMode is not allowed")
    if _takes(out, input):
        _gelu.write(out, input, approximate)
        torch.autograd.graph.increment_version(out)  # so that autograd notices if it has saved out
        return out
    y = _gelu(input, approximate)
    torch.ops.aten.gelu.out(input, out=out)  # resizes out, or raises
    return out.copy_(y)


def bias_gelu(x: Tensor, bias: Tensor, approximate: str = "none") -> Tensor:
    """
    GELU of a sum, ``gelu(x + bias, approximate)``, in one pass.

    Parameters
    ----------
    x, bias : Tensor
        The summands, of types that are promoted and shapes that broadcast as those of torch.mul: most often one number
        for each element of the last axis.
    approximate : {"none", "tanh", "sigmoid"}, optional
        The form, as for `gelu`.

    Returns
    -------
    Tensor
        GELU of each sum, with the bits of `gelu_fast.bias_gelu`. The sum is rounded once, to float32 for float16 and
        bfloat16. The gradient is taken where ``x + bias``, rounded to the tensor's type, lies.

    Raises
    ------
    RuntimeError
        As `gelu` does; also if the shapes do not broadcast, or the devices differ.
    NotImplementedError, TypeError
        As `gelu` does.

    Examples
    --------
    >>> import torch
    >>> from gelu_fast.torch import bias_gelu
    >>> bias_gelu(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([0.0, -2.0]))
    tensor([[0.8413, 0.0000],
            [2.9960, 1.9545]])
    """
    if has_torch_function((x, bias)):
        return handle_torch_function(bias_gelu, (x, bias), x, bias, approximate)
    _check(approximate, x, bias)
    return _bias_gelu(*_same(x, bias), approximate)


def geglu(gate: Tensor, up: Tensor | None = None, approximate: str = "none", *, dim: int = -1) -> Tensor:
    """
    The gated linear unit with GELU, ``gelu(gate, approximate) * up``, in one pass.

    Parameters
    ----------
    gate : Tensor
        The input of GELU; or, if `up` is not given, both: it is split in halves along `dim`, `up` the first and the
        gate the second, as torch.nn.functional.glu does.
    up : Tensor, optional
        The other factor. Types are promoted and shapes broadcast as those of torch.mul.
    approximate : {"none", "tanh", "sigmoid"}, optional
        The form, as for `gelu`.
    dim : int, optional
        The dimension along which one tensor is split. It has no meaning for two.

    Returns
    -------
    Tensor
        The product, with the bits of `gelu_fast.geglu`; the gradients have those of `gelu_fast.geglu_backward`.

    Raises
    ------
    RuntimeError
        As `gelu` does; also if the shapes do not broadcast, the devices differ, or one tensor has an odd number of
        elements along `dim`.
    IndexError
        If one tensor has no dimension `dim`.
    NotImplementedError, TypeError
        As `gelu` does.

    Examples
    --------
    >>> import torch
    >>> from gelu_fast.torch import geglu
    >>> geglu(torch.tensor([0.0, 1.0, 2.0]), torch.tensor([3.0, 2.0, 1.0]))
    tensor([0.0000, 1.6827, 1.9545])
    """
    if has_torch_function((gate, up)):
        return handle_torch_function(geglu, (gate, up), gate, up, approximate, dim=dim)
    _check(approximate, gate)
    if up is None:
        halves = gate.chunk(2, dim)
        if gate.size(dim) % 2:
            raise RuntimeError(f"geglu(): dimension {dim} of size {gate.size(dim)} has no halves")
        up, gate = halves
    _check(approximate, up)
    return _geglu(*_same(gate, up), approximate)


# ---- modules ----


class GELU(nn.Module):
    """
    The module of `gelu`, in place of torch.nn.GELU. It has no parameters.

    Parameters
    ----------
    approximate : {"none", "tanh", "sigmoid"}, optional
        The form, as for `gelu`.

    Raises
    ------
    RuntimeError
        If `approximate` is none of the above.

    Examples
    --------
    >>> import torch
    >>> from gelu_fast.torch import GELU
    >>> torch.nn.Sequential(torch.nn.Linear(4, 8), GELU("tanh"))
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): GELU(approximate='tanh')
    )
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        _check(approximate)
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Replaced(NamedTuple):
    """The report of `replace_gelu`."""

    exchanged: list[tuple[str, str, str]]
    """(qualified name, class or function of before, form) of each place."""
    left: list[tuple[str, str]]
    """(qualified name, class) of modules and attributes that stay as they are, though they may compute GELU."""


# Of transformers.activations. FastGELUActivation writes sqrt(2/pi) with ten digits: 4e-12 from the tanh form.
_TRANSFORMERS = {
    "GELUActivation": "none",
    "NewGELUActivation": "tanh",
    "FastGELUActivation": "tanh",
    "GELUTanh": "tanh",
    "PytorchGELUTanh": "tanh",
    "AccurateGELUActivation": "tanh",
    "QuickGELUActivation": "sigmoid",
}


def _form_of(module):
    """The form that the module computes, if it is of a class that is known for it. A subclass may compute another, and
    so may an object with a forward of its own, as hooks of accelerate give it."""
    if "forward" in vars(module):
        return None
    if type(module) is nn.GELU:
        return module.approximate
    name, activations = type(module).__name__, sys.modules.get("transformers.activations")
    if name in _TRANSFORMERS and type(module) is getattr(activations, name, None):
        return _TRANSFORMERS[name]
    return None


def _forbid_fused(module):
    """Within a fused encoder layer torch would compute its own GELU."""
    if isinstance(module, nn.TransformerEncoderLayer) and (
        module.activation is gelu or isinstance(module.activation, GELU)
    ):
        module.activation_relu_or_gelu = 0
    elif isinstance(module, nn.TransformerEncoder):
        if any(getattr(layer, "activation_relu_or_gelu", None) == 0 for layer in module.layers):
            module.use_nested_tensor = False


def replace_gelu(model: nn.Module) -> Replaced:
    """
    Make a model use gelu_fast, in place.

    Modules of torch.nn.GELU, and of the classes of transformers.activations that are one of the three forms, give their
    places to modules of `GELU`, with the same hooks and names. The old modules stay as they are, as other models may
    share them; only `model` itself, if it is one, changes its class. Where a module keeps the function
    torch.nn.functional.gelu as an attribute, as nn.TransformerEncoderLayer does, the attribute becomes `gelu`.

    Parameters
    ----------
    model : torch.nn.Module
        The model. Its parameters stay as they are.

    Returns
    -------
    Replaced
        `exchanged` lists (qualified name, class or function of before, form) of each place; `left` lists (qualified
        name, class) of what stays as it is: subclasses of torch.nn.GELU, which may compute something else; modules
        whose class has GELU in its name, such as ClippedGELUActivation; modules of GELU whose attribute `forward`
        replaces that of the class; and attributes that are a functools.partial of torch.nn.functional.gelu.

    Notes
    -----
    Calls of torch.nn.functional.gelu within the code of a `forward` cannot be seen, nor can attributes of classes,
    items of lists and dicts, and what torch.jit has compiled or torch.export has exported.

    nn.TransformerEncoderLayer has a fused path for inference, with torch's own GELU in it. A layer whose activation is
    exchanged takes the ordinary path instead.

    Examples
    --------
    >>> import torch
    >>> from gelu_fast.torch import replace_gelu
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.GELU("tanh"))
    >>> replace_gelu(model).exchanged
    [('1', 'GELU', 'tanh')]
    """
    exchanged, left, forms, attributes = [], [], {}, []
    modules = list(model.named_modules(remove_duplicate=False))
    for name, module in modules:
        form, kind = _form_of(module), type(module).__name__
        if form in _FORMS:
            exchanged.append((name, kind, form))
            forms[module] = form
            continue
        if isinstance(module, nn.GELU) or "gelu" in kind.lower() and type(module) is not GELU:
            left.append((name, kind))
        for attribute, value in vars(module).items():
            if value is F.gelu:
                exchanged.append((f"{name}.{attribute}".lstrip("."), "torch.nn.functional.gelu", "none"))
                attributes.append((module, attribute))
            elif isinstance(value, partial) and value.func is F.gelu:
                left.append((f"{name}.{attribute}".lstrip("."), "functools.partial"))
    news = {}
    for module, form in forms.items():
        new = module if module is model else copy.copy(module)  # other models may share the module
        vars(new).pop("act", None)  # of transformers: the function that computes it
        new.__class__, new.approximate = GELU, form
        news[module] = new
    for _, parent in modules:
        for key, child in parent._modules.items():
            if child in news:
                parent._modules[key] = news[child]
    for module, attribute in attributes:
        setattr(module, attribute, gelu)
    for _, module in reversed(modules):  # layers before the encoders that they are in
        _forbid_fused(module)
    return Replaced(exchanged, left)
