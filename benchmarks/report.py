"""Write docs/performance.md and its plots, from measured results only."""

from pathlib import Path
from statistics import median
from typing import Any

from .measure import ratio, spread
from .plot import line_chart
from .targets import BY_SIZE, FLAT, FLAT_ROWS, TARGETS

Engine = dict[str, Any]


def write(engines: list[Engine], *, machine: dict[str, Any], folder: Path) -> None:
    lines = [
        "# Performance",
        "",
        "`make bench` writes this page from one run per database engine. In each round, every package",
        "compared runs in turn for a short time. Each ratio is calculated within a round; the page shows",
        "the median of the rounds and its quartiles. A time depends on the machine, a ratio much less.",
        "",
        *_machine(machine),
        "",
        "## Against the targets",
        "",
        *_targets(engines),
        "",
        _pruned(engines, machine["expired"]),
        "",
        "Why a target is missed, as far as profiles show: "
        "[decision 17](decisions/0017-what-is-measured.md).",
        "",
        "## Fifty refreshes of one token at once",
        "",
        "Fifty clients send the same refresh token to two processes. Then each client that got a new",
        "refresh token refreshes with it, one after another. A client that is refused is signed out.",
        "Rotation is on for every package. oauth-toolkit has a grace too, which is off by default.",
        "",
        *_at_once(engines),
        "",
        "## By number of rows",
        "",
        "The size is the number of sessions and also of denylist rows, with one user per ten sessions;",
        "simplejwt's tables are empty. Each size has its own database and process, and all sizes are",
        "measured in turn. A cell is the median over the rounds of its time ÷ the time of the smallest",
        "size in the same round. The tokens belong to twenty sessions spread over the table, and each is",
        "used once before the measurement, so the time of the disk is not included. The list of keys",
        "counts live sessions up to 5,000.",
        "",
        *_sizes(engines, folder),
        "",
        "## All medians",
        "",
        *_medians(engines),
    ]
    (folder / "performance.md").write_text("\n".join(lines).rstrip() + "\n")


def _machine(machine: dict[str, Any]) -> list[str]:
    before, after = machine["load"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return [
        f"Machine: {machine['processor']}, {machine['memory']}, {machine['system']}, "
        f"Python {machine['python']}; {packages}. The databases and the HTTP clients ran on the same "
        f"machine. The load average was {before[0]:.1f} at the start and {after[0]:.1f} at the end. If it is "
        "above the number of processors, other programs ran too, and the quartiles show their effect.",
    ]


def _pruned(engines: list[Engine], expired: int) -> str:
    rounds = len(engines[0]["results"]["prune expired rows"]["latchkey"])
    times = "once" if rounds == 1 else f"{rounds} times"
    return (
        f"Each prune deleted {expired:,} rows. Each package pruned {times} alone and {times} during each kind "
        "of sign-in. A sign-in began every 10 ms, with Argon2 every 300 ms. If fewer than a hundred fell "
        "into a prune, p99 is the slowest of them."
    )


def _targets(engines: list[Engine]) -> list[str]:
    names = [engine["engine"] for engine in engines]
    lines = [
        f"| | target | {' | '.join(names)} |",
        f"|---|---|{'---|' * len(names)}",
    ]
    for target in TARGETS:
        cells, limits = [], []
        for engine, limit in zip(engines, target.limits, strict=False):
            middle, lower, upper = ratio(engine["results"][target.row], target.one, target.other)
            met = middle >= limit if target.at_least else middle <= limit
            cells.append(f"{middle:.2f} ({lower:.2f} to {upper:.2f}) {'✓' if met else '✗'}")
            limits.append(f"{'≥' if target.at_least else '≤'} {limit}")
        lines.append(
            f"| {target.says} | {', '.join(dict.fromkeys(limits))} | {' | '.join(cells)} |"
        )
    lines += _flat(engines)
    lines.append(
        f"| from revoked to refused, two processes, strict | 0 s | {_waits(engines, 'latchkey')} |"
    )
    lines.append(f"| the same, snapshot | ≤ 1 s, p50 ≤ 0.05 s | {_waits(engines, 'snapshot')} |")
    return lines


def _flat(engines: list[Engine]) -> list[str]:
    """Return a row per operation of FLAT_ROWS: the time at the largest size ÷ at the smallest."""
    lines = []
    for row in FLAT_ROWS:
        timings = [engine["results"][f"{BY_SIZE}{row}"] for engine in engines]
        small, large = min(timings[0], key=int), max(timings[0], key=int)
        cells = []
        for one in timings:
            middle, lower, upper = ratio(one, large, small)
            met = "✓" if middle <= FLAT else "✗"
            cells.append(f"{middle:.2f} ({lower:.2f} to {upper:.2f}) {met}")
        says = f"{row}: {int(large):,} rows ÷ {int(small):,} rows"
        lines.append(f"| {says} | ≤ {FLAT} | {' | '.join(cells)} |")
    return lines


def _waits(engines: list[Engine], mode: str) -> str:
    cells = []
    for engine in engines:
        waits = engine["results"]["revoked to refused, two processes"][mode]
        cells.append(f"{median(waits):.2f} s, at most {max(waits):.2f} s")
    return " | ".join(cells)


def _at_once(engines: list[Engine]) -> list[str]:
    lines = ["| | answered 200 | different successors | still signed in |", "|---|---|---|---|"]
    for engine in engines:
        for name, result in engine["at_once"].items():
            cells = [_range(counts) for counts in result.values()]
            lines.append(f"| {engine['engine']}: {name} | {' | '.join(cells)} |")
    return lines


def _range(counts: list[int]) -> str:
    lowest, highest = min(counts), max(counts)
    return str(lowest) if lowest == highest else f"{lowest} to {highest}"


def _sizes(engines: list[Engine], folder: Path) -> list[str]:
    lines: list[str] = []
    for engine in engines:
        results = engine["results"]
        rows = [name for name in results if name.startswith(BY_SIZE)]
        sizes = sorted(results[rows[0]], key=int)
        curves = {
            row.removeprefix(BY_SIZE): [ratio(results[row], size, sizes[0])[0] for size in sizes]
            for row in rows
        }
        plot = f"performance-{engine['engine'].split()[0].lower()}.svg"
        (folder / plot).write_text(
            line_chart(
                curves, [int(size) for size in sizes], title=f"{engine['engine']}: cost by rows"
            )
        )
        lines += [
            f"| {engine['engine']} | {' | '.join(f'{int(size):,}' for size in sizes)} |",
            f"|---|{'---|' * len(sizes)}",
            *(
                f"| {name} | {' | '.join(f'{value:.2f}' for value in values)} |"
                for name, values in curves.items()
            ),
            "",
            f"![{engine['engine']}]({plot})",
            "",
        ]
    return lines


def _medians(engines: list[Engine]) -> list[str]:
    lines: list[str] = []
    for engine in engines:
        lines += [f"### {engine['engine']}", "", "| | median | quartiles |", "|---|---|---|"]
        for row, timings in engine["results"].items():
            for name, times in timings.items():
                middle, lower, upper = map(_time, spread(times))
                label = f"{row}: {int(name):,} rows" if name.isdigit() else f"{row}: {name}"
                lines.append(f"| {label} | {middle} | {lower} to {upper} |")
        lines.append("")
    return lines


def _time(seconds: float) -> str:
    for factor, unit in ((1e6, "µs"), (1e3, "ms")):
        if seconds * factor < 1000:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"
