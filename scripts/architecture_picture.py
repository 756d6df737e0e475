"""Draw docs/assets/architecture.svg from the imports of src/evenhand; a test compares the two.

A box is a package, an arrow an import. A package stands one layer above the highest package that it imports.
Arrows that follow from others are left out: `cli` imports `data`, and so does `bench`, which `cli` imports.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Container, Mapping
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "evenhand"
PICTURE = ROOT / "docs" / "assets" / "architecture.svg"

BASE = "_*.py"
"""The modules beside the packages, drawn as one box: every package may import them."""

COLUMNS = {
    **{"cli": 2.6, "bench": 1.2, "reports": 2.1, "comparison": 1.6, "audits": 2.6, "exports": 3.6},
    **{"runs": 2.5, "testing": 0.9, "review": 0.2, "methods": 0.9, "extract": 1.9},
    **{"selection": 0.4, "backbones": 1.4, "evaluation": 2.6, "datasets": 3.6},
    **{"functional": 1.0, "data": 2.6, BASE: 1.8},
}
"""Where a box stands from left to right, set by hand so that no arrow crosses a box."""

STEP_X, STEP_Y = 222, 112
WIDTH, HEIGHT, MARGIN = 190, 66, 24

STYLE = """\
    rect { fill: #f4f8f8; stroke: #00796b; }
    path { fill: none; stroke: #7a8b8b; stroke-width: 1.2; }
    marker path { fill: #7a8b8b; stroke: none; }
    text { font-family: system-ui, sans-serif; font-size: 11px; fill: #4a5858; text-anchor: middle; }
    .name { font-size: 15px; font-weight: 600; fill: #10312d; }
    @media (prefers-color-scheme: dark) {
      rect { fill: #1d2b2b; stroke: #4db6ac; }
      path { stroke: #829a9a; }
      marker path { fill: #829a9a; }
      text { fill: #b7c6c6; }
      .name { fill: #e3f3f1; }
    }"""

Graph = Mapping[str, set[str]]


def picture() -> str:
    """Return the diagram as SVG."""
    graph = imports()
    places = placed(graph)
    width = max(x for x, _ in places.values()) + WIDTH / 2 + MARGIN
    height = max(y for _, y in places.values()) + HEIGHT + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        "  <title>The packages of evenhand: each imports only what stands below it</title>",
        f"  <style>\n{STYLE}\n  </style>",
        '  <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker></defs>',
    ]
    for source, targets in sorted(direct(graph).items()):
        lines += [arrow(places[source], places[target]) for target in sorted(targets)]
    for package in sorted(graph):
        lines += box(package, *places[package])
    return "\n".join([*lines, "</svg>\n"])


def imports() -> dict[str, set[str]]:
    """Return which packages each package imports."""
    graph: dict[str, set[str]] = {}
    for name, targets in module_imports().items():
        graph.setdefault(package_of(name), set()).update(map(package_of, targets))
    return {source: targets - {source, ""} for source, targets in graph.items() if source}


def module_imports() -> dict[str, set[str]]:
    """Return which modules of evenhand each of its modules imports."""
    paths = {module_name(path): path for path in sorted(SOURCE.rglob("*.py"))}
    return {name: imported(name, path.read_text(encoding="utf-8"), paths) for name, path in paths.items()}


def module_name(path: Path) -> str:
    """Return the dotted name of a file below `SOURCE`."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(name: str, code: str, modules: Container[str]) -> set[str]:
    """Return the modules of evenhand that a module imports, at its top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parent = name.split(".")[: -node.level] if node.level else []
            base = ".".join([*parent, *filter(None, [node.module])])
            inner = {f"{base}.{alias.name}" for alias in node.names}
            found |= {target if target in modules else base for target in inner}
    return {target for target in found if target.split(".")[0] == "evenhand"}


def package_of(module: str) -> str:
    """Return the package of a module: `BASE` beside the packages, empty for evenhand itself."""
    _, *parts = module.split(".")
    if not parts:
        return ""
    return BASE if parts[0].startswith("_") else parts[0]


def layers(graph: Graph) -> dict[str, int]:
    """Return the layer of each package: 0 imports nothing, every other stands above all that it imports."""
    found: dict[str, int] = {}
    while len(found) < len(graph):
        ready = [name for name in graph if name not in found and graph[name] <= found.keys()]
        if not ready:
            raise SystemExit(f"the imports of {sorted(graph.keys() - found.keys())} form a cycle")
        found |= {name: 1 + max((found[target] for target in graph[name]), default=-1) for name in ready}
    return found


def direct(graph: Graph) -> dict[str, set[str]]:
    """Return the imports that do not follow from others."""
    return {
        source: {target for target in targets if not any(target in reached(graph, via) for via in targets)}
        for source, targets in graph.items()
    }


def reached(graph: Graph, source: str) -> set[str]:
    """Return everything that a package imports, directly or through others, without itself."""
    return set().union(*({target} | reached(graph, target) for target in graph[source]))


def placed(graph: Graph) -> dict[str, tuple[float, float]]:
    """Return the middle of each box's upper edge; the highest layer comes first."""
    rank = layers(graph)
    if strange := sorted(graph.keys() ^ COLUMNS.keys()):
        raise SystemExit(f"COLUMNS and the packages of src/evenhand differ in {strange}")
    left = min(COLUMNS.values())
    return {
        name: (
            MARGIN + WIDTH / 2 + (COLUMNS[name] - left) * STEP_X,
            MARGIN + (max(rank.values()) - rank[name]) * STEP_Y,
        )
        for name in graph
    }


def arrow(source: tuple[float, float], target: tuple[float, float]) -> str:
    """Return an arrow from the lower edge of one box to the upper edge of another."""
    (x, y), (to_x, to_y) = source, target
    y += HEIGHT
    bend = min(0.45 * (to_y - y), 0.45 * STEP_Y)
    return (
        f'  <path d="M{x:.0f} {y:.0f} C{x:.0f} {y + bend:.0f} {to_x:.0f} {to_y - bend:.0f} '
        f'{to_x:.0f} {to_y - 1:.0f}" marker-end="url(#tip)"/>'
    )


def box(package: str, x: float, y: float) -> list[str]:
    """Return a box with the package's name and what it is."""
    lines = textwrap.wrap(summary(package), 31)
    top = y + HEIGHT / 2 + 5 - 7 * len(lines)
    texts = [f'  <text class="name" x="{x:.0f}" y="{top:.0f}">{escape(package)}</text>']
    for k, line in enumerate(lines, start=1):
        texts.append(f'  <text x="{x:.0f}" y="{top + 2 + 14 * k:.0f}">{escape(line)}</text>')
    return [f'  <rect x="{x - WIDTH / 2:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="8"/>', *texts]


def summary(package: str) -> str:
    """Return the first line of a package's docstring, up to a colon."""
    if package == BASE:
        return "Errors, files, locks, random streams"
    tree = ast.parse((SOURCE / package / "__init__.py").read_text(encoding="utf-8"))
    line = (ast.get_docstring(tree) or "").splitlines()[0]
    return line.partition(":")[0].rstrip(".").replace("`", "")


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
