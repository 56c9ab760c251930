# SPDX-License-Identifier: BSD-3-Clause
"""The functions that `activation` gives are those that the frameworks take for these names: transformers', torch's,
Keras', JAX's, ONNX's and ONNX Runtime's own; and the formulas of ggml, Megatron and fairseq, in float64."""

import inspect
import math
import os
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from needs import needs

needs("torch", "transformers", "keras", "jax", "onnx", "onnxruntime")
os.environ.setdefault("KERAS_BACKEND", "numpy")

import onnxruntime  # noqa: E402
import torch  # noqa: E402
from onnx import TensorProto, helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from gelu_fast import activation  # noqa: E402
from gelu_fast._activation import NAMES  # noqa: E402

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import jax
    import keras
    import transformers
    from transformers import AutoConfig
    from transformers.activations import ACT2FN
    from transformers.models.wav2vec2_conformer import modeling_wav2vec2_conformer

# Both tails, where others give zero, the middle, and subnormal numbers.
X = np.concatenate(
    [np.linspace(-40, 40, 200_001), np.linspace(-3, 3, 100_001), [0.0, -0.0, 1e4, -1e4, 1e-40, -1e-40]]
)
SQRT_2_OVER_PI = math.sqrt(2 / math.pi)
erf = np.vectorize(math.erf, otypes=[np.float64])

# Constants with fewer digits move the argument of tanh or erf by this part. That moves the result by at most a quarter
# of it, times |x|: u tanh'(u)/2 and z erf'(z)/2 are at most 0.224 and 0.242.
ROUNDED_CONSTANTS = {
    ("gelu_fast", "transformers"): 0.7978845608 / SQRT_2_OVER_PI - 1,
    ("fast_gelu", "megatron"): 0.7978845608 / SQRT_2_OVER_PI - 1,
    ("erf_gelu", "megatron"): math.sqrt(2) / 1.41421 - 1,
}


def close(got, want, name, framework):
    """To the error of the usual formulas: the last steps of each are a sum of at most 2, which errs by some eps, and a
    product with x/2; so the error is absolute, in units of max(1, |x|)."""
    assert want.dtype == got.dtype
    eps = float(np.finfo(got.dtype).eps)
    allowed = 4 * eps + abs(ROUNDED_CONSTANTS.get((name, framework), 0)) / 4
    x = X.astype(got.dtype).astype(np.float64)
    off = np.abs(got.astype(np.float64) - want.astype(np.float64)) / np.maximum(1, np.abs(x))
    assert off.max() <= allowed, f"{off.max() / eps} eps at {x[off.argmax()]}"


def forms_differ(got):
    """Whether the tolerances tell this function from all other ones."""
    x = X.astype(got.dtype)
    others = {activation(name)(x).tobytes() for name in NAMES["transformers"]} - {got.tobytes()}
    allowed = 1e-5 * np.maximum(1, np.abs(x))
    return all((np.abs(np.frombuffer(each, got.dtype) - got) > allowed).any() for each in others)


# ---- transformers ----


def of_torch_function(function, x):
    with torch.no_grad():
        return function(torch.from_numpy(x)).numpy()


def is_named_like_gelu(name):
    return "gelu" in name or name == "laplace"


def test_every_name_of_transformers_is_known():
    assert {name for name in ACT2FN if is_named_like_gelu(name)} == {*NAMES["transformers"]}


@pytest.mark.parametrize("name", [name for name in ACT2FN if name not in ("prelu", "xielu")])
def test_no_other_name_of_transformers_is_gelu(name):
    """Names that do not look like it are other functions: further from GELU than its sigmoid form, which is 0.0203 off.
    (prelu and xielu have parameters.)"""
    x = np.linspace(-6, 6, 1001)
    off = np.abs(of_torch_function(ACT2FN[name], x) - activation("gelu")(x)).max()
    assert (off < 0.03) == (is_named_like_gelu(name) and name != "laplace")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [name for name in ACT2FN if is_named_like_gelu(name)])
def test_transformers(name, dtype):
    x = X.astype(dtype)
    got = activation(name)(x)
    close(got, of_torch_function(ACT2FN[name], x), name, "transformers")
    assert forms_differ(got)


def test_models_whose_gelu_is_the_tanh_form():
    """The exceptions in docs/names.md."""
    small = {"vocab_size": 2, "num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 1}
    gpt = transformers.OpenAIGPTModel(transformers.OpenAIGPTConfig(afn="gelu", n_positions=2, **small))
    more = {"intermediate_size": 8, "num_key_value_heads": 1, "head_dim": 8}
    gemma = transformers.GemmaModel(transformers.GemmaConfig(hidden_act="gelu", **more, **small))
    page = " ".join((Path(__file__).parents[2] / "docs" / "names.md").read_text().split())
    for key, name, act in (
        ("afn", "gelu_new", gpt.h[0].mlp.act),
        ("hidden_act", "gelu_pytorch_tanh", gemma.layers[0].mlp.act_fn),
    ):
        got = activation(name)(X)
        close(got, of_torch_function(act, X), name, "transformers")
        assert forms_differ(got)
        assert re.search(rf'`{key}="gelu"`,? [^"]*ask for "{name}"', page)


# ---- frameworks with a function of their own ----


def of_onnx(x, op_type, domain, opset):
    node = helper.make_node(op_type, ["x"], ["y"], domain=domain)
    kind = TensorProto.FLOAT if x.dtype == np.float32 else TensorProto.DOUBLE
    value = [helper.make_tensor_value_info(name, kind, ["n"]) for name in "xy"]
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid(domain, opset)][: 1 + bool(domain)]
    model = helper.make_model(helper.make_graph([node], "g", value[:1], value[1:]), opset_imports=opsets)
    model.ir_version = 10
    return model


def reference_of_onnx(name, x):
    return ReferenceEvaluator(of_onnx(x, name, "", 20)).run(None, {"x": x})[0]


def of_onnxruntime(name, x):
    model = of_onnx(x, name, "com.microsoft", 1).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def of_torch(name, x):
    function = torch.nn.GELU() if name == "GELU" else torch.nn.functional.gelu
    return of_torch_function(function, x)


def of_keras(name, x):
    with warnings.catch_warnings(action="ignore"):  # the torch backend copies as NumPy 2 no longer wants it
        return keras.ops.convert_to_numpy(keras.activations.get(name)(x))


def of_jax(name, x):
    return np.asarray(getattr(jax.nn, name)(x))


OWN = {
    "torch": (of_torch, (np.float32, np.float64)),
    # JAX has float32 alone by default, and so has Keras on it; onnx.reference rounds erf to float32.
    "keras": (of_keras, (np.float32,)),
    "jax": (of_jax, (np.float32,)),
    "onnx": (reference_of_onnx, (np.float32,)),
    "onnxruntime": (of_onnxruntime, (np.float32,)),
}


@pytest.mark.parametrize(
    "framework, name, dtype",
    [(of, name, dtype) for of, (_, dtypes) in OWN.items() for name in NAMES[of] for dtype in dtypes],
)
def test_frameworks(framework, name, dtype):
    x = X.astype(dtype)
    got = activation(name, framework)(x)
    close(got, OWN[framework][0](name, x), name, framework)
    assert forms_differ(got)


def test_keras_finds_the_name_of_a_layer():
    layer = keras.layers.Activation("gelu")
    assert layer.get_config()["activation"] == "gelu" and layer.activation is keras.activations.gelu


# ---- docs/forms.md ----


def values(config):
    """All values of a configuration and of those in it."""
    for value in config.values():
        yield from values(value) if isinstance(value, dict) else [value]


def test_models():
    """The page's table names what the default configurations name, and the form that is meant."""
    text = (Path(__file__).parents[2] / "docs" / "forms.md").read_text()
    rows = re.findall(r"^\| (`[\w`, -]+`) \| `(\w+)` \| (exact|tanh|sigmoid) \|$", text, re.MULTILINE)
    suffix = {"exact": "erf", "tanh": "tanh", "sigmoid": "sigmoid"}
    models = [(model, name, form) for names, name, form in rows for model in re.findall("`([^`]+)`", names)]
    assert len(models) > 20
    for model, name, form in models:
        named = {value for value in values(AutoConfig.for_model(model).to_dict()) if isinstance(value, str)}
        assert named & {*NAMES["transformers"]} == {name}, model
        assert activation(name).__name__ == f"gelu_{suffix[form]}"


# ---- formulas, as the sources that NAMES cites define them ----


def exact(x):
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def tanh(x):
    return 0.5 * x * (1 + np.tanh(SQRT_2_OVER_PI * x * (1 + 0.044715 * x * x)))


def sigmoid(x):
    with np.errstate(over="ignore"):
        return x / (1 + np.exp(-1.702 * x))


FORMULAS = {
    "ggml": {
        "gelu": tanh,
        "gelu_erf": exact,
        "gelu_quick": sigmoid,
        "GELU": tanh,
        "GELU_ERF": exact,
        "GELU_QUICK": sigmoid,
    },
    "megatron": {
        "openai_gelu": tanh,
        "fast_gelu": lambda x: 0.5 * x * (1 + np.tanh(x * 0.7978845608 * (1 + 0.044715 * x * x))),
        "erf_gelu": lambda x: x * 0.5 * (erf(x / 1.41421) + 1),
        "quick_gelu": sigmoid,
    },
    "fairseq": {"gelu": exact, "gelu_fast": tanh, "gelu_accurate": tanh},
}


def test_every_framework_is_compared():
    assert {"transformers", *OWN, *FORMULAS} == {*NAMES}
    assert {framework: {*names} for framework, names in FORMULAS.items()} == {
        framework: {*NAMES[framework]} for framework in FORMULAS
    }


@pytest.mark.parametrize("framework, name", [(of, name) for of, names in FORMULAS.items() for name in names])
def test_formulas(framework, name):
    got = activation(name, framework)(X)
    close(got, FORMULAS[framework][name](X), name, framework)
    assert forms_differ(got)


def test_defaults_of_models():
    """The statements of docs/idea/transformers.md on the models in transformers, and of JAX's default."""
    names = {
        "OpenAIGPTConfig": ("afn", "gelu"),
        "GPT2Config": ("activation_function", "gelu_new"),
        "BertConfig": ("hidden_act", "gelu"),
        "ViTConfig": ("hidden_act", "gelu"),
        "DetrConfig": ("activation_function", "relu"),
    }
    page = (Path(__file__).parents[2] / "docs" / "idea" / "transformers.md").read_text()
    for config, (key, name) in names.items():
        assert getattr(getattr(transformers, config)(), key) == name
        assert f'`{key}="{name}"`' in page
    t5 = transformers.T5Config(feed_forward_proj="gated-gelu")
    assert (t5.is_gated_act, t5.dense_act_fn) == (True, "gelu_new")
    assert "nn.GLU" in inspect.getsource(modeling_wav2vec2_conformer.Wav2Vec2ConformerConvolutionModule)
    assert inspect.signature(jax.nn.gelu).parameters["approximate"].default is True
