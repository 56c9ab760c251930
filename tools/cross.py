#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compile for other platforms by zig's C compiler, which comes as a Python package (ziglang).

cross.py cc TARGET ARGUMENT...  compiles or links for a target of zig, such as x86_64-windows-gnu; CC= may name it
cross.py wheel                  builds the wheel for musl in build/musl/, and shows what it needs from the system
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from checkout import ROOT


def compiler(target):
    """The command of the compiler for a target, in words."""
    return [sys.executable, str(Path(__file__).resolve()), "cc", target]


def cc(target, arguments):
    # zig names CPUs with _ where GCC and Clang have -.
    words = [
        word.replace("x86-64-v", "x86_64_v") if word.startswith("-march=") else word for word in arguments
    ]
    os.execv(sys.executable, [sys.executable, "-m", "ziglang", "cc", "-target", target, *words])


def wheel():
    """The wheel for musl, and the system's libraries that it loads."""
    told = {
        "CC": shlex.join(compiler("x86_64-linux-musl")),
        "GELU_FAST_OPENMP": "0",  # zig has no OpenMP
        "_PYTHON_HOST_PLATFORM": "musllinux-1.2-x86_64",
    }
    with TemporaryDirectory() as work:
        # Isolated, pip would install NumPy for musl, which this Python cannot import.
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
        pip += ["--no-build-isolation"]
        subprocess.run([*pip, "--wheel-dir", work, str(ROOT)], env=os.environ | told, check=True)
        (built,) = Path(work).glob("*.whl")
        with ZipFile(built) as files:
            (library,) = (name for name in files.namelist() if name.endswith(".so"))
            files.extract(library, work)
        shown = subprocess.run(
            ["readelf", "-d", Path(work, library)], capture_output=True, text=True, check=True
        )
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", shown.stdout)
        if needed != ["libc.so"]:
            sys.exit(f"{built.name} needs {needed}, not musl's libc.so alone")
        into = ROOT / "build" / "musl"  # dist/ has the files of a release, of this machine
        into.mkdir(parents=True, exist_ok=True)
        shutil.copy(built, into)
    print(f"build/musl/{built.name} needs {', '.join(needed)}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["cc", target, *arguments]:
            cc(target, arguments)
        case ["wheel"]:
            wheel()
        case _:
            sys.exit(__doc__)
