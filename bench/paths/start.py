"""Start: a house from nothing, and again on its state; what of it comes after PostgreSQL answers."""

import time
from datetime import datetime

from table import Row, Side, median_side


def run(bench):
    cold, after, warm = [], [], []
    for _ in range(bench.runs):
        stand = bench.stand()
        began = time.monotonic()
        with stand:
            cold.append(Side(time.monotonic() - began))
            after.append(Side(after_postgres((stand.home / "logs" / "supervisor.log").read_text())))
            stand.haus("down")
            began = time.monotonic()
            stand.haus("up")
            warm.append(Side(time.monotonic() - began))
    theirs = bench.peers_at_rest[0] if bench.peers else {}
    stack = Side(sum(theirs.values())) if theirs else None
    yield Row(
        "start", "all services, no state (initdb included)", "s", haus=median_side(cold), peer=stack, note=words(theirs)
    )
    yield Row("start", "all services, with state", "s", haus=median_side(warm))
    yield Row("start", "all of ours after PostgreSQL is up", "s", haus=median_side(after), goal="≤ 1")


def words(theirs):
    if not theirs:
        return ""
    return (
        "peer: "
        + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in theirs.items())
        + ", one after the other, without PostgreSQL"
    )


def after_postgres(log):
    """From the supervisor's word that PostgreSQL is ready to its last such word, of the first start."""
    moments = {}
    for line in log.splitlines():
        if " ready service=" in line:
            name = line.split("service=")[1].split()[0]
            moments.setdefault(name, datetime.fromisoformat(line.split()[0].replace("Z", "+00:00")))
    return max(0.0, (max(moments.values()) - moments["postgres"]).total_seconds())
