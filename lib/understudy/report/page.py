"""Pages: each is one HTML file that needs no other."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from understudy.score.report import count, relative_reduction


def render(template: str, **parts: Any) -> str:
    """Fill a template of this room; everything in it that is not markup of ours is escaped.

    Args:
        template: `page.html` or `corpus.html`; both are in `frame.html`, which wants title, about, sections and absent.
    """
    environment = Environment(
        loader=PackageLoader("understudy.report", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"count": count, "bytes": size, "duration": duration}
    environment.globals |= {"werr": relative_reduction, "drawn": Markup}
    return environment.get_template(template).render(**parts)


def size(number: float) -> str:
    """Bytes, to be read by people."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    raise AssertionError


def duration(seconds: float) -> str:
    """Seconds, to be read by people."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"
