# SPDX-License-Identifier: BSD-3-Clause
"""
GELU for NumPy arrays: fast, and right to the last bits, tail included.

Functions
---------
{functions}
stochastic_gelu : The random form, whose mean is GELU.
activation : The function that a model's configuration names, such as "gelu_new".
get_num_threads, set_num_threads : How many threads compute a large array.
show_config : Print what runs: version, ISA level, rounding, threads.
get_include : The directory of the C interface.

The functions take the form of GELU as an argument: exact, the tanh approximation, or the sigmoid approximation. Each
form is a ufunc as well: ``<function>_erf``, ``<function>_tanh``, ``<function>_sigmoid``; with location and scale
``<function>_mu_sigma_erf`` and so on. Their docstrings state the error bounds.

With ``GELU_FAST_ROUNDING=nearest`` in the environment, float32 results of `gelu`, `gelu_gate` and `gelu_grad` are the
nearest to the exact values on every CPU: see `show_config`.
"""

try:
    from gelu_fast import _core
except ImportError:
    from importlib.util import find_spec

    if find_spec("gelu_fast._core") is not None:
        raise
    raise ImportError(
        f"{__path__[0]} has no compiled part that this Python can load. In a checkout, run `pip install .` and start "
        "Python elsewhere, or run `pip install --editable .`; a zip archive must be installed."
    ) from None

from gelu_fast._activation import activation
from gelu_fast._config import __version__, get_include, show_config
from gelu_fast._docs import functions_by_line as _functions_by_line
from gelu_fast._functions import FUNCTIONS as _FUNCTIONS
from gelu_fast._names import set_names as _set_names

if __doc__:  # python -OO has none
    __doc__ = __doc__.format(functions=_functions_by_line())

_names_of_core = (
    *(name for name, row in _FUNCTIONS.items() if row.call),
    *("stochastic_gelu", "get_num_threads", "set_num_threads"),
)
globals().update({name: getattr(_core, name) for name in _names_of_core} | _core.ufuncs)

_others = (activation, get_include, show_config)
__all__ = ["__version__", *_names_of_core, *_core.ufuncs, *(function.__name__ for function in _others)]

_set_names([*(globals()[name] for name in _names_of_core), *_others])
