# SPDX-License-Identifier: BSD-3-Clause
"""The docstrings of the ufuncs, with their bounds from the accuracy table."""

from gelu_fast._bounds import NEAR_ZERO, UFUNCS, ULP, UNIT_NEAR_ZERO, ZEROS

_TEMPLATE = """\
{summary}

Parameters
----------
x : array_like
    Input, of any shape. float16, float32 and float64 are computed as they are; bool, integers and Python
    numbers are promoted as `numpy.exp` promotes them.
out, where, casting, order, dtype, subok, signature
    As for every `numpy.ufunc`.

Returns
-------
ndarray or scalar
    ``{formula}``{where}, element by element, in the shape of `x`. {limits} NaN at NaN and nowhere else.

Raises
------
TypeError
    If `x` is complex, longdouble, object, string or datetime.

See Also
--------
{function} : All forms in one function.

Notes
-----
Error, against the exact value and rounding included, on every ISA level: at most {float32:g} ULP for every
float32; {float64:g} ULP for float64 (sampled); {float16:g} ULP, which is correct rounding, for every float16.
{near_zero}A result depends on nothing but its value: not on position, length, stride, or the number of threads. No
finite input raises a floating-point warning.

D. Hendrycks and K. Gimpel, "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415.

Examples
--------
>>> import numpy as np
>>> import gelu_fast
>>> gelu_fast.{name}(np.float64(1.0))
np.float64({example})
"""

_NEAR_ZERO = """\
It is zero at {zero:.6f}; at most {near:g} from there the error is at most 2**{float32} for float32 and
2**{float64} for float64, or a ULP if that is larger.
"""

# form -> its gate, the derivative of that, what else is to be said of them, who uses the form
_FORMS = {
    "exact": (
        "Phi(x)",
        "phi(x)",
        ", with Phi the distribution function of the standard normal distribution and phi its density",
        "exact",
    ),
    "tanh": (
        "(1 + tanh(u)) / 2",
        "2 * u'(x) * g * (1 - g)",
        ", u = sqrt(2/pi) * (x + 0.044715 * x**3), g the gate",
        "tanh approximation, as in GPT-2 and the first BERT",
    ),
    "sigmoid": (
        "1 / (1 + exp(-1.702 * x))",
        "1.702 * g * (1 - g)",
        ", g the gate",
        "sigmoid approximation, as in CLIP (QuickGELU)",
    ),
}

_FUNCTIONS = {
    "gelu": (
        "The Gaussian error linear unit",
        "x * {gate}",
        "-0.0 at -inf, +inf at +inf, +-0 at +-0. The sign is that of `x`, also where the result underflows to zero.",
    ),
    "gelu_gate": (
        "The gate of the Gaussian error linear unit",
        "{gate}",
        "0 at -inf, 1 at +inf, 1/2 at +-0.",
    ),
    "gelu_grad": (
        "The derivative of the Gaussian error linear unit",
        "{gate} + x * {slope}",
        "0 at -inf, 1 at +inf, 1/2 at +-0.",
    ),
}

_AT_ONE = {
    "gelu_erf": "0.8413447460685429",
    "gelu_tanh": "0.8411919906082768",
    "gelu_sigmoid": "0.8457957659328212",
    "gelu_gate_erf": "0.8413447460685429",
    "gelu_gate_tanh": "0.8411919906082768",
    "gelu_gate_sigmoid": "0.8457957659328212",
    "gelu_grad_erf": "1.0833154705876864",
    "gelu_grad_tanh": "1.0829640838457826",
    "gelu_grad_sigmoid": "1.067779606556334",
}


def _doc(name):
    function, form = UFUNCS[name]
    gate, slope, where, use = _FORMS[form]
    what, formula, limits = _FUNCTIONS[function]
    near_zero = ""
    if name in ZEROS:
        exponents = {dtype: f"{unit.hex().split('p')[1]}" for dtype, unit in UNIT_NEAR_ZERO.items() if unit}
        near_zero = _NEAR_ZERO.format(zero=ZEROS[name], near=NEAR_ZERO, **exponents)
    return _TEMPLATE.format(
        summary=f"{what}, {use}.",
        formula=formula.format(gate=gate, slope=slope),
        where=where,
        limits=limits,
        near_zero=near_zero,
        function=function,
        name=name,
        example=_AT_ONE[name],
        **ULP[name],
    )


UFUNC_DOCS = {name: _doc(name) for name in UFUNCS}
