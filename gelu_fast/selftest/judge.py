# SPDX-License-Identifier: BSD-3-Clause
"""A check and its outcome: how many results were compared, the largest error, and the first failures."""

import math
from collections.abc import Callable
from decimal import localcontext

import numpy as np

from gelu_fast.selftest.references import DECIMALS, as_decimals

SHOWN = 3  # failures of a check
MARK = "\x1e"  # before the JSON of a message (RFC 7464), as other code may print lines when Python starts


def ulp_of(size, format):
    """The spacing of a type's numbers at these float64 magnitudes."""
    exponent = np.frexp(np.maximum(size, np.finfo(np.float64).tiny))[1] - 1
    return np.ldexp(1.0, np.maximum(exponent, format.least_exponent) - format.mantissa_bits)


def errors(got, exact, format, unit=0.0):
    """The distance of each result from the exact value, in ULP as _bounds.py defines it, or in `unit` where that is
    larger. `exact` is float64, or decimals. Infinity counts as the number that would follow the largest."""
    decimal = exact.dtype == object
    number: Callable = as_decimals if decimal else np.asarray
    with np.errstate(all="ignore"), localcontext(DECIMALS):
        wide = got.astype(np.float64)
        last_exponent = int(np.frexp(np.float64(format.largest))[1])
        beyond = number(2**last_exponent if decimal else 2.0**last_exponent)
        exact = np.clip(exact, -beyond, beyond)
        size = np.abs(exact.astype(np.float64))
        # exact may have been rounded up to a power of two, whose ULP is larger.
        below = np.where(number(size) > np.abs(exact), np.nextafter(size, 0), size)
        ulp = np.maximum(ulp_of(below, format), unit)
        finite = np.isfinite(wide)
        results = np.where(finite, number(np.where(finite, wide, 0)), np.where(wide > 0, beyond, -beyond))
        distance = (np.abs(results - exact) / number(ulp)).astype(np.float64)
    return np.where(np.isnan(wide), np.inf, distance)


def outputs_of(result):
    return result if isinstance(result, tuple) else (result,)


def differ(got, want):
    """Where results differ in a bit; NaNs count as equal, whatever their payloads."""
    bits = f"u{got.dtype.itemsize}"
    different = np.ascontiguousarray(got).view(bits) != np.ascontiguousarray(want).view(bits)
    if different.any():
        different &= ~(np.isnan(got) & np.isnan(want))
    return different


def shown(x):
    """A number as float.hex() writes it; NaN with its bits."""
    x = np.asarray(x)
    if x.dtype.kind in "biu":
        return str(x[()])
    value = float(x)
    return value.hex() if value == value else f"nan ({int(x.reshape(1).view(f'u{x.itemsize}')[0]):#x})"


class Check:
    """One check, and what it has found so far."""

    def __init__(self, name, function, types=""):
        self.name, self.function, self.types = name, function, types
        self.count = self.wrong = 0
        self.largest = self.bound = None
        self.at = []
        self.failures = []
        self.not_checked = ""
        self.note = self.raised = ""

    def fail(self, call, inputs, got, want, error=None):
        """Count a failure, and keep it if it is among the first."""
        self.wrong += 1
        if len(self.failures) < SHOWN:
            failure = {"call": call, "input": [*map(shown, inputs)], "got": got, "want": want}
            self.failures.append(failure if error is None else failure | {"error": f"{error:.4g} ULP"})

    def within(self, call, inputs, got, exact, distances, bound):
        """Every error is at most the bound. Keep the largest error, relative to its bound where bounds differ."""
        self.count += got.size
        if got.dtype != inputs[0].dtype:
            self.fail(call, [], f"results of type {got.dtype}", f"of {inputs[0].dtype}")
        if got.size == 0:
            return
        worst = int(np.argmax(distances))
        self._keep_largest(float(distances[worst]), bound, [shown(x[worst]) for x in inputs])
        wrong = np.flatnonzero(~(distances <= bound))
        for i in self._first(wrong[np.argsort(-distances[wrong], kind="stable")]):
            self.fail(
                call, [x[i] for x in inputs], shown(got[i]), shown(float(exact[i])), float(distances[i])
            )

    def same(self, call, inputs, got, want):
        """A result, or each of two, has the type, the shape and the bits that it should have."""
        if isinstance(want, tuple):
            for one, other in zip(got, want, strict=True):
                self.same(call, inputs, one, other)
            return
        got, want = np.asarray(got), np.asarray(want)
        self.count += want.size
        if got.dtype != want.dtype or got.shape != want.shape:
            self.fail(call, [], f"{got.dtype} of shape {got.shape}", f"{want.dtype} of shape {want.shape}")
            return
        for i in self._first(np.flatnonzero(differ(got, want))):
            at = [np.broadcast_to(x, want.shape).flat[i] for x in inputs]
            self.fail(call, at, shown(got.flat[i]), shown(want.flat[i]))

    def _first(self, wrong):
        """The first wrong results, as many as are still to be shown; counts the others."""
        first = wrong[: SHOWN - len(self.failures)]
        self.wrong += wrong.size - first.size
        return first

    def true(self, call, holds, got, want):
        """A statement holds."""
        self.count += 1
        if not holds:
            self.fail(call, [], str(got), str(want))

    def add(self, other):
        """Add the results of another check, of other inputs."""
        self.count += other.count
        self.wrong += other.wrong
        self.failures = (self.failures + other.failures)[:SHOWN]
        if other.largest is not None:
            self._keep_largest(other.largest, other.bound, other.at)

    def _keep_largest(self, largest, bound, at):
        if self.largest is None or largest / bound > self.largest / self.bound:
            self.largest, self.bound, self.at = largest, bound, at

    @property
    def title(self):
        return " ".join(filter(None, (self.name, self.function, self.types)))

    @property
    def status(self):
        if self.wrong or self.raised:
            return "failed"
        return "not checked" if self.not_checked else "ok"


def outcome(check, level, seconds):
    """A check as messages and --json have it."""
    largest = check.largest
    return {
        "name": check.title,
        "level": level,
        "check": check.name,
        "function": check.function,
        "types": check.types,
        "status": check.status,
        "count": check.count,
        "largest_error": largest if largest is None or math.isfinite(largest) else "infinity",
        "bound": check.bound,
        "at": check.at,
        "wrong": check.wrong,
        "failures": check.failures,
        "raised": check.raised,
        "note": check.not_checked or check.note,
        "seconds": seconds,
    }
