# SPDX-License-Identifier: BSD-3-Clause
"""THE accuracy table: what is promised of every result, on every ISA level.

A bound is the largest distance in ULP between a result and the exact value of the function, rounding
included; a ULP is the spacing of the type's numbers in the binade of the exact value, and among subnormal
results that of the subnormals. 0.5 ULP is correct rounding. Docstrings, README and tests read this table
and nothing else."""

FORMS = {"gelu_erf": "exact", "gelu_tanh": "tanh", "gelu_sigmoid": "sigmoid"}

ULP = {
    "gelu_erf": {"float16": 0.5, "float32": 1.0, "float64": 1.0},
    "gelu_tanh": {"float16": 0.5, "float32": 1.0, "float64": 1.0},
    "gelu_sigmoid": {"float16": 0.5, "float32": 1.0, "float64": 1.0},
}
