# SPDX-License-Identifier: BSD-3-Clause
"""Docstrings of functions and ufuncs, by one template: from the table of functions, and the accuracy table's bounds."""

from functools import cache

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
from gelu_fast._functions import FORMS, FUNCTIONS, REFERENCES

WIDTH = 79


@cache  # many paragraphs occur more than once
def _wrapped(text, indent=""):
    """The paragraph in lines of at most WIDTH characters, code never split; textwrap takes ten times as long."""
    pieces = text.split("``")
    pieces[1::2] = [code.replace(" ", "\0") for code in pieces[1::2]]
    lines, line = [], indent
    for word in "``".join(pieces).split():
        if len(line) + len(word) > WIDTH and line != indent:
            lines.append(line.rstrip())
            line = indent
        line += word + " "
    return "\n".join([*lines, line.rstrip()]).replace("\0", " ")


def _items(items):
    """A list of numpydoc: names, each with its text."""
    return "\n".join(f"{name}\n{_wrapped(text, '    ')}" for name, text in items.items())


def _numpydoc(summary, **sections):
    """The template. Each section is a text, or a dict of names and texts; an empty one is left out."""
    parts = [summary]
    for name, section in sections.items():
        title = name.replace("_", " ").title()
        if section:
            parts.append(
                f"{title}\n{'-' * len(title)}\n{_items(section) if isinstance(section, dict) else section}"
            )
    return "\n\n".join(parts) + "\n"


# ---- ufuncs ----

_ONE_INPUT = (
    "Input, of any shape. float16, float32 and float64 keep their type; bool, integers and Python numbers are "
    "promoted as `numpy.exp` promotes them. With ml_dtypes installed, its bfloat16 and its floats of one byte are "
    "types as well."
)
_INPUTS = (
    "Inputs, of shapes that broadcast together, of types that are promoted to one as by `numpy.multiply`. See `gelu` "
    "for the types."
)
_ERROR_OF_ONE = (
    "Error, against the exact value and rounding included, on every ISA level: at most {float32:g} ULP for every "
    "float32; {float64:g} ULP for float64 (sampled); {float16:g} ULP, which is correct rounding, for every float16 and "
    "bfloat16, and {one_byte:g} for the types of one byte."
)
_ERROR = (
    "Error, against the exact value of the above and rounding included, on every ISA level (sampled, and searched for "
    "the worst): at most {float32:g} ULP{term} for float32, {float64:g} for float64, {float16:g} for float16, "
    "{bfloat16:g} for bfloat16."
)
_NEAR_ZERO = (
    "{what} zero at {zero:.6f}; at most {near:g} from there the error is at most ``2**{float32}{times}`` for float32 "
    "and ``2**{float64}{times}`` for float64, or a ULP if that is larger."
)
_PURE = (
    "A result depends on its inputs' values alone: not on position, length, stride, or the number of threads. No "
    "finite input raises a floating-point warning."
)


def _error(name, function):
    term = " of the largest of both terms and their sum" * (function in OF_LARGEST_TERM)
    text = _ERROR_OF_ONE if function in UNARY else _ERROR
    return text.format(term=term, one_byte=ULP_ONE_BYTE, **ULP[name])


def _near_zero(name, function):
    if name not in ZEROS:
        return ""
    exponents = {dtype: unit.hex().split("p")[1] for dtype, unit in UNIT_NEAR_ZERO.items() if unit}
    what = "It is" if function in UNARY else "The derivative is"
    times = FUNCTIONS[function].zeros_times
    times = times and f" * {times}"
    return _NEAR_ZERO.format(what=what, zero=ZEROS[name], near=NEAR_ZERO, times=times, **exponents)


def _of_ufunc(name):
    function, form = UFUNCS[name][0], name.rpartition("_")[2]
    row, of = FUNCTIONS[function], FORMS[form]
    formula = row.formula.format(gate=of.gate.format(row.at), slope=of.slope.format(row.at), form=form)
    symbols = of.symbols * ("{gate}" in row.formula)
    nan = " NaN at NaN and nowhere else." * (function in UNARY)
    notes = (_error(name, function), _near_zero(name, function), _PURE)
    return _numpydoc(
        f"{row.summary}, {of.use}.",
        parameters={
            f"{row.inputs} : array_like": _ONE_INPUT if function in UNARY else _INPUTS,
            "out, where, casting, order, dtype, subok, signature": "As for every `numpy.ufunc`.",
        },
        returns={
            f"{row.outputs}ndarray or scalar": f"``{formula}``{symbols}, element by element. {row.notes}{nan}"
        },
        raises={"TypeError": "If an input is complex, longdouble, object, string or datetime."},
        see_also=f"{function.removesuffix('_mu_sigma')} : All forms in one function.",
        notes="\n\n".join(_wrapped(note) for note in notes if note),
        references=_wrapped(REFERENCES[row.reference]),
        examples=f">>> import numpy as np\n>>> import gelu_fast\n>>> gelu_fast.{name}({row.example})\n"
        f"{row.results[list(FORMS).index(form)]}",
    )


# ---- functions ----

_APPROX = '{False, "none", True, "tanh", "sigmoid"}, optional'
_FORMS_OF_GELU = (
    'The form: exact (False or "none", the default), the tanh approximation (True or "tanh"), or the sigmoid '
    "approximation. `approximate`, by keyword only, is the name that torch, JAX, Keras and ONNX give to `approx`; "
    "only one of the two may be given."
)
_KINDS = {
    "approx, approximate": _APPROX,
    "axis": "int, optional",
    "dim": "hashable, optional",
    "mu, sigma": "array_like, optional",
}
_RAISES_OF_GELU = {
    "ValueError": "If the form is none of the above, if an element is computed with a `sigma` that is not above 0, or "
    "that becomes 0 when it is rounded to the type that is computed in (a lazy `sigma`, as a dask array, is not "
    "checked: the results are NaN there), or if `out` has a shape that the result does not broadcast to.",
    "TypeError": "If `x` is complex, longdouble, object, string or datetime, if `out` cannot hold the result under "
    "`casting`, or if `approx` and `approximate` are both given.",
}


def _signature(name, arguments):
    """With it in front of a docstring, `inspect.signature` knows the arguments of a builtin function."""
    return f"{name}({arguments})\n--\n\n"


def _of_function(name):
    row, call = FUNCTIONS[name], FUNCTIONS[name].call
    ufuncs = [f"{name}_{form}" for form in FORMS]
    forms = _FORMS_OF_GELU if name == "gelu" else "The form, as for `gelu`."
    forms += " These are the ufuncs `{}`, `{}` and `{}`.".format(*ufuncs)
    arguments, keywords = call.arguments or row.inputs, call.keywords
    if f"{name}_mu_sigma" in FUNCTIONS:
        keywords += "mu=0.0, sigma=1.0, "
    inputs = {key: text for key, text in call.parameters.items() if key not in _KINDS}
    options = {key: text for key, text in call.parameters.items() if key in _KINDS}
    parameters = {
        f"{key} : {_KINDS.get(key, 'array_like')}{', optional' * (f'{key}=' in arguments)}": text
        for key, text in (inputs | {"approx, approximate": forms} | options).items()
    }
    if name == "gelu":
        parameters |= {
            "out : ndarray, None, or tuple of one ndarray, optional": "Where to put the result; may be `x` itself.",
            "where : array_like of bool, optional": "Where to compute; elsewhere `out` keeps its value.",
            "dtype, casting, order, subok, signature": "As for every `numpy.ufunc`.",
        }
    elif name == "geglu_backward":
        parameters |= {
            "out : tuple of two ndarrays or None, optional": f"Where to put the results; may be {call.out}.",
            "where, dtype, casting, order, subok, signature": "As for `gelu`.",
        }
    else:
        may_be = f"; `out` may be {call.out}" if call.out else ""
        parameters["out, where, dtype, casting, order, subok, signature"] = f"As for `gelu`{may_be}."
    see_also = (", ".join(ufuncs) + " : The forms, with their error bounds.", call.see_also)
    signature = _signature(
        name,
        f"{arguments}, approx=False, *, approximate=None, {keywords}out=None, where=True, dtype=None, "
        "casting='same_kind', order='K', subok=True, signature=None",
    )
    return signature + _numpydoc(
        call.summary,
        parameters=parameters,
        returns={f"{row.outputs}ndarray or scalar": call.returns},
        raises=_RAISES_OF_GELU if name == "gelu" else {"ValueError, TypeError": call.raises},
        see_also="\n".join(line for line in see_also if line),
        references=call.reference and _wrapped(REFERENCES[call.reference]),
        examples=f">>> import numpy as np\n>>> from gelu_fast import {name}{call.example}",
    )


_STOCHASTIC = _signature(
    "stochastic_gelu", "x, rng=None, *, approx=False, approximate=None, offset=0, out=None, return_mask=False"
) + _numpydoc(
    "The random form of GELU: x times 1 with probability gate(x), else times 0; GELU is its mean.",
    parameters={
        "x : array_like": "Input, of any shape. Types are as for `gelu`; float16, bfloat16 and the types of one byte "
        "are computed in float32. A dask array is refused: see the example.",
        "rng : None, int, array_like of ints, SeedSequence, BitGenerator, Generator or RandomState, optional": "The "
        "source of randomness, as for `numpy.random.default_rng`. A seed (an int or ints, each at least 0, or a "
        "SeedSequence) gives the same result in every call. From a generator a call takes four words of 32 bits, from "
        "an empty `x` none. None takes the system's entropy.",
        f"approx, approximate : {_APPROX}": "The form of the gate, as for `gelu`.",
        "offset : int, optional": "The number of the first element of `x`. With a seed, "
        "``stochastic_gelu(x[n:], seed, offset=n)`` is ``stochastic_gelu(x, seed)[n:]`` for an `x` of one dimension. "
        "``offset + x.size`` is at most 2**64.",
        "out : ndarray or None, optional": "Where to put the result, of the shape of `x`; may be `x` itself. For a "
        "masked `x` a masked array.",
        "return_mask : bool, optional": "Whether to return where `x` was kept, too.",
    },
    returns={
        "y : ndarray or scalar": "A new array in C order: `x` where it was kept; elsewhere 0.0, or -0.0 where `x` is "
        "below zero or -0.0. NaN at NaN. Masked where `x` is masked; other subclasses of ndarray, and what pandas and "
        "xarray hold beside the numbers, are left out.",
        "mask : ndarray of bool or scalar, only if `return_mask`": "Where `x` was kept; False at NaN. Masked where `x` "
        "is masked.",
    },
    raises={
        "TypeError": "If `x` is complex, longdouble, object, string or datetime, is lazy, or does not become an array; "
        "if `rng` is none of the above, `offset` is no integer, `out` is no array or cannot hold the result, or if "
        "`approx` and `approximate` are both given.",
        "ValueError": "If the form is none of the above, a seed or `offset` is below 0, `offset` is too large, or "
        "`out` has another shape than `x`.",
    },
    see_also="gelu : Its mean.\ngelu_gate : The probability.",
    notes="\n\n".join(
        [
            _wrapped(
                "Word ``offset + i`` of a counter-based generator, Philox4x32-10, decides element i, in C order (two "
                "words for float64). So one seed gives the same result whatever the memory layout, the number of "
                "threads, or the ISA level."
            ),
            _wrapped(
                "The number that is compared with the gate has 31 bits, for float64 52: the probability is right to "
                "2**-32, or 2**-53."
            ),
        ]
    ),
    references="\n\n".join(_wrapped(REFERENCES[name]) for name in ("gelu", "philox")),
    examples="""\
>>> import numpy as np
>>> from gelu_fast import stochastic_gelu
>>> stochastic_gelu(np.array([-3.0, -0.5, 0.5, 3.0]), 1)
array([-0. , -0.5,  0. ,  3. ])

A dask array: chunks of whole rows of the first axis, each with the number of its first element. The result is
that of a call on the whole array. Give a seed: chunks must not share a Generator.

>>> import math
>>> import dask.array as da
>>> def block(x, seed, block_info):
...     row = block_info[0]["array-location"][0][0]
...     return stochastic_gelu(x, seed, offset=row * math.prod(x.shape[1:]))
>>> x = np.random.default_rng(0).normal(size=(40, 5, 6))
>>> lazy = da.from_array(x, chunks=(7, 2, 3))
>>> rows = lazy.rechunk({axis: -1 for axis in range(1, lazy.ndim)})
>>> y = rows.map_blocks(block, 7, dtype=x.dtype, meta=x[:0])
>>> bool((y.compute() == stochastic_gelu(x, 7)).all())
True""",
)

UFUNC_DOCS = {name: _of_ufunc(name) for name in UFUNCS}
FUNCTION_DOCS = {name: _of_function(name) for name, row in FUNCTIONS.items() if row.call}
FUNCTION_DOCS["stochastic_gelu"] = _STOCHASTIC


def functions_by_line():
    """The list of functions in the docstring of the package."""
    of_line = {}
    for name, row in FUNCTIONS.items():
        if row.call:
            of_line.setdefault(row.call.line, []).append(name)
    return "\n".join(f"{', '.join(names)} : {line}." for line, names in of_line.items())
