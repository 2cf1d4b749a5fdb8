"""All peers beside one another: how long each takes to start, with fresh data, and what they use when nobody uses them."""

from paths.idle import look


def start_and_rest(bench):
    """(seconds of each from launch to ready, one after the other; bytes; milliseconds of processor a second)"""
    with bench.kafka() as kafka, bench.connect(kafka) as connect, bench.spark() as spark, bench.versitygw() as store:
        parts = (kafka, connect, spark, store)
        seconds = {part.name: part.start_seconds for part in parts}
        return seconds, *look([pid for part in parts for pid in part.pids])
