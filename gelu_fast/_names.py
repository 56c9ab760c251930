# SPDX-License-Identifier: BSD-3-Clause
"""Names and docstrings of all public functions and ufuncs. Their `__module__` is gelu_fast, and pickle stores them by
that name."""

import copyreg

import numpy as np

from gelu_fast import _core
from gelu_fast._bounds import UFUNCS
from gelu_fast._docs import FUNCTION_DOCS
from gelu_fast._functions import FUNCTIONS


def ufunc_named(name):
    """Unpickle a ufunc that was pickled with NumPy 2.0 or 2.1."""
    return _core.ufuncs[name]


def _pickle_ours_by_name(previous):
    """With NumPy 2.0 and 2.1 a ufunc can have no `__module__`, and pickle takes the first module that holds it."""

    def reduce(ufunc):
        name = ufunc.__name__
        return (ufunc_named, (name,)) if _core.ufuncs.get(name) is ufunc else previous(ufunc)

    copyreg.pickle(np.ufunc, reduce)


def _name_inputs(ufuncs, inputs):
    """Replace NumPy's x1, x2 by the names of the inputs, in signature and docstring."""
    from inspect import Parameter, signature  # NumPy 2.4 has imported inspect already

    named = signature(ufuncs[0])
    parameters = list(named.parameters.values())
    parameters[: len(inputs)] = [Parameter(name, Parameter.POSITIONAL_ONLY) for name in inputs]
    named = named.replace(parameters=parameters)
    numbered = ", ".join(f"x{i}" for i in range(1, len(inputs) + 1))
    for ufunc in ufuncs:
        ufunc.__signature__ = named
        ufunc.__doc__ = ufunc.__doc__.replace(numbered, ", ".join(inputs), 1)


def set_names(functions):
    for name, doc in FUNCTION_DOCS.items():
        np.lib.add_docstring(getattr(_core, name), doc)
    for public in (*functions, *_core.ufuncs.values()):
        try:
            public.__module__ = "gelu_fast"
        except AttributeError:
            _pickle_ours_by_name(copyreg.dispatch_table[np.ufunc])
            return
    if not hasattr(np.exp, "__signature__"):  # NumPy 2.4
        return
    for function, row in FUNCTIONS.items():
        ufuncs = [_core.ufuncs[name] for name in UFUNCS if UFUNCS[name][0] == function]
        if ufuncs[0].nin > 1:
            _name_inputs(ufuncs, row.inputs.split(", "))
