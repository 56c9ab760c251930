# SPDX-License-Identifier: BSD-3-Clause
"""Copy this checkout: mutants.py builds the copy with a fault in it, sanitize.py for a sanitizer."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def copy_to(folder):
    """Copy all files that git tracks or would add, uncommitted changes included, with their modification times."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in names.split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
