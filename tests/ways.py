# SPDX-License-Identifier: BSD-3-Clause
"""The two ways in: a ufunc, and the function that chooses it, which has a way of its own for plain arrays."""

from functools import partial

import gelu_fast
from gelu_fast._bounds import UFUNCS


def through_function(name):
    """The function that chooses the ufunc of this name, called with the ufunc's inputs."""
    function, form = UFUNCS[name]
    chooser = getattr(gelu_fast, function.removesuffix("_mu_sigma"))
    chooser = partial(chooser, approx={"exact": False}.get(form, form))
    if not function.endswith("_mu_sigma"):
        return chooser
    return lambda *inputs, **given: chooser(*inputs[:-2], mu=inputs[-2], sigma=inputs[-1], **given)
