# SPDX-License-Identifier: BSD-3-Clause
"""The search for the inputs at which functions of several inputs err most.

Such a result is a factor a times a curve of one number, which the kernels hold in two parts, value + lost. The error
of a product is at most 0.5 ULP + e: 0.5 ULP for its own rounding, and e for the error of the two parts and for the
rounding of a times lost. e is 2^p times their relative error, where p is the type's precision. The error is that large
where the product lies at the top of a binade. So e can be computed for every float32, and e <= LIMIT means an error of
at most 0.99 ULP (0.995 for a subnormal product: gelu.h). `aimed` finds factors that show this error. tests/curves.c
gives the two parts."""

import ctypes
import hashlib
import os
import re
import subprocess
from functools import cache, lru_cache
from pathlib import Path

import accuracy
import numpy as np
import oracle
from needs import command

from gelu_fast import _core
from gelu_fast._bounds import FORMS, NEAR_ZERO, UFUNCS, UNIT_NEAR_ZERO, ZEROS
from gelu_fast._functions import FUNCTIONS

ROOT = Path(__file__).resolve().parent.parent
KERNELS = ROOT / "gelu_fast" / "kernels"
LIMIT = 0.49
WORST = Path(__file__).with_name("worst.json")  # written by exhaustive.py

# The flags of setup.py that decide bits. REGISTERS: float32 as on x86-64-v4, computed with narrower vectors.
FLAGS = "-O1 -ffp-contract=off -fno-math-errno -fno-trapping-math -shared -fPIC".split()
LEVELS = {
    "baseline": [],
    "x86-64-v3": ["-march=x86-64-v3"],
    "x86-64-v4": ["-march=x86-64-v4"],
    "registers": ["-march=x86-64-v3", "-DREGISTERS"],
    "neon": [],
}
PRECISION = {"float32": 24, "float64": 53}

# gelu, its gate and its gradient; and the gate's slope, which is combined with the gate in the gradient with location
# and scale.
SLOPES = [f"slope_{form}" for form in FORMS]
CURVES = [f"{prefix}{form}" for prefix in ("", "gate_", "grad_") for form in FORMS] + SLOPES
BEGIN = 2.0**-60  # below it x/2 and 1/2 are exact enough


class Level:
    """The kernels of one ISA level."""

    def __init__(self, name):
        sources = [Path(__file__).with_suffix(".c"), *sorted(KERNELS.glob("tables/*.c"))]
        compiler, flags = command("gcc", "cc", debian="gcc"), FLAGS + LEVELS[name]
        text = b"".join(path.read_bytes() for path in [sources[0], *sorted(KERNELS.rglob("*.[ch]"))])
        key = hashlib.sha256(text + " ".join(flags).encode()).hexdigest()[:16]
        path = ROOT / "build" / f"curves-{name}-{key}.so"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            new = path.with_suffix(f".{os.getpid()}")
            args = [*flags, "-I", KERNELS, *sources, "-o", new]
            done = subprocess.run([compiler, *map(str, args)], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            new.replace(path)  # atomically, as another process may load it
        self.library = ctypes.CDLL(str(path))
        kernels = ctypes.c_void_p * (4 * 2 * len(UFUNCS))
        self.kernels = np.frombuffer(kernels.in_dll(self.library, "gelu_kernels_tested"), np.uintp)
        self.kernels = self.kernels.reshape(len(UFUNCS), 4, 2)

    def parts(self, curve, x):
        """For every x, value, lost, and the k of the factor 2^k that both contain."""
        out = [np.empty_like(x) for _ in range(3)]
        function = getattr(self.library, f"f{8 * x.itemsize}_{curve}_parts")
        function(*(ctypes.c_void_p(a.ctypes.data) for a in (x, *out)), ctypes.c_ssize_t(x.size))
        return out[0], out[1], 96 * out[2].astype(int)

    def call(self, name, *inputs):
        """The outputs of a ufunc, as a tuple."""
        ufunc, inputs = _core.ufuncs[name], [np.ascontiguousarray(x) for x in inputs]
        outputs = [np.empty_like(inputs[0]) for _ in range(ufunc.nout)]
        args = (ctypes.c_void_p * (ufunc.nin + ufunc.nout))(*(a.ctypes.data for a in (*inputs, *outputs)))
        kernel = self.kernels[list(_core.ufuncs).index(name), inputs[0].itemsize // 8, 0]
        ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_ssize_t)(int(kernel))(
            ctypes.addressof(args), inputs[0].size
        )
        return tuple(outputs)


level = cache(Level)


def levels(dtype):
    """The levels that this CPU can run. For float32 on a CPU without x86-64-v4, also `registers`: v4's arithmetic in
    narrower vectors, which need x86-64-v3."""
    there = list(_core.available_isa_levels)
    narrower = dtype == "float32" and "x86-64-v3" in there and "x86-64-v4" not in there
    return there + ["registers"] * narrower


# ---- the error of the two parts ----


@lru_cache(maxsize=4)
def _exact(curve, x):
    """oracle.curve of a float32 array, given as its bytes. It is cached, as each level in turn asks for the same x."""
    return oracle.curve(curve, np.float64(np.frombuffer(x, np.float32)))


def least_unit(curve, x):
    """The least unit of an error: 0, but near the zero of a gradient 2**p times the unit there."""
    near = np.abs(x - ZEROS.get(f"gelu_{curve}", np.inf)) <= NEAR_ZERO
    return np.where(near, UNIT_NEAR_ZERO[x.dtype.name] * 2.0 ** PRECISION[x.dtype.name], 0.0)


def signed_errors(level_name, curve, x):
    """(value + lost - exact) 2**p, relative to the size of the exact value, or to `least_unit` where that is larger."""
    value, lost, lifted = level(level_name).parts(curve, x)
    p, unit = PRECISION[x.dtype.name], least_unit(curve, x)
    if x.dtype == np.float64:
        return oracle.curve_errors(curve, x, value, lost, lifted, unit) * 2.0**p
    exact, scale = _exact(curve, x.tobytes()), np.where(lifted, 2.0**-96, 1.0)
    return ((value * scale - exact) + lost * scale) / np.maximum(np.abs(exact), unit) * 2.0**p


def error_in_gradient(gate, slope):
    """The most that signed errors of gate and slope add to 0.5 ULP of the largest of three: the gate, a factor times
    the slope, and their sum. If these two terms have different signs, one of them lies at the top of its binade, and
    the other is at most half as large, as otherwise they would cancel and the rounding would be finer. If they have
    the same sign, a mean of both errors counts."""
    return np.max(np.abs([gate, slope, gate - slope / 2, slope - gate / 2]), axis=0)


@cache
def cutoff(curve, dtype):
    """Where the kernels' tail ends, by the header that tools/fit.py writes; a slope is computed beside its gate."""
    real = f"f{dtype[-2:]}"
    text = (KERNELS / f"coeffs_{real}.h").read_text()
    name = f"{real}_CUTOFF_{curve.replace('slope', 'gate')}"
    return float.fromhex(re.search(rf"{name} (0x[0-9a-f.]+p[+-]\d+)", text)[1])


def numbers(curve, dtype, sign=-1):
    """The range of numbers that are judged: the bits of the smallest and of the largest |x|. Above 0 it covers the
    segments alone."""
    form = curve.split("_")[-1]
    end = cutoff(curve, dtype) if sign < 0 else {"erf": 5, "tanh": 4.5, "sigmoid": 7.8}[form]
    return [int(np.array(t, dtype).view(f"u{np.dtype(dtype).itemsize}")) for t in (2 * BEGIN, end)]


def some_float64(curve, n, seed):
    """Numbers of accuracy.some_float64, those for which the two parts are used."""
    x = accuracy.some_float64(f"gelu_{curve.replace('slope', 'gate')}", n, seed)
    (first, tail), (_, end) = (np.array(numbers(curve, "float64", sign), "u8").view("f8") for sign in (-1, 1))
    x = -np.abs(x) if curve in SLOPES else x
    return x[(np.abs(x) >= first) & (-x <= tail) & (x <= end)]


def worst(level_name, curve, x, n):
    """The n largest errors for some numbers, and these n numbers. An error is what is added to 0.5 ULP where a product
    lies at the top of a binade; the rounding of a times `lost` is included. For a slope, it is the error together with
    the gate's, and the numbers are below 0."""
    errors = signed_errors(level_name, curve, x)
    if curve in SLOPES:
        errors = error_in_gradient(
            signed_errors(level_name, curve.replace("slope", "rounded_gate"), x), errors
        )
    else:
        value, lost, _ = level(level_name).parts(curve, x)
        errors = np.abs(errors) + np.abs(lost) / np.maximum(np.abs(value + lost), least_unit(curve, x))
    at = np.argpartition(errors, -n)[-n:]
    at = at[np.argsort(errors[at])]
    return errors[at], x[at]


# ---- factors that round worst ----


def curves_of(name):
    """The curves that a function multiplies, in the order of its outputs. They are recognized by the terms that `exact`
    gives for numbers that are all different."""
    function, form = UFUNCS[name]
    form = {value: key for key, value in FORMS.items()}[form]
    z, *outputs = FUNCTIONS[function].exact(*np.float64([2, 3, 5, 7])[: _core.ufuncs[name].nin])
    prefixes = {(z,): "", (1,): "gate_", (1, z): "grad_"}
    return [prefixes.get(tuple(of_terms), "slope_") + form for _, *of_terms in outputs]


def places(function, n_in):
    """The index of the input that is z, and that of the input that is a factor of the first output."""
    exact = FUNCTIONS[function].exact
    rows = [exact(*[2.0 if i == place else 1.0 for i in range(n_in)]) for place in range(n_in)]
    return [z for z, _, *_ in rows].index(2), [a for _, (a, *_), *_ in rows].index(2)


def factors(exact, dtype, n, rng):
    """n factors for each exact value. The products lie just below powers of two of all sizes: there an error is the
    most ULP, and the rounding of the product is as good as random."""
    info = np.finfo(dtype)
    mantissa, exponent = (part[:, None] for part in np.frexp(np.abs(exact)))
    low = np.maximum(info.minexp - info.nmant - 8, exponent + info.minexp - info.nmant + 30)
    high = np.minimum(info.maxexp, exponent + info.maxexp - 1)
    shape = exact.size, n
    k = np.int64(np.floor(rng.uniform(low, high, shape)))
    size = np.ldexp(rng.uniform(1 - 2.0**-9, 1, shape) / mantissa, k - exponent)
    return (size * rng.choice([-1, 1], shape)).astype(dtype)


def with_z(x, z, dtype):
    """mu and sigma for which (x - mu) / sigma is z. mu is NaN where no simple pair gives it."""
    scale = np.clip(np.frexp(x)[1].astype(int) - np.frexp(z)[1], -90, 90)
    sigma = np.ldexp(np.ones_like(x), np.where(x == 0, 0, scale)).astype(dtype)
    mu = (x - z * sigma).astype(dtype)
    return np.where((x - mu) / sigma == z, mu, dtype(np.nan)), sigma


@np.errstate(all="ignore")
def aimed(name, points, dtype, n, seed):
    """Inputs of a function of several inputs: n for each of the worst points of its curves, {curve: numbers}."""
    rng, dtype = np.random.default_rng(seed), np.dtype(dtype).type
    function, form = UFUNCS[name]
    found = []
    for curve in curves_of(name):
        x = np.asarray(points[curve], dtype)
        x = x[oracle.curve(curve, np.float64(x)) != 0]
        exact = oracle.curve(curve, np.float64(x))
        a, z = factors(exact, dtype, n, rng), np.repeat(x[:, None], n, axis=1)
        if function == "bias_gelu":
            inputs = [z, np.zeros_like(z)]
        elif not function.endswith("_mu_sigma"):
            inputs = [np.ones_like(a) for _ in range(_core.ufuncs[name].nin)]
            place_of_z, place_of_a = places(function, len(inputs))
            inputs[place_of_z], inputs[place_of_a] = z, a
        elif function == "gelu_gate_mu_sigma":
            inputs = [z, np.zeros_like(z), np.ones_like(z)]
        elif function == "gelu_mu_sigma":
            inputs = [a, *with_z(a, z, dtype)]
        else:  # the slope's term, or its sum with the gate, lies at the top of a binade
            gate = oracle.curve(curve.replace("slope", "gate"), np.float64(x))[:, None]
            top = np.ldexp(
                rng.uniform(1 - 2.0**-9, 1, z.shape), np.frexp(gate)[1] + rng.integers(-3, 8, z.shape)
            )
            top = np.where(rng.random(z.shape) < 0.3, top - gate, top * rng.choice([-1, 1], z.shape))
            by = (top / exact[:, None]).astype(dtype)
            sigma = with_z(by, z, dtype)[1]
            inputs = [by * sigma, (by * sigma - z * sigma).astype(dtype), sigma]
            inputs[1] = np.where((inputs[0] - inputs[1]) / sigma == z, inputs[1], dtype(np.nan))
        found.append(np.array([each.ravel() for each in inputs]))
    found = np.concatenate(found, axis=1)
    return list(found[:, np.isfinite(found).all(axis=0)])
