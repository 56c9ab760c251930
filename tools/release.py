# SPDX-License-Identifier: BSD-3-Clause
"""Judge whether a release can be made of this commit: `make release-check`, after `make dist`. Exit 1 if not.

python tools/release.py                 all checks
python tools/release.py --every-day     those that hold on every commit and take less than a minute; .ci/run runs them
python tools/release.py --tag v1.2.3    all, and the version is that of the tag; .github/workflows/publish.yml runs them
python tools/release.py --files DIR     those of the files in DIR, of each wheel; .github/workflows/wheels.yml runs them

Each check yields a sentence for each fault that it finds. tests/heavy/test_release.py plants a fault for each.
"""

import argparse
import io
import os
import re
import subprocess
import sys
import tarfile
import time
import tomllib
import zipfile
from dataclasses import dataclass
from datetime import date
from email.parser import Parser
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

import packages
import rattler_build
import readme_renderer.markdown
import yaml
from cffconvert import Citation
from checkout import ROOT
from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version
from trove_classifiers import classifiers

# True from the first release on. Until then no text may tell anyone to install gelu_fast from PyPI, or say that it is
# there; afterwards none may say that it is not.
ON_PYPI = False
INSTALLS = re.compile(
    r"\b(?:pip[0-9.]*|pipx|uv|conda|mamba|micromamba|pixi|poetry|pdm|hatch|rye)\s+(?:(?:pip|tool|global)\s+)?"
    r"(?:install|add|download|wheel|run\s+--with)[\s\\^]+"
    r"""(?:[\w.=<>~!"'\[\]/:*-]+[\s,\\^]+){0,8}?["']?gelu[_-]fast(?![\w/-]|\.\w)""",
    re.IGNORECASE,
)
MENTIONS = re.compile(r"\b(?:from|on|comes?\s+to)\s+PyPI\b")
DENIES = re.compile(r"\bnot(?:\s+yet)?\s*$|\b(?:once|until|will)\b", re.IGNORECASE)  # in the sentence before
OWN = {"tools/release.py", "tests/heavy/test_release.py"}  # which must name such texts
SYSTEMS = {"Operating System :: POSIX :: Linux"}  # where the package itself was run: docs/platforms.md
PYTHON = "Programming Language :: Python :: "


@dataclass
class Project:
    root: Path
    dist: Path
    tag: str | None = None

    def text(self, name):
        return (self.root / name).read_text(encoding="utf-8")

    def git(self, *command):
        done = subprocess.run(["git", *command], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.split("\0" if "-z" in command else "\n")

    @cached_property
    def files(self):
        return [name for name in self.git("ls-files", "-z") if (self.root / name).is_file()]

    @cached_property
    def texts(self):
        """Name -> text of each file that is no picture."""
        read = ((name, (self.root / name).read_bytes()) for name in self.files if name not in OWN)
        return {name: data.decode(errors="replace") for name, data in read if b"\0" not in data}

    @cached_property
    def settings(self):
        return tomllib.loads(self.text("pyproject.toml"))

    @cached_property
    def version(self):
        (version,) = re.findall(r'^__version__ = "(.+)"$', self.text("gelu_fast/_config.py"), re.M)
        return version

    @cached_property
    def sections(self):
        """Of the changelog: [(version, date or "unreleased"), ...], the newest first."""
        return re.findall(r"^## (\S+) \((.+)\)$", self.text("CHANGELOG.md"), re.M)

    @cached_property
    def wheel(self):
        (path,) = self.dist.glob("gelu_fast-*.whl")
        return path

    @cached_property
    def sdist(self):
        (path,) = self.dist.glob("gelu_fast-*.tar.gz")
        return path

    @cached_property
    def metadata(self):
        """Of the wheel."""
        with zipfile.ZipFile(self.wheel) as files:
            (name,) = (n for n in files.namelist() if n.endswith(".dist-info/METADATA"))
            return Parser().parsestr(files.read(name).decode())


# ---- the texts ----


def version(project):
    """One version, in all places."""
    v = project.version
    try:
        if str(Version(v)) != v:
            yield f"_config.py: {v} is written {Version(v)}"
    except InvalidVersion as error:
        yield f"_config.py: {error}"
        return
    newest, day = project.sections[0]
    if newest != v:
        yield f"CHANGELOG.md begins with {newest}, and the version is {v}"
    versions = [Version(number) for number, _ in project.sections]
    if versions != sorted(set(versions), reverse=True):
        yield f"CHANGELOG.md: the newest version comes first, not {', '.join(map(str, versions))}"
    for number, when in project.sections[day == "unreleased" :]:
        try:
            date.fromisoformat(when)
        except ValueError:
            yield f"CHANGELOG.md: {number} has no date, but ({when})"
    released = yaml.safe_load(project.text("CITATION.cff")).get("date-released", "unreleased")
    if str(released) != day:
        yield f"CITATION.cff: date-released is {released}, and in CHANGELOG.md {day}"


def same(project):
    """CITATION.cff, the recipe and the licence say what pyproject.toml says."""
    settings = project.settings["project"]
    citation, recipe = (yaml.safe_load(project.text(name)) for name in ("CITATION.cff", "recipe/recipe.yaml"))
    licence = project.text("LICENSE").partition(" License")[0].replace(" ", "-")
    said = [
        ("CITATION.cff: version", citation.get("version"), project.version),
        ("recipe/recipe.yaml: version", recipe["context"].get("version"), project.version),
        ("recipe/recipe.yaml: name", recipe["package"].get("name"), settings["name"]),
        ("recipe/recipe.yaml: summary", recipe["about"].get("summary"), settings["description"]),
        ("recipe/recipe.yaml: license", recipe["about"].get("license"), settings["license"]),
        ("CITATION.cff: license", citation.get("license"), settings["license"]),
        ("LICENSE: title", licence, settings["license"]),
    ]
    for name, text in project.texts.items():
        for found in (
            () if name.startswith("licenses/") else re.findall(r"SPDX-License-Identifier: ([\w.+-]+)", text)
        ):
            said.append((f"{name}: SPDX-License-Identifier", found, settings["license"]))
    for what, value, truth in said:
        if value != truth:
            yield f"{what} is {value!r}, not {truth!r}"


def tags(project):
    """Every tag is a version that the changelog dates; this version's is not on another commit."""
    dated = {number for number, day in project.sections if day != "unreleased"}
    for tag in filter(None, project.git("tag", "--list", "v*")):
        if tag[1:] not in dated:
            yield f"the tag {tag} has no dated section in CHANGELOG.md"
        if tag[1:] == project.version and project.git("rev-parse", f"{tag}^{{}}") != project.git(
            "rev-parse", "HEAD"
        ):
            yield f"the tag {tag} is on another commit: the version must rise"
    if project.tag is not None and project.tag != f"v{project.version}":
        yield f"the tag is {project.tag}, and the version {project.version}"


def released(project):
    """Nothing is open on the day of a release."""
    v, day = project.sections[0]
    if day == "unreleased":
        yield f"CHANGELOG.md: {v} has no date"
    if "Source" not in project.settings["project"].get("urls", {}):
        yield "pyproject.toml: [project.urls] has no Source, the public address of the repository"
    if not ON_PYPI:
        yield "tools/release.py: ON_PYPI is False, so README says that gelu_fast is not on PyPI"
    if dirty := "".join(project.git("status", "--porcelain")):
        yield f"files are not committed: {dirty}"


def install_texts(project):
    """Texts install gelu_fast from PyPI if it is there, and only then."""
    there = "there" if ON_PYPI else "not on PyPI"
    for name, text in project.texts.items():
        faults = [] if ON_PYPI else [found[0] for found in INSTALLS.finditer(text)]
        for found in () if name.startswith(".github/") else MENTIONS.finditer(text):
            before = re.split(r"\.\s|\n\n", text[: found.start()])[-1]
            if bool(DENIES.search(before)) == ON_PYPI:
                faults.append((before + found[0])[-60:])
        for fault in faults:
            yield f"{name}: {' '.join(fault.split())!r}, and gelu_fast is {there}"


def anchors(project, path):
    """Of the headings of a page, and of a page that it includes, as GitHub and MyST name them."""
    text = project.texts[path.relative_to(project.root).as_posix()]
    for included in re.findall(r"\{include\} (\S+)", text):
        yield from anchors(project, (path.parent / included).resolve())
    seen = []
    for heading in re.findall(r"^#+ +(.*?)[ #]*$", without_code(text), re.M):
        heading = re.sub(r"!?\[(.*?)\]\(.*?\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w -]", "", heading).replace(" ", "-")
        yield anchor + f"-{seen.count(anchor)}" * (anchor in seen)
        seen.append(anchor)
    yield from re.findall(r"^\((.+)\)=$", text, re.M)


def without_code(text):
    return re.sub(r"^( *)(`{3,}|~~~+).*?^\1\2", "", text, flags=re.M | re.S)


def links(project):
    """Links of all pages lead to files of the project, and to headings in them."""
    for name, text in project.texts.items():
        if not name.endswith(".md"):
            continue
        text = re.sub(r"(?<!`)(`+)(?!`)(?:(?!\n\n).)+?(?<!`)\1(?!`)", "", without_code(text), flags=re.S)
        link = r"""\]\(\s*<?([^)\s>]+)|^\[[^\]\n]+\]:\s*(\S+)|\b(?:src|srcset|href)=["']([^"']+)"""
        for target in map("".join, re.findall(link, text, re.M)):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = unquote(target).partition("#")
            path = (project.root / name).parent.joinpath(file).resolve() if file else project.root / name
            if not path.exists():
                yield f"{name} links to {target}, which does not exist"
            elif anchor and path.suffix == ".md" and anchor not in anchors(project, path):
                yield f"{name} links to {target}, and no heading there has this name"


def generated(project):
    """README and docs/ have the figures that were measured."""
    done = subprocess.run(
        [sys.executable, "tools/readme.py", "--check"], cwd=project.root, capture_output=True, text=True
    )
    if done.returncode:
        yield f"tools/readme.py --check: {done.stdout}{done.stderr}"


def oldest(requirement):
    """The lower bound of a requirement, such as "2.0"."""
    (bound,) = (s.version for s in requirement.specifier if s.operator == ">=")
    return bound


def needs(project):
    """Requirements to build and to run: name -> lower bound."""
    settings = project.settings["project"]
    python = settings["requires-python"].removeprefix(">=")
    lines = project.settings["build-system"]["requires"] + settings["dependencies"]
    return {"python": python} | {r.name.lower(): oldest(r) for r in map(Requirement, lines)}


def pythons(project):
    """The CPythons of the classifiers, the oldest first."""
    given = project.settings["project"]["classifiers"]
    return sorted((c.removeprefix(PYTHON) for c in given if re.fullmatch(rf"{PYTHON}3\.\d+", c)), key=Version)


def requirements(project):
    """Classifiers, cibuildwheel and the recipe name the versions of pyproject.toml."""
    bounds, named = needs(project), pythons(project)
    if named[0] != bounds["python"]:
        yield f"pyproject.toml: requires-python is {bounds['python']}, and the first classifier {named[0]}"
    built = [f"cp{version.replace('.', '')}-*" for version in named]
    if project.settings["tool"]["cibuildwheel"]["build"] != built:
        yield f"pyproject.toml: cibuildwheel builds for others than the classifiers' {built}"
    recipe = yaml.safe_load(project.text("recipe/recipe.yaml"))["requirements"]
    for name, bound in bounds.items():
        for part in ["host"] + ["run"] * (name in ("python", "numpy")):
            if f"{name} >={bound}" not in recipe[part]:
                yield f"recipe/recipe.yaml: {part} does not require {name} >={bound}"


NUMBER = r"(\d+\.\d+)"
LATER = r"(?:\+|,?\s+(?:or|and)\s+(?:later|newer|greater|above|higher|up)\b)"


def bound_of(name):
    """Sentences such as "NumPy (2.0 or later)", "NumPy>=2.0", "NumPy 2.0+"."""
    return rf"(?i:\b{name}\s*\(?(?:{NUMBER}{LATER}|(?:>=|≥|at\s+least|from|since)\s*{NUMBER}))"


def stated(project):
    """Pages state the versions, the wheel, the licence and the number of ufuncs that the project has."""
    from gelu_fast._bounds import UFUNCS  # compiled; --files needs no build

    bounds, named = needs(project), pythons(project)
    python, numpy = bound_of("C?Python"), bound_of("NumPy")
    untested = f"3.{int(named[-1].removeprefix('3.')) + 1}"  # "CPython 3.14 and later" were not run
    glibc = packages.MANYLINUX.removeprefix("manylinux_").removesuffix("_x86_64")
    truths = {
        python: [bounds["python"], untested],
        numpy: [bounds["numpy"]],
        rf"\bC?Python\s+{NUMBER}\s*(?:to|through|-|–)\s*{NUMBER}": [f"{named[0]} {named[-1]}"],
        r"\bcp(\d+)-abi3": [bounds["python"].replace(".", "")],
        r"\bmanylinux_(\d+_\d+)(?:_x86_64|(?!\d|_[a-z]))": [glibc],
        rf"\bglibc\s+{NUMBER}{LATER}": [glibc.replace("_", ".")],
        r"\b(\d+)\s+ufuncs\b": [str(len(UFUNCS))],
        r"\b(MIT|ISC|Apache-2\.0|[AL]?GPL-\d[\w.-]*|BSD-\d-Clause)\b": [
            project.settings["project"]["license"]
        ],
    }
    pages = {name: text for name, text in project.texts.items() if re.match(r"(docs/.*|[^/]*)\.md$", name)}
    pages["CHANGELOG.md"] = pages["CHANGELOG.md"].split("\n## ")[1]  # the newest section
    said = set()
    for name, text in pages.items():
        for pattern, truth in truths.items():
            for found in re.finditer(pattern, text):
                number = " ".join(filter(None, found.groups()))
                said.add((name, pattern, number))
                if number not in truth:
                    yield f"{name} says {' '.join(found[0].split())!r}, and the project has {truth[0]}"
    for name in "README.md", "docs/start.md":
        for pattern in python, numpy:
            if (name, pattern, truths[pattern][0]) not in said:
                yield f"{name} does not state the oldest version, {truths[pattern][0]}: {pattern}"


def supported(project):
    """SECURITY.md names no release but the latest."""
    dated = [number for number, day in project.sections if day != "unreleased"]
    text = project.text("SECURITY.md")
    for number in re.findall(r"\b\d+(?:\.\d+)+\b", text):
        if number not in dated[:1]:
            yield f"SECURITY.md names {number}, and the latest release is {(dated or ['none'])[0]}"
    if ("none yet" in text) == bool(dated):
        yield f"SECURITY.md: is there a release or none yet? CHANGELOG.md dates {dated}"


def citation(project):
    """CITATION.cff is valid."""
    try:
        Citation(project.text("CITATION.cff")).validate()
    except Exception as error:  # cffconvert raises those of three libraries
        yield f"CITATION.cff: {error}"


def recipe(project):
    """The recipe has the form that rattler-build reads."""
    variants = {
        "c_compiler": ["gcc"],
        "c_stdlib": ["sysroot"],
        "c_stdlib_version": ["2.28"],
        "python": ["3.11"],
    }
    try:
        parsed = rattler_build.Stage0Recipe.from_yaml(project.text("recipe/recipe.yaml"))
        parsed.render(rattler_build.VariantConfig(variants), rattler_build.RenderConfig())
    except rattler_build.RattlerBuildError as error:
        yield f"recipe/recipe.yaml: {error}"


# ---- the files in dist/ ----


def in_sdist(project):
    """Name in the sdist, without its first folder -> content."""
    with tarfile.open(project.sdist) as files:
        opened = ((member.name.partition("/")[2], files.extractfile(member)) for member in files)
        return {name: file.read() for name, file in opened if file is not None}


def contents(project):
    """The sdist has the tracked files, the wheel the package, and the licence of every library in it."""
    sdist = in_sdist(project)
    made = {"PKG-INFO", "setup.cfg", *(name for name in sdist if name.startswith("gelu_fast.egg-info/"))}
    wanted = {
        name for name in project.files if not name.startswith(".")
    }  # those are for work on the repository alone
    for name in sorted(wanted - set(sdist)):
        yield f"the sdist lacks {name}: MANIFEST.in"
    for name in sorted(set(sdist) - wanted - made):
        yield f"the sdist has {name}, which git does not track"
    for name in sorted(wanted & set(sdist)):
        if sdist[name] != (project.root / name).read_bytes():
            yield f"the sdist has another {name} than the working tree: make dist"

    with zipfile.ZipFile(project.wheel) as files:
        in_wheel = {name: files.read(name) for name in files.namelist() if not name.endswith("/")}
    package = {
        name
        for name in project.files
        if re.match(r"gelu_fast/(selftest/|include/)?[^/]+\.(py|pyi|pxd|h|typed)$", name)
    }
    parts = [name for name in in_wheel if re.match(r"gelu_fast/_core\.[\w-]*\.?(so|pyd)$", name)]
    if len(parts) != 1:
        yield f"the wheel has {len(parts)} compiled parts: {parts}"
    libraries = [name for name in in_wheel if name.startswith("gelu_fast.libs/")]
    if [name for name in libraries if not name.startswith("gelu_fast.libs/libgomp-")] or len(libraries) > 1:
        yield f"the wheel has libraries other than one libgomp: {libraries}"
    rest = {name for name in in_wheel if ".dist-info/" not in name} - set(parts) - set(libraries)
    for name in sorted(package - rest):
        yield f"the wheel lacks {name}"
    for name in sorted(rest - package):
        yield f"the wheel has {name}, which is no file of the package"
    for name in sorted(rest & package):
        if in_wheel[name] != (project.root / name).read_bytes():
            yield f"the wheel has another {name} than the working tree: make dist"
    for name in ["LICENSE"] + ["licenses/libgomp.txt"] * bool(libraries):
        licence = [text for path, text in in_wheel.items() if path.endswith(f".dist-info/licenses/{name}")]
        if licence != [(project.root / name).read_bytes()]:
            yield f"the wheel lacks {name}"


def platform(project):
    """The wheel keeps what its name promises: Python's stable ABI, and glibc's symbols."""
    tag = project.wheel.stem.partition("-")[2].partition("-")[2]
    python = needs(project)["python"]
    if not tag.startswith(f"cp{python.replace('.', '')}-abi3-"):
        yield f"the wheel is for {tag}, not for all CPythons from {python} on (abi3)"
    audit = [sys.executable, "-m", "abi3audit", "--strict", "--report", project.wheel]
    done = subprocess.run(audit, capture_output=True, text=True)
    if done.returncode:
        yield f"abi3audit: {done.stdout}{done.stderr}"
    if not tag.endswith("x86_64") or not re.search(r"(?<!musl)linux", tag):
        return
    if not tag.endswith(packages.MANYLINUX):
        yield f"the wheel is for {tag}, not for {packages.MANYLINUX}"
    show = [sys.executable, "-m", "auditwheel", "show", project.wheel]
    shown = subprocess.run(show, capture_output=True, text=True).stdout
    least = re.search(r'platform tag:\s*"manylinux_(\d+)_(\d+)_', " ".join(shown.split()))
    if least is None or tuple(map(int, least.groups())) > (2, 28):
        yield f"auditwheel: {' '.join(shown.split())}"


def metadata(project):
    """Wheel and sdist say the same about themselves, and all that PyPI shows."""
    m = project.metadata
    if Parser().parsestr(in_sdist(project)["PKG-INFO"].decode()).items() != m.items():
        yield "the metadata of sdist and wheel differ"
    if m["Version"] != project.version:
        yield f"the wheel has version {m['Version']}: make dist"
    for name in (
        "Name",
        "Summary",
        "Author",
        "License-Expression",
        "Requires-Python",
        "Keywords",
        "Description-Content-Type",
    ):
        if not m[name]:
            yield f"the metadata have no {name}"
    given = m.get_all("Classifier")
    for unknown in sorted(set(given) - set(classifiers)):
        yield f"PyPI knows no classifier {unknown!r}"
    for kind in (
        PYTHON,
        "Development Status :: ",
        "Topic :: ",
        "Intended Audience :: ",
    ):
        if not any(classifier.startswith(kind) for classifier in given):
            yield f"no classifier says {kind}..."
    systems = {classifier for classifier in given if classifier.startswith("Operating System :: ")}
    if systems != SYSTEMS:
        yield f"classifiers name the systems {sorted(systems)}, and the package was run on {sorted(SYSTEMS)}"
    for label, _, url in (entry.partition(", ") for entry in m.get_all("Project-URL", [])):
        if not url.startswith("https://"):
            yield f"the address of {label} is {url}"


def description(project):
    """README renders on PyPI, which has none of the files that it links to."""
    twine = [sys.executable, "-m", "twine", "check", "--strict", project.wheel, project.sdist]
    done = subprocess.run(twine, capture_output=True, text=True)
    if done.returncode:
        yield f"twine check: {done.stdout}{done.stderr}"
    html = readme_renderer.markdown.render(project.metadata.get_payload(), stream=io.StringIO())
    if html is None or "<h1" not in html:
        yield "README does not render"
        return
    for attribute, address in re.findall(r'(src|srcset|href)="([^"]*)"', html):
        if not re.match(r"https://|mailto:|#", address):
            yield f"README on PyPI: {attribute}={address} leads nowhere; setup.py, readme_for_pypi"


# ---- builds: minutes ----


def reproducible(project, build=packages.build):
    """Another build gives a wheel of the same bytes, and an sdist of the same files."""
    with TemporaryDirectory() as work:
        build(Path(work))
        again = Project(project.root, Path(work))
        if again.wheel.name != project.wheel.name or again.wheel.read_bytes() != project.wheel.read_bytes():
            yield f"another build gives another {project.wheel.name}"
        if in_sdist(again) != in_sdist(project):
            yield f"another build gives other files in {project.sdist.name}"


def unpack(project, folder):
    with tarfile.open(project.sdist) as files:
        files.extractall(folder, filter="data")
    (source,) = Path(folder).iterdir()
    return source


def sdist_tests(project):
    """The sdist builds and passes its tests, with nothing else of the repository."""
    with TemporaryDirectory() as work:
        done = subprocess.run(["make", "test"], cwd=unpack(project, work), capture_output=True, text=True)
    if done.returncode:
        yield f"make test in the sdist:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"


def recipe_builds(project):
    """rattler-build makes the recipe's package of the sdist, and its tests pass, with packages that pip installs."""
    recipe = yaml.safe_load(project.text("recipe/recipe.yaml"))
    host, tests = recipe.pop("requirements")["host"], recipe.pop("tests")
    with TemporaryDirectory() as work:
        python = f"{work}/venv/bin/python"
        wanted = [package.replace(" ", "") for package in host if package.split()[0] != "python"]
        steps = [
            [sys.executable, "-m", "venv", f"{work}/venv"],
            [python, "-m", "pip", "install", "--quiet", *wanted],
        ]
        for step in steps:
            subprocess.run(step, check=True)
        script = recipe["build"]["script"].replace("${{ PYTHON }}", python)
        recipe["build"]["script"] = ["export PIP_PREFIX=$PREFIX", script]
        recipe["source"]["path"] = str(project.sdist)
        try:
            (rendered,) = rattler_build.Stage0Recipe.from_dict(recipe).render()
            isolation = rattler_build.EnvironmentIsolation.NONE
            rendered.run_build(
                output_dir=f"{work}/out", channels=[], package_format="tar-bz2", env_isolation=isolation
            )
        except rattler_build.RattlerBuildError as error:
            yield f"rattler-build: {error}"
            return
        (package,) = Path(work, "out").glob("*/*.tar.bz2")
        with tarfile.open(package) as files:
            files.extractall(f"{work}/package", filter="data")
        (site,) = Path(work, "package").glob("lib/python3*/site-packages")
        commands = [
            f"{python} -c 'import {name}'"
            for test in tests
            for name in test.get("python", {}).get("imports", [])
        ]
        commands += [line.replace("python", python, 1) for test in tests for line in test.get("script", [])]
        for command in commands:
            env = {**os.environ, "PYTHONPATH": str(site)}
            done = subprocess.run(command, shell=True, cwd="/", env=env, capture_output=True, text=True)
            if done.returncode:
                yield f"{command}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"


TEXTS = (
    version, same, tags, install_texts, links, generated, requirements, stated, supported, citation, recipe
)  # fmt: skip
FILES = (contents, platform, metadata, description)
RELEASE = (released, reproducible, recipe_builds, sdist_tests)


def report(project, checks):
    """Print what the checks find; the number of faults."""
    faults = 0
    for check in checks:
        start, found = time.monotonic(), list(check(project))
        print(
            f"{'FAULT' if found else 'ok':5} {check.__name__} ({time.monotonic() - start:.0f} s): {check.__doc__}"
        )
        for fault in found:
            print(f"      {fault}")
        faults += len(found)
    return faults


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--every-day", action="store_true")
    parser.add_argument("--tag")
    parser.add_argument("--files", type=Path, metavar="DIR")
    args = parser.parse_args()
    if not args.files:
        project = Project(ROOT, ROOT / "dist", args.tag)
        return report(project, TEXTS + FILES + RELEASE * (not args.every_day)) > 0
    wheels = sorted(args.files.glob("*.whl"))
    faults = not wheels
    for wheel in wheels:
        print(wheel.name)
        project = Project(ROOT, args.files)
        project.wheel = wheel
        faults += report(project, FILES)
    return faults > 0


if __name__ == "__main__":
    sys.exit(main())
