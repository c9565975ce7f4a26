"""The bars of a chart, in units of the SVG's viewBox. The style sheet sets its size on the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.dateformat import format as format_date
from django.utils.formats import number_format
from django.utils.translation import gettext as _

WIDTH, HEIGHT = 320, 104
TOP, BOTTOM = 16, 84  # of the bars: the highest number is above, the dates are below
BAR_WIDTH = 16
LABEL_EVERY = 4  # days
SMALLEST = 2  # units, so that a small number is visible


def number(value: int) -> str:
    """Return the number with the separators of the reader's language."""
    return number_format(value, force_grouping=True)


def short_date(day: date) -> str:
    """Return a day and its month, such as "30 Nov"."""
    return format_date(day, "j M")


@dataclass(frozen=True, slots=True)
class Bar:
    x: int
    y: int
    height: int
    title: str
    label: str  # the date below it, or empty
    label_x: int
    anchor: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One number for each day, the oldest first."""

    name: str
    title: str
    days: Sequence[date]
    numbers: Sequence[int]
    is_alarm: bool = False

    width, height, base, bar_width = WIDTH, HEIGHT, BOTTOM, BAR_WIDTH
    top = TOP

    @property
    def total(self) -> str:
        return number(sum(self.numbers))

    @property
    def highest(self) -> str:
        return number(max(self.numbers))

    @property
    def is_empty(self) -> bool:
        return not any(self.numbers)

    @property
    def summary(self) -> str:
        """Return in words what the chart shows, for people who cannot see it."""
        if self.is_empty:
            return _("%(title)s: none in %(days)s days") % self._words()
        at = max(range(len(self.days)), key=lambda at: self.numbers[at])
        words = {**self._words(), "highest": self.highest, "day": short_date(self.days[at])}
        return (
            _("%(title)s: %(total)s in %(days)s days, at most %(highest)s a day, on %(day)s")
            % words
        )

    @property
    def bars(self) -> list[Bar]:
        return [self._bar(at) for at in range(len(self.days))]

    def _words(self) -> dict[str, object]:
        return {"title": self.title, "total": self.total, "days": len(self.days)}

    def _bar(self, at: int) -> Bar:
        value, highest = self.numbers[at], max(self.numbers)
        height = max(SMALLEST, round(value * (BOTTOM - TOP) / highest)) if value else 0
        step, last = WIDTH / len(self.days), len(self.days) - 1
        x = round(at * step + (step - BAR_WIDTH) / 2)
        is_last = at == last
        named = (last - at) % LABEL_EVERY == 0
        title = _("%(day)s: %(number)s") % {
            "day": short_date(self.days[at]),
            "number": number(value),
        }
        return Bar(
            x=x,
            y=BOTTOM - height,
            height=height,
            title=title,
            label=short_date(self.days[at]) if named else "",
            # The last label must not be cut off.
            label_x=WIDTH if is_last else x + BAR_WIDTH // 2,
            anchor="end" if is_last else "middle",
        )
