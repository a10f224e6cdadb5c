"""The distribution that brings this package: its version, and how its extras are added.

On a package index the name of the import, ``barriers``, belongs to another project; nothing here may name it.
"""

from __future__ import annotations

from importlib.metadata import version

NAME = "li-barriers"
"""Name of the distribution, as in ``pyproject.toml``."""


def install(extra: str = "") -> str:
    """Command that adds an extra to this installation, or what is missing of the package's own requirements.

    pip reads both from the installed distribution, so that the command works the same whether that came from a clone,
    a wheel or an index.
    """
    return f"pip install '{NAME}[{extra}]'" if extra else f"pip install {NAME}"


def versions(*distributions: str) -> dict[str, str]:
    """Versions of this package and of others, by name, as results keep them.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        If one is not installed.
    """
    return {"barriers": version(NAME)} | {name: version(name) for name in distributions}
