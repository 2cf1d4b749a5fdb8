"""The version of each client of the compatibility table, asked of the client itself as it is installed here."""

import functools
import importlib.metadata
import re
import subprocess
from pathlib import Path

import kafka_real
import librdkafka_suite

FOLDER = Path(__file__).parent


def python(distribution):
    return lambda: importlib.metadata.version(distribution)


def command(*args, pattern=r"(\d+(?:\.\d+)+)"):
    """The first version number that a command prints."""

    def ask():
        done = subprocess.run(args, capture_output=True, text=True, timeout=60, check=False)
        return re.search(pattern, done.stdout + done.stderr).group(1)

    return ask


def fixed(version):
    """Pinned by the test that fetches it."""
    return lambda: version


def locked(file, pattern):
    """As a lock file of test/e2e/clients names it."""
    return lambda: re.search(pattern, (FOLDER / file).read_text()).group(1)


CLIENTS = {
    "Apache Kafka": fixed(kafka_real.VERSION),
    "Connect worker": fixed(kafka_real.VERSION),
    "Debezium": fixed(kafka_real.DEBEZIUM),
    "aiokafka": python("aiokafka"),
    "AKHQ's calls (kafka-clients)": fixed(kafka_real.VERSION),
    "boto3": python("boto3"),
    "confluent-kafka": python("confluent-kafka"),
    "franz-go": locked("go/kafka/go.mod", r"twmb/franz-go v(\S+)"),
    "Kafka's Java client": fixed(kafka_real.VERSION),
    "Kafka's tools": fixed(kafka_real.VERSION),
    "KafkaJS": locked("js/kafka/package-lock.json", r'node_modules/kafkajs": \{\s+"version": "([^"]+)'),
    "kafka-python": python("kafka-python"),
    "kcat": command("kcat", "-V"),
    "librdkafka": librdkafka_suite.version,
    "curl": command("curl", "--version"),
}


@functools.cache
def of(name):
    try:
        return CLIENTS[name]()
    except (OSError, AttributeError, subprocess.SubprocessError, importlib.metadata.PackageNotFoundError):
        return "not here"
