# SPDX-License-Identifier: BSD-3-Clause
"""THE accuracy table: the bounds that every result keeps, on every ISA level.

A bound is the largest distance in ULP between a result and the exact value of the function, rounding
included; a ULP is the spacing of the type's numbers in the binade of the exact value, and among subnormal
results that of the subnormals. 0.5 ULP is correct rounding. The exact value of a function of several inputs
is that of its formula in _functions.py, with each rounding that its notes name. Docstrings, README and tests read
this table and nothing else. A function gets its bound by what its row is: of one input, of several, or a rounded
product."""

from gelu_fast._functions import FORMS as _FORMS
from gelu_fast._functions import FUNCTIONS

FORMS = {suffix: form.name for suffix, form in _FORMS.items()}
UNARY = tuple(name for name, row in FUNCTIONS.items() if row.inputs == "x")
MU_SIGMA = tuple(name for name in FUNCTIONS if name.endswith("_mu_sigma"))
FUSED = tuple(name for name in FUNCTIONS if name not in (*UNARY, *MU_SIGMA))

# ufunc -> (the function that it is a form of, its form)
UFUNCS = {
    f"{function}_{name}": (function, form)
    for function in (*UNARY, *FUSED, *MU_SIGMA)
    for name, form in FORMS.items()
}

# Computed in float32, right to a thousandth of the type's ULP (float16: to a twentieth), and rounded from there.
_NARROW = {"float16": 0.55, "bfloat16": 0.501}
_OF_FUNCTION = {
    function: {"float16": 0.5, "bfloat16": 0.5, "float32": 1.0, "float64": 1.0} for function in UNARY
}
_OF_FUNCTION |= {function: _NARROW | {"float32": 1.0, "float64": 1.0} for function in (*FUSED, *MU_SIGMA)}
_OF_FUNCTION |= {
    function: _NARROW | {"float32": 0.5, "float64": 0.5} for function, row in FUNCTIONS.items() if row.times
}
ULP = {name: _OF_FUNCTION[function] for name, (function, _) in UFUNCS.items()}

# float32 with GELU_FAST_ROUNDING=nearest: computed in float64, and rounded once.
ULP_NEAREST = {name: 0.5 if function in UNARY else 0.5001 for name, (function, _) in UFUNCS.items()}

# Results of gelu, gelu_gate and gelu_grad that are rounded to one byte.
ULP_ONE_BYTE = 0.5

# Sums of two terms that may cancel: a ULP is that of the largest of both terms and their sum.
OF_LARGEST_TERM = tuple(name for name, row in FUNCTIONS.items() if row.of_largest_term)

# A gradient is zero at one point. At most NEAR_ZERO from there the bound is absolute: the error counts in these units,
# times the other factor where there is one, or in ULP if that is larger. float16 and bfloat16 keep the relative bound.
ZEROS = {
    f"{function}_{form}": zero
    for function, row in FUNCTIONS.items()
    if row.zeros
    for form, zero in row.zeros.items()
}
NEAR_ZERO = 0.15
UNIT_NEAR_ZERO = {"float16": 0.0, "bfloat16": 0.0, "float32": 2.0**-26, "float64": 2.0**-55}
