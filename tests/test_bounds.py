# SPDX-License-Identifier: BSD-3-Clause
"""The bounds of functions of several inputs, on inputs that were searched for: the worst points of each curve, times
factors that round worst (curves.py). `make exhaustive` searches anew."""

import json

import curves
import numpy as np
import oracle
import pytest
from accuracy import (
    WORKING,
    composed_balls,
    errors_of,
    judge,
    judge_one_input,
    some_float32,
    wide_inputs,
)
from cases import OF_ONE_INPUT, OF_SEVERAL, assert_same, every_level, outputs_of, rounded_factor
from conftest import LEVELS

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import UFUNCS

# Each of these broke its bound of 1 ULP on an ISA level; the largest error was 1.34 ULP. The first five were reported;
# `aimed` found the others, for each function, form and level.
BROKEN = [
    ("geglu_erf", (-5.198699474334717, 1.820306658744812)),
    ("gelu_backward_erf", (1.4118990898132324, -5.199285507202148)),
    ("gelu_mu_sigma_erf", (0.29571205377578735, 5.494648456573486, 1)),
    ("gelu_mu_sigma_erf", (-0.14843501150608063, 83.03707122802734, 16)),
    ("gelu_grad_mu_sigma_tanh", (-0.6400007009506226, -0.059478700160980225, 0.125)),
    ("gelu_backward_erf", (17678664204288.0, -14.15336799621582)),
    ("gelu_backward_erf", (1.4832740059189255e36, -6.502424240112305)),
    ("gelu_backward_tanh", (2.219466296082828e-06, -8.726441383361816)),
    ("gelu_backward_sigmoid", (-4.774282481326448e37, -12.420836448669434)),
    ("geglu_erf", (-5.19860315322876, 1.6224401532140666e-15)),
    ("geglu_erf", (-6.915637016296387, -6.0020906805788114e35)),
    ("geglu_backward_erf", (-5.266961001160376e17, -5.198699474334717, 1.0)),
    ("geglu_backward_erf", (-2.6014774966668493e17, -6.915637016296387, 1.0)),
    ("geglu_backward_tanh", (2.219466296082828e-06, -8.726441383361816, 1.0)),
    ("geglu_backward_sigmoid", (-4.774282481326448e37, -12.420836448669434, 1.0)),
    ("gelu_mu_sigma_erf", (-1.4650991448987805e-29, 4.0759449192918376e-27, 8.077935669463161e-28)),
    ("gelu_mu_sigma_erf", (-2.194413663003712e19, 2.0324538410137027e18, 4.611686018427388e18)),
    ("gelu_mu_sigma_erf", (4.076222264297186e-23, 8.585779076695481e-23, 6.617444900424222e-24)),
    ("gelu_grad_mu_sigma_erf", (0.0001077971828635782, 0.019888704642653465, 0.00390625)),
    ("gelu_grad_mu_sigma_erf", (0.0002755277091637254, 0.04089345037937164, 0.0078125)),
    ("gelu_grad_mu_sigma_tanh", (1.2187042236328125, 3.541383743286133, 0.5)),
]


WITH_FACTOR = ("gelu_backward", "geglu", "geglu_backward", "gelu_mu_sigma")


@pytest.fixture(params=[name for name in OF_SEVERAL if not rounded_factor(name)])
def name(request):
    return request.param


@pytest.fixture
def registers():
    """x86-64-v4's float32, with lookups lane by lane, on a CPU that may lack AVX-512."""
    if "x86-64-v3" not in LEVELS:
        pytest.skip("compiled for x86-64-v3, which is not among the levels of this run")
    return library("registers")


def library(level):
    if not (curves.KERNELS / "gelu.h").exists():
        pytest.skip("the tests stand alone here, without the checkout that has the kernels' sources")
    return curves.level(level)


def judge_float32(name, call, inputs, report):
    for i, (value, factor, larger) in enumerate(oracle.composed(name, inputs, np.float32)):
        got, keep = outputs_of(call(*inputs))[i], np.isfinite(value)
        errors = errors_of(
            name, got, value, 0.0, 0, np.abs(factor) < 2.0**-150, inputs, np.float32, larger, i
        )
        judge(name, got[keep], errors[keep], [x[keep] for x in inputs], report)


def worst_points(curve, dtype):
    """The numbers at which the two parts were worst, on any level."""
    of_levels = json.loads(curves.WORST.read_text())[dtype][curve].values()
    return np.array([float.fromhex(x) for found in of_levels for x in found["x"]], dtype)


def aimed(name, dtype, n):
    points = {curve: worst_points(curve, dtype) for curve in curves.curves_of(name)}
    return curves.aimed(name, points, dtype, n, 1)


@every_level
@pytest.mark.parametrize("name, inputs", BROKEN)
def test_what_broke_the_bound(name, inputs, report):
    judge_float32(name, getattr(gelu_fast, name), [np.float32([x]) for x in inputs], report)


@every_level
def test_a_tiny_gate_may_count_as_zero():
    """A gate below half of the smallest subnormal counts as zero or is computed, as the docstrings say."""
    sigma = np.float32(0.9037545919418335)
    x = np.linspace(-9.7, -10.2, 5001, dtype=np.float32)
    inputs = [x, np.full_like(x, 3.0103306770324707), np.full_like(x, sigma)]
    got = gelu_fast.gelu_grad_mu_sigma_erf(*inputs)
    ((value, gate, larger),) = oracle.composed("gelu_grad_mu_sigma_erf", inputs, np.float32)
    tiny, never = np.abs(gate) < 2.0**-150, np.zeros(x.shape, bool)
    errors = errors_of("gelu_grad_mu_sigma_erf", got, value, 0.0, 0, never, inputs, np.float32, larger, 0)
    assert (errors[~tiny] <= 1).all()
    assert ((got[tiny] == 0) | (errors[tiny] <= 1)).all()
    assert (got[tiny] != 0).any() and (got[tiny] == 0).any()
    for name in ("gelu_mu_sigma_erf", "gelu_grad_mu_sigma_erf", "geglu_erf", "gelu_backward_erf"):
        text = " ".join(getattr(gelu_fast, name).__doc__.split())
        assert "may count as zero" in text and "counts as zero." not in text


@every_level
def test_aimed_float32(name, report):
    judge_float32(name, getattr(gelu_fast, name), aimed(name, "float32", 5000), report)


@every_level
def test_aimed_float64(name, report):
    inputs = aimed(name, "float64", 100)
    larger = [larger for _, _, larger in oracle.composed(name, inputs, WORKING["float64"])]
    results = outputs_of(getattr(gelu_fast, name)(*inputs))
    for i, (high, low, shift, may_be_zero) in enumerate(composed_balls(name, inputs)):
        errors = errors_of(
            name, results[i], high, low, shift, may_be_zero > 0, inputs, np.float64, larger[i], i
        )
        judge(name, results[i], errors, inputs, report)


@pytest.mark.parametrize("name", [name for name in OF_SEVERAL if UFUNCS[name][0] in WITH_FACTOR])
def test_the_search_finds_factors_that_round_worst(name):
    """Exact products of these factors have rounding errors up to half an ULP, and lie at the top of a binade, where an
    error counts twice."""
    inputs = aimed(name, "float32", 500)
    value, _, larger = oracle.composed(name, inputs, np.float32)[0]
    with np.errstate(over="ignore", under="ignore"):
        got = value.astype(np.float32)
    rest = (0.0, 0, np.zeros(got.shape, bool), inputs, np.float32, larger, 0)
    at_top = np.isfinite(got) & (np.abs(np.frexp(value)[0]) > 1 - 2.0**-7)
    assert at_top.mean() > 0.05
    assert 0.499 < errors_of(name, got, value, *rest)[at_top].max() <= 0.5 + 1e-5


# ---- the curves of these products ----


@every_level
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("curve", curves.CURVES)
def test_two_parts(curve, dtype, report):
    judge_curve(curve, dtype, _core.isa_level, report)


@pytest.mark.parametrize("curve", curves.CURVES)
def test_two_parts_in_registers(curve, registers, report):
    judge_curve(curve, "float32", "registers", report)


def judge_curve(curve, dtype, level, report):
    library(level)
    if dtype == "float32":
        x = [-np.arange(*curves.numbers(curve, dtype), 4093, dtype=np.uint32).view(np.float32)]
        if curve not in curves.SLOPES:
            x += [np.arange(*curves.numbers(curve, dtype, 1), 4093, dtype=np.uint32).view(np.float32)]
    else:
        x = [curves.some_float64(curve, 4000, 3)]
    x = np.concatenate([*x, worst_points(curve, dtype)])
    errors, at = curves.worst(level, curve, x, 1)
    report(f"{curve} {dtype}: {errors[0]:.4f} at {float(at[0]).hex()} of {x.size}, limit {curves.LIMIT}")
    assert errors[0] <= curves.LIMIT


@every_level
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_build_computes_what_the_sources_say(dtype):
    """The build gives the same bits as kernels that are compiled here with only the flags that decide bits."""
    kernels = library(_core.isa_level)
    for name in UFUNCS:
        inputs = wide_inputs(name, 2000, np.dtype(dtype), 9)
        assert_same(outputs_of(getattr(gelu_fast, name)(*inputs)), kernels.call(name, *inputs))


# ---- x86-64-v4's float32 on any CPU ----


@pytest.mark.parametrize("name, inputs", BROKEN)
def test_what_broke_in_registers(name, inputs, registers, report):
    inputs = [np.float32([x]) for x in inputs]
    judge_float32(name, lambda *inputs: registers.call(name, *inputs), inputs, report)


@pytest.mark.parametrize("name", OF_ONE_INPUT)
def test_registers_of_one_input(name, registers, report):
    x = some_float32()[::3]
    exact = oracle.in_float64(name, x.astype(np.float64))
    judge_one_input(lambda x: registers.call(name, x)[0], name, x, (exact,), report)


def test_registers(name, registers, report):
    judge_float32(name, lambda *inputs: registers.call(name, *inputs), aimed(name, "float32", 5000), report)
