# SPDX-License-Identifier: BSD-3-Clause
import importlib.metadata
import os

import pytest


def needs(*packages):
    """Skip the module, saying why, where one of the packages is not installed; fail under `make test-all`."""
    missing = []
    for package in packages:
        try:
            importlib.metadata.distribution(package)
        except importlib.metadata.PackageNotFoundError:
            missing.append(package)
    if missing:
        reason = f"needs the extra 'peers': make test-all (missing: {', '.join(missing)})"
        if os.environ.get("GELU_FAST_TEST_ALL"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason, allow_module_level=True)
