# SPDX-License-Identifier: BSD-3-Clause
"""`python -m gelu_fast selftest`: it passes here, each of its checks notices a fault, every kind of fault is reported
(a wrong number, a crash, a hang, a failed import), and its references are as precise as they say."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import flint
import ml_dtypes
import numpy as np
import oracle
import pytest
from cases import OF_SEVERAL
from conftest import LEVELS

import gelu_fast
from gelu_fast import _core
from gelu_fast.__main__ import main
from gelu_fast._bounds import FORMS, UFUNCS
from gelu_fast.selftest import checks_accuracy, command, environment, judge, package, references
from gelu_fast.selftest.formats import formats


def selftest(*args, **env):
    """Run the self-test on this suite's level, unless the arguments name others."""
    levels = () if "--level" in args else ("--level", _core.isa_level)
    return subprocess.run(
        [sys.executable, "-m", "gelu_fast", "selftest", *levels, *args],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=300,
    )


# ---- it passes, and it notices ----


EACH_LEVEL = [argument for level in LEVELS for argument in ("--level", level)]


@pytest.fixture(scope="module")
def quick():
    done = selftest("--quick", "--json", *EACH_LEVEL)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_it_passes(quick):
    """The self-test checks every function and type, and leaves out nothing here."""
    document, progress = quick
    assert document["passed"] and document["missed"] == []
    assert document["gelu_fast"] == gelu_fast.__version__ and document["levels"] == LEVELS
    checks = document["checks"]
    unknown = {check["name"] for check in checks if check["check"] == "environments" and environment.UNKNOWN}
    assert {check["name"] for check in checks if check["status"] != "ok"} == unknown
    assert {check["level"] for check in checks} == {*LEVELS}
    accuracy = {(check["function"], check["types"]) for check in checks if check["check"] == "accuracy"}
    types = ("float16", "bfloat16", "float32", "float64", "one-byte types")
    assert accuracy == {(ufunc, group) for ufunc in UFUNCS for group in types}
    for kind in ("special values", "layouts", "ways in", "environments", "threads", "docstring"):
        assert {check["function"] for check in checks if check["check"] == kind} == set(UFUNCS)
    kinds = {check["check"] for check in checks}
    assert {"reductions", "fork", "Python threads", "random words", "same draws everywhere"} < kinds
    for check in checks:
        assert check["count"] > 0 or check["name"] in unknown
        assert check["failures"] == [] and check["seconds"] >= 0
        if check["largest_error"] is not None:
            assert 0 <= check["largest_error"] <= check["bound"] and check["at"]
    assert progress.count("\n  ok ") == len(checks) - len(unknown)


def test_every_single_check_notices_a_fault(quick):
    done = selftest("--quick", "--json", "--control", *EACH_LEVEL)
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert not document["passed"] and document["missed"] == []
    assert [check["name"] for check in document["checks"]] == [check["name"] for check in quick[0]["checks"]]
    for check in document["checks"]:
        if check["status"] == "not checked":  # test_it_passes judges these
            continue
        assert check["status"] == "failed" and check["wrong"] > 0 and check["failures"], check["name"]
        assert check["raised"] == "", check["name"]  # the check must judge, not raise an error


def test_lines():
    done = selftest("--quick", "--function", "gelu_gate_tanh", "--function", "stochastic_gelu")
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert f"ISA level {_core.isa_level}" in lines and done.stderr == ""
    (line,) = [line for line in lines if "gelu_gate_tanh float32" in line]
    assert line.split()[:2] == ["ok", "accuracy"] and "of 1 ULP" in line
    assert not any("erf" in line or "gelu_grad" in line for line in lines)


def test_a_control_that_is_not_noticed_is_told(capsys):
    report = command.Report(as_json=True, control=True, n_levels=1)
    blind = judge.Check("blind", "gelu_erf")
    broken = judge.Check("broken", "gelu_erf")
    broken.raised = "ZeroDivisionError"
    for check in (blind, broken):
        report.take("some level", {"result": judge.outcome(check, "some level", 0.0)})
    assert report.finish(["some level"], {}, 1.0) == 1
    missed = json.loads(capsys.readouterr().out)["missed"]
    assert missed == ["some level: blind gelu_erf", "some level: broken gelu_erf"]


# ---- arguments ----


@pytest.mark.parametrize(
    "wrong, told",
    [
        (["--level", "x86-64-v9"], [*_core.available_isa_levels, "x86-64-v9"]),
        (["--function", "relu"], [*UFUNCS, "stochastic_gelu", "relu"]),
        (["--quick", "--exhaustive"], ["not allowed with"]),
        (["--fast"], ["--fast"]),
        (["gelu_erf"], ["gelu_erf"]),
        (["--timeout", "soon"], ["soon"]),
        (["--timeout", "0"], ["above 0"]),
        (["--timeout", "-1"], ["above 0"]),
        (["--timeout", "nan"], ["finite", "nan"]),
        (["--timeout", "inf"], ["finite", "inf"]),
    ],
)
def test_wrong_usage(wrong, told, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["selftest", *wrong])
    error = capsys.readouterr().err
    assert ended.value.code == 2 and all(word in error for word in told)


def test_help(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["selftest", "--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0 and all(
        word in text for word in ("Exit status", "--control", _core.isa_level)
    )


def test_the_levels_of_a_run(monkeypatch):
    """The levels are all, or that of GELU_FAST_ISA, or those that --level names; each occurs once."""
    monkeypatch.delenv("GELU_FAST_ISA", raising=False)
    available = _core.available_isa_levels
    assert command.chosen_levels(None, None) == available
    assert command.chosen_levels([available[0], available[0]], None) == available[:1]
    monkeypatch.setenv("GELU_FAST_ISA", _core.isa_level)
    assert command.chosen_levels(None, None) == [_core.isa_level]
    assert command.chosen_levels([available[0]], None) == available[:1]


def test_a_frozen_application_checks_itself(monkeypatch, capsys):
    """A frozen application has no Python to start: it checks its own level in its own process, and no other."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert main(["selftest", "--quick", "--function", "gelu_sigmoid"]) == 0
    said = capsys.readouterr().out
    assert f"ISA level {_core.isa_level}" in said and "no Python to start" in said
    others = [level for level in _core.available_isa_levels if level != _core.isa_level]
    for level in others:
        with pytest.raises(SystemExit):
            main(["selftest", "--level", level])


def test_import_of_the_package_imports_nothing_of_it():
    code = "import sys, gelu_fast; print([name for name in sys.modules if 'selftest' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# ---- faults are reported ----

AT = 993 / 4096  # a number that float16 can hold, and that the samples of all types contain

# A sitecustomize that plants a fault in gelu_fast: every Python that finds it on its path runs it at the start.
SITE = (
    f"AT = {AT}"
    + """
import os, signal, sys, time
import numpy as np
fault = os.environ["FAULT"]
if fault == "import" and "GELU_FAST_ISA" in os.environ:
    sys.modules["gelu_fast"] = None
else:
    import gelu_fast

class Faulty:
    def __init__(self, name):
        self.whole = getattr(gelu_fast, name)
        self.__doc__ = self.whole.__doc__

    def __getattr__(self, name):
        return getattr(self.whole, name)

    def __call__(self, *inputs, **given):
        if fault == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if fault == "hang":
            time.sleep(1e6)
        y = self.whole(*inputs, **given)
        x = np.asarray(inputs[0])
        wrong = (x == AT) & (x.dtype == fault)
        if wrong.any():
            with np.errstate(all="ignore"):
                y = np.where(wrong, np.nextafter(np.nextafter(y, y.dtype.type(9)), y.dtype.type(9)), y)
        return y

if fault != "import":
    gelu_fast.gelu_tanh = Faulty("gelu_tanh")
"""
)


@pytest.fixture
def faulty(tmp_path):
    """Run the self-test with a fault in gelu_tanh alone."""
    (tmp_path / "sitecustomize.py").write_text(SITE)
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))

    def run(fault, *args):
        done = selftest("--quick", "--function", "gelu_tanh", "--json", *args, FAULT=fault, PYTHONPATH=path)
        return done, json.loads(done.stdout)

    return run


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_one_wrong_result(faulty, dtype):
    """One result is off by two ULP: the line names the function, the input, both results and the level."""
    done, document = faulty(dtype)
    assert done.returncode == 1 and not document["passed"]
    (failed,) = [check for check in document["checks"] if check["status"] == "failed"]
    assert failed["name"] == f"accuracy gelu_tanh {dtype}" and failed["wrong"] == 1
    (failure,) = failed["failures"]
    assert failure["input"] == [AT.hex()] and failed["at"] == [AT.hex()]
    got, want = float.fromhex(failure["got"]), float.fromhex(failure["want"])
    ulp = float(np.spacing(np.dtype(dtype).type(want)))
    assert 1.4 <= (got - want) / ulp <= 2.6 and abs(failed["largest_error"] - (got - want) / ulp) < 1e-3
    line = f"gelu_tanh {dtype} of {AT.hex()}: got {failure['got']}, want {failure['want']}"
    assert f"{line}, {failure['error']}; {_core.isa_level}" in done.stderr


@pytest.mark.parametrize(
    "fault, args, told",
    [
        ("crash", [], "the process ended with signal SIGSEGV in accuracy gelu_tanh float16"),
        ("hang", ["--timeout", "3"], "no news for 3 s"),
        ("import", [], "the process ended with exit status 1 before its first check: ModuleNotFoundError"),
    ],
)
def test_a_process_that_ends_badly(faulty, fault, args, told, monkeypatch):
    monkeypatch.delenv("GELU_FAST_ISA", raising=False)
    done, document = faulty(fault, *args)
    assert done.returncode == 1 and not document["passed"]
    (lost,) = [check for check in document["checks"] if check["check"] == "process"]
    assert lost["status"] == "failed" and lost["level"] == _core.isa_level and told in lost["raised"]
    assert told in done.stderr


def _loses_the_last(gelu):
    def faulty(x, *args, **given):
        y = gelu(x, *args, **given)
        if np.size(x) > 50_000 and isinstance(y, np.ndarray):
            y.flat[-1] = 7
        return y

    return faulty


def _obeys_the_environment(gelu):
    """A large array is computed in the caller's floating-point environment, as by faulty helper threads."""

    def faulty(x, *args, **given):
        y = gelu(x, *args, **given)
        if np.size(x) > 50_000 and environment.control() != usual:
            np.nextafter(y, y.dtype.type(0), out=y, where=np.isfinite(y))
        return y

    usual = environment.control()
    return faulty


def _reads_nan_as_zero(gelu):
    def faulty(x, *args, **given):
        if getattr(x, "dtype", None) == ml_dtypes.float8_e4m3fn:
            x = np.where(np.isnan(x), x.dtype.type(0), x)
        return gelu(x, *args, **given)

    return faulty


def _drops(*names):
    return lambda whole: (
        lambda *args, **given: whole(*args, **{name: given[name] for name in given if name not in names})
    )


def _for_lone_draws(fault):
    """stochastic_gelu with a fault in calls that ask for no mask."""

    def with_fault(draw):
        return lambda *args, **given: (draw if "return_mask" in given else fault(draw))(*args, **given)

    return with_fault


def _drops_if_alone(name, other):
    return lambda gelu: (
        lambda *args, **given: (gelu if other in given else _drops(name)(gelu))(*args, **given)
    )


def _swaps_the_halves(geglu):
    def faulty(x, up=None, approx=False, *, axis=-1, **given):
        if up is None:
            x, up = np.split(np.asarray(x), 2, axis=axis)
        return geglu(x, up, approx, **given)

    return faulty


@pytest.mark.parametrize(
    "function, fault, noticed",
    [
        ("gelu", _loses_the_last, "threads gelu_erf"),
        pytest.param(
            "gelu",
            _obeys_the_environment,
            "threads gelu_erf",
            marks=pytest.mark.skipif(bool(environment.UNKNOWN), reason=environment.UNKNOWN),
        ),
        ("gelu", _reads_nan_as_zero, "special values gelu_erf"),
        ("gelu", lambda gelu: lambda x, approx=True, **given: gelu(x, approx, **given), "ways in gelu_erf"),
        ("gelu", _drops_if_alone("mu", "sigma"), "ways in gelu_mu_sigma_tanh"),
        ("gelu", _drops_if_alone("sigma", "mu"), "ways in gelu_mu_sigma_tanh"),
        ("gelu", _drops("dtype"), "ways in gelu_sigmoid"),
        ("geglu", _swaps_the_halves, "ways in geglu_sigmoid"),
        ("stochastic_gelu", _for_lone_draws(_drops("offset")), "rule, tanh gate stochastic_gelu"),
        (
            "stochastic_gelu",
            _for_lone_draws(lambda draw: lambda *args, **given: np.abs(draw(*args, **given))),
            "rule, exact gate stochastic_gelu",
        ),
    ],
)
def test_faults_of_one_way_in(function, fault, noticed, monkeypatch, capsys):
    """Faults that the self-test once did not notice; each is planted in one function or ufunc of this process."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(gelu_fast, function, fault(getattr(gelu_fast, function)))
    assert main(["selftest", "--quick", "--json", "--function", function]) == 1
    checks = json.loads(capsys.readouterr().out)["checks"]
    (check,) = [check for check in checks if check["name"] == noticed]
    assert check["status"] == "failed" and check["raised"] == ""


@pytest.mark.parametrize("group", ["float16", "bfloat16", "float32", "float64"])
def test_a_product_with_another_form_s_derivative(group, monkeypatch):
    """The product agrees with the package's own derivative, which has the wrong form, too: the self-test must not rely
    on that."""
    for function in ("gelu_grad_mu_sigma", "gelu_backward_mu_sigma"):
        monkeypatch.setattr(gelu_fast, f"{function}_erf", getattr(gelu_fast, f"{function}_tanh"))
    check = judge.Check("accuracy", "gelu_backward_mu_sigma_erf", group)
    checks_accuracy.of_several("gelu_backward_mu_sigma_erf", group, True, check)
    assert check.status == "failed" and all("gelu_grad" in failure["call"] for failure in check.failures)


def test_lines_that_python_prints_at_its_start(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('[1] a line'); print('no end of line', end='')")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    done = selftest("--quick", "--function", "gelu_sigmoid", PYTHONPATH=path)
    assert done.returncode == 0 and "0 wrong" in done.stdout, done.stdout


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks at processes in Linux's /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_its_children(number):
    mark = f"SELFTEST_OF={os.getpid()}-{number}"

    def marked():
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                found += [path.parent.name] if mark.encode() in path.read_bytes() else []
            except OSError:  # the process has ended, or is another user's
                pass
        return found

    def until(holds):
        deadline = time.monotonic() + 60
        while not holds(marked()):
            assert time.monotonic() < deadline, marked()
            time.sleep(0.05)

    name, value = mark.split("=")
    command = [sys.executable, "-m", "gelu_fast", "selftest", "--exhaustive", "--level", _core.isa_level]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(
        [*command, "--function", "gelu_sigmoid"],
        env=os.environ | {name: value},
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # a shell's background job ignores SIGINT
        **quiet,
    ) as process:
        until(lambda found: len(found) > 2)  # a level and a worker of it
        process.send_signal(number)
        try:
            assert process.wait(60) == 128 + number
        finally:
            process.kill()
    until(lambda found: not found)


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="has no SIGPIPE")
def test_a_reader_that_has_gone():
    command = [sys.executable, "-m", "gelu_fast", "selftest", "--quick", "--function", "gelu_sigmoid"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == "" and process.wait(60) == 128 + signal.SIGPIPE


def test_an_error_in_a_check_is_a_failure(monkeypatch, capsys):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(package, "docstring", lambda name: None)
    assert main(["selftest", "--quick", "--function", "gelu_sigmoid"]) == 1
    assert "AttributeError" in capsys.readouterr().out


def test_without_ml_dtypes(tmp_path):
    """The report says that the types of ml_dtypes are not checked."""
    (tmp_path / "ml_dtypes.py").write_text("raise ModuleNotFoundError(name='ml_dtypes')")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    done = selftest("--quick", "--function", "gelu_sigmoid", PYTHONPATH=path)
    assert done.returncode == 0, done.stdout
    for group in ("bfloat16", "one-byte types"):
        assert f"accuracy gelu_sigmoid {group}" in done.stdout
    assert done.stdout.count("not checked: ml_dtypes is not installed") == 2


# ---- every float32 ----


def test_every_float32_of_a_few(monkeypatch):
    """The code of --exhaustive on fewer numbers, among them NaN and infinity; it finds a planted fault."""
    start = int(np.array(4.0, np.float32).view(np.uint32))
    monkeypatch.setattr(checks_accuracy, "TASK", 1 << 17)
    for faulty in (False, True):
        monkeypatch.setattr(package, "faulty", faulty)
        part = checks_accuracy._judge_task("gelu_grad_erf", faulty, start)
        assert part.count == 1 << 17 and (part.status == "failed") == faulty
    monkeypatch.setattr(package, "faulty", False)
    at_infinity = checks_accuracy._judge_task("gelu_erf", False, 0x7F800000 - (1 << 16))
    assert at_infinity.count == 1 << 16 and at_infinity.status == "ok"


def test_every_float32_in_processes(monkeypatch):
    monkeypatch.setattr(checks_accuracy, "EVERY_FLOAT32", 2 * checks_accuracy.TASK)
    check, told = judge.Check("accuracy", "gelu_sigmoid"), []
    checks_accuracy.every_float32("gelu_sigmoid", lambda *at: told.append(at), check)
    assert check.count == 2 * checks_accuracy.TASK and told == [(1, 2), (2, 2)] and check.status == "ok"


# ---- references and judgement ----

TAIL = {"exact": 38.6, "tanh": 21.6, "sigmoid": 441.5}


def off(value, exact):
    return float((abs(value - exact) / abs(exact)).mid())


@pytest.mark.parametrize("form", FORMS.values())
def test_references(form, report):
    """Gate and slope, of which products and sums make all the rest, have the precision that the docstring states. The
    judge is Arb."""
    flint.ctx.prec = 250
    rng = np.random.default_rng(0)
    ends = [6.0, -6.0, np.nextafter(-6, -7), 1e-300, -1e-9, 5e-324, 0.0, 2.0**-30, 40 * 2**0.5]
    x = np.concatenate([rng.uniform(-TAIL[form], 5, 100), rng.uniform(-7, 7, 100), ends])
    worst = {"decimals": 0.0, "float64": 0.0}
    in_float64 = np.transpose(references.gate_and_slope(form, x))
    for at, floats in zip(x.tolist(), in_float64.tolist()):
        balls = oracle._gate_and_slope_balls(form, at)
        with references.localcontext(references.DECIMALS):
            decimals = references.decimal_gate_and_slope(form, at)
        for ball, decimal, number in zip(balls, decimals, floats):
            worst["decimals"] = max(worst["decimals"], off(flint.arb(str(decimal)), ball))
            if number > 1e-290:
                worst["float64"] = max(worst["float64"], off(flint.arb(number), ball))
    report(f"references of the self-test, {form}: {worst['decimals']:.1e}, {worst['float64']:.1e}")
    assert worst["decimals"] < 1e-38 and worst["float64"] < 2e-13


@pytest.mark.parametrize("ufunc", [name for name in OF_SEVERAL if "backward_mu" not in name])
def test_references_of_several_inputs(ufunc):
    """Intermediate numbers are rounded, and the rest is exact, as in tests/oracle.py; in decimals and in float64."""
    (float64,) = formats()["float64"]
    (float32,) = formats()["float32"]
    inputs = checks_accuracy._some_inputs(ufunc, 24, float64)
    for (exact, _, _), parts in zip(
        references.of_several_inputs(ufunc, inputs, float64),
        oracle.composed_balls(ufunc, inputs),
        strict=True,
    ):
        for value, (high, low, shift, nothing) in zip(exact, parts.T):
            if high != 0 and np.isfinite(high) and not nothing:
                ball = (flint.arb(high) + flint.arb(low)) / flint.arb(2) ** int(shift)
                assert off(flint.arb(str(value)), ball) < 1e-25
    inputs = checks_accuracy._some_inputs(ufunc, 2000, float32)
    ours = references.of_several_inputs(ufunc, inputs, float32)
    for (exact, larger, _), (value, _, largest) in zip(
        ours, oracle.composed(ufunc, inputs, np.float32), strict=True
    ):
        np.testing.assert_allclose(larger, largest, rtol=1e-12, atol=1e-300)
        assert (np.abs(exact - value) <= 1e-12 * largest + 1e-300).all()


@pytest.mark.parametrize("group", ["float16", "bfloat16", "float32", "float64", "one-byte types"])
def test_the_judge_convicts(group):
    """An error of two ULP is measured as two, for normal and subnormal numbers, against float64 and decimals. NaN and a
    wrong infinity are never right; infinity is right for exact values beyond the largest number."""
    for format in formats()[group]:
        normal, subnormal = np.array([1.25], format.dtype), np.array([1], format.bits).view(format.dtype)
        for exact in (normal, -normal, subnormal):
            wrong = (exact.view(format.bits) + format.bits.type(2)).view(format.dtype)
            wide = exact.astype(np.float64)
            for reference in (wide, references.as_decimals(wide))[format.name == "float64" :]:
                assert judge.errors(wrong, reference, format)[0] == 2
                assert judge.errors(exact, reference, format)[0] == 0
                nothing = np.zeros(1, reference.dtype) * reference
                assert judge.errors(subnormal, nothing, format)[0] == 1
        nan = np.full(1, np.nan).astype(format.dtype)
        one = np.ones(1, object if format.name == "float64" else np.float64)
        if one.dtype == object:
            one = references.as_decimals(np.ones(1))
        assert judge.errors(nan, one, format)[0] == np.inf
        if format.has_infinity:
            infinity = format.rounded(np.full(1, np.inf))
            assert judge.errors(infinity, one, format)[0] > 100 * (format.dtype.itemsize > 1)
            beyond = one * 2 * int(float(format.largest)) if format.name != "float64" else one * 2**1025
            assert judge.errors(infinity, beyond, format)[0] == 0
            assert judge.errors(-infinity, beyond, format)[0] > 1


def test_bits_are_compared():
    x = np.array([0.0, 1.0, np.nan], np.float32)
    for other, differing in (
        (x, 0),
        (-x, 2),
        (np.array([0.0, np.nextafter(np.float32(1), np.float32(2)), np.nan], np.float32), 1),
        (np.array([0.0, 1.0, 0.0], np.float32), 1),
        (x.astype(np.float64), 1),
        (x[:2], 1),
    ):
        check = judge.Check("", "")
        check.same("call", [], other, x)
        assert check.wrong == differing and check.status == ("failed" if differing else "ok")
