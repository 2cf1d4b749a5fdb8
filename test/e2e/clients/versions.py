"""The version of each client of the compatibility table, asked of the client itself as it is installed here."""

import functools
import importlib.metadata
import re
import subprocess
from pathlib import Path

import kafka_real
import librdkafka_suite
from kafka_java import V41

HERE = Path(__file__).parent


def python(distribution):
    return lambda: importlib.metadata.version(distribution)


def command(*args, pattern=r"(\d+(?:\.\d+)+)"):
    """The first version number that a command prints."""

    def ask():
        done = subprocess.run(args, capture_output=True, text=True, timeout=60, check=False)
        return re.search(pattern, done.stdout + done.stderr).group(1)

    return ask


def pinned(file, name):
    """What a manifest of this folder says of a package: go.mod, package.json, requirements.txt."""
    return lambda: re.search(re.escape(name) + r"\W+v?(\d+(?:\.\d+)+)", (HERE / file).read_text()).group(1)


def fixed(version):
    """Pinned by the test that fetches it."""
    return lambda: version


CLIENTS = {
    "aiokafka": python("aiokafka"),
    "AKHQ's calls (kafka-clients)": fixed(V41),
    "Apache Kafka": fixed(kafka_real.VERSION),
    "aws CLI": python("awscli"),
    "AWS SDK for Go v2": pinned("go/s3/go.mod", "service/s3"),
    "AWS SDK for JavaScript v3": pinned("js/s3/package.json", "@aws-sdk/client-s3"),
    "boto3 1.26": pinned("python/boto3-1.26/requirements.txt", "boto3"),
    "boto3": python("boto3"),
    "confluent-kafka": python("confluent-kafka"),
    "conformance": fixed("2006-03-01"),
    "Connect worker": fixed(kafka_real.VERSION),
    "curl": command("curl", "--version"),
    "Debezium": fixed(kafka_real.DEBEZIUM),
    "delta-rs": python("deltalake"),
    "DuckDB httpfs": python("duckdb-extension-httpfs"),
    "franz-go": pinned("go/kafka/go.mod", "twmb/franz-go"),
    "Hadoop s3a": fixed("3.3.4, aws-java-sdk-bundle 1.12.262"),
    "Kafka's Java client": fixed(V41),
    "Kafka's tools": fixed(V41),
    "kafka-python": python("kafka-python"),
    "KafkaJS": pinned("js/kafka/package.json", "kafkajs"),
    "kcat": command("kcat", "-V"),
    "librdkafka": librdkafka_suite.version,
    "minio for JavaScript": pinned("js/s3/package.json", "minio"),
    "minio for Python": python("minio"),
    "minio-go": pinned("go/s3/go.mod", "minio-go/v7"),
    "moto": python("moto"),
    "object_store (Rust)": python("obstore"),
    "Polars": python("polars"),
    "pyarrow": python("pyarrow"),
    "rclone": command("rclone", "--version"),
    "s3cmd": command("s3cmd", "--version"),
    "s3fs": python("s3fs"),
    "smart-open": python("smart-open"),
    "versitygw": pinned("../../../tool/test-deps", "cmd/versitygw"),
}


@functools.cache
def of(name):
    try:
        return CLIENTS[name]()
    except (OSError, AttributeError, subprocess.SubprocessError, importlib.metadata.PackageNotFoundError):
        return "not here"
