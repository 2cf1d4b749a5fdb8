"""What the house does in a second, station by station: one table, from one run on this machine.

    make bench                      or: tool/venv/bin/python bench/run.py [--records 100000]

Each figure says what it is a ratio of: seed of nothing (rows into PostgreSQL), snapshot and stream of the same rows read by
PostgreSQL's own tools (COPY binary to /dev/null, pg_recvlogical), sink of the log's own fetch by kcat, stage of the raw files.
The load average is printed beside them: a busy machine makes every figure worse.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "test" / "e2e"))

from playground import TABLES, Playground, fast_templates  # noqa: E402

PREFIX = "storefront.public."


def timed(call):
    began = time.monotonic()
    answer = call()
    return time.monotonic() - began, answer


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, value, unit, ratio=""):
        self.rows.append((what, f"{value:,.1f}" if value < 1000 else f"{value:,.0f}", unit, ratio))
        print(f"{what:<34} {self.rows[-1][1]:>14} {unit:<10} {ratio}", flush=True)


def pg(play, sql, **kwargs):
    env = {**os.environ, "PGPASSWORD": "postgres"}
    base = [
        "psql",
        "-h",
        "127.0.0.1",
        "-p",
        str(play.port("postgres")),
        "-U",
        "postgres",
        "-d",
        "storefront",
        "-qAt",
        "-c",
    ]
    return subprocess.run([*base, sql], env=env, capture_output=True, text=True, check=True, **kwargs).stdout.strip()


def source_count(play):
    return sum(int(pg(play, f"SELECT count(*) FROM {table}")) for table in TABLES)


def topic_records(play):
    return sum(row["records"] for row in play.json("topic", "list") if row["topic"].removeprefix(PREFIX) in TABLES)


def wait_until(ask, want, timeout=600):
    began = time.monotonic()
    while ask() < want:
        if time.monotonic() - began > timeout:
            raise SystemExit(f"waited in vain for {want}: {ask()}")
        time.sleep(0.02)
    return time.monotonic() - began


def raw_events(play):
    return sum(row["raw_events"] for row in play.json("verify"))


def start_and_idle(play, table):
    seconds, _ = timed(lambda: play.haus("up"))
    table.add("nothing running -> all ready", seconds, "s")
    state = play.run("up").stderr
    del state
    log = (play.home / "logs" / "supervisor.log").read_text()
    table.add("of it: all ready after PostgreSQL", after_postgres(log), "ms", "limit 1,000")
    time.sleep(5)
    rows = play.status()
    ours = sum(row["memory_bytes"] for name, row in rows.items() if name != "postgres") / 1e6
    table.add("idle memory of our services", ours, "MB PSS", "limit 60")
    table.add("idle memory of PostgreSQL", rows["postgres"]["memory_bytes"] / 1e6, "MB PSS")
    table.add("idle processor time", idle_ticks(play) / 10, "ms/s", "limit 0")


def after_postgres(log):
    """From PostgreSQL's line to the last one of the first start, by their timestamps."""
    moments = {}
    for line in log.splitlines():
        if " ready service=" in line:
            name = line.split("service=")[1].split()[0]
            moments.setdefault(name, line.split()[0])
    from datetime import datetime

    parsed = {name: datetime.fromisoformat(text.replace("Z", "+00:00")) for name, text in moments.items()}
    return max(0.0, (max(parsed.values()) - parsed["postgres"]).total_seconds() * 1e3)


def idle_ticks(play, seconds=10):
    def ticks():
        total = 0
        for name, row in play.status().items():
            if name != "postgres":
                fields = Path(f"/proc/{row['pid']}/stat").read_text().rsplit(")", 1)[1].split()
                total += int(fields[11]) + int(fields[12])
        return total

    before = ticks()
    time.sleep(seconds)
    return (ticks() - before) * 10 / seconds * 10


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--records", type=int, default=50000)
    args = options.parse_args()
    scratch = Path("/tmp") / f"haus-bench-{os.getpid()}"
    folder = fast_templates(scratch, 2000)
    table = Table()
    print(f"{args.records} records, load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores\n")
    with Playground(folder=folder) as play:
        start_and_idle(play, table)
        seconds, _ = timed(lambda: play.haus("seed", "--count", str(args.records)))
        rows = source_count(play)
        table.add("seed", rows / seconds, "rows/s")
        # limit of the snapshot: the same rows, copied out in binary
        limit, _ = timed(lambda: [pg(play, f"COPY {name} TO '/dev/null' (FORMAT binary)") for name in TABLES])
        play.haus("connector", "apply", str(folder / "connectors" / "postgres-source-storefront.template.json"))
        seconds = wait_until(lambda: topic_records(play), rows)
        table.add("snapshot, PostgreSQL to the log", rows / seconds, "rows/s", f"{limit / seconds:.2f} of COPY binary")
        # a backlog for the stream, while the connector is stopped
        play.haus("connector", "delete", "postgres-source-storefront")
        play.haus("seed", "--count", str(args.records))
        more = source_count(play) - rows
        play.haus("connector", "apply", str(folder / "connectors" / "postgres-source-storefront.template.json"))
        seconds = wait_until(lambda: topic_records(play), rows + more)
        table.add("stream, a backlog to the log", more / seconds, "events/s")
        play.haus("connector", "apply")
        seconds = wait_until(lambda: raw_events(play), rows + more)
        table.add("sink, the log to raw files", (rows + more) / seconds, "events/s", "files closed every 2 s")
        seconds, _ = timed(lambda: play.haus("build", timeout=900))
        table.add("stage, raw files to tables", (rows + more) / seconds, "events/s")
        equal = all(row["equal"] for row in play.json("verify"))
    subprocess.run(["rm", "-rf", str(scratch)], check=False)
    print(f"\nall stations equal: {equal}; load {os.getloadavg()[0]:.1f}")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
