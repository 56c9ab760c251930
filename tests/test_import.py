# SPDX-License-Identifier: BSD-3-Clause
"""Imports, names and pickles, in every surrounding of the package."""

import ast
import copy
import copyreg
import inspect
import multiprocessing
import os
import pickle
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import gelu_fast
from gelu_fast._bounds import UFUNCS

PACKAGE = Path(gelu_fast.__file__).parent
PUBLIC = [name for name in gelu_fast.__all__ if name != "__version__"]
HAS_MODULE = hasattr(np.exp, "__dict__")  # NumPy 2.2


def run(code, *path, **options):
    """Run the code in a new process, which looks for modules in these paths first, and not in this directory."""
    before = os.environ.get("PYTHONPATH")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, path), *([before] if before else [])])}
    return subprocess.run(
        [sys.executable, "-P", "-c", code], env=env, capture_output=True, text=True, **options
    )


def test_doors_cost_nothing():
    """The package, and calls on plain arrays, do not look for the packages that it works with."""
    code = """
import sys
asked = set()
class Spy:
    def find_spec(name, path=None, target=None):
        asked.add(name.partition(".")[0])
import numpy as np
sys.meta_path.insert(0, Spy)
import gelu_fast
gelu_fast.geglu(gelu_fast.gelu(np.ones(8), "tanh"), approximate="none")
gelu_fast.activation("gelu_new")(np.ones(8))
gelu_fast.get_include()
print(*asked)
"""
    done = run(code)
    assert done.returncode == 0, done.stderr
    asked = set(done.stdout.split())
    assert "gelu_fast" in asked
    others = {
        "torch",
        "numba",
        "dask",
        "distributed",
        "jax",
        "pandas",
        "xarray",
        "polars",
        "keras",
        "transformers",
    }
    assert not asked & (others | {"onnx", "Cython", "scipy", "setuptools"}), asked


# ---- names and pickles ----


@pytest.mark.parametrize("name", PUBLIC)
def test_module(name):
    public = getattr(gelu_fast, name)
    if name not in UFUNCS or HAS_MODULE:
        assert public.__module__ == "gelu_fast"
    assert public.__name__ == name


# As in a script that multiprocessing has imported anew: the module __mp_main__ contains the functions, too.
PICKLE = """
import multiprocessing, pickle, sys
import cloudpickle, dask
from gelu_fast import *
import gelu_fast
sys.modules["__mp_main__"] = sys.modules["__main__"]
sys.modules = {"__mp_main__": sys.modules["__main__"], **sys.modules}
names = [name for name in gelu_fast.__all__ if name != "__version__"]
pickles = [
    dump(getattr(gelu_fast, name), protocol)
    for name in names
    for dump in (pickle.dumps, pickle._dumps, cloudpickle.dumps)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
]
sys.stdout.buffer.write(pickle.dumps((names, pickles)))
"""
UNPICKLE = """
import pickle, sys
names, pickles = pickle.load(sys.stdin.buffer)
loaded = [pickle.loads(one) for one in pickles]
import gelu_fast
assert not [one for one in pickles if b"__mp_main__" in one or b"_core" in one]
each = len(pickles) // len(names)
assert all(one is getattr(gelu_fast, names[i // each]) for i, one in enumerate(loaded))
print(len(loaded))
"""


def test_pickles_load_in_a_new_process():
    made = subprocess.run([sys.executable, "-c", PICKLE], capture_output=True, check=True).stdout
    done = subprocess.run([sys.executable, "-c", UNPICKLE], input=made, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert int(done.stdout) >= 18 * len(PUBLIC)


def test_copies():
    for name in PUBLIC:
        public = getattr(gelu_fast, name)
        assert copy.copy(public) is public and copy.deepcopy([public])[0] is public


def test_pickles_of_other_ufuncs():
    """Pickles of other ufuncs are the same as without this package."""
    code = "import numpy, pickle; print(pickle.dumps([numpy.exp, numpy.multiply]))"
    assert run(code, check=True).stdout.strip() == str(pickle.dumps([np.exp, np.multiply]))
    mine = np.frompyfunc(abs, 1, 1)
    reduce = copyreg.dispatch_table[np.ufunc]
    assert reduce(mine) == mine.__name__
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(mine)


def apply(function, x):
    return function(x)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_ufuncs_go_to_other_processes(method):
    x = np.linspace(-3, 3, 7)
    with multiprocessing.get_context(method).Pool(1) as pool:
        for function in (gelu_fast.gelu_erf, gelu_fast.gelu):
            np.testing.assert_array_equal(pool.apply(apply, (function, x)), gelu_fast.gelu(x))


@pytest.mark.skipif(not hasattr(np.exp, "__signature__"), reason="NumPy before 2.4 names inputs x1, x2")
def test_ufuncs_name_their_inputs():
    for name, (function, _) in UFUNCS.items():
        ufunc, plain = getattr(gelu_fast, name), function.removesuffix("_mu_sigma")
        inputs = list(inspect.signature(getattr(gelu_fast, plain)).parameters)
        inputs = [*inputs[: inputs.index("approx")], *["mu", "sigma"] * (plain != function)]
        assert list(inspect.signature(ufunc).parameters)[: ufunc.nin] == inputs
        assert ufunc.__doc__.startswith(f"{name}({', '.join(inputs)}")
    assert list(inspect.signature(np.multiply).parameters)[:2] == ["x1", "x2"]


# ---- a package that cannot be loaded says what to do ----


def test_nothing_compiled(tmp_path):
    """A checkout that is not built."""
    shutil.copytree(PACKAGE, tmp_path / "gelu_fast", ignore=shutil.ignore_patterns("*.so", "*.pyd"))
    for code in ("import gelu_fast", "from gelu_fast import _core", "import gelu_fast._config"):
        done = run(code, tmp_path)
        assert f"ImportError: {tmp_path / 'gelu_fast'} has no compiled part" in done.stderr
        assert "`pip install .`" in done.stderr and "circular" not in done.stderr


def test_zip(tmp_path):
    archive = tmp_path / "gelu_fast.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in PACKAGE.glob("*.*"):
            file.write(path, f"gelu_fast/{path.name}")
    done = run("import gelu_fast", archive)
    assert f"ImportError: {archive / 'gelu_fast'} has no compiled part" in done.stderr
    assert "a zip archive must be installed" in done.stderr and "circular" not in done.stderr


def test_an_error_of_the_compiled_part_stays():
    done = run("import os; os.environ['GELU_FAST_ISA'] = 'none'; import gelu_fast")
    assert "ImportError: GELU_FAST_ISA=none" in done.stderr and "pip install" not in done.stderr


def test_python_code_names_what_the_compiled_part_imports():
    """PyInstaller and similar tools read the import statements of Python code, but not those of compiled code."""
    code = "import sys, gelu_fast; print(*(name for name in sys.modules if name.startswith('gelu_fast.')))"
    loaded = set(run(code, check=True).stdout.split())
    assert "gelu_fast._core" in loaded
    seen = set()
    for path in [PACKAGE / "__init__.py", *(PACKAGE / f"{name.partition('.')[2]}.py" for name in loaded)]:
        for node in ast.walk(ast.parse(path.read_text())) if path.exists() else ():
            if isinstance(node, ast.Import):
                seen |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                seen |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    assert loaded <= seen


# ---- ml_dtypes that is broken ----

WORKS = """
import numpy as np, warnings
warnings.simplefilter("always")
with warnings.catch_warnings(record=True) as caught:
    import gelu_fast
for dtype in ("f2", "f4", "f8"):
    x = np.linspace(-3, 3, 100, dtype=dtype)
    y = gelu_fast.gelu(x)
    assert y.dtype == x.dtype and np.allclose(y, gelu_fast.gelu_erf(x.astype("f8")), rtol=2e-3)
    assert gelu_fast.geglu(x, x).dtype == x.dtype
print(*(f"{w.category.__name__}: {w.message}" for w in caught), sep="\\n")
"""
PRESENT = {  # the text of ml_dtypes/__init__.py
    "an attribute": ("import numpy; numpy.core_of_old", "AttributeError: .*core_of_old"),
    "an error": ("raise RuntimeError('compiled for NumPy 1')", "RuntimeError: compiled for NumPy 1"),
    "a part": ("import ml_dtypes.extension", "ModuleNotFoundError: .*'ml_dtypes.extension'"),
    "a library": ("raise ImportError('libstdc++.so.6')", "ImportError: libstdc"),
    "no bfloat16": ("float8_e5m2 = float", "AttributeError: .*bfloat16"),
    "NumPy's own type": ("import numpy; bfloat16 = numpy.int16", "TypeError"),
    "a type of another size": ("bfloat16 = float", "TypeError: float64 has 8 bytes"),
    "no type": ("bfloat16 = 'no type'", "TypeError"),
}


def warnings_of(done):
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("text, error", PRESENT.values(), ids=PRESENT)
def test_broken_ml_dtypes(text, error, tmp_path):
    (tmp_path / "ml_dtypes").mkdir()
    (tmp_path / "ml_dtypes" / "__init__.py").write_text(text)
    (warning,) = warnings_of(run(WORKS, tmp_path))
    message = f"RuntimeWarning: gelu_fast works without ml_dtypes, which is installed but fails: {error}"
    assert re.match(message, warning), warning


def test_empty_ml_dtypes():
    """An empty folder ml_dtypes, which Python takes for a package if no other has that name."""
    empty = "import sys, types; sys.modules['ml_dtypes'] = types.ModuleType('ml_dtypes')\n"
    (warning,) = warnings_of(run(empty + WORKS))
    assert "without ml_dtypes, which is installed but fails: AttributeError" in warning


def test_types_of_ml_dtypes_that_are_broken():
    pytest.importorskip("ml_dtypes")
    broken = "import ml_dtypes; ml_dtypes.float8_e5m2 = None; ml_dtypes.float8_e4m3fnuz = int\n"
    others = """
for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2fnuz"):
    x = np.array([1, -2, 0.5]).astype(getattr(ml_dtypes, name))
    assert gelu_fast.gelu(x).dtype == gelu_fast.gelu_erf(x).dtype == x.dtype
"""
    found = warnings_of(run(broken + WORKS + others))
    assert [warning.split(",")[0].split()[-1] for warning in found] == [
        *("ml_dtypes.float8_e5m2", "ml_dtypes.float8_e4m3fnuz")
    ]


def test_without_ml_dtypes():
    """No warning where ml_dtypes is not installed, or where sys.modules marks it as missing."""
    assert warnings_of(run("import sys; sys.modules['ml_dtypes'] = None\n" + WORKS)) == [""]
