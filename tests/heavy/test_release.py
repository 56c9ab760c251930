# SPDX-License-Identifier: BSD-3-Clause
"""The checks of tools/release.py: silent about this commit, and each finds the faults that are planted for it."""

import ast
import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml
from needs import absent, needs, tool

needs("twine", "cffconvert", "py-rattler-build", "abi3audit")

release, aarch64 = tool("release"), tool("aarch64")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path):
    """A copy of the tracked files, committed to a repository of its own, and of the files in dist/."""
    if not list((ROOT / "dist").glob("gelu_fast-*.whl")):
        absent("needs the wheel and the sdist (make dist)")
    root = tmp_path / "project"
    for name in release.Project(ROOT, ROOT / "dist").files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, root / name)
    shutil.copytree(ROOT / "dist", tmp_path / "dist")
    git(root, "init", "--quiet")
    commit(root)
    return release.Project(root, tmp_path / "dist")


def git(root, *command):
    who = ["-c", "user.name=test", "-c", "user.email=test@invalid", "-c", "core.hooksPath=/dev/null"]
    subprocess.run(["git", *who, *command], cwd=root, check=True, capture_output=True)


def commit(root):
    git(root, "add", "--all", "--force")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "a commit")


def replace(project, name, old, new):
    text = project.text(name)
    assert old in text
    (project.root / name).write_text(text.replace(old, new), encoding="utf-8")


def found(check, project, **options):
    return "\n".join(check(release.Project(project.root, project.dist, project.tag), **options))


# ---- the texts ----


@pytest.mark.parametrize("check", release.TEXTS + release.FILES, ids=lambda check: check.__name__)
def test_nothing_is_found_in_this_commit(project, check):
    assert found(check, project) == ""


V, DAY = release.Project(ROOT, ROOT).sections[0]
IN_CODE, NEWEST = f'__version__ = "{V}"', f"## {V} ({DAY})"
UNRELEASED, RELEASED = f"## {V} (unreleased)", f"## {V} (2026-01-01)"
CFF, RECIPE = f"\nversion: {V}\n", f"  version: {V}\n"
FAULTS = {
    "not canonical": (release.version, "gelu_fast/_config.py", IN_CODE, f'__version__ = "{V}.RC1"', "is written"),
    "no version": (release.version, "gelu_fast/_config.py", IN_CODE, '__version__ = "one"', "Invalid version"),
    "other version": (release.version, "gelu_fast/_config.py", IN_CODE, '__version__ = "9.9"', "begins with"),
    "other order": (release.version, "CHANGELOG.md", NEWEST, f"{NEWEST}\n\n## 99 (2020-01-01)", "newest version"),
    "two versions alike": (release.version, "CHANGELOG.md", NEWEST, f"{NEWEST}\n\n{NEWEST}", "newest version"),
    "old, without a date": (release.version, "CHANGELOG.md", NEWEST, f"{NEWEST}\n\n## 0.0.1 (unreleased)", "no date"),
    "no day": (release.version, "CHANGELOG.md", NEWEST, f"## {V} (2026-02-30)", "no date"),
    "citation's version": (release.same, "CITATION.cff", CFF, "\nversion: 0.0.9\n", "CITATION.cff: version"),
    "citation's date": (release.version, "CHANGELOG.md", NEWEST, f"## {V} (2020-01-01)", "date-released"),
    "recipe's version": (release.same, "recipe/recipe.yaml", RECIPE, "  version: 0.0.9\n", "recipe.yaml: version"),
    "link": (release.links, "README.md", "# gelu_fast", "# gelu_fast\n[here](docs/nowhere.md)", "docs/nowhere.md"),
    "link below docs": (release.links, "docs/start.md", "# Start", "[a](gone.md)\n# Start", "links to gone.md"),
    "reference": (release.links, "docs/idea/gate.md", "\n\n", "\n\n[a]: ../gone.md\n\n", "links to ../gone.md"),
    "anchor": (release.links, "README.md", "(docs/limits.md)", "(#velocity)", "links to #velocity"),
    "other page's anchor": (release.links, "docs/start.md", "(limits.md)", "(limits.md#pace)", "limits.md#pace"),
    "in HTML": (release.links, "README.md", "## Speed", '<img src="no.png">\n\n## Speed', "links to no.png"),
    "citation's licence": (release.same, "CITATION.cff", "license: BSD-3-Clause", "license: MIT", "license is 'MIT'"),
    "recipe's licence": (release.same, "recipe/recipe.yaml", "license: BSD-3-Clause", "license: MIT", "'MIT'"),
    "recipe's summary": (release.same, "recipe/recipe.yaml", "tail included", "tail apart", "recipe.yaml: summary"),
    "recipe's name": (release.same, "recipe/recipe.yaml", "name: gelu_fast", "name: gelufast", "recipe.yaml: name"),
    "licence's title": (release.same, "LICENSE", "BSD 3-Clause", "BSD 2-Clause", "LICENSE: title"),
    "a file's licence": (release.same, "setup.py", "BSD-3-Clause", "MIT", "setup.py: SPDX"),
    "README's licence": (release.stated, "README.md", "BSD-3-Clause", "MIT", "says 'MIT'"),
    "picture": (release.links, "SECURITY.md", "# Security", "# Security\n![it](no.png)", "no.png"),
    "table": (release.generated, "README.md", "<!-- end -->", "1\n<!-- end -->", "README"),
    "oldest Python": (release.stated, "pyproject.toml", '">=3.11"', '">=3.12"', "has 3.12"),
    "oldest NumPy": (release.stated, "pyproject.toml", '["numpy>=2.0"]', '["numpy>=2.1"]', "has 2.1"),
    "Python in README": (release.stated, "README.md", "CPython 3.11 or", "CPython 3.9 or", "'CPython 3.9 or later'"),
    "Python in docs": (release.stated, "docs/start.md", "CPython 3.11 or", "CPython 3.8 or", "'CPython 3.8 or later'"),
    "untested Python": (release.stated, "docs/start.md", "CPython 3.11 ", "CPython 3.14 ", "start.md does not state"),
    "no Python": (release.stated, "README.md", "CPython 3.11 or later", "CPython", "does not state"),
    "NumPy in README": (release.stated, "README.md", "NumPy (2.0 or", "NumPy (1.26 or", "says 'NumPy (1.26 or later'"),
    "no NumPy": (release.stated, "README.md", "NumPy (2.0 or later)", "NumPy", "does not state"),
    "newest Python": (release.stated, "README.md", "to 3.13", "to 3.15", "has 3.11 3.13"),
    "ufuncs": (release.stated, "README.md", "33 ufuncs", "34 ufuncs", "says '34 ufuncs'"),
    "wheel's glibc": (release.stated, "README.md", "manylinux_2_28 ", "manylinux_2_17 ", "says 'manylinux_2_17'"),
    "wheel's name": (release.stated, "docs/platforms.md", "cp311-abi3-many", "cp39-abi3-many", "says 'cp39-abi3'"),
    "glibc": (release.stated, "CHANGELOG.md", "glibc 2.28 or", "glibc 2.17 or", "says 'glibc 2.17 or newer'"),
    "supported": (release.supported, "SECURITY.md", "The latest release.", "The latest is 0.3.", "names 0.3"),
    "none yet": (release.supported, "CHANGELOG.md", NEWEST, f"{NEWEST}\n\n## 0.0.1 (2026-01-01)", "none yet"),
    "recipe's Python": (release.requirements, "recipe/recipe.yaml", "python >=3.11", "python", "run does not require"),
    "cibuildwheel": (release.requirements, "pyproject.toml", '"cp311-*", ', "", "cibuildwheel"),
    "classifier": (release.requirements, "pyproject.toml", 'Python :: 3.11"', 'Python :: 3.12"', "is 3.11"),
    "recipe's Cython": (release.requirements, "recipe/recipe.yaml", "cython >=3.1", "cython >=3.0", "cython >=3.1"),
    "recipe's NumPy": (release.requirements, "recipe/recipe.yaml", "    - numpy >=2.0\n\ntests", "\ntests", "numpy"),
    "citation": (release.citation, "CITATION.cff", "title: \"gelu", "heading: \"gelu", "CITATION.cff"),
    "no YAML": (release.citation, "CITATION.cff", "authors:", "authors: :", "CITATION.cff"),
    "recipe": (release.recipe, "recipe/recipe.yaml", "  script:", "  commands:", "commands"),
    "recipe's variable": (release.recipe, "recipe/recipe.yaml", "${{ version }}", "${{ number }}", "number"),
    "not packed": (release.contents, "MANIFEST.in", "graft tools\n", "graft tools\n#\n", "another MANIFEST.in"),
    "old wheel": (release.contents, "gelu_fast/_bounds.py", "import", "import  ", "the wheel has another gelu_fast/_b"),
}  # fmt: skip


@pytest.mark.parametrize("check, name, old, new, fault", FAULTS.values(), ids=FAULTS)
def test_fault_in_a_text(project, check, name, old, new, fault):
    replace(project, name, old, new)
    assert fault in found(check, project)


def test_tags(project):
    replace(project, "CHANGELOG.md", NEWEST, UNRELEASED)
    git(project.root, "tag", f"v{V}")
    assert "no dated section" in found(release.tags, project)
    replace(project, "CHANGELOG.md", UNRELEASED, RELEASED)
    assert found(release.tags, project) == ""
    commit(project.root)
    assert "on another commit" in found(release.tags, project)
    git(project.root, "tag", "v0.0.1")
    assert "the tag v0.0.1 has no dated section" in found(release.tags, project)
    project.tag = "v9"
    assert "the tag is v9" in found(release.tags, project)


def test_released(project, monkeypatch):
    assert "ON_PYPI" in found(release.released, project)
    monkeypatch.setattr(release, "ON_PYPI", True)
    replace(project, "CHANGELOG.md", NEWEST, UNRELEASED)
    open_points = found(release.released, project)
    assert "has no date" in open_points
    replace(project, "CHANGELOG.md", UNRELEASED, RELEASED)
    assert "has no date" not in found(release.released, project)
    assert "CHANGELOG.md" in found(release.released, project)  # not committed
    if "no Source" in open_points:
        replace(
            project,
            "pyproject.toml",
            "[project.optional",
            '[project.urls]\nSource = "https://x"\n[project.optional',
        )
    commit(project.root)
    assert found(release.released, project) == ""
    (project.root / "new").touch()
    assert "new" in found(release.released, project)


@pytest.mark.parametrize(
    "command",
    [
        "pip install gelu_fast",
        "pip3 install -U gelu-fast",
        'python -m pip install --upgrade "gelu_fast[doors]>=0.1"',
        "pip install numpy gelu_fast",
        "pip install\ngelu_fast",
        "PIP INSTALL GELU_FAST.",
        "uv add gelu_fast",
        "uv pip install 'gelu-fast'",
        "conda install -c conda-forge gelu_fast",
        "pipx install gelu_fast",
        "!pip install gelu_fast",
        "pip install \\\n    gelu_fast",
        "pip install torch,gelu_fast",
        "uv tool install gelu_fast",
        "uv run --with gelu_fast python",
        "gelu_fast is available from PyPI",
        "gelu_fast is\non PyPI",
        "Wheels come to PyPI",
    ],
)
def test_install_texts(project, monkeypatch, command):
    names = ["docs/torch.md", "examples/ffn.py", "gelu_fast/_config.py", "Makefile"]
    for name in names:
        text = project.text(name) + f"\n# First `{command}`, then use it.\n"
        (project.root / name).write_text(text, encoding="utf-8")
    faults = found(release.install_texts, project)
    assert all(f"{name}: " in faults for name in names)
    monkeypatch.setattr(release, "ON_PYPI", True)
    (project.root / "README.md").write_text("gelu_fast is not\nyet on PyPI.")
    faults = found(release.install_texts, project)
    assert "README.md: 'gelu_fast is not yet on PyPI'" in faults
    assert not any(f"{name}: " in faults for name in names)


@pytest.mark.parametrize(
    "text",
    [
        "gelu_fast is not on PyPI",
        "gelu_fast is not yet\non PyPI.",
        "Once the sdist is on PyPI, read on.",
        "Wheels will come to PyPI",
        'pip install ".[doors]"',
        "pip install . && python -m gelu_fast",
        "`pip install .` builds gelu_fast",
        "pip install dist/gelu_fast-0.1.0.tar.gz",
        "pip install ./gelu_fast",
        "pip install gelu_fast-0.1.0-cp311-abi3-manylinux_2_28_x86_64.whl",
        "pip uninstall gelu_fast",
        "pip installs gelu_fast's wheel",
    ],
)
def test_other_texts_about_pip(project, text):
    (project.root / "docs/torch.md").write_text(text)
    assert found(release.install_texts, project) == ""


# ---- the files in dist/ ----


def rewrite(project, change):
    """The wheel, with {name: content} as `change` leaves it."""
    with zipfile.ZipFile(project.wheel) as files:
        content = {name: files.read(name) for name in files.namelist()}
    change(content)
    with zipfile.ZipFile(project.wheel, "w") as files:
        for name, data in content.items():
            files.writestr(name, data)


def rewrite_sdist(project, change):
    content = release.in_sdist(project)
    change(content)
    first = project.sdist.name.removesuffix(".tar.gz")
    with tarfile.open(project.sdist, "w:gz") as files:
        for name, data in content.items():
            member = tarfile.TarInfo(f"{first}/{name}")
            member.size = len(data)
            files.addfile(member, io.BytesIO(data))


def drop(ending):
    def change(content):
        for name in [name for name in content if name.endswith(ending)]:
            del content[name]

    return change


def add(name):
    return lambda content: content.update({name: b""})


CONTENTS = {
    "no py.typed": (drop("py.typed"), "the wheel lacks gelu_fast/py.typed"),
    "not compiled": (drop("_core.abi3.so"), "0 compiled parts"),
    "compiled twice": (add("gelu_fast/_core.cpython-311-x86_64-linux-gnu.so"), "2 compiled parts"),
    "no licence": (drop("licenses/LICENSE"), "the wheel lacks LICENSE"),
    "sources": (add("gelu_fast/kernels/gelu.h"), "the wheel has gelu_fast/kernels/gelu.h"),
    "tests": (add("tests/__init__.py"), "the wheel has tests/__init__.py"),
    "other runtime": (add("gelu_fast.libs/libiomp5.so"), "libraries other than one libgomp"),
}


@pytest.mark.parametrize("change, fault", CONTENTS.values(), ids=CONTENTS)
def test_contents_of_the_wheel(project, change, fault):
    rewrite(project, change)
    assert fault in found(release.contents, project)


def test_licence_of_the_runtime(project):
    def without(content):
        content.setdefault("gelu_fast.libs/libgomp-1.so.1", b"")
        drop("libgomp.txt")(content)

    rewrite(project, without)
    assert "the wheel lacks licenses/libgomp.txt" in found(release.contents, project)


def test_contents_of_the_sdist(project):
    rewrite_sdist(project, drop("kernels/gelu.h"))
    rewrite_sdist(project, add("notes.txt"))
    faults = found(release.contents, project)
    assert "the sdist lacks gelu_fast/kernels/gelu.h" in faults
    assert "the sdist has notes.txt" in faults


METADATA = {
    "no author": ("Author: The gelu_fast developers\n", "", "no Author"),
    "classifier": ("Classifier: Typing :: Typed", "Classifier: Typing :: Untyped", "Untyped"),
    "no system": ("Classifier: Operating System :: POSIX :: Linux\n", "", "name the systems []"),
    "every system": (" :: POSIX :: Linux", " :: OS Independent", "OS Independent"),
    "version": (f"\nVersion: {V}", "\nVersion: 9", "version 9"),
    "address": (
        "\nAuthor:",
        "\nProject-URL: Source, http://there\nAuthor:",
        "address of Source is http://there",
    ),
}


def change_metadata(project, old, new):
    def change(content):
        (name,) = (
            name for name in content if name.endswith("PKG-INFO") or name.endswith(".dist-info/METADATA")
        )
        text = content[name].decode()
        assert old in text
        content[name] = text.replace(old, new, 1).encode()

    rewrite(project, change)
    rewrite_sdist(project, drop("gelu_fast.egg-info/PKG-INFO"))
    rewrite_sdist(project, change)


@pytest.mark.parametrize("old, new, fault", METADATA.values(), ids=METADATA)
def test_metadata(project, old, new, fault):
    change_metadata(project, old, new)
    assert fault in found(release.metadata, project)


def test_metadata_that_differ(project):
    rewrite_sdist(project, lambda content: content.update({"PKG-INFO": content["PKG-INFO"] + b"more"}))
    rewrite_sdist(
        project, lambda content: content.update({"PKG-INFO": b"Keywords: other\n" + content["PKG-INFO"]})
    )
    assert "differ" in found(release.metadata, project)


@pytest.mark.parametrize(
    "text, fault",
    [
        ("![forms](examples/forms.png)", "src=examples/forms.png"),
        ("[limits](docs/limits.md)", "href=docs/limits.md"),
        ('<img src="forms.png">', "src=forms.png"),
        ("[limits](http://there/)", "href=http://there/"),
    ],
)
def test_description(project, text, fault):
    change_metadata(project, "# gelu_fast\n", f"# gelu_fast\n\n{text}\n")
    assert fault in found(release.description, project)


def test_description_that_does_not_render(project):
    change_metadata(
        project, "Description-Content-Type: text/markdown", "Description-Content-Type: text/x-rst"
    )
    assert "twine check" in found(release.description, project)


def test_setup_makes_links_absolute(project):
    """With and without a public address, README on PyPI has no link that leads nowhere."""
    (project.root / "README.md").write_text(
        "# A\n![p](a.png) [b](docs/b.md) [c](https://c) [d](#e) `x[0](1)`\n"
    )
    code = "import setup; print(repr(setup.readme_for_pypi()))"
    stub = "import setuptools; setuptools.setup = lambda **_: None; "

    def readme():
        done = subprocess.run(
            [sys.executable, "-c", stub + code], cwd=project.root, capture_output=True, text=True, check=True
        )
        return ast.literal_eval(done.stdout.splitlines()[-1])  # after what Cython says

    assert readme() == "# A\n b [c](https://c) [d](#e) `x[0](1)`\n"
    address = '[project.urls]\nSource = "https://x/y"\n[project.optional'
    replace(project, "pyproject.toml", "[project.optional", address)
    there = (
        f"# A\n![p](https://x/y/raw/v{V}/a.png) [b](https://x/y/blob/v{V}/docs/b.md) [c](https://c) [d](#e)"
    )
    assert readme().startswith(there)


# ---- platform ----

LIBRARY = {
    "abi3audit": "#include <Python.h>\nconst char *PyInit__core(PyObject *o) { return PyUnicode_AsUTF8(o); }",
    "auditwheel": "#include <Python.h>\n#include <math.h>\ndouble PyInit__core(double x) { return fmod(x, exp(x)); }"
    '\n__asm__(".symver fmod,fmod@GLIBC_2.38");',
}


@pytest.mark.skipif(sys.platform != "linux", reason="compiles a library for Linux")
@pytest.mark.parametrize("auditor", LIBRARY)
def test_platform(project, tmp_path, auditor):
    """A library that needs more than the wheel's name promises."""
    (tmp_path / "core.c").write_text(LIBRARY[auditor])
    include = sysconfig.get_path("include")
    if auditor == "auditwheel":
        # A library of a newer glibc, which this machine need not have.
        (tmp_path / "m.c").write_text("double fmod(double x, double y) { return x; }")
        (tmp_path / "m.map").write_text("GLIBC_2.38 { global: fmod; local: *; };")
        make = ["gcc", "-shared", "-fPIC", "-Wl,-soname,libm.so.6", f"-Wl,--version-script={tmp_path}/m.map"]
        subprocess.run([*make, "-o", tmp_path / "libm.so", tmp_path / "m.c"], check=True)
    build = [
        "gcc",
        "-shared",
        "-fPIC",
        "-fno-builtin",
        f"-I{include}",
        "-o",
        tmp_path / "core.so",
        tmp_path / "core.c",
    ]
    subprocess.run([*build, f"-L{tmp_path}", "-lm"], check=True)
    data = (tmp_path / "core.so").read_bytes()
    rewrite(project, lambda content: content.update({"gelu_fast/_core.abi3.so": data}))
    assert f"{auditor}: " in found(release.platform, project)


def test_name_of_the_wheel(project):
    name = project.wheel.name
    other = project.wheel.with_name(
        name.replace("cp311-abi3", "cp311-cp311").replace("manylinux_2_28", "linux")
    )
    project.wheel.rename(other)
    assert "not for all CPythons" in found(release.platform, release.Project(project.root, project.dist))
    if "manylinux" in name:
        assert "not for manylinux" in found(release.platform, release.Project(project.root, project.dist))


# ---- builds: the checks themselves run real builds; here they get files that show a fault ----


def test_reproducible(project):
    def copy(into):
        for path in project.wheel, project.sdist:
            shutil.copy(path, into)

    def changed(into):
        copy(into)
        again = release.Project(project.root, into)
        with again.wheel.open("ab") as file:
            file.write(b"\0")
        rewrite_sdist(again, add("notes.txt"))

    def renamed(into):
        copy(into)
        wheel = release.Project(project.root, into).wheel
        wheel.rename(wheel.with_name("gelu_fast-1-py3-none-any.whl"))

    assert found(release.reproducible, project, build=copy) == ""
    faults = found(release.reproducible, project, build=changed)
    assert f"another {project.wheel.name}" in faults and f"other files in {project.sdist.name}" in faults
    assert f"another {project.wheel.name}" in found(release.reproducible, project, build=renamed)


def test_sdist_tests(project):
    makefile = b"test:\n\ttest -e setup.py\n"
    rewrite_sdist(project, lambda content: content.update({"Makefile": makefile}))
    assert found(release.sdist_tests, project) == ""
    rewrite_sdist(project, drop("setup.py"))
    assert "make test in the sdist" in found(release.sdist_tests, project)


def test_recipe_builds(project):
    rewrite_sdist(project, lambda content: content.update({"setup.py": b"raise SystemExit('broken')"}))
    assert "rattler-build: " in found(release.recipe_builds, project)


def test_command(tmp_path):
    """The exit status says whether there are faults; a wrong tag is one."""
    done = subprocess.run(
        [sys.executable, ROOT / "tools/release.py", "--every-day", "--tag", "v0"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "FAULT tags" in done.stdout and "ok    version" in done.stdout


def test_files_of_a_release(project, monkeypatch, capsys):
    """--files judges each wheel of several."""

    def judge():
        monkeypatch.setattr(sys, "argv", ["release.py", "--files", str(project.dist)])
        return release.main()

    monkeypatch.setattr(release, "ROOT", project.root)
    assert not judge()
    copy = project.wheel.with_name(f"gelu_fast-{V}-1-cp311-abi3-macosx_11_0_arm64.whl")
    shutil.copy(project.wheel, copy)
    other = release.Project(project.root, project.dist)
    other.wheel = copy
    rewrite(other, drop("py.typed"))
    capsys.readouterr()
    assert judge()
    assert capsys.readouterr().out.count("the wheel lacks gelu_fast/py.typed") == 1
    for wheel in project.dist.glob("*.whl"):
        wheel.unlink()
    assert judge()


def test_the_name_of_a_tag_is_no_command(tmp_path):
    """The command that publish.yml runs passes a tag's name to tools/release.py as it is."""
    steps = yaml.safe_load((ROOT / ".github/workflows/publish.yml").read_text())["jobs"]["check"]["steps"]
    (command,) = (step["run"] for step in steps if "run" in step)
    makefile = tmp_path / "Makefile"
    rule = re.search(r"^release-check:.*\n(\t.*\n)", (ROOT / "Makefile").read_text(), re.M)
    makefile.write_text("BIN = .\nrelease-check:\n" + rule[1])
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    name = "v1$(shell\ttouch\tthere)$(touch${IFS}there)`touch${IFS}there`"
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    env["GITHUB_REF_NAME"] = name
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-3:] == ["tools/release.py", "--tag", name]
    assert not (tmp_path / "there").exists()


def test_tests_of_aarch64_exist():
    """pytest is silent about a --deselect that names no test."""
    names = [*aarch64.SUITE, *aarch64.LEFT_OUT]
    files = sorted({name.partition("::")[0] for name in names})
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-c", os.devnull, "--rootdir", "."]
    env = {**os.environ, "GELU_FAST_ISA": "baseline"}
    listed = subprocess.run(
        [*collect, "-p", "no:cacheprovider", *files],
        cwd=ROOT / "tests",
        env=env,
        capture_output=True,
        text=True,
    )
    assert listed.returncode == 0, listed.stdout + listed.stderr
    tests = listed.stdout.splitlines()
    assert [name for name in names if not any(test.startswith(name) for test in tests)] == []
