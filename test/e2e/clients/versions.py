"""The version of each client of the compatibility table, asked of the client itself as it is installed here."""

import functools
import importlib.metadata
import re
import subprocess


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


CLIENTS = {
    "aiokafka": python("aiokafka"),
    "boto3": python("boto3"),
    "confluent-kafka": python("confluent-kafka"),
    "kafka-python": python("kafka-python"),
    "kcat": command("kcat", "-V"),
    "curl": command("curl", "--version"),
    # tables
    "DuckDB": python("duckdb"),
    "Polars": python("polars"),
    "PyIceberg": python("pyiceberg"),
    "Spark and Iceberg": lambda: f"{importlib.metadata.version('pyspark')} and 1.9.2",
    # migrations
    "Flyway": fixed("9.22.3, 10.22.0, 11.8.2"),  # each test runs with all three
    # the seeder's API
    "openapi-python-client": python("openapi-python-client"),
    "openapi-spec-validator": python("openapi-spec-validator"),
    "schemathesis": python("schemathesis"),
    "Swagger UI": fixed("5.29.0"),
}


@functools.cache
def of(name):
    try:
        return CLIENTS[name]()
    except (OSError, AttributeError, subprocess.SubprocessError, importlib.metadata.PackageNotFoundError):
        return "not here"
