"""Raw files: the log's order events to Avro files in the store. Limit: the same topic fetched by a client that drops it."""

import client
import raw
from table import Row, Side, median_side

LAYOUTS = (1000, 20)  # files


def run(bench):
    rows = bench.rows
    with bench.stand() as stand, raw.orders_topic(stand, rows) as topic:
        fetched = client.fetch(stand.bootstrap, topic, rows)
        limit = rows / fetched["seconds"]
        for files in LAYOUTS:
            sides = []
            for number in range(bench.runs):
                folder = f"files{files}-{number}"
                use = raw.write(stand, topic, folder, rows // files, rows // files * files)
                sides.append(Side(rows / use.seconds, use.cpu, use.peak))
            yield Row(
                "raw files",
                f"sink, {files:,} files",
                "events/s",
                haus=median_side(sides),
                limit=limit,
                rows=rows,
                bytes=sum(size for _, size in raw.objects(stand, folder + "/")),
                note="limit: the topic's fetch by bench_client; no peer: Confluent's S3 sink is in no public registry; "
                "from registering the connector to the last committed offset; CPU and memory of connect and store"
                if files == LAYOUTS[0]
                else "",
            )
