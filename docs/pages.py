"""From the pages as they stand, which a code host shows, to what Sphinx builds: API, contents, notebooks."""

from __future__ import annotations

import json
import re
from typing import Any

from sphinx.application import Sphinx
from write_tables import MODULE

PAGE = re.compile(r"\]\(([\w-]+)\.(?:md|ipynb)\)")


def read_page(_app: Sphinx, page: str, source: list[str]) -> None:
    """Turn what was read of a page into what is parsed, in place."""
    text = source[0]
    if text.startswith("{"):
        text = in_markdown(json.loads(text))
    elif page == "api":
        text = MODULE.sub(r"\n```{eval-rst}\n.. automodule:: \1\n```\n", text)
    elif page == "index":
        pages = dict.fromkeys(PAGE.findall(text.partition("## Where to go")[2]))
        text += "\n".join(["\n```{toctree}", ":hidden:", "", *pages, "```\n"])
    source[0] = text.replace("](api.md#barriers.", "](#barriers.")


def in_markdown(notebook: dict[str, Any]) -> str:
    """Give a notebook as Markdown: its cells in their order, code with what it printed and drew."""
    blocks = []
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        blocks.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
        for output in cell.get("outputs", ()):
            if "text" in output:
                blocks.append(f"```text\n{''.join(output['text'])}```")
            elif picture := output.get("data", {}).get("image/png"):
                blocks.append(f"![What the code draws](data:image/png;base64,{''.join(picture).replace(chr(10), '')})")
    return "\n\n".join(blocks) + "\n"
