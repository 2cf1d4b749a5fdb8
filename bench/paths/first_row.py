"""Nothing running, no state: until the first rows are in a stage table. Records are seeded first, so all steps count.

The sink closes files after three records, as the compose stack's template has it; the first file is enough.
"""

import json
import tempfile
import time
from pathlib import Path

import raw
from playground import fast_templates
from table import Row, Side, median_side

RECORDS = 1000
GIVE_UP_S, LOOK_EVERY_S = 120, 0.02
FLUSH_SIZE = ('"flush.size": "1000"', '"flush.size": "3"')


def run(bench):
    with tempfile.TemporaryDirectory(prefix="haus-bench-") as scratch:
        folder = compose_settings(Path(scratch))
        ours = [once(bench, folder) for _ in range(bench.runs)]
        theirs = []
        if bench.peers:
            from peers.first_row import first_row

            theirs = [first_row(bench, RECORDS) for _ in range(bench.runs)]
    yield Row(
        "first row",
        "nothing running → stage table",
        "s",
        haus=median_side(ours),
        peer=median_side(theirs) if theirs else None,
        rows=RECORDS,
        goal="≤ 5",
        note=f"new home, cluster made anew, {RECORDS} records seeded, flush.size=3; peer: the sum of Kafka, Connect and Debezium, "
        "S3 server, Spark's start and its job on one file of the same events, without the parts that are in no public registry "
        "(schema registry, S3 sink and its flush) and without containers: less than the stack takes",
    )


def compose_settings(scratch):
    """The playground's templates with the compose stack's flush.size and schedule."""
    folder = fast_templates(scratch, 60000 - 1)
    sink = folder / "connectors" / "s3-sink-storefront.template.json"
    text = sink.read_text()
    if FLUSH_SIZE[0] not in text:
        raise SystemExit(f"bench: the sink's template has no {FLUSH_SIZE[0]}")
    sink.write_text(text.replace(*FLUSH_SIZE))
    return folder


def wait_for_a_file(stand, prefix):
    deadline = time.monotonic() + GIVE_UP_S
    while not raw.objects(stand, prefix):
        if time.monotonic() > deadline:
            raise SystemExit(f"bench: no raw file under '{prefix}' in {GIVE_UP_S} s:\n{stand.logs()}")
        time.sleep(LOOK_EVERY_S)


def once(bench, folder):
    stand = bench.stand(folder=folder)
    began = time.monotonic()
    with stand:
        stand.haus("seed", "--count", str(RECORDS))
        stand.haus("connector", "apply")
        wait_for_a_file(stand, "kafka/storefront.public.orders/")
        stand.haus("build", "--table", "orders")
        seconds = time.monotonic() - began
        rows = json.loads(stand.haus("sql", "select count(*) as n from orders", "-o", "json"))
        if not rows[0]["n"]:
            raise SystemExit("bench: no row came into the stage table")
    return Side(seconds)
