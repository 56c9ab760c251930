# SPDX-License-Identifier: BSD-3-Clause
"""``python -m gelu_fast``: what runs here, and the thing at work."""

import math
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


def usual_exact(x):
    try:
        from scipy.special import erf
    except ImportError:
        return None
    return lambda: 0.5 * x * (1 + erf(x / np.sqrt(2)))


def usual_tanh(x):
    return lambda: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def largest_error(got, x):
    """In ULP, against math.erfc in float64, on every 97th element and on the tail."""
    x, got = x.ravel(), got.ravel()
    chosen = np.union1d(np.arange(0, x.size, 97), np.argsort(x)[:2000])
    exact = np.array([v * math.erfc(-v / math.sqrt(2)) / 2 for v in x[chosen].tolist()])
    ulp = np.ldexp(1.0, np.maximum(np.frexp(exact)[1] - 24, -149))
    return (np.abs(got[chosen] - exact) / ulp).max(), chosen.size


def main():
    gelu_fast.show_config()
    x = np.random.default_rng(0).normal(0, 2, SHAPE).astype(np.float32)
    y = gelu_fast.gelu(x)
    rows, columns = SHAPE
    error, n = largest_error(y, x)
    print(f"\nGELU of {rows} x {columns} float32 (the activations of a feed-forward block, {rows} tokens):")
    print(f"  largest error {error:.2f} ULP, at {n} of its elements, against math.erfc in float64")
    for name, approx, library, usual in (
        ("exact", False, "SciPy", usual_exact(x)),
        ("tanh", True, "NumPy", usual_tanh(x)),
    ):
        fast = median_ms(lambda approx=approx: gelu_fast.gelu(x, approx, out=y))
        if usual is None:
            beside = "SciPy, which the usual formula takes erf from, is not installed"
        else:
            slow = median_ms(usual)
            beside = f"the usual {library} formula {slow:.1f} ms, {slow / fast:.0f} times as long"
        print(f"  {name:<5} {fast:.2f} ms; {beside}")


if __name__ == "__main__":
    main()
