# SPDX-License-Identifier: BSD-3-Clause
"""The documentation site, which `make docs` builds with Sphinx."""

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

import gelu_fast

logger = logging.getLogger(__name__)

project = "gelu_fast"
author = "the gelu_fast developers"
copyright = author
version = release = gelu_fast.__version__

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autosummary", "sphinx_copybutton"]
source_suffix = {".md": "markdown"}
autosummary_generate = False  # it is here for its role `autolink` alone
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(numpy|dask)\..*")]  # their pages are elsewhere

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

# Single backticks in docstrings are names where they can be imported.
default_role = "autolink"
numpydoc_show_class_members = False
copybutton_prompt_text = ">>> |... "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True

html_theme = "pydata_sphinx_theme"
html_title = f"gelu_fast {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_sidebars = dict.fromkeys(["start", "accuracy", "speed*"], [])  # sections of one page
html_math_renderer = "mathml"
html_theme_options = {
    "logo": {"text": "gelu_fast"},
    "show_toc_level": 2,
    "header_links_before_dropdown": 8,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
}


def math(display):
    """A visitor that writes a formula as MathML, which browsers show without a script."""

    def visit(self, node):
        try:
            mathml = tex2mathml(node.astext(), as_block=display)
            mathml = mathml.replace(">|</mo>", ' lspace="0" rspace="0">|</mo>')  # |x|, without spaces
            self.body.append(f'<div class="formula">{mathml}</div>' if display else mathml)
        except MathError as error:
            logger.warning("%s: %s", node.astext(), error, location=node)
        raise nodes.SkipNode

    return visit, None


def setup(app):
    app.add_html_math_renderer("mathml", math(False), math(True))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
