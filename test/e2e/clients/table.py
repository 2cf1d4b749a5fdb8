"""Makes doc/compatibility.md from what a test run told of each client.

    table.py ROWS > doc/compatibility.md        ROWS: JSON lines as conftest.py writes them

Ends with 1 when fewer than 95 of 100 rows passed; a row that could not be run counts as not passed.
"""

import json
import sys

LEAST = 0.95
SEAMS = ["Kafka", "librdkafka's tests", "Kafka Connect", "Registry", "S3", "Tables", "Flyway", "Seeder"]
HEAD = """# Compatibility: clients that others wrote

Each row is a client as its users install it, unmodified, against a house of ours. `make e2e` runs them and writes this page;
nothing here is written by hand. **missing** is what could not be run where the page was made, and counts as not passed.
"""


def merged(lines):
    """One row for each client and what it did; the worse result of several runs stands."""
    rank = ["pass", "missing", "fail"]
    rows = {}
    for line in lines:
        row = json.loads(line)
        key = (row["seam"], row["client"], row["what"])
        if key not in rows or rank.index(row["result"]) > rank.index(rows[key]["result"]):
            rows[key] = row
    return sorted(rows.values(), key=lambda r: (SEAMS.index(r["seam"]), r["client"].lower(), r["what"]))


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def page(rows):
    passed = sum(row["result"] == "pass" for row in rows)
    yield HEAD
    yield f"{passed} of {len(rows)} rows pass ({passed / max(len(rows), 1):.0%}).\n"
    for seam in SEAMS:
        mine = [row for row in rows if row["seam"] == seam]
        if not mine:
            continue
        yield f"## {seam}\n\n| client | version | what it does | result |\n| --- | --- | --- | --- |"
        for row in mine:
            result = "pass" if row["result"] == "pass" else f"**{row['result']}**: {row['reason']}"
            yield f"| {row['client']} | {row['version']} | {cell(row['what'])} | {cell(result)} |"
        yield ""


def main():
    with open(sys.argv[1]) as lines:
        rows = merged(lines)
    print("\n".join(page(rows)).rstrip())
    passed = sum(row["result"] == "pass" for row in rows)
    if passed < LEAST * len(rows):
        sys.exit(f"table.py: only {passed} of {len(rows)} rows of the compatibility table pass")


if __name__ == "__main__":
    main()
