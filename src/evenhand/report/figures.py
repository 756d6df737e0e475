"""Figures as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment

from evenhand.report.verdict import means

_BARS = """\
<svg viewBox="0 0 640 {{ height }}" role="img" aria-label="Worst group and average by method, percent">
{% for tick in [0, 25, 50, 75, 100] %}
  <line class="grid" x1="{{ 150 + 4.4 * tick }}" x2="{{ 150 + 4.4 * tick }}" y1="0" y2="{{ height - 22 }}"/>
  <text class="tick" x="{{ 150 + 4.4 * tick }}" y="{{ height - 6 }}" text-anchor="middle">{{ tick }}</text>
{% endfor %}
{% for method, low, average in bars %}
  {% set y = 56 * loop.index0 + 6 %}
  <text x="140" y="{{ y + 25 }}" text-anchor="end">{{ method }}</text>
  <rect class="worst" x="150" y="{{ y }}" width="{{ (440 * low) | round(1) }}" height="18" rx="2"/>
  <text class="value" x="{{ (156 + 440 * low) | round(1) }}" y="{{ y + 14 }}">
    {{- "%.1f" % (100 * low) }}</text>
  {% if average is not none %}
  <rect class="average" x="150" y="{{ y + 21 }}" width="{{ (440 * average) | round(1) }}" height="18" rx="2"/>
  <text class="value" x="{{ (156 + 440 * average) | round(1) }}" y="{{ y + 35 }}">
    {{- "%.1f" % (100 * average) }}</text>
  {% endif %}
{% endfor %}
</svg>
"""


def bars(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a bar chart of the worst group and the plain average by method, means over seeds."""
    found = [(method, *values) for method, values in means(rows).items()]
    return Environment(autoescape=True).from_string(_BARS).render(bars=found, height=56 * len(found) + 28)
