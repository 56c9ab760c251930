# SPDX-License-Identifier: BSD-3-Clause
"""The names that configurations of models give to GELU, and the functions that they mean."""

from collections.abc import Callable

import numpy as np

from gelu_fast import _core

ERF, TANH, SIGMOID = (_core.ufuncs[f"gelu_{form}"] for form in ("erf", "tanh", "sigmoid"))


def gelu_10(x, /, *out, **keywords):
    """The smaller of the exact GELU of `x` and 10. The other arguments are those of the ufunc `gelu_erf`."""
    # NumPy 2.0 takes bfloat16 beside a Python int for float32, and every version takes bool for int64.
    ten = np.array(10, x.dtype) if isinstance(x, (np.ndarray, np.generic)) else 10
    return ERF(np.minimum(x, ten), *out, **keywords)  # GELU rises there, and that of 10 rounds to 10


def laplace(x, /, *out, **keywords):
    """Phi((x - 0.707107) / 0.282095), the attention gate of MEGA. The other arguments are those of a ufunc. Numbers of
    ml_dtypes' types give float32."""
    return _core.ufuncs["gelu_gate_mu_sigma_erf"](x, 0.707107, 0.282095, *out, **keywords)


# Each row cites where the framework maps the name to its function. tests/heavy/test_activation_names.py compares.
NAMES: dict[str, dict[str, Callable]] = {
    # transformers/activations.py, ACT2FN. gelu_fast is NewGELU with sqrt(2/pi) in ten digits. gelu_10 clips to -10 as
    # well, which no GELU reaches.
    "transformers": {
        "gelu": ERF,
        "gelu_python": ERF,
        "gelu_10": gelu_10,
        "gelu_new": TANH,
        "gelu_fast": TANH,
        "gelu_pytorch_tanh": TANH,
        "gelu_python_tanh": TANH,
        "gelu_accurate": TANH,
        "quick_gelu": SIGMOID,
        "laplace": laplace,
    },
    # torch/nn/modules/transformer.py, _get_activation_fn; torch.nn.GELU with its default.
    "torch": {"gelu": ERF, "GELU": ERF},
    # keras/src/activations/activations.py: approximate=False (keras.ops.gelu has True).
    "keras": {"gelu": ERF},
    # jax/_src/nn/functions.py: approximate=True. flax.linen.gelu is this function.
    "jax": {"gelu": TANH},
    # onnx/defs/math/defs.cc: the attribute approximate is "none" by default.
    "onnx": {"Gelu": ERF},
    # onnxruntime docs/ContribOperators.md, domain com.microsoft: QuickGelu with its default, alpha = 1.702.
    "onnxruntime": {"Gelu": ERF, "FastGelu": TANH, "QuickGelu": SIGMOID},
    # ggml/src/ggml.c, GGML_UNARY_OP_NAME, and the functions ggml_gelu ...; ggml/src/ggml-cpu/vec.h has the formulas.
    "ggml": {
        "gelu": TANH,
        "gelu_erf": ERF,
        "gelu_quick": SIGMOID,
        "GELU": TANH,
        "GELU_ERF": ERF,
        "GELU_QUICK": SIGMOID,
    },
    # megatron/core/activations.py; megatron/legacy/model/utils.py: erf_gelu has sqrt(2) in six digits. "gelu" is the
    # tanh form with bias_gelu_fusion (megatron/core/fusions/fused_bias_gelu.py), exact without: no name of one form.
    "megatron": {"openai_gelu": TANH, "fast_gelu": TANH, "erf_gelu": ERF, "quick_gelu": SIGMOID},
    # fairseq/utils.py, get_activation_fn
    "fairseq": {"gelu": ERF, "gelu_fast": TANH, "gelu_accurate": TANH},
}


def _refusal(name, accepted, why):
    from difflib import get_close_matches  # an import for errors alone

    lower = {}
    for each in accepted:
        lower.setdefault(each.lower(), []).append(repr(each))
    near = [each for close in get_close_matches(name.lower(), lower, cutoff=0.5) for each in lower[close]]
    return ValueError(
        f"{name!r} {why}; near: {', '.join(near) or 'none'}; accepted: {', '.join(map(repr, accepted))}"
    )


def activation(name, framework="transformers"):
    """
    The function that a model's configuration names, of the GELU family.

    One name can mean different forms in different frameworks. So a name counts in the framework whose configuration it
    comes from; without `framework`, in Hugging Face's transformers (``hidden_act`` of a config.json). There "gelu_fast"
    is the *tanh* form, and has nothing to do with the name of this package.

    Parameters
    ----------
    name : str
        The name, in upper and lower case as the framework writes it.
    framework : str, optional
        "transformers" (the default), "torch", "keras", "jax", "onnx", "onnxruntime" (its operators of the domain
        com.microsoft), "ggml" (llama.cpp), "megatron" or "fairseq".

    Returns
    -------
    callable
        A function of one argument and the keywords of a ufunc, such as ``out=``, that can be pickled: one of the
        ufuncs `gelu_erf`, `gelu_tanh` and `gelu_sigmoid`; or, for "gelu_10" and "laplace" of transformers, a function
        whose docstring has the formula.

    Raises
    ------
    ValueError
        If `name` does not name a form of GELU in that framework (SiLU and ReLU are other functions), or if there is no
        such `framework`. The message has the near names, and all that are accepted.
    TypeError
        If `name` or `framework` is not a string.

    See Also
    --------
    gelu : The form as an argument: ``approximate=`` of torch, JAX, Keras and ONNX.

    Notes
    -----
    A name stands for the formula. The frameworks' own results differ from it by their rounding errors, and some of
    their constants have fewer digits: ``gelu_fast`` of transformers has sqrt(2/pi) in ten, ``erf_gelu`` of Megatron has
    sqrt(2) in six. ggml may read results of ``gelu`` and ``gelu_quick`` from a table of float16.

    Options of a framework count at their defaults: "Gelu" of ONNX has no attribute ``approximate``, and "QuickGelu" of
    ONNX Runtime has an ``alpha`` of 1.702. "gelu" of Megatron is refused, as an option decides its form: it is the tanh
    form with ``bias_gelu_fusion``, which its command line sets by default, and exact without.

    Two models of transformers mean the tanh form by "gelu", which a name alone does not tell: openai-gpt in its ``afn``
    (use "gelu_new"), and gemma in its ``hidden_act`` (use "gelu_pytorch_tanh").

    Examples
    --------
    >>> from gelu_fast import activation
    >>> activation("gelu_new")
    <ufunc 'gelu_tanh'>
    >>> activation("gelu"), activation("gelu", "ggml")
    (<ufunc 'gelu_erf'>, <ufunc 'gelu_tanh'>)
    >>> activation("quick_gelu")(1.0)
    np.float64(0.8457957659328212)
    """
    for key, value in {"name": name, "framework": framework}.items():
        if not isinstance(value, str):
            raise TypeError(f"{key} must be a string, not {value!r}")
    if framework not in NAMES:
        raise _refusal(framework, NAMES, "is no framework whose names are known")
    if name not in NAMES[framework]:
        raise _refusal(name, NAMES[framework], f"does not name a form of GELU in {framework}")
    return NAMES[framework][name]
