# SPDX-License-Identifier: BSD-3-Clause
"""The floating-point environment of this thread, set by the self-test's code. That code is read from its file, as
gelu_fast must not be imported yet: test_environment.py imports it in another environment."""

from importlib.util import find_spec
from pathlib import Path
from runpy import run_path

import pytest

_ENVIRONMENT = run_path(str(Path(find_spec("gelu_fast").origin).parent / "selftest" / "environment.py"))
if _ENVIRONMENT["UNKNOWN"]:
    pytest.skip(_ENVIRONMENT["UNKNOWN"], allow_module_level=True)

ENVIRONMENTS, FLAGS = _ENVIRONMENT["ENVIRONMENTS"], _ENVIRONMENT["FLAGS"]
control, flags, raise_flags, environment = (
    _ENVIRONMENT[name] for name in ("control", "flags", "raise_flags", "environment")
)
