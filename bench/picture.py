"""What is looked at rather than read: how far each goal was met, and where the time goes."""

import itertools
from collections.abc import Iterator
from html import escape

from bench.measures import Goal, Record
from bench.report import measured, wanted

_INDENT, _KEY = 110, 118
_WIDTH, _LEFT, _TOP, _ROW, _BAR = 1200, 470, 50, 26, 16
#: Pixels for exactly what is wanted; what got further than twice that is cut off.
_GOAL, _MOST = 240, 2.0
_MET, _MISSED, _LINE, _TEXT = "#2e7d6b", "#c0392b", "#888", "#333"


#: Of a purpose, in the order in which they come up.
_COLOURS = (
    "#2e7d6b", "#4a6fa5", "#d9a441", "#8e6c8a", "#c96f4a", "#6b8e4e", "#999", "#5bb5c5", "#b04a5a",
)  # fmt: skip


def goals(records: list[Record], subtitle: str) -> str:
    """How far each goal was met, with a line where it was to be; an SVG document."""
    rows = [(record, goal) for record in records for goal in record.goals]
    height = _TOP + _ROW * len(rows) + 40
    line = _LEFT + _GOAL
    return _document(
        height,
        _text(20, 22, "measured beside what was wanted", size=14),
        _text(20, 40, subtitle),
        *(part for place, row in enumerate(rows) for part in _bar(place, *row)),
        f'<line x1="{line}" x2="{line}" y1="{_TOP}" y2="{height - 30}" stroke="{_LINE}"/>',
        _text(line, height - 14, "wanted", anchor="middle"),
    )


def profile(record: Record, subtitle: str) -> str:
    """Where the time of one answer goes, a bar for each process; an SVG document."""
    purposes = list(dict.fromkeys(purpose for part in record.parts.values() for purpose in part))
    colours = dict(zip(purposes, itertools.cycle(_COLOURS), strict=False))
    scale = (_WIDTH - _INDENT - 80) / max(sum(part.values()) for part in record.parts.values())
    height = _TOP + _ROW * (len(record.parts) + 2)
    return _document(
        height,
        _text(20, 22, f"{record.title}: ms of processor time for one answer of the shop", size=14),
        _text(20, 40, subtitle),
        *itertools.chain.from_iterable(
            _stack(_TOP + 8 + place * _ROW, process, part, colours, scale)
            for place, (process, part) in enumerate(record.parts.items())
        ),
        *itertools.chain.from_iterable(
            (
                f'<rect x="{_INDENT + place * _KEY}" y="{height - 32}" width="12" height="12"'
                f' fill="{colours[purpose]}"/>',
                _text(_INDENT + place * _KEY + 18, height - 22, purpose),
            )
            for place, purpose in enumerate(purposes)
        ),
    )


def _stack(
    y: float, process: str, part: dict[str, float], colours: dict[str, str], scale: float
) -> Iterator[str]:
    yield _text(_INDENT - 10, y + 12, process, anchor="end")
    x = float(_INDENT)
    for purpose, ms in part.items():
        yield (
            f'<rect x="{x:.1f}" y="{y}" width="{ms * scale:.1f}" height="{_BAR}"'
            f' fill="{colours[purpose]}"><title>{escape(purpose)} {ms:.2f} ms</title></rect>'
        )
        x += ms * scale
    yield _text(x + 8, y + 12, f"{sum(part.values()):.1f}")


def _document(height: int, *parts: str) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}"'
            f' font-family="sans-serif" font-size="12" fill="{_TEXT}">',
            f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
            *parts,
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
