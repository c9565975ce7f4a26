"""Draw a line chart as SVG, without a library."""

import math
from html import escape

WIDTH, HEIGHT = 680, 400
LEFT, RIGHT, TOP, BOTTOM = 48, 230, 34, 40
# Okabe and Ito's palette, which colour-blind readers can distinguish too.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]


def line_chart(curves: dict[str, list[float]], sizes: list[int], *, title: str) -> str:
    """Return a chart of multiples by number of rows, with a logarithmic axis of rows."""
    top = max(2.0, *(value for values in curves.values() for value in values))
    across = [math.log10(size / sizes[0]) for size in sizes]
    widest = max(across) or 1

    def x(place: float) -> float:
        return LEFT + place / widest * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="20" font-size="14">{escape(title)}</text>',
    ]
    for step in range(math.ceil(top) + 1):
        if step <= top:
            parts.append(
                f'<path d="M{LEFT} {y(step):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                f'<text x="{LEFT - 8}" y="{y(step) + 4:.1f}" text-anchor="end">{step}</text>'
            )
    for place, size in zip(across, sizes, strict=True):
        parts.append(
            f'<text x="{x(place):.1f}" y="{HEIGHT - 18}" text-anchor="middle">{size:,}</text>'
        )
    for number, (name, values) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        dashes = f"{len(COLOURS) * 2 - number},{number // len(COLOURS) * 3}"
        points = " ".join(
            f"{x(place):.1f},{y(value):.1f}" for place, value in zip(across, values, strict=True)
        )
        at = TOP + 16 + 20 * number
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" '
            f'stroke-dasharray="{dashes}"/>'
            f'<rect x="{WIDTH - RIGHT + 16}" y="{at - 9}" width="12" height="12" fill="{colour}"/>'
            f'<text x="{WIDTH - RIGHT + 34}" y="{at + 1}">{escape(name)}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])
