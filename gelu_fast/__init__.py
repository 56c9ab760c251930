# SPDX-License-Identifier: BSD-3-Clause
"""GELU for NumPy arrays: fast, and right to the last bits, tail included."""

from gelu_fast._config import __version__, show_config
from gelu_fast._load import _core

gelu = _core.gelu
get_num_threads = _core.get_num_threads
set_num_threads = _core.set_num_threads
gelu_erf = _core.ufuncs["gelu_erf"]
gelu_tanh = _core.ufuncs["gelu_tanh"]
gelu_sigmoid = _core.ufuncs["gelu_sigmoid"]

__all__ = [
    "__version__",
    "gelu",
    "gelu_erf",
    "gelu_sigmoid",
    "gelu_tanh",
    "get_num_threads",
    "set_num_threads",
    "show_config",
]
