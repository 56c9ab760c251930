# SPDX-License-Identifier: BSD-3-Clause
"""The requirements of tests beyond `make test`'s own environment."""

import importlib
import importlib.metadata
import importlib.util
import os
import shutil
from pathlib import Path

import pytest


def absent(reason, **options):
    """Skip, saying why; fail under `make test-all`, where nothing may be absent."""
    if os.environ.get("GELU_FAST_TEST_ALL"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, **options)


def needs(*packages):
    """Skip the module, saying why, where one of the packages is not installed; fail under `make test-all`."""
    missing = []
    for package in packages:
        try:
            importlib.metadata.distribution(package)
        except importlib.metadata.PackageNotFoundError:
            missing.append(package)
    if missing:
        reason = f"needs what make test-all installs (missing: {', '.join(missing)})"
        absent(reason, allow_module_level=True)


def example(name):
    """The path of the script examples/<name>.py, and its module."""
    script = Path(__file__).parents[1] / "examples" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, script)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(script.parent)
        spec.loader.exec_module(module)
    return script, module


def command(*names, debian):
    """The path of the first of these commands that exists. If none does, skip or fail as `absent` does."""
    for name in names:
        if path := shutil.which(name):
            return path
    absent(f"needs {names[0]} (Debian: {debian})")


def tool(name, directory="tools"):
    """The module tools/<name>.py, or of another directory. Skip where the tests stand alone, without their checkout."""
    script = Path(__file__).parents[1] / directory / f"{name}.py"
    if not script.exists():
        pytest.skip(
            "the tests stand alone here, without the checkout they belong to", allow_module_level=True
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(script.parent)
        return importlib.import_module(name)
