# SPDX-License-Identifier: BSD-3-Clause
"""The docstrings of the ufuncs, with their bounds from the accuracy table."""

from functools import cache
from textwrap import fill

from gelu_fast._bounds import (
    NEAR_ZERO,
    OF_LARGEST_TERM,
    UFUNCS,
    ULP,
    ULP_ONE_BYTE,
    UNARY,
    UNIT_NEAR_ZERO,
    ZEROS,
)

_TEMPLATE = """\
{summary}

Parameters
----------
{parameters}
out, where, casting, order, dtype, subok, signature
    As for every `numpy.ufunc`.

Returns
-------
{returns}

Raises
------
TypeError
    If an input is complex, longdouble, object, string or datetime.

See Also
--------
{function} : All forms in one function.

Notes
-----
{error}{near_zero}A result depends on nothing but its inputs' values: not on position, length, stride, or the number of
threads. No finite input raises a floating-point warning.

{reference}

Examples
--------
>>> import numpy as np
>>> import gelu_fast
>>> gelu_fast.{name}({inputs})
{output}
"""

_ONE_INPUT = """Input, of any shape. float16, float32 and float64 are computed as they are; bool, integers and Python
numbers are promoted as `numpy.exp` promotes them. With ml_dtypes installed, bfloat16 and its floats of one byte are
types as well."""
_INPUTS = """Inputs, of shapes that broadcast together, of types that are promoted to one as by `numpy.multiply`. See
`gelu` for the types."""

_ERROR_OF_ONE = """\
Error, against the exact value and rounding included, on every ISA level: at most {float32:g} ULP for every
float32; {float64:g} ULP for float64 (sampled); {float16:g} ULP, which is correct rounding, for every float16 and
bfloat16, and {one_byte:g} for the types of one byte.
"""
_ERROR = """\
Error, against the exact value of the above and rounding included, on every ISA level (sampled, and searched
for the worst): at most {float32:g} ULP{term} for float32, {float64:g} for float64, {float16:g}
for float16, {bfloat16:g} for bfloat16.
"""
_NEAR_ZERO = """\
{what} zero at {zero:.6f}; at most {near:g} from there the error is at most 2**{float32}{times} for float32 and
2**{float64}{times} for float64, or a ULP if that is larger.
"""

_GELUS = 'D. Hendrycks and K. Gimpel, "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415.'
_GLUS = 'N. Shazeer, "GLU Variants Improve Transformer", arXiv:2002.05202.'

# form -> its gate at x, at z, the derivatives of these, what else is to be said of them, who uses the form
_FORMS = {
    "exact": (
        "Phi({0})",
        "phi({0})",
        ", with Phi the distribution function of the standard normal distribution and phi its density",
        "exact",
    ),
    "tanh": (
        "(1 + tanh(u({0}))) / 2",
        "2 * u'({0}) * g * (1 - g)",
        ", u(x) = sqrt(2/pi) * (x + 0.044715 * x**3), g the gate",
        "tanh approximation, as in GPT-2 and the first BERT",
    ),
    "sigmoid": (
        "1 / (1 + exp(-1.702 * {0}))",
        "1.702 * g * (1 - g)",
        ", g the gate",
        "sigmoid approximation, as in CLIP (QuickGELU)",
    ),
}

# Kernels compute a curve up to a little beyond the point where it rounds to zero, and take zero from there on.
_TINY = (
    "below half of the smallest subnormal (of float32 for float16 and smaller types) may count as zero; otherwise it "
    "is computed, within the bound."
)
_Z = (
    "z = (x - mu) / sigma, both rounded, to float32 for float16 and smaller types; NaN where sigma is not above 0. A "
    f"gate {_TINY}"
)
# function -> what it is, its inputs, its formula, what is to be said of that, inputs of the example
_FUNCTIONS = {
    "gelu": (
        "The Gaussian error linear unit",
        "x",
        "x * {gate}",
        "-0.0 at -inf, +inf at +inf, +-0 at +-0. The sign is that of `x`, also where the result underflows to zero.",
        "np.float64(1.0)",
    ),
    "gelu_gate": (
        "The gate of the Gaussian error linear unit",
        "x",
        "{gate}",
        "0 at -inf, 1 at +inf, 1/2 at +-0.",
        "np.float64(1.0)",
    ),
    "gelu_grad": (
        "The derivative of the Gaussian error linear unit",
        "x",
        "{gate} + x * {slope}",
        "0 at -inf, 1 at +inf, 1/2 at +-0.",
        "np.float64(1.0)",
    ),
    "gelu_backward": (
        "A gradient times the derivative of the Gaussian error linear unit",
        "dy, x",
        "dy * ({gate} + x * {slope})",
        f"The product is rounded once. A derivative {_TINY}",
        "np.float64(2.0), np.float64(1.0)",
    ),
    "bias_gelu": (
        "The Gaussian error linear unit of a sum",
        "x, bias",
        "s * {gate_s}",
        "s = x + bias, rounded once, to float32 for float16 and smaller types.",
        "np.float64(2.0), np.float64(-1.0)",
    ),
    "geglu": (
        "The Gaussian error linear unit of a gate, times another input",
        "gate, up",
        "up * gate * {gate_gate}",
        f"The product is rounded once. A GELU {_TINY}",
        "np.float64(1.0), np.float64(2.0)",
    ),
    "geglu_backward": (
        "The gradients of GEGLU with respect to the gate and to the other input",
        "dy, gate, up",
        "(dy * up) * gelu_grad(gate), dy * gelu(gate)",
        "dy * up is rounded once, to float32 for float16 and smaller types, and so is each product. A derivative or "
        f"GELU {_TINY}",
        "np.float64(1.0), np.float64(1.0), np.float64(2.0)",
    ),
    "gelu_mu_sigma": (
        "The Gaussian error linear unit with location and scale",
        "x, mu, sigma",
        "x * {gate_z}",
        _Z,
        "np.float64(2.0), np.float64(1.0), np.float64(1.0)",
    ),
    "gelu_gate_mu_sigma": (
        "The gate of the Gaussian error linear unit with location and scale",
        "x, mu, sigma",
        "{gate_z}",
        _Z,
        "np.float64(2.0), np.float64(1.0), np.float64(1.0)",
    ),
    "gelu_grad_mu_sigma": (
        "The derivative of the Gaussian error linear unit with location and scale",
        "x, mu, sigma",
        "{gate_z} + (x / sigma) * {slope_z}",
        _Z + " Its slope counts as zero where it does. x / sigma is rounded.",
        "np.float64(2.0), np.float64(1.0), np.float64(1.0)",
    ),
    "gelu_backward_mu_sigma": (
        "A gradient times the derivative of the Gaussian error linear unit with location and scale",
        "dy, x, mu, sigma",
        "dy * gelu_grad_mu_sigma(x, mu, sigma)",
        "The derivative is rounded to the type, to float32 for float16 and smaller types, before it is multiplied.",
        "np.float64(2.0), np.float64(2.0), np.float64(1.0), np.float64(1.0)",
    ),
}


@cache  # most are alike, and this takes half of the package's import
def _paragraph(text, indent=""):
    return fill(" ".join(text.split()), 100, initial_indent=indent, subsequent_indent=indent)


def _near_zero(name):
    if name not in ZEROS:
        return ""
    exponents = {dtype: f"{unit.hex().split('p')[1]}" for dtype, unit in UNIT_NEAR_ZERO.items() if unit}
    function = UFUNCS[name][0]
    what = "It is" if function == "gelu_grad" else "The derivative is"
    times = {"gelu_backward": " * |dy|", "geglu_backward": " * |dy * up|"}.get(function, "")
    return _NEAR_ZERO.format(what=what, zero=ZEROS[name], near=NEAR_ZERO, times=times, **exponents)


def _doc(name):
    function, form = UFUNCS[name]
    gate, slope, where, use = _FORMS[form]
    what, inputs, formula, limits, example = _FUNCTIONS[function]
    formulas = {"gate": gate.format("x"), "slope": slope.format("x")}
    formulas |= {"gate_s": gate.format("s"), "gate_gate": gate.format("gate")}
    formulas |= {"gate_z": gate.format("z"), "slope_z": slope.format("z")}
    where = "" if "gelu_grad" in formula else where
    one = function in UNARY
    outputs = "d_gate, d_up : " if function == "geglu_backward" else ""
    result = f"``{formula.format(**formulas)}``{where}, element by element. {limits}"
    return _TEMPLATE.format(
        summary=f"{what}, {use}.",
        parameters=f"{inputs} : array_like\n" + _paragraph(_ONE_INPUT if one else _INPUTS, "    "),
        returns=f"{outputs}ndarray or scalar\n"
        + _paragraph(result + " NaN at NaN and nowhere else." * one, "    "),
        function=function.removesuffix("_mu_sigma"),
        error=(_ERROR_OF_ONE if one else _ERROR).format(
            term=" of the largest of both terms and their sum" * (function in OF_LARGEST_TERM),
            one_byte=ULP_ONE_BYTE,
            **ULP[name],
        ),
        near_zero=_near_zero(name),
        reference=_GLUS if function.startswith("geglu") else _GELUS,
        name=name,
        inputs=example,
        output=_AT[name],
    )


# name -> what the example shows
_AT = {
    "gelu_erf": "np.float64(0.8413447460685429)",
    "gelu_tanh": "np.float64(0.8411919906082768)",
    "gelu_sigmoid": "np.float64(0.8457957659328212)",
    "gelu_gate_erf": "np.float64(0.8413447460685429)",
    "gelu_gate_tanh": "np.float64(0.8411919906082768)",
    "gelu_gate_sigmoid": "np.float64(0.8457957659328212)",
    "gelu_grad_erf": "np.float64(1.0833154705876864)",
    "gelu_grad_tanh": "np.float64(1.0829640838457826)",
    "gelu_grad_sigmoid": "np.float64(1.067779606556334)",
    "gelu_backward_erf": "np.float64(2.166630941175373)",
    "gelu_backward_tanh": "np.float64(2.165928167691565)",
    "gelu_backward_sigmoid": "np.float64(2.135559213112668)",
    "bias_gelu_erf": "np.float64(0.8413447460685429)",
    "bias_gelu_tanh": "np.float64(0.8411919906082768)",
    "bias_gelu_sigmoid": "np.float64(0.8457957659328212)",
    "geglu_erf": "np.float64(1.6826894921370859)",
    "geglu_tanh": "np.float64(1.6823839812165533)",
    "geglu_sigmoid": "np.float64(1.6915915318656425)",
    "geglu_backward_erf": "(np.float64(2.166630941175373), np.float64(0.8413447460685429))",
    "geglu_backward_tanh": "(np.float64(2.165928167691565), np.float64(0.8411919906082767))",
    "geglu_backward_sigmoid": "(np.float64(2.135559213112668), np.float64(0.8457957659328212))",
    "gelu_mu_sigma_erf": "np.float64(1.6826894921370859)",
    "gelu_mu_sigma_tanh": "np.float64(1.6823839812165533)",
    "gelu_mu_sigma_sigmoid": "np.float64(1.6915915318656425)",
    "gelu_gate_mu_sigma_erf": "np.float64(0.8413447460685429)",
    "gelu_gate_mu_sigma_tanh": "np.float64(0.8411919906082768)",
    "gelu_gate_mu_sigma_sigmoid": "np.float64(0.8457957659328212)",
    "gelu_grad_mu_sigma_erf": "np.float64(1.3252861951068295)",
    "gelu_grad_mu_sigma_tanh": "np.float64(1.3247361770832884)",
    "gelu_grad_mu_sigma_sigmoid": "np.float64(1.289763447179847)",
    "gelu_backward_mu_sigma_erf": "np.float64(2.650572390213659)",
    "gelu_backward_mu_sigma_tanh": "np.float64(2.649472354166577)",
    "gelu_backward_mu_sigma_sigmoid": "np.float64(2.579526894359694)",
}

UFUNC_DOCS = {name: _doc(name) for name in UFUNCS}
