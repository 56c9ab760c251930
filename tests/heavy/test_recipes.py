# SPDX-License-Identifier: BSD-3-Clause
"""The recipes of docs/: the code of each page runs as a script, and what it asserts holds. Below, what pages state
beyond that."""

import re
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from needs import needs

needs("mktestdocs", "jax", "keras", "onnx", "onnxruntime", "polars", "safetensors", "scikit-learn", "torch")
needs("transformers", "numba", "distributed", "xarray", "zarr")  # of pages from elsewhere

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import onnx.backend.test.case.node as onnx_nodes  # noqa: E402
import onnxruntime  # noqa: E402
import oracle  # noqa: E402
import polars as pl  # noqa: E402
from flint import arb, ctx  # noqa: E402
from formats import BFLOAT16, FLOAT16  # noqa: E402
from mktestdocs import check_md_file, register_executor  # noqa: E402
from onnx import TensorProto, helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402
from scipy.special import expit  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

from gelu_fast import gelu, gelu_backward  # noqa: E402

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [  # tests/test_c_extension.py builds c.md; tests/test_docs.py runs the pages with sessions
    page
    for page in sorted(DOCS.rglob("*.md"))
    if page.stem != "c" and re.search("^```python\n(?!>>> )", page.read_text(), re.MULTILINE)
]


@pytest.fixture
def check(tmp_path):
    """Run a page in a process of its own, as keras and threads are set up once in a process, in an empty directory."""

    def run(source):
        script = tmp_path / "page.py"
        script.write_text(source)
        done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    register_executor("python", run)
    return lambda page: check_md_file(page, memory=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page, check):
    text = page.read_text()
    assert text.startswith("# ") and "\nassert " in text
    check(page)


def test_control(tmp_path, check):
    """A page whose second block fails is noticed, and the block sees the names of the first."""
    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n\n```python\na = 1\n```\n\nand\n\n```python\nassert a == 2, f'{a} is wrong'\n```\n"
    )
    with pytest.raises(AssertionError, match="AssertionError: 1 is wrong"):
        check(page)
    page.write_text(page.read_text().replace("a == 2", "a == 1"))
    check(page)


def names_of(page):
    """A module of the names that a page defines, after its code has run in this process."""
    name = f"page_{page}"
    module = sys.modules[name] = ModuleType(name)  # where pickle finds its classes
    register_executor("python", lambda source: exec(source, vars(module)))
    check_md_file(DOCS / f"{page}.md", memory=True)
    return module


# ---- silu ----


@pytest.mark.parametrize("dtype, lowest", [(np.float32, -103), (np.float64, -745)])
def test_silu(dtype, lowest):
    """Below 0, errors in ULP grow with |x|. Near its zero, the derivative has a small absolute error."""
    silu = names_of("silu")
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.uniform(lowest, 0, 5000), rng.uniform(-10, 30, 5000)]).astype(dtype)
    allowed = np.where(x < 0, 1.25 * np.abs(x) + 1, 1)
    assert (errors(silu.silu(x), x, lambda x, gate: x * gate) <= allowed).all()
    near = (-3 < x) & (x < 0)
    unit = np.where(near, np.finfo(dtype).eps / 4, 0)
    allowed[near] = 1
    assert (errors(silu.silu_grad(x), x, lambda x, g: g * (1 + x * (1 - g)), unit) <= allowed).all()


def errors(got, x, function, unit=0):
    """In ULP of the exact values, function(x, sigmoid(x)); or in units, where these are given."""
    with ctx.workprec(250):
        exact = [function(v, 1 / (1 + (-v).exp())) for v in map(arb, x.tolist())]
        distance = np.array([float(abs(y - e)) for y, e in zip(got.tolist(), exact)])
    return distance / np.where(unit, unit, oracle.ulp(np.array([float(e) for e in exact]), got.dtype))


@pytest.mark.parametrize("format", [FLOAT16, BFLOAT16], ids=repr)
def test_silu_of_two_bytes(format):
    """Every number, computed in float32."""
    x = format.every[np.isfinite(format.meanings)]
    got = names_of("silu").silu(x, dtype=np.float32, out=np.empty_like(x), casting="same_kind")
    wide = format.wide(x)
    assert format.error(got, wide * expit(wide)).max() <= 0.501


# ---- int8 ----


@pytest.mark.parametrize("approx", ["none", "tanh"])
def test_int8_of_onnxruntime(approx):
    """A step apart at most, where float32 rounds to the other side of a middle, and equal but for a few."""
    scales = {"s": np.float32(0.04), "z": np.int8(5), "t": np.float32(0.02), "u": np.int8(-90)}
    nodes = [
        helper.make_node("DequantizeLinear", ["x", "s", "z"], ["a"]),
        helper.make_node("Gelu", ["a"], ["b"], approximate=approx),
        helper.make_node("QuantizeLinear", ["b", "t", "u"], ["y"]),
    ]
    x = np.arange(-128, 128, dtype=np.int8)
    types = {"x": TensorProto.INT8, "s": TensorProto.FLOAT, "z": TensorProto.INT8}
    types |= {"t": TensorProto.FLOAT, "u": TensorProto.INT8, "y": TensorProto.INT8}
    want = run_onnx(nodes, {"x": x, **scales}, types)
    table = names_of("int8").gelu_table(*scales.values(), approx)
    apart = np.abs(table[x.view(np.uint8)].astype(int) - want)
    assert apart.max() <= 1 and apart.sum() <= 2


def model_of(nodes, shapes, types):
    """A model whose inputs have these shapes; the last of the types is the output's."""
    *inputs, output = (helper.make_tensor_value_info(n, t, shapes.get(n)) for n, t in types.items())
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(
        helper.make_graph(nodes, "g", inputs, [output]), opset_imports=opsets, ir_version=10
    )


def run_onnx(nodes, feed, types):
    """The result of ONNX Runtime."""
    feed = {name: np.asarray(array) for name, array in feed.items()}
    model = model_of(nodes, {name: array.shape for name, array in feed.items()}, types)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, feed)[0]


# ---- onnx ----


def test_onnx_nodes():
    """ONNX's own tests of Gelu."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the cases of other operators, which are made as well
        cases = onnx_nodes.collect_testcases("Gelu")
    ops, seen = names_of("onnx").ops, set()
    for case in cases:
        if [node.op_type for node in case.model.graph.node] != ["Gelu"]:
            continue  # the same node, taken apart into others
        for inputs, (want,) in case.data_sets:
            evaluator = ReferenceEvaluator(case.model, new_ops=ops)
            (got,) = evaluator.run(None, dict(zip(evaluator.input_names, inputs)))
            np.testing.assert_allclose(got, want, rtol=case.rtol, atol=case.atol)
            approx = {a.name: a.s.decode() for a in case.model.graph.node[0].attribute}.get(
                "approximate", "none"
            )
            np.testing.assert_array_equal(got, gelu(*inputs, approx))
            seen.add(case.name)
    assert {f"test_gelu_{form}_{i}" for form in ("default", "tanh") for i in (1, 2)} <= seen


@pytest.mark.parametrize(
    "type", [TensorProto.FLOAT16, TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.BFLOAT16]
)
def test_onnx_types(type):
    x = np.linspace(-12, 8, 2001).astype(helper.tensor_dtype_to_np_dtype(type))
    model = model_of([helper.make_node("Gelu", ["x"], ["y"])], {"x": x.shape}, {"x": type, "y": type})
    (got,) = ReferenceEvaluator(model, new_ops=names_of("onnx").ops).run(None, {"x": x})
    assert got.dtype == x.dtype
    np.testing.assert_array_equal(got, gelu(x))


@pytest.mark.parametrize(
    "op, inputs, attributes",
    [
        ("Gelu", "x", {}),
        ("BiasGelu", "xb", {}),
        ("FastGelu", "x", {}),
        ("FastGelu", "xb", {}),
        ("QuickGelu", "x", {}),
        ("QuickGelu", "x", {"alpha": 1.702}),
        ("QuickGelu", "x", {"alpha": 1.0}),
    ],
)
def test_onnx_of_microsoft(op, inputs, attributes):
    rng = np.random.default_rng(1)
    feed = {name: rng.normal(0, 4, 1000).astype(np.float32) for name in inputs}
    nodes = [helper.make_node(op, list(inputs), ["y"], domain="com.microsoft", **attributes)]
    types = dict.fromkeys([*inputs, "y"], TensorProto.FLOAT)
    model = model_of(nodes, {name: x.shape for name, x in feed.items()}, types)
    (got,) = ReferenceEvaluator(model, new_ops=names_of("onnx").ops).run(None, feed)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, run_onnx(nodes, feed, types), rtol=1e-6, atol=1e-6)


# ---- scikit-learn ----


def test_sklearn_estimator():
    """scikit-learn's own checks of an estimator."""
    results = check_estimator(names_of("scikit-learn").RandomGelu(16), on_skip=None)
    assert {result["status"] for result in results} <= {"passed", "skipped"}
    assert sum(result["status"] == "passed" for result in results) > 30


# ---- polars ----


@pytest.mark.parametrize(
    "type, expected",
    [(pl.Int16, pl.Float32), (pl.UInt16, pl.Float32), (pl.Int32, pl.Float64), (pl.UInt64, pl.Float64)],
)
def test_polars_integers(type, expected):
    lazy = pl.LazyFrame({"a": [0, None, 1]}, schema={"a": type}).select(gelu(pl.col("a")))
    column = lazy.collect()["a"]
    assert lazy.collect_schema()["a"] == column.dtype == expected and column.null_count() == 1


@pytest.mark.parametrize("type", [pl.Int8, pl.UInt8, pl.Boolean, pl.Float16, pl.Decimal(10, 2)])
def test_polars_refuses(type):
    with pytest.raises((NotImplementedError, TypeError)):
        gelu(pl.Series("a", [1, None]).cast(type))


def test_polars_of_two_dimensions():
    x = np.random.default_rng(1).normal(size=(4, 3))
    column = pl.Series("v", x)
    back = pl.Series("v", gelu(column.to_numpy()))
    assert column.dtype == back.dtype == pl.Array(pl.Float64, 3)
    np.testing.assert_array_equal(back.to_numpy(), gelu(x))


def test_polars_frames():
    frame = pl.DataFrame({"a": [1.0, None], "b": [2.0, 3.0]})
    np.testing.assert_array_equal(gelu(frame), gelu(np.array([[1, 2], [np.nan, 3.0]])))
    with pytest.raises(TypeError, match="not supported for the input types"):
        gelu(frame.lazy())


# ---- jax ----


def test_jax():
    page = names_of("jax")
    x = np.random.default_rng(1).normal(0, 4, (3, 5)).astype(np.float32)
    twice = jax.jit(jax.vmap(jax.vmap(partial(page.gelu, approx="sigmoid"))))
    np.testing.assert_array_equal(twice(x), gelu(x, "sigmoid"))
    np.testing.assert_array_equal(jax.vmap(page.gelu, in_axes=1, out_axes=1)(x), gelu(x))
    one, many = x[0], x  # dy alone has a batch, and x alone
    for dy, at, axes in (many, one, (0, None)), (one, many, (None, 0)):
        pull = jax.vmap(lambda dy, at: jax.vjp(page.gelu, at)[1](dy)[0], in_axes=axes)
        np.testing.assert_array_equal(pull(dy, at), gelu_backward(dy, at))
    for dtype in jnp.float16, jnp.bfloat16:
        y = page.gelu(jnp.asarray(x, dtype))
        assert y.dtype == dtype
        np.testing.assert_array_equal(y, gelu(np.asarray(x.astype(dtype))))
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(page.gelu, (x,), (x,))
    with pytest.raises(Exception, match="Expected: int32, Actual: float"):
        page.gelu(jnp.arange(3)).block_until_ready()


@pytest.mark.parametrize("approx", ["none", "tanh", "sigmoid"])
def test_jax_gradient(approx):
    """JAX derives the same gradient from the formula, to its own accuracy, which is absolute."""
    formula = {
        "none": partial(jax.nn.gelu, approximate=False),
        "tanh": jax.nn.gelu,
        "sigmoid": lambda x: x * jax.nn.sigmoid(1.702 * x),
    }[approx]
    x = np.linspace(-5, 5, 1001, dtype=np.float32)
    got = jax.vmap(jax.grad(partial(names_of("jax").gelu, approx=approx)))(x)
    np.testing.assert_allclose(got, jax.vmap(jax.grad(formula))(x), rtol=0, atol=1e-5)
