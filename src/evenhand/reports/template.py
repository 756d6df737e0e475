"""The page's template with its style and scripts."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from evenhand._signed import signed
from evenhand._version import __version__
from evenhand.evaluation.labels import label
from evenhand.reports.model_style import model_style

SCRIPTS = ("page.js", "viewer.js", "map.js", "find.js")


@dataclass(frozen=True)
class Script:
    """A script of the page, and its hash in the page's content security policy, so that no other one runs."""

    text: str

    @property
    def source(self) -> str:
        """Its hash, as the policy names it."""
        return f"'sha256-{b64encode(sha256(self.text.encode()).digest()).decode()}'"


def fill(values: Mapping[str, Any]) -> str:
    """Return the page with `values` in it."""
    environment = Environment(
        loader=PackageLoader("evenhand.reports", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "percent": percent,
        "signed": signed,
        "label": label,
        "emphasized": emphasized,
        "mark": model_style,
    }
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    names = SCRIPTS if "map" in values else SCRIPTS[:2]
    scripts = [Script(_text(name)) for name in names]
    return environment.get_template("report.html.j2").render(
        css=_text("page.css"), scripts=scripts, version=__version__, **values
    )


def percent(value: float | None) -> str:
    """Return a rate as a percentage with one decimal, a dash if it is undefined."""
    return "–" if value is None else f"{100 * value:.1f}"


def emphasized(sentence: str) -> Markup:
    """Return a sentence, escaped, with its `*words*` emphasized and each % on the line of its number."""
    text = re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", str(escape(sentence)))
    return Markup(re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text))


def _text(name: str) -> str:
    return (resources.files("evenhand.reports") / "templates" / name).read_text(encoding="utf-8")
