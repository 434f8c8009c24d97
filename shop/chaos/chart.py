"""The run as a picture: answers and failed tries over time, and what was done to the shop when."""

from collections.abc import Iterator
from html import escape

from shop.chaos.plan import CUT, KILL, PAUSE
from shop.chaos.run import Outcome

_WIDTH, _HEIGHT, _LEFT, _TOP, _ROW = 1200, 240, 110, 40, 14
_BASE = _TOP + _HEIGHT
#: Most bars beside each other.
_BARS = 300
_COLOURS = {KILL: "#c0392b", PAUSE: "#e08e0b", CUT: "#8e44ad"}
_ANSWERED, _FAILED, _TEXT = "#2e7d6b", "#d9a5a0", "#333"


def svg(outcome: Outcome) -> str:
    """An SVG document."""
    seconds = max([*outcome.journal.answered, *outcome.journal.failed, 1]) + 1
    step = (_WIDTH - _LEFT - 20) / seconds
    victims = sorted({fault.victim for _, fault in outcome.faults})
    height = _BASE + 70 + _ROW * len(victims)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}"'
        f' font-family="sans-serif" font-size="11" fill="{_TEXT}">'
    )
    parts = [
        head,
        _box(0, 0, _WIDTH, height, "white"),
        _text(_LEFT, 22, _title(outcome), size=14),
        *_throughput(outcome, seconds, step),
        *_axis(seconds, step),
        *_faults(outcome, victims, step),
        *_legend(height - 18),
    ]
    return "\n".join([*parts, "</svg>"])


def _title(outcome: Outcome) -> str:
    orders = outcome.journal.counts["orders"]
    return (
        f"seed {outcome.aim.seed}: {orders} orders, {len(outcome.faults)} faults,"
        f" {outcome.kills} of them kill -9, {outcome.violations} violations"
    )


def _throughput(outcome: Outcome, seconds: int, step: float) -> Iterator[str]:
    """Calls a second, in bars of as many seconds as leaves room to see them."""
    wide = -(-seconds // _BARS)
    counts = outcome.journal.answered, outcome.journal.failed
    bars = [
        [sum(count[second] for second in range(start, start + wide)) / wide for count in counts]
        for start in range(0, seconds, wide)
    ]
    highest = max([sum(bar) for bar in bars] + [1])
    yield _text(_LEFT - 8, _TOP + 8, f"{highest:.0f} calls/s", anchor="end")
    for number, bar in enumerate(bars):
        y = float(_BASE)
        for count, colour in zip(bar, (_ANSWERED, _FAILED), strict=True):
            tall = count / highest * _HEIGHT
            y -= tall
            if tall:
                yield _box(_LEFT + number * wide * step, y, wide * step, tall, colour)


def _axis(seconds: int, step: float) -> Iterator[str]:
    for second in range(0, seconds, max(5, seconds // 10)):
        yield _text(_LEFT + second * step, _BASE + 16, f"{second} s", anchor="middle")


def _faults(outcome: Outcome, victims: list[str], step: float) -> Iterator[str]:
    for row, victim in enumerate(victims):
        y = _BASE + 30 + row * _ROW
        yield _text(_LEFT - 8, y + 9, victim, anchor="end")
        for moment, fault in outcome.faults:
            if fault.victim == victim:
                wide = max(2.0, fault.seconds * step)
                colour, told = _COLOURS[fault.kind], f"{moment:.0f} s: {fault}"
                yield _box(_LEFT + moment * step, y, wide, _ROW - 3, colour, told)


def _legend(y: int) -> Iterator[str]:
    legend = {"answered": _ANSWERED, "not now": _FAILED} | _COLOURS
    for number, (name, colour) in enumerate(legend.items()):
        x = _LEFT + 90 * number
        yield _box(x, y, 10, 10, colour)
        yield _text(x + 14, y + 9, name)


def _box(x: float, y: float, wide: float, tall: float, colour: str, told: str = "") -> str:
    title = f"<title>{escape(told)}</title>" if told else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.2f}" height="{tall:.1f}"'
        f' fill="{colour}">{title}</rect>'
    )


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 11) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">'
        f"{escape(text)}</text>"
    )
