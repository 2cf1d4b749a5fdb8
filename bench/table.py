"""The one table: path, limit, peer, haus, ratios, and what each cost. As text, as Markdown, as JSON.

A ratio above 1 is always in our favour: of rates it is ours by theirs, of times and sizes theirs by ours.
"""

import json
from dataclasses import asdict, dataclass

RATES = ("rows/s", "msg/s", "events/s")


@dataclass
class Side:
    """One system's figure in a row, and what it cost."""

    value: float
    cpu: float | None = None  # seconds
    peak: int | None = None  # bytes
    runs: tuple = ()  # each run's value, when there were several


@dataclass
class Row:
    path: str
    what: str
    unit: str
    haus: Side
    limit: float | None = None
    peer: Side | None = None
    rows: int | None = None
    bytes: int | None = None
    goal: str = ""
    note: str = ""  # what the limit and the peer are
    load: float = 0.0

    def ratio(self, other):
        """None where there is nothing to compare with."""
        if not other or not self.haus.value:
            return None
        return self.haus.value / other if self.unit in RATES else other / self.haus.value

    @property
    def to_limit(self):
        return self.ratio(self.limit)

    @property
    def to_peer(self):
        return self.ratio(self.peer.value if self.peer else None)


def median_side(runs):
    """The run in the middle, by value, with its own cost; of an even number the slower of the two in the middle."""
    ordered = sorted(runs, key=lambda side: side.value)
    middle = ordered[(len(ordered) - 1) // 2]
    return Side(middle.value, middle.cpu, middle.peak, tuple(side.value for side in runs))


def figure(value):
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(value):
    return "–" if value is None else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def cost(row, name, form):
    """haus / peer, or haus alone."""
    sides = [row.haus] + ([row.peer] if row.peer else [])
    texts = ["–" if getattr(side, name) is None else form(getattr(side, name)) for side in sides]
    return "–" if set(texts) == {"–"} else " / ".join(texts)


COLUMNS = [
    ("path", lambda row: row.path),
    ("what", lambda row: row.what),
    ("unit", lambda row: row.unit),
    ("limit", lambda row: figure(row.limit)),
    ("peer", lambda row: figure(row.peer.value if row.peer else None)),
    ("haus", lambda row: figure(row.haus.value)),
    ("to limit", lambda row: ratio(row.to_limit)),
    ("to peer", lambda row: ratio(row.to_peer)),
    ("goal", lambda row: row.goal or "–"),
    ("rows", lambda row: "–" if row.rows is None else f"{row.rows:,}"),
    ("MB", lambda row: "–" if row.bytes is None else f"{row.bytes / 1e6:,.1f}"),
    ("CPU s", lambda row: cost(row, "cpu", lambda value: f"{value:.2f}")),
    ("peak MB", lambda row: cost(row, "peak", lambda value: f"{value / 1e6:,.0f}")),
    ("load", lambda row: f"{row.load:.1f}"),
]
WORDS = ("path", "what", "unit", "goal")


def text(rows):
    cells = [[name for name, _ in COLUMNS]] + [[form(row) for _, form in COLUMNS] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(COLUMNS))]
    for line in cells:
        yield "  ".join(
            cell.ljust(width) if name in WORDS else cell.rjust(width)
            for cell, width, (name, _) in zip(line, widths, COLUMNS)
        ).rstrip()


def notes(rows):
    """What limit and peer of each path are, each said once."""
    return {row.path + ", " + row.what: row.note for row in rows if row.note}


def markdown(rows, head):
    yield head + "\n"
    yield "| " + " | ".join(name for name, _ in COLUMNS) + " |"
    yield "|" + "|".join(" --- " if name in WORDS else " ---: " for name, _ in COLUMNS) + "|"
    for row in rows:
        yield "| " + " | ".join(form(row) for _, form in COLUMNS) + " |"
    yield ""
    for where, words in notes(rows).items():
        yield f"- {where}: {words}"


def as_json(rows, about):
    plain = [{**asdict(row), "to_limit": row.to_limit, "to_peer": row.to_peer} for row in rows]
    return json.dumps({**about, "rows": plain}, indent=1)


def from_json(text):
    """(rows, about) as `as_json` told them."""
    about = json.loads(text)
    rows = []
    for plain in about.pop("rows"):
        known = {name: value for name, value in plain.items() if name not in ("to_limit", "to_peer")}
        known["haus"] = Side(**known["haus"])
        known["peer"] = known["peer"] and Side(**known["peer"])
        rows.append(Row(**known))
    return rows, about
