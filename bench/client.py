"""Runs bench_client, the one Kafka client for any broker, and makes it topics."""

import json
import os
import subprocess
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic
from child import run_measured

BUILD = Path(os.environ.get("HAUS_BIN", Path(__file__).resolve().parents[1] / "build" / "haus")).parent
PROGRAM = BUILD / "bench" / "bench_client"
PREPARED = BUILD / "bench" / "bench_produce"


def build():
    subprocess.run(
        ["ninja", "-C", BUILD, "bench/bench_client", "bench/bench_produce"], check=True, stdout=subprocess.DEVNULL
    )


def make_topic(bootstrap, name, **config):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(name, 1, 1, config=config)])[name].result(30)


def produce(bootstrap, topic, count, size, rate=0, **settings):
    return _run("produce", bootstrap, topic, count, size, rate, settings)


def produce_prepared(bootstrap, topic, count, size):
    """By a client that costs next to nothing."""
    out, _ = run_measured([PREPARED, *bootstrap.split(":"), topic, count, size])
    return json.loads(out)


def fetch(bootstrap, topic, count, **settings):
    return _run("fetch", bootstrap, topic, count, settings)


def _run(*args):
    *args, settings = args
    pairs = [f"{name.replace('_', '.')}={value}" for name, value in settings.items()]
    out, _ = run_measured([PROGRAM, *args, *pairs])
    return json.loads(out)
