"""Pages that need no other file: Jinja2 templates on one base, with the look of the console."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

SHARED = Path(__file__).with_name("templates")
STYLES = Path(__file__).parent / "console" / "static"
"""The colours of everything that the harness shows, and the style of a timeline: the console serves the same files."""


def render(template: Path, **words: Any) -> str:
    """Return a page. Its template extends `base.html.j2` or one beside it, and has `look` and `drawing_style` besides.

    Raises:
        jinja2.UndefinedError: the template asks for a word that is not among these.
    """
    pages = Environment(
        loader=FileSystemLoader([template.parent, SHARED]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    styles = {"look": "look.css", "drawing_style": "drawing.css"}
    pages.globals |= {name: (STYLES / file).read_text(encoding="utf-8") for name, file in styles.items()}
    return pages.get_template(template.name).render(**words)
