# SPDX-License-Identifier: BSD-3-Clause
"""Show the configuration, and the error and the time of GELU of an array beside the usual NumPy formulas."""

import argparse
import math
import sys
import time

import numpy as np

import gelu_fast

SHAPE = 512, 3072  # a feed-forward block of BERT base: 512 tokens, 3072 hidden units
RUNS = 15


def median_ms(function):
    """The median time of a call in milliseconds, after one to warm up."""
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return sorted(times[1:])[RUNS // 2] * 1e3


# The usual formulas, as fast as they can be written. Python floats keep float32, np.sqrt(2) would make it float64.
# x * x * x takes 0.5 ms for SHAPE; x**3, which calls pow(), 31.5 ms (Zen 3, NumPy 2.4).


def usual_exact(x):
    from scipy.special import erf

    return 0.5 * x * (1 + erf(x * math.sqrt(0.5)))


def usual_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x))))


def largest_error(got, x):
    """In ULP, against math.erfc in float64, on every 97th element and on the tail."""
    x, got = x.ravel(), got.ravel()
    chosen = np.union1d(np.arange(0, x.size, 97), np.argsort(x)[:2000])
    exact = np.array([v * math.erfc(-v / math.sqrt(2)) / 2 for v in x[chosen].tolist()])
    ulp = np.ldexp(1.0, np.maximum(np.frexp(exact)[1] - 24, -149))
    return (np.abs(got[chosen] - exact) / ulp).max(), chosen.size


def demo():
    gelu_fast.show_config()
    x = np.random.default_rng(0).normal(0, 2, SHAPE).astype(np.float32)
    rows, columns = SHAPE
    error, n = largest_error(gelu_fast.gelu(x), x)
    print(f"\nGELU of {rows} x {columns} float32 (the activations of a feed-forward block, {rows} tokens):")
    print(f"  largest error {error:.2f} ULP, at {n} of its elements, against math.erfc in float64")
    print("  beside the usual formulas, which stay in float32 too and use one thread:")
    for name, approx, library, usual in (
        ("exact", False, "SciPy", usual_exact),
        ("tanh", True, "NumPy", usual_tanh),
    ):
        fast = median_ms(lambda approx=approx: gelu_fast.gelu(x, approx))
        try:
            slow = median_ms(lambda usual=usual: usual(x))
        except ImportError:
            beside = "SciPy, which the usual formula takes erf from, is not installed"
        else:
            beside = f"the {library} formula {slow:.1f} ms, {slow / fast:.1f} times as long"
        print(f"  {name:<5} {fast:.2f} ms; {beside}")


def main(argv=None):
    parser = argparse.ArgumentParser("python -m gelu_fast", description=__doc__)
    parser.add_argument("--version", action="version", version=f"gelu_fast {gelu_fast.__version__}")
    parser.set_defaults(run=lambda args: demo())
    from gelu_fast.selftest import command

    commands = parser.add_subparsers(title="commands")
    command.add_arguments(commands.add_parser("selftest", help="judge this build on this machine"))
    args = parser.parse_args(argv)
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
