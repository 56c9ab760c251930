# SPDX-License-Identifier: BSD-3-Clause
"""tests/kernel_driver.c with the kernels, built for another CPU or system, and run on arrays."""

import os
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sources import ROOT, sources_on


def build_driver(machine, compiler, folder, *more_flags, system="linux"):
    """Build the executable from the C files of setup.py and tests/kernel_driver.c; `compiler` is a command."""
    if not (ROOT / "setup.py").exists():
        pytest.skip("the tests stand alone here, without the checkout that has the kernels' sources")

    def run(*args):
        done = subprocess.run([*shlex.split(compiler), *args], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    include = ["-I", str(ROOT / "gelu_fast" / "kernels")]
    groups = [*sources_on(machine, compiler, system=system), (["tests/kernel_driver.c"], include)]
    files = [(ROOT / name, flags) for sources, flags in groups for name in sources if name.endswith(".c")]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # some compilers take one file at a time
        for done in [
            pool.submit(run, *flags, *more_flags, "-c", str(path), "-o", f"{path.stem}.o")
            for path, flags in files
        ]:
            done.result()
    run(*more_flags, *(f"{path.stem}.o" for path, _ in files), "-o", "kernel_driver")
    return str(folder / "kernel_driver")


def through(*driver, big_endian=False):
    """function(name, x, ...), which runs the driver that this command starts on arrays, and returns its output: an
    array, or one for each output."""

    def function(name, *inputs, control=(), of_type=None):
        kernel = [name, of_type or f"f{8 * inputs[0].itemsize}"]
        data = b"".join((x.byteswap() if big_endian else x).tobytes() for x in inputs)
        done = subprocess.run([*driver, *kernel, *control], input=data, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        outputs = np.frombuffer(done.stdout, inputs[0].dtype).reshape(-1, inputs[0].size)
        outputs = outputs.byteswap() if big_endian else outputs
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    return function
