"""Templates: every value is escaped unless it is markup of our own making."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from responder_ml.report import numbers
from responder_ml.report.words import spoken

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent / "templates"
_HEADING = re.compile(r'<section id="([^"]+)">\s*<h2>(.*?)</h2>', re.DOTALL)


def render(name: str, values: Mapping[str, Any]) -> str:
    """Fill a template.

    Parameters
    ----------
    name
        File in ``templates``; names that end in ``.html`` are escaped as HTML.
    values
        What the template names; a name it lacks is an error.
    """
    return _environment(name.endswith(".md")).get_template(name).render(**values)


def headings(html: str) -> list[tuple[str, Markup]]:
    """Return anchor and short title, up to a colon, of every section of a page."""
    return [(anchor, Markup(title.split(":")[0].strip())) for anchor, title in _HEADING.findall(html)]


@cache
def _environment(by_line: bool) -> "Environment":
    """Return the environment; ``by_line`` drops lines that hold a statement only, which Markdown would show as blank."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=by_line,
        lstrip_blocks=by_line,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        number=numbers.number,
        signed=numbers.signed,
        interval=numbers.interval,
        signed_interval=numbers.signed_interval,
        p_value=numbers.p_value,
        percent=numbers.percent,
        count=numbers.count,
        plain=numbers.plain,
        brief=numbers.brief,
        p_text=numbers.p_text,
        headings=headings,
        spoken=spoken,
    )
    return environment
