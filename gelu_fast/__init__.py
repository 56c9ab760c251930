# SPDX-License-Identifier: BSD-3-Clause
"""GELU for NumPy arrays: fast, and right to the last bits, tail included."""

from gelu_fast import _core
from gelu_fast._config import __version__, show_config

gelu = _core.gelu
gelu_gate = _core.gelu_gate
gelu_grad = _core.gelu_grad
gelu_backward = _core.gelu_backward
bias_gelu = _core.bias_gelu
geglu = _core.geglu
geglu_backward = _core.geglu_backward
stochastic_gelu = _core.stochastic_gelu
get_num_threads = _core.get_num_threads
set_num_threads = _core.set_num_threads
globals().update(_core.ufuncs)

__all__ = [
    "__version__",
    "gelu",
    "gelu_gate",
    "gelu_grad",
    "gelu_backward",
    "bias_gelu",
    "geglu",
    "geglu_backward",
    "stochastic_gelu",
    *_core.ufuncs,
    "get_num_threads",
    "set_num_threads",
    "show_config",
]
