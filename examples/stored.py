# SPDX-License-Identifier: BSD-3-Clause
"""Results that an example measures once, stores in this checkout, and draws: for digits.py and ffn.py."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def add_options(parser, results):
    """--write and --draw, with a directory in place of this checkout; `results` is a word for the help."""
    for option, what in (
        ("--write", f"store {results} and a picture"),
        ("--draw", f"draw the stored {results}"),
    ):
        parser.add_argument(option, nargs="?", type=Path, const=ROOT, metavar="DIR", help=f"{what} in DIR")


def write(results, file):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1) + "\n")


def draw(drawing, results, picture):
    """Call drawing(results, picture) with the results of a file."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    drawing(json.loads(results.read_text()), picture)
