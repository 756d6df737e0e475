"""Below how many images a rate is flagged, in every table, page and card."""

from __future__ import annotations

FEW = 30
"""With fewer images, a rate is mostly luck."""
