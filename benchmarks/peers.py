# SPDX-License-Identifier: BSD-3-Clause
"""The table of all that is timed: gelu_fast, its peers, and the floors, which move the same memory but compute
no GELU. All get the same arrays. A peer that is not installed is left out and named in MISSING."""

import ctypes
import math
import os
import platform
import subprocess
import warnings
from collections.abc import Callable
from ctypes.util import find_library
from functools import cache, partial
from importlib import import_module, metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from ours import APPROX, DTYPES, FORMS, MORE, ON_DATA, UNITS, other, ours, rows

import gelu_fast

THREADS = len(os.sched_getaffinity(0))  # conftest.py limits the process to as many CPUs as threads
VERSIONS: dict[str, str] = {}
MISSING: list[str] = []


def _optional(name):
    package = name.partition(".")[0]
    try:
        module = import_module(name)
    except ImportError:
        MISSING.append(package)
        return None
    VERSIONS[package] = metadata.version(package)
    return module


def _mkl():
    """MKL's library, which has no module of Python."""
    try:
        files = metadata.files("mkl") or ()
    except metadata.PackageNotFoundError:
        MISSING.append("mkl")
        return None
    path = next(file.locate() for file in files if file.match("libmkl_rt.so*"))
    library = ctypes.CDLL(str(path))
    # Sequential, or GNU's OpenMP, as MKL's own choice brings another OpenMP into the process.
    library.MKL_Set_Threading_Layer(1 if THREADS == 1 else 3)
    library.MKL_Set_Num_Threads(THREADS)
    VERSIONS["mkl"] = metadata.version("mkl")
    return library


def _compiled(name, library, version):
    """vector_math.c for this CPU, linked with a library of vector functions; None if it is missing."""
    cc, source = os.environ.get("CC", "cc"), Path(__file__).with_name("vector_math.c")
    with TemporaryDirectory() as work:
        objects, built = f"{work}/{name}.o", f"{work}/{name}.so"
        flags = ["-O3", "-march=native", "-ffast-math", "-fopenmp", "-fPIC"]
        # Linked without -ffast-math, with which GCC makes the whole process flush subnormal numbers to zero.
        commands = (
            [cc, *flags, "-c", str(source), "-o", objects],
            [cc, "-shared", "-fopenmp", objects, f"-l{library}", "-lm", "-Wl,-z,defs", "-o", built],
        )
        try:
            for command in commands:
                subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            MISSING.append(name)
            return None
        VERSIONS[name] = version
        return ctypes.CDLL(built)


special = _optional("scipy.special")
numexpr = _optional("numexpr")
numba = _optional("numba")
torch = _optional("torch")
onnx = _optional("onnx.helper")
ort = _optional("onnxruntime")
jax = _optional("jax")

mkl = _mkl()
libmvec = _compiled("libmvec", "mvec", " ".join(platform.libc_ver()))
sleef = _compiled("SLEEF", "sleefgnuabi", find_library("sleefgnuabi"))

ml_dtypes = _optional("ml_dtypes")
bfloat16 = ml_dtypes and np.dtype(ml_dtypes.bfloat16)

gelu_fast.set_num_threads(THREADS)
if numexpr:
    numexpr.set_num_threads(THREADS)
if numba:
    numba.set_num_threads(THREADS)
if torch:
    torch.set_num_threads(THREADS)
    torch.set_grad_enabled(False)
if jax:
    jax.config.update("jax_enable_x64", True)
    # In favour of JAX: for a small array, giving the work to another thread and waiting takes longer than the work.
    jax.config.update("jax_cpu_enable_async_dispatch", False)

# Each `prepare` takes the form, the input and the output (None: allocate it in each call), does beforehand all
# that can be done beforehand, and returns the callable without arguments that is timed.

_UFUNC = {"exact": gelu_fast.gelu_erf, "tanh": gelu_fast.gelu_tanh, "sigmoid": gelu_fast.gelu_sigmoid}
_SQRT_HALF, _SQRT_2_PI, _CUBIC, _SIGMOID = math.sqrt(0.5), math.sqrt(2 / math.pi), 0.044715, 1.702


def _scipy(form, x, y):
    if form == "gate":
        return lambda: special.ndtr(x, out=y)
    if form == "grad":
        return lambda: np.add(special.ndtr(x), x * np.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi)), out=y)
    if form == "exact":
        return lambda: np.multiply(0.5 * x, 1 + special.erf(x * _SQRT_HALF), out=y)
    return lambda: np.multiply(x, special.expit(_SIGMOID * x), out=y)


def _numpy(form, x, y):
    if form == "tanh":
        # x * x * x favours the formula: x**3, which many write, calls pow() and takes hundreds of times as long.
        return lambda: np.multiply(0.5 * x, 1 + np.tanh(_SQRT_2_PI * (x + _CUBIC * (x * x * x))), out=y)
    return lambda: np.divide(x, 1 + np.exp(-_SIGMOID * x), out=y)


def _numexpr(form, x, y):
    # numexpr 2.14 has no erf(), so there is no exact form; try again when a release lists one. A float in the
    # text is a double and makes the whole expression double; so constants are variables of the array's type.
    expression = {"tanh": "h * x * (o + tanh(a * (x + b * x * x * x)))", "sigmoid": "x / (o + exp(s * x))"}
    constants = {"h": 0.5, "o": 1.0, "a": _SQRT_2_PI, "b": _CUBIC, "s": -_SIGMOID}
    names = {name: x.dtype.type(value) for name, value in constants.items()} | {"x": x}
    return partial(numexpr.evaluate, expression[form], local_dict=names, out=y)


@cache
def _numba_loop(form, dtype):
    # numba 0.68 has float16 on CUDA only, so there is none here; try again when it has it on a CPU. A loop, as
    # vectorize(target="parallel") gained nothing from a second thread. fastmath=True did not change the time.
    half, one, r, a, b, s = map(dtype.type, (0.5, 1.0, _SQRT_HALF, _SQRT_2_PI, _CUBIC, _SIGMOID))
    scalar = {
        "exact": lambda v: half * v * (one + math.erf(r * v)),
        "tanh": lambda v: half * v * (one + math.tanh(a * (v + b * (v * v * v)))),
        "sigmoid": lambda v: v / (one + math.exp(-s * v)),
    }[form]
    scalar = numba.njit(scalar, error_model="numpy")

    @numba.njit(parallel=THREADS > 1, error_model="numpy")
    def loop(x, y):
        for i in numba.prange(x.size):
            y[i] = scalar(x[i])

    return loop


def _tensor(x):
    if x is None:
        return None
    if x.dtype.name == "bfloat16":
        return torch.from_numpy(x.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(x)


def _torch(form, x, y):
    tx, ty = _tensor(x), _tensor(y)
    # On Zen 4 the exact form for float64 takes 18 ns an element; after relu() has run once, 3.3 (another day 12),
    # with the same bits. `perf` shows one instruction of its erf that stalls, not why. torch gets its best time.
    torch.relu(tx[:4096])
    if form == "gate":
        return partial(torch.special.ndtr, tx, out=ty)
    if form.startswith(("grad", "backward")):  # autograd calls this; the derivative alone has a dy of ones
        approximate = "tanh" if form in APPROX else "none"
        dy = torch.ones_like(tx) if form.startswith("grad") else _tensor(other(x))
        backward = torch.ops.aten.gelu_backward.grad_input
        return lambda: backward(dy, tx, approximate=approximate, grad_input=ty)
    gelu = torch._C._nn.gelu
    if form == "bias":
        tx, ty, bias = _tensor(rows(x)), _tensor(rows(y)), _tensor(other(x)[:UNITS])
        return lambda: gelu(torch.add(tx, bias, out=ty), out=ty)
    if form == "geglu":
        up = _tensor(other(x))
        return lambda: torch.mul(gelu(tx, out=ty), up, out=ty)
    if form == "sigmoid":  # torch has no function for it
        return lambda: torch.mul(tx, torch.sigmoid(_SIGMOID * tx), out=ty)
    # torch.nn.functional.gelu is this very function, documented without its out=.
    return partial(torch._C._nn.gelu, tx, approximate="none" if form == "exact" else form, out=ty)


def _torch_compile(form, x, y):
    gelu = torch.nn.functional.gelu
    if form == "bias":
        first, second, function = _tensor(rows(x)), _tensor(other(x)[:UNITS]), lambda a, b: gelu(a + b)
    else:
        first, second, function = _tensor(x), _tensor(other(x)), lambda a, b: gelu(a) * b
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch.compile raises some
        run = partial(torch.compile(function), first, second)
        run()
    return run


def _ort(form, x, y):
    tensor = onnx.np_dtype_to_tensor_dtype(x.dtype)
    node = onnx.make_node("Gelu", ["x"], ["y"], approximate="none" if form == "exact" else form)
    x_info, y_info = (onnx.make_tensor_value_info(name, tensor, ["n"]) for name in "xy")
    graph = onnx.make_graph([node], "gelu", [x_info], [y_info])
    model = onnx.make_model(graph, opset_imports=[onnx.make_opsetid("", 20)], ir_version=10)
    options = ort.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    if y is None:
        return lambda: session.run(None, {"x": x})[0]
    binding = session.io_binding()
    binding.bind_input("x", "cpu", 0, x.dtype.type, x.shape, x.ctypes.data)
    binding.bind_output("y", "cpu", 0, y.dtype.type, y.shape, y.ctypes.data)
    return partial(session.run_with_iobinding, binding)


def _jax(form, x, y):
    function = {
        "exact": partial(jax.nn.gelu, approximate=False),
        "tanh": partial(jax.nn.gelu, approximate=True),
        "sigmoid": lambda v: v * jax.nn.sigmoid(_SIGMOID * v),
        "gate": jax.scipy.stats.norm.cdf,
        "grad": jax.vmap(jax.grad(partial(jax.nn.gelu, approximate=False))),
        "grad, tanh": jax.vmap(jax.grad(partial(jax.nn.gelu, approximate=True))),
        "bias": lambda v, bias: jax.nn.gelu(v + bias, approximate=False),
        "geglu": lambda gate, up: jax.nn.gelu(gate, approximate=False) * up,
    }[form]
    inputs = (rows(x), other(x)[:UNITS]) if form == "bias" else (x, other(x)) if form == "geglu" else (x,)
    compiled, on_device = jax.jit(function), [jax.device_put(v) for v in inputs]
    return lambda: compiled(*on_device).block_until_ready()


def _vml(function, accuracy, form, x, y):
    call = getattr(mkl, f"vm{'d' if x.dtype == np.float64 else 's'}{function}")
    n, px, py, mode = x.size, *map(ctypes.c_void_p, (x.ctypes.data, y.ctypes.data)), ctypes.c_int64(accuracy)

    def gelu():
        if function == "Erf":
            np.multiply(x, _SQRT_HALF, out=y)
            call(n, py, py, mode)
            np.add(y, 1, out=y)
            np.multiply(y, 0.5, out=y)
        else:
            call(n, px, py, mode)
        return np.multiply(x, y, out=y)

    return gelu if form == "exact" else lambda: call(n, px, py, mode)


def _vector_math(library, form, x, y):
    loop = getattr(library, f"{form}_{x.dtype}")
    return partial(loop, *map(ctypes.c_void_p, (x.ctypes.data, y.ctypes.data)), ctypes.c_long(x.size))


def _gelu_fast_ufunc(form, x, y):
    ufunc = _UFUNC[form]
    return (lambda: ufunc(x)) if y is None else lambda: ufunc(x, out=y)


def _negative(form, x, y):
    negative = np.negative
    return (lambda: negative(x)) if y is None else lambda: negative(x, out=y)


def _multiply(form, x, y):
    up = other(x)
    return lambda: np.multiply(x, up, out=y)


def _clamp_min(form, x, y):
    return partial(torch.clamp_min, torch.from_numpy(x), 0, out=torch.from_numpy(y))


class Peer(NamedTuple):
    name: str
    kind: str  # "ours", "floor" or "peer"
    needs: Any  # its module; None if it is not installed
    prepare: Callable
    does: dict[str, tuple[str, ...]]  # form -> dtypes; a floor has the form "any"
    modes: tuple[str, ...]
    largest: int = 2**26
    on_data: tuple[str, ...] = ()  # forms that are timed on all of distributions.py


MODES = ("out", "no out", "in place", "strided", "strided, both", "transposed")
OUT, NO_OUT, BOTH = ("out",), ("no out",), ("out", "no out")
COPY = ("out", "strided", "strided, both", "transposed")
FLOAT32: tuple[str, ...] = ("float32",)
NO_HALVES = (*FLOAT32, "float64")
NUMPYS = (*NO_HALVES, "float16")
ANY = {"any": NUMPYS}
ALL = dict.fromkeys(FORMS, NUMPYS)
NO_HALF = dict.fromkeys(FORMS, NO_HALVES)
NO_EXACT = {form: ALL[form] for form in ("tanh", "sigmoid")}
NUMEXPR = {form: NO_HALF[form] for form in NO_EXACT}
OURS = {form: DTYPES if form in ON_DATA else dtypes for form, (_, dtypes) in MORE.items()}
OURS |= dict.fromkeys(FORMS, DTYPES)
PEERS_MORE = {form: dtypes for form, (_, dtypes) in MORE.items()}
OTHERS = {form: PEERS_MORE[form] for form in ("gate", "grad", "grad, tanh")}
SCIPY = {form: ALL[form] for form in ("exact", "sigmoid")} | {form: OTHERS[form] for form in ("gate", "grad")}
SEVERAL = {form: PEERS_MORE[form] for form in ("bias", "geglu")}
BACKWARD = {form: PEERS_MORE[form] for form in ("backward", "backward, tanh")}
TORCH = ALL | {form: DTYPES for form in ("exact", "tanh")} | OTHERS | SEVERAL | BACKWARD
MKL_ACCURACIES = {"HA": 2, "LA": 1, "EP": 3}  # VML_HA: 1 ULP; VML_LA: 4 ULP; VML_EP: half of the digits
MKL_ERF = {"exact": NO_HALVES}
MKL = MKL_ERF | {"gate": NO_HALVES}
# ONNX Runtime 1.32 on a CPU has no erf for float64 (NOT_IMPLEMENTED), so its exact form lacks it too.
ORT = {"exact": ("float32", "float16"), "tanh": NUMPYS}

PEERS: tuple[Peer, ...] = (
    Peer("gelu_fast", "ours", np, ours, OURS, MODES, on_data=ON_DATA),
    # Without the Python function around it, which costs only at small sizes.
    Peer("gelu_fast ufunc", "ours", np, _gelu_fast_ufunc, ALL, BOTH, 128),
    Peer("torch", "peer", torch, _torch, TORCH, BOTH, on_data=("exact", "tanh")),
    Peer("torch.compile", "peer", torch, _torch_compile, SEVERAL, NO_OUT, 2**24),
    Peer("ONNX Runtime", "peer", onnx and ort, _ort, ORT, BOTH),
    Peer("JAX", "peer", jax, _jax, ALL | OTHERS | SEVERAL, NO_OUT, 2**24),
    Peer("numba", "peer", numba, lambda f, x, y: partial(_numba_loop(f, x.dtype), x, y), NO_HALF, OUT, 2**24),
    Peer("numexpr", "peer", numexpr, _numexpr, NUMEXPR, BOTH, 2**24),
    Peer("SciPy formula", "peer", special, _scipy, SCIPY, BOTH, 2**24),
    Peer("NumPy formula", "peer", np, _numpy, NO_EXACT, BOTH, 2**24),
    *(
        Peer(f"MKL CdfNorm {name}", "peer", mkl, partial(_vml, "CdfNorm", mode), MKL, OUT, 2**24)
        for name, mode in MKL_ACCURACIES.items()
    ),
    Peer("MKL Erf HA", "peer", mkl, partial(_vml, "Erf", MKL_ACCURACIES["HA"]), MKL_ERF, OUT, 2**24),
    Peer("libmvec", "peer", libmvec, partial(_vector_math, libmvec), NO_HALF, OUT, 2**24),
    Peer("SLEEF", "peer", sleef, partial(_vector_math, sleef), NO_HALF, OUT, 2**24),
    Peer("np.copyto", "floor", np, lambda f, x, y: partial(np.copyto, y, x), ANY, COPY),
    Peer("np.maximum(x, 0)", "floor", np, lambda f, x, y: partial(np.maximum, x, 0, out=y), ANY, BOTH),
    Peer("np.negative", "floor", np, _negative, ANY, MODES),
    Peer("np.multiply", "floor", np, _multiply, {"geglu": FLOAT32}, OUT),
    # ReLU with out=: a floor that uses threads, as NumPy's do not.
    Peer("torch.clamp_min(x, 0)", "floor", torch, _clamp_min, ANY, OUT),
)
PEERS = tuple(peer for peer in PEERS if peer.needs is not None)
