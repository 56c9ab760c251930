# SPDX-License-Identifier: BSD-3-Clause
"""GELU for NumPy arrays: fast, and right to the last bits, tail included."""

import inspect as _inspect

import numpy as _np

from gelu_fast._config import __version__, show_config
from gelu_fast._load import _core

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


_UFUNCS = tuple(_core.ufuncs.values())
_ERF, _TANH, _SIGMOID = map(_UFUNCS.index, (gelu_erf, gelu_tanh, gelu_sigmoid))
_FORMS = {False: _ERF, "none": _ERF, True: _TANH, "tanh": _TANH, "sigmoid": _SIGMOID}
_NAMES_OF_FORMS = (str, bool, _np.bool)  # their types: 0 and 1 are no booleans here
_apply_plain = _core.apply_plain


# What gelu takes. As parameters of its own, five more defaults would cost a call on one element 60 ns of 450,
# and be passed on to whatever answers to __array_ufunc__; so it hands on what it is given.
def _signature(
    x, approx=False, *, out=None, where=True, dtype=None, casting="same_kind", order="K", subok=True
): ...


def gelu(x, approx=False, *, out=None, **kwargs):
    """
    The Gaussian error linear unit, x Phi(x), or one of its approximations.

    Parameters
    ----------
    x : array_like
        Input, of any shape. float16, float32 and float64 are computed as they are; bool, integers and Python
        numbers are promoted as `numpy.exp` promotes them. Arrays of other libraries that know NumPy's ufuncs
        (dask, pandas, xarray) give arrays of theirs.
    approx : {False, "none", True, "tanh", "sigmoid"}, optional
        The form: exact (False or "none", the default), the tanh approximation (True or "tanh"), or the
        sigmoid approximation. These are the ufuncs `gelu_erf`, `gelu_tanh` and `gelu_sigmoid`.
    out : ndarray, None, or tuple of one ndarray, optional
        Where to put the result; may be `x` itself.
    where : array_like of bool, optional
        Where to compute; elsewhere `out` keeps its value.
    dtype, casting, order, subok
        As for every `numpy.ufunc`.

    Returns
    -------
    ndarray or scalar
        GELU of each element, in the shape of `x`; `out` if given.

    Raises
    ------
    ValueError
        If `approx` is none of the above, or if `out` has a shape that the result does not broadcast to.
    TypeError
        If `x` is complex, longdouble, object, string or datetime, or if `out` cannot hold the result under
        `casting`.

    See Also
    --------
    gelu_erf, gelu_tanh, gelu_sigmoid : The forms, with their error bounds.

    References
    ----------
    D. Hendrycks and K. Gimpel, "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415.

    Examples
    --------
    >>> import numpy as np
    >>> from gelu_fast import gelu
    >>> gelu(np.array([-10.0, -1.0, 0.0, 1.0]))
    array([-7.61985302e-23, -1.58655254e-01,  0.00000000e+00,  8.41344746e-01])
    >>> gelu(np.float32(1.0), approx="tanh")
    np.float32(0.841192)
    """
    if approx is False:
        form = _ERF
    elif isinstance(approx, _NAMES_OF_FORMS) and approx in _FORMS:
        form = _FORMS[approx]
    else:
        raise ValueError(f"approx must be False or 'none', True or 'tanh', or 'sigmoid', not {approx!r}")
    if not kwargs:
        y = _apply_plain(form, x, out)
        if y is not None:
            return y
    if out is None:
        return _UFUNCS[form](x, **kwargs)
    return _UFUNCS[form](x, out=out, **kwargs)


gelu.__signature__ = _inspect.signature(_signature)
