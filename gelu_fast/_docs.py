# SPDX-License-Identifier: BSD-3-Clause
"""The docstrings of the ufuncs, with their bounds from the accuracy table."""

from gelu_fast._bounds import ULP

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
    {formula}, element by element, in the shape of `x`. -0.0 at -inf, +inf at +inf, +-0 at +-0, NaN at NaN and
    nowhere else. The sign is that of `x`, also where the result underflows to zero.

Raises
------
TypeError
    If `x` is complex, longdouble, object, string or datetime.

See Also
--------
gelu : All forms in one function.

Notes
-----
Error, against the exact value and rounding included, on every ISA level: at most {float32:g} ULP for every
float32; {float64:g} ULP for float64 (sampled); {float16:g} ULP, which is correct rounding, for every float16.
A result depends on nothing but its value: not on position, length, stride, or the number of threads. No
finite input raises a floating-point warning.

{source}

Examples
--------
>>> import numpy as np
>>> import gelu_fast
>>> gelu_fast.{name}(np.float64(1.0))
np.float64({example})
"""

_HENDRYCKS = 'D. Hendrycks and K. Gimpel, "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415.'

_FORMS = {
    "gelu_erf": {
        "summary": "The Gaussian error linear unit, exact: x Phi(x).",
        "formula": "``x * Phi(x)``, with Phi the distribution function of the standard normal distribution",
        "source": _HENDRYCKS,
        "example": "0.8413447460685429",
    },
    "gelu_tanh": {
        "summary": "The Gaussian error linear unit, tanh approximation, as in GPT-2 and the first BERT.",
        "formula": "``x * (1 + tanh(sqrt(2/pi) * (x + 0.044715 * x**3))) / 2``",
        "source": _HENDRYCKS,
        "example": "0.8411919906082768",
    },
    "gelu_sigmoid": {
        "summary": "The Gaussian error linear unit, sigmoid approximation, as in CLIP (QuickGELU).",
        "formula": "``x / (1 + exp(-1.702 * x))``",
        "source": _HENDRYCKS,
        "example": "0.8457957659328212",
    },
}

UFUNC_DOCS = {name: _TEMPLATE.format(name=name, **form, **ULP[name]) for name, form in _FORMS.items()}
