# SPDX-License-Identifier: BSD-3-Clause
"""Load _core, and with it OpenMP, so that threads that wait soon go to sleep.

libgomp lets them spin for milliseconds (GOMP_SPINCOUNT 300000). In a model they take the cores from the
matrix product that follows: measured on 2 cores, 1760 x 1536 float32, the product after a GELU took 17.5 ms;
with a count of 10000, 10.3 ms; with passive waiting 10.1 ms, but then a GELU of 2^16 elements takes 40 us
instead of 15. What is lost: when the system puts both threads on one core, a short count is slept off at each
call (1.4 ms instead of 0.3 for 2^20.6 elements with 10000, 2.9 with 30000, none with 300000; seen in 5 of 20
processes), and counts of 300 to 3000 made 2^16 elements take 60 to 260 us. The count is read when libgomp is
loaded; if that was before, or the user has set it, this changes nothing."""

import os

_SETTINGS = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")

if any(name in os.environ for name in _SETTINGS):
    from gelu_fast import _core
else:
    os.environ["GOMP_SPINCOUNT"] = "10000"
    try:
        from gelu_fast import _core
    finally:
        del os.environ["GOMP_SPINCOUNT"]

__all__ = ["_core"]
