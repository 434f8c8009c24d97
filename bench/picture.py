"""The goals as bars: how far each got, with a line where it was to be."""

from collections.abc import Iterator
from html import escape

from bench.measures import Goal, Record
from bench.report import measured, wanted

_WIDTH, _LEFT, _TOP, _ROW, _BAR = 1200, 470, 50, 26, 16
#: Pixels for exactly what is wanted; what got further than twice that is cut off.
_GOAL, _MOST = 240, 2.0
_MET, _MISSED, _LINE, _TEXT = "#2e7d6b", "#c0392b", "#888", "#333"


def svg(records: list[Record], subtitle: str) -> str:
    """An SVG document."""
    rows = [(record, goal) for record in records for goal in record.goals]
    height = _TOP + _ROW * len(rows) + 40
    line = _LEFT + _GOAL
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}"'
            f' font-family="sans-serif" font-size="12" fill="{_TEXT}">',
            f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
            _text(20, 22, "measured beside what was wanted", size=14),
            _text(20, 40, subtitle),
            *(part for place, row in enumerate(rows) for part in _bar(place, *row)),
            f'<line x1="{line}" x2="{line}" y1="{_TOP}" y2="{height - 30}" stroke="{_LINE}"/>',
            _text(line, height - 14, "wanted", anchor="middle"),
            "</svg>",
        ]
    )


def _bar(place: int, record: Record, goal: Goal) -> Iterator[str]:
    y = _TOP + 8 + place * _ROW
    wide = min(goal.share, _MOST) * _GOAL
    colour = _MET if goal.is_met else _MISSED
    yield _text(_LEFT - 10, y + 12, f"{record.title}, {goal.text}", anchor="end")
    yield f'<rect x="{_LEFT}" y="{y}" width="{wide:.1f}" height="{_BAR}" fill="{colour}"/>'
    label = f"{measured(goal)}, wanted {wanted(goal)}"
    yield _text(_LEFT + max(wide, _GOAL) + 8, y + 12, label)


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">'
        f"{escape(text)}</text>"
    )
