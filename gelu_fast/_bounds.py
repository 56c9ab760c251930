# SPDX-License-Identifier: BSD-3-Clause
"""THE accuracy table: what is promised of every result, on every ISA level.

A bound is the largest distance in ULP between a result and the exact value of the function, rounding
included; a ULP is the spacing of the type's numbers in the binade of the exact value, and among subnormal
results that of the subnormals. 0.5 ULP is correct rounding. Docstrings, README and tests read this table
and nothing else."""

# ufunc -> (the function that chooses it, its form)
UFUNCS = {
    f"{function}_{name}": (function, form)
    for function in ("gelu", "gelu_gate", "gelu_grad")
    for name, form in (("erf", "exact"), ("tanh", "tanh"), ("sigmoid", "sigmoid"))
}

ULP = dict.fromkeys(UFUNCS, {"float16": 0.5, "float32": 1.0, "float64": 1.0})

# A gradient is zero at one point. At most NEAR_ZERO from there an error counts in these units, if they are larger than
# a ULP: a relative bound is not promised, an absolute one is. float16 needs none.
ZEROS = {
    "gelu_grad_erf": -0.7517915246935645,
    "gelu_grad_tanh": -0.7524614220710163,
    "gelu_grad_sigmoid": -0.751154255441289,
}
NEAR_ZERO = 0.15
UNIT_NEAR_ZERO = {"float16": 0.0, "float32": 2.0**-26, "float64": 2.0**-55}
