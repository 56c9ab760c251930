# SPDX-License-Identifier: BSD-3-Clause
"""THE table of functions, and of their forms. _docs.py makes docstrings of its formulas, texts and examples, _bounds.py
says what error each row may have, and the judges, tests/oracle.py and selftest/references.py, compute `exact`."""

from types import SimpleNamespace

from numpy import finfo


def _form(name, gate, slope, symbols, use):
    """A form: as approx= names it (or "exact"); the gate at {0} and its derivative, and what these are written with."""
    return SimpleNamespace(**locals())


def _function(
    inputs,
    summary,
    formula,
    exact,
    notes,
    example,
    results,
    *,
    at="x",
    outputs="",
    reference="gelu",
    zeros=None,
    zeros_times="",
    of_largest_term=False,
    times=None,
    call=None,
):
    """A function. Of its ufuncs, one for each form: summary, the formula with the gate taken `at` a point, limits or
    what is rounded, the inputs of an example and its result for each form.

    exact: the formula as the judges compute it, a function of the inputs that gives z and for each output (a, b, c) of
    a * (b * gate(z) + c * slope(z)), without c where it is zero. Of several inputs each operation in it is rounded to
    the type that is computed in; all else, and everything of one input, is exact.
    zeros: by form, where the curve is zero that a result is a multiple of; zeros_times: that multiple.
    of_largest_term: whether the two terms may cancel, so that an error counts in ULP of the largest.
    times: in place of `exact`, the function that the first input is multiplied with: of the other inputs, and rounded.
    call: the function that chooses one of the ufuncs. With location and scale there is none: mu= and sigma= of the
    function without them choose."""
    return SimpleNamespace(**locals())


def _call(
    line,  # in the list of the package's docstring; functions that follow each other may share it
    summary,
    parameters,
    returns,
    example,
    *,
    arguments="",  # as the signature shows them, if they are not just the inputs
    keywords="",  # beside those of a ufunc
    out="",
    raises="As `gelu` does; ValueError also if the shapes do not broadcast.",
    see_also="",
    reference="",
):
    """The text on the function that takes the form as an argument."""
    return SimpleNamespace(**locals())


REFERENCES = {
    "gelu": 'D. Hendrycks and K. Gimpel, "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415.',
    "geglu": 'N. Shazeer, "GLU Variants Improve Transformer", arXiv:2002.05202.',
    "philox": 'J. Salmon, M. Moraes, R. Dror and D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.',
}

FORMS = {
    "erf": _form(
        "exact",
        "Phi({0})",
        "phi({0})",
        ", with Phi the distribution function of the standard normal distribution and phi its density",
        "exact",
    ),
    "tanh": _form(
        "tanh",
        "(1 + tanh(u({0}))) / 2",
        "2 * u'({0}) * g * (1 - g)",
        ", with u(x) = sqrt(2/pi) * (x + 0.044715 * x**3) and g the gate",
        "tanh approximation, as in GPT-2 and the first BERT",
    ),
    "sigmoid": _form(
        "sigmoid",
        "1 / (1 + exp(-1.702 * {0}))",
        "1.702 * g * (1 - g)",
        ", with g the gate",
        "sigmoid approximation, as in CLIP (QuickGELU)",
    ),
}

# To the nearest float64.
_ZEROS_OF_GRADIENT = {"erf": -0.7517915246935645, "tanh": -0.7524614220710163, "sigmoid": -0.751154255441289}


def _quotient(x, sigma):
    """x / sigma, and the type's largest number for more: infinity times a slope of 0 would be NaN."""
    quotient = x / sigma
    largest = finfo(quotient.dtype).max
    return quotient.clip(-largest, largest)


# A kernel computes a curve to a little beyond the point where it rounds to zero, and takes zero from there on.
_TINY = (
    "below half of the smallest subnormal (of float32 for float16 and smaller types) may count as zero; otherwise it "
    "is computed, within the bound."
)
_PRODUCT = "The product is rounded once, in float16 and smaller types by way of float32. "
_Z = (
    "z = (x - mu) / sigma; difference and quotient are rounded, to float32 for float16 and smaller types. NaN where "
    f"sigma is not above 0. A gate {_TINY}"
)
_GATED = "The gated linear unit with GELU, and its gradients"
_TYPES = (
    "float16, float32 and float64 keep their type; bool, integers and Python numbers are promoted as `numpy.exp` "
    "promotes them"
)

FUNCTIONS = {
    "gelu": _function(
        "x",
        "The Gaussian error linear unit",
        "x * {gate}",
        lambda x: (x, (1, x)),
        "-0.0 at -inf, +inf at +inf, +-0 at +-0. The sign is that of `x`, also where the result underflows to zero.",
        "np.float64(1.0)",
        (
            "np.float64(0.8413447460685429)",
            "np.float64(0.8411919906082768)",
            "np.float64(0.8457957659328212)",
        ),
        call=_call(
            "The Gaussian error linear unit",
            "The Gaussian error linear unit, x Phi(x), or one of its approximations.",
            {
                "x": f"Input, of any shape. {_TYPES}. With ml_dtypes installed, its bfloat16 and its floats of one "
                "byte are types as well. Arrays of other libraries that support NumPy's ufuncs (dask, pandas, xarray) "
                "give arrays of theirs.",
                "mu, sigma": "Location and scale of the distribution whose gate is taken: "
                "``x Phi((x - mu) / sigma)``. Unless they are the numbers 0 and 1, the ufuncs are "
                "`gelu_mu_sigma_erf`, `gelu_mu_sigma_tanh` and `gelu_mu_sigma_sigmoid`, whose docstrings say what is "
                "rounded. With mu = 0, a small sigma comes near to ReLU. Where one of them is missing (masked, NA, "
                "null), the result is missing, too.",
            },
            "GELU of each element, in the shape of `x`; `out` if given.",
            """
>>> gelu(np.array([-10.0, -1.0, 0.0, 1.0]))
array([-7.61985302e-23, -1.58655254e-01,  0.00000000e+00,  8.41344746e-01])
>>> gelu(np.float32(1.0), approx="tanh")
np.float32(0.841192)""",
            see_also="gelu_mu_sigma_erf, gelu_mu_sigma_tanh, gelu_mu_sigma_sigmoid : With location and scale.",
            reference="gelu",
        ),
    ),
    "gelu_gate": _function(
        "x",
        "The gate of the Gaussian error linear unit",
        "{gate}",
        lambda x: (x, (1, 1)),
        "0 at -inf, 1 at +inf, 1/2 at +-0.",
        "np.float64(1.0)",
        (
            "np.float64(0.8413447460685429)",
            "np.float64(0.8411919906082768)",
            "np.float64(0.8457957659328212)",
        ),
        call=_call(
            "The gate, which x is multiplied with",
            "The gate of GELU, which x is multiplied with: Phi(x), or one of its approximations.\n\n"
            "The negative tail keeps its relative accuracy, down to subnormal results.",
            {
                "x": f"Input, of any shape. {_TYPES}; see `gelu`.",
                "mu, sigma": "Location and scale, as for `gelu`: ``Phi((x - mu) / sigma)``, `gelu_gate_mu_sigma_erf` "
                "and so on.",
            },
            "The gate of each element, from 0 at -inf to 1 at +inf, in the shape of `x`; `out` if given.",
            """
>>> gelu_gate(np.array([-10.0, 0.0, 1.0]))
array([7.61985302e-24, 5.00000000e-01, 8.41344746e-01])""",
            raises="As `gelu` does.",
            see_also="gelu : x times its gate.",
            reference="gelu",
        ),
    ),
    "gelu_grad": _function(
        "x",
        "The derivative of the Gaussian error linear unit",
        "{gate} + x * {slope}",
        lambda x: (x, (1, 1, x)),
        "0 at -inf, 1 at +inf, 1/2 at +-0.",
        "np.float64(1.0)",
        ("np.float64(1.0833154705876864)", "np.float64(1.0829640838457826)", "np.float64(1.067779606556334)"),
        zeros=_ZEROS_OF_GRADIENT,
        call=_call(
            "The derivative",
            "The derivative of GELU, or of one of its approximations.",
            {
                "x": f"Where to take the derivative; of any shape. {_TYPES}; see `gelu`.",
                "mu, sigma": "Location and scale, as for `gelu`; the derivative is with respect to `x`. The ufuncs are "
                "`gelu_grad_mu_sigma_erf` and so on. They add two terms that may cancel; the ULP that bounds the error "
                "is that of the largest of both terms and their sum.",
            },
            "The derivative at each element, 0 at -inf and 1 at +inf, in the shape of `x`; `out` if given. It is zero "
            "at one point near -0.75, and exceeds 1 for x between 0.75 and infinity.",
            """
>>> gelu_grad(np.array([-10.0, 0.0, 1.0]))
array([-7.61840010e-22,  5.00000000e-01,  1.08331547e+00])""",
            raises="As `gelu` does.",
            reference="gelu",
        ),
    ),
    "gelu_backward": _function(
        "dy, x",
        "A gradient times the derivative of the Gaussian error linear unit",
        "dy * ({gate} + x * {slope})",
        lambda dy, x: (x, (dy, 1, x)),
        f"{_PRODUCT}A derivative {_TINY}",
        "np.float64(2.0), np.float64(1.0)",
        ("np.float64(2.166630941175373)", "np.float64(2.165928167691565)", "np.float64(2.135559213112668)"),
        zeros=_ZEROS_OF_GRADIENT,
        zeros_times="|dy|",
        call=_call(
            "A gradient times the derivative",
            "The gradient that GELU passes back: `dy` times the derivative at `x`, in one pass.",
            {
                "dy": "The gradient with respect to the result of ``gelu(x, approx)``.",
                "x": "The input of that `gelu`, of a shape that broadcasts with that of `dy`. Types are promoted as by "
                "`numpy.multiply`, integers as for `gelu`.",
                "mu, sigma": "Location and scale, as for `gelu`. The ufuncs are `gelu_backward_mu_sigma_erf` and so "
                "on, which multiply with the rounded ``gelu_grad(x, approx, mu=mu, sigma=sigma)``.",
            },
            "``dy * gelu_grad(x, approx)``, the product rounded, in the shape that both broadcast to; `out` if "
            "given.",
            """
>>> gelu_backward(np.array([1.0, 1.0, 0.5]), np.array([-10.0, 0.0, 1.0]))
array([-7.61840010e-22,  5.00000000e-01,  5.41657735e-01])""",
            out="`dy` or `x`",
            see_also="gelu_grad : The derivative itself.",
        ),
    ),
    "bias_gelu": _function(
        "x, bias",
        "The Gaussian error linear unit of a sum",
        "s * {gate}",
        lambda x, bias: (x + bias, (1, x + bias)),
        "s = x + bias, rounded once, to float32 for float16 and smaller types.",
        "np.float64(2.0), np.float64(-1.0)",
        (
            "np.float64(0.8413447460685429)",
            "np.float64(0.8411919906082768)",
            "np.float64(0.8457957659328212)",
        ),
        at="s",
        call=_call(
            "GELU of a sum",
            "GELU of a sum, ``gelu(x + bias, approx)``, in one pass.",
            {
                "x": "Input, of any shape.",
                "bias": "The other summand, of a shape that broadcasts with that of `x`: most often one number for "
                "each element of the last axis. Beside a DataFrame, a pandas Series has one number for each column, "
                "found by its label, as in ``frame + series``.",
            },
            "GELU of each sum. The sum is rounded once, to the type that is computed in: float32 for float16, else "
            "the type of the result.",
            """
>>> bias_gelu(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.0, -2.0]))
array([[0.84134475, 0.        ],
       [2.99595031, 1.95449974]])""",
            out="`x`",
        ),
    ),
    "geglu": _function(
        "gate, up",
        "The Gaussian error linear unit of a gate, times another input",
        "up * gate * {gate}",
        lambda gate, up: (gate, (up, gate)),
        f"{_PRODUCT}A GELU {_TINY}",
        "np.float64(1.0), np.float64(2.0)",
        (
            "np.float64(1.6826894921370859)",
            "np.float64(1.6823839812165533)",
            "np.float64(1.6915915318656425)",
        ),
        at="gate",
        reference="geglu",
        call=_call(
            _GATED,
            "The gated linear unit with GELU, ``gelu(gate, approx) * up``, in one pass.",
            {
                "gate": "The input of GELU; or, if `up` is not given, both: it is split in halves along `axis`, `up` "
                "the first and the gate the second, as torch's and JAX's glu and diffusers' GEGLU do.",
                "up": "The other factor, of a shape that broadcasts with that of `gate`. Python's True, False and "
                "strings are refused, as they are meant for `approx`.",
                "axis": "The axis along which one array is split. It has no meaning for two.",
                "dim": "In place of `axis`, the name of the dimension along which one xarray object is split. A "
                "Dataset needs it, and each of its variables must have this dimension.",
            },
            "The product, rounded. Of one object of xarray or pandas it is such an object. Its labels along the axis "
            "that was split belong to neither half, and are left out: an xarray object loses the coordinates that have "
            "this dimension, a DataFrame or a Series gets a RangeIndex there. All other labels stay.",
            """
>>> geglu(np.array([0.0, 1.0, 2.0]), np.array([3.0, 2.0, 1.0]))
array([0.        , 1.68268949, 1.95449974])
>>> geglu(np.array([3.0, 2.0, 1.0, 0.0, 1.0, 2.0]))
array([0.        , 1.68268949, 1.95449974])""",
            arguments="gate, up=None",
            keywords="axis=-1, dim=None, ",
            out="`gate` or `up`",
            raises="As `gelu` does; ValueError also if the shapes do not broadcast, or if one array has no axis `axis` "
            "(a `numpy.exceptions.AxisError`), no dimension `dim`, or an odd number of elements along it. TypeError "
            "also if `dim` is given for an array without named dimensions, for two arrays, or beside `axis`.",
            see_also="geglu_backward : Its gradients.",
            reference="geglu",
        ),
    ),
    "geglu_backward": _function(
        "dy, gate, up",
        "The gradients of GEGLU with respect to the gate and to the other input",
        "(dy * up) * gelu_grad_{form}(gate), dy * gelu_{form}(gate)",
        lambda dy, gate, up: (gate, (dy * up, 1, gate), (dy, gate)),
        "dy * up is rounded, to float32 for float16 and smaller types, and so is each product. A derivative or "
        f"GELU {_TINY}",
        "np.float64(1.0), np.float64(1.0), np.float64(2.0)",
        (
            "(np.float64(2.166630941175373), np.float64(0.8413447460685429))",
            "(np.float64(2.165928167691565), np.float64(0.8411919906082767))",
            "(np.float64(2.135559213112668), np.float64(0.8457957659328212))",
        ),
        outputs="d_gate, d_up : ",
        reference="geglu",
        zeros=_ZEROS_OF_GRADIENT,
        zeros_times="|dy * up|",
        call=_call(
            _GATED,
            "The gradients that GEGLU passes back, both in one pass over its inputs.",
            {
                "dy": "The gradient with respect to the result of ``geglu(gate, up, approx)``.",
                "gate, up": "The inputs of that `geglu`, of shapes that broadcast with that of `dy`. (The gradients "
                "are not summed where an input was repeated: they have the shape that all broadcast to.) An array "
                "of dask, whose ufuncs have one result, is a TypeError; `dask.array.apply_gufunc` calls this function.",
            },
            "``(dy * up) * gelu_grad(gate, approx)`` and ``dy * gelu(gate, approx)``; ``dy * up`` is rounded once, to "
            "the type that is computed in, and so is each product.",
            """
>>> geglu_backward(np.array([1.0, 0.5]), np.array([0.0, 1.0]), np.array([3.0, 2.0]))
(array([1.5       , 1.08331547]), array([0.        , 0.42067237]))""",
            out="any of the inputs",
            see_also="geglu : The forward pass.",
            reference="geglu",
        ),
    ),
    "gelu_mu_sigma": _function(
        "x, mu, sigma",
        "The Gaussian error linear unit with location and scale",
        "x * {gate}",
        lambda x, mu, sigma: ((x - mu) / sigma, (x, 1)),
        _Z,
        "np.float64(2.0), np.float64(1.0), np.float64(1.0)",
        (
            "np.float64(1.6826894921370859)",
            "np.float64(1.6823839812165533)",
            "np.float64(1.6915915318656425)",
        ),
        at="z",
    ),
    "gelu_gate_mu_sigma": _function(
        "x, mu, sigma",
        "The gate of the Gaussian error linear unit with location and scale",
        "{gate}",
        lambda x, mu, sigma: ((x - mu) / sigma, (1, 1)),
        _Z,
        "np.float64(2.0), np.float64(1.0), np.float64(1.0)",
        (
            "np.float64(0.8413447460685429)",
            "np.float64(0.8411919906082768)",
            "np.float64(0.8457957659328212)",
        ),
        at="z",
    ),
    "gelu_grad_mu_sigma": _function(
        "x, mu, sigma",
        "The derivative of the Gaussian error linear unit with location and scale",
        "{gate} + (x / sigma) * {slope}",
        lambda x, mu, sigma: ((x - mu) / sigma, (1, 1, _quotient(x, sigma))),
        f"{_Z} Its slope counts as zero where it does. x / sigma is rounded.",
        "np.float64(2.0), np.float64(1.0), np.float64(1.0)",
        ("np.float64(1.3252861951068295)", "np.float64(1.3247361770832884)", "np.float64(1.289763447179847)"),
        at="z",
        of_largest_term=True,
    ),
    "gelu_backward_mu_sigma": _function(
        "dy, x, mu, sigma",
        "A gradient times the derivative of the Gaussian error linear unit with location and scale",
        "dy * gelu_grad_mu_sigma_{form}(x, mu, sigma)",
        None,
        "The derivative is rounded to the type, to float32 for float16 and smaller types, before it is multiplied.",
        "np.float64(2.0), np.float64(2.0), np.float64(1.0), np.float64(1.0)",
        ("np.float64(2.650572390213659)", "np.float64(2.649472354166577)", "np.float64(2.579526894359694)"),
        times="gelu_grad_mu_sigma",
    ),
}
