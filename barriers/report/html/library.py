"""The library that draws in three dimensions, out of the installed package that carries it: 3Dmol.js in chemiscope.

Wheels that are named after a viewer of molecules mostly load it from a network. This one holds it, as a global of the
script that it builds its own pages from. Its notices hold the licences of all else in that script.
"""

from __future__ import annotations

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from barriers.distribution import install

PACKAGE = "chemiscope"
SCRIPT = "chemiscope/sphinx/static/chemiscope.min.js"
NOTICES = "chemiscope/static/chemiscope-widget.mjs.LICENSE.txt"

HEADER = """\
{name} {version} ({licence}), which carries 3Dmol.js: copyright (c) 2014, University of Pittsburgh and contributors,
under the same licence; N. Rego and D. Koes, Bioinformatics 31, 1322 (2015).
"""


class Library(NamedTuple):
    """What draws bands.

    Attributes
    ----------
    name, version, licence : str
        Of the package that carries it.
    script : str
        JavaScript that makes the global ``$3Dmol`` when it runs.
    notices : str
        Licences that go where the script goes.
    """

    name: str
    version: str
    licence: str
    script: str
    notices: str


def library() -> Library:
    """Read the library from its package, which is not imported.

    Raises
    ------
    ValueError
        One line, if the package is not there, or is one that does not hold the library.
    """
    try:
        found = distribution(PACKAGE)
        script, notices = _text(found, SCRIPT), _text(found, NOTICES)
        licence = _text(found, next(str(path) for path in found.files or () if path.name == "LICENSE"))
    except (PackageNotFoundError, OSError, StopIteration) as error:
        raise ValueError(
            f"{PACKAGE}, which holds the library of the 3-D views, is not whole here; {install()}"
        ) from error
    known = {"name": PACKAGE, "version": found.version, "licence": found.metadata["License"]}
    # Nothing in a comment, or in an element of a page, may end it.
    texts = [HEADER.format(**known), licence, notices.replace("/*", "").replace("*/", "")]
    return Library(**known, script=script.replace("</script", "<\\/script"), notices="\n".join(texts))


def _text(found: Distribution, name: str) -> str:
    return Path(str(found.locate_file(name))).read_text("utf-8")
