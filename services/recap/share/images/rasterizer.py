"""PNG from SVG by resvg, whose version is pinned: the same SVG gives the same bytes."""

import resvg_py


def png(svg: str) -> bytes:
    """The picture of an SVG that has outlines and no text; no font is looked for."""
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))
