# SPDX-License-Identifier: BSD-3-Clause
"""The files that setup.py compiles, and their flags, for code that compiles a part of them itself: the kernels for
other CPUs (test_emulated.py), and a tree with a planted bug (tools/mutants.py)."""

import os
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent


def sources_on(machine, compiler, root=ROOT, system="linux"):
    """The files that setup.py compiles on `machine` by `compiler`, a command, with their flags: [([source, ...], [flag,
    ...]), ...], one pair for each ISA level, and the last for the extension.

    setup.py itself runs; it is told the machine and the compiler. In place of setuptools and Cython, which need not be
    installed here, mocks record the arguments that they get."""
    told = {}
    listeners = {
        "setuptools": SimpleNamespace(
            setup=told.update,
            Extension=lambda name, sources, **told: SimpleNamespace(sources=sources, **told),
        ),
        "setuptools.command.build_clib": SimpleNamespace(build_clib=object),
        "setuptools.command.build_ext": SimpleNamespace(build_ext=object),
        "setuptools.errors": mock.MagicMock(),
        "Cython.Build": SimpleNamespace(cythonize=lambda extension, **_: extension),
    }
    platform = mock.patch("sysconfig.get_platform", return_value=f"{system}-{machine}")
    with platform, mock.patch.dict(sys.modules, listeners), mock.patch.dict(os.environ, CC=compiler):
        runpy.run_path(str(root / "setup.py"))
    core = told["ext_modules"]
    include = [f"-I{folder}" for folder in core.include_dirs]
    macros = [f"-D{name}={value}" for name, value in core.define_macros]
    levels = [(library["sources"], library["cflags"]) for _, library in told["libraries"]]
    return [*levels, (core.sources, [*core.extra_compile_args, *macros, *include])]
