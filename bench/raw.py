"""Raw files of the S3 sink, made for the paths behind it: a topic of order events, and sinks that write it out."""

import boto3
import botocore.config
from contextlib import contextmanager

from measure import Watch
from replication import connector, topic
from topics import Topics

SOURCE = "raw"  # the source connector's name begins the topic's


@contextmanager
def orders_topic(stand, rows):
    """A topic of so many order events, in our log; its name."""
    stand.source.fill(rows)
    topics = Topics(stand.bootstrap)
    with connector(stand.pipeline, stand.source, SOURCE, **{"table.include.list": "public.orders"}):
        topics.wait_ends({topic(SOURCE, "orders"): rows}, check=lambda: stand.worker.status(SOURCE))
    topics.close()
    yield topic(SOURCE, "orders")


def sink_config(stand, topic_name, folder, flush_size):
    """As the compose stack's template has it; all records are in files that flush.size closed."""
    return {
        "connector.class": "io.confluent.connect.s3.S3SinkConnector",
        "tasks.max": "1",
        "topics": topic_name,
        "store.url": stand.url("store"),
        "s3.bucket.name": "raw",
        "s3.region": "us-east-1",
        "aws.access.key.id": "minio",
        "aws.secret.access.key": "minio123",
        "storage.class": "io.confluent.connect.s3.storage.S3Storage",
        "format.class": "io.confluent.connect.s3.format.avro.AvroFormat",
        "partitioner.class": "io.confluent.connect.storage.partitioner.DefaultPartitioner",
        "topics.dir": folder,
        "flush.size": str(flush_size),
        **stand.converter(),
    }


def write(stand, topic_name, folder, flush_size, rows):
    """Runs a sink until all is written and committed; what it took (connect and store)."""
    name = f"sink-{folder}"
    topics = Topics(stand.bootstrap, f"connect-{name}")
    with Watch(stand.pids("connect", "store")) as watch:
        stand.worker.create(name, sink_config(stand, topic_name, folder, flush_size))
        topics.wait_committed(topic_name, rows, check=lambda: stand.worker.status(name))
    stand.worker.delete(name)
    topics.close()
    return watch.use


def store_client(stand):
    return boto3.client(
        "s3",
        endpoint_url=stand.url("store"),
        aws_access_key_id="minio",
        aws_secret_access_key="minio123",
        region_name="us-east-1",
        config=botocore.config.Config(s3={"addressing_style": "path"}),
    )


def objects(stand, prefix, bucket="raw"):
    """(key, size) of each."""
    pages = store_client(stand).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [(entry["Key"], entry["Size"]) for page in pages for entry in page.get("Contents", [])]


def download(stand, prefix, folder):
    """The objects under a prefix as files of one folder."""
    store = store_client(stand)
    for key, _ in objects(stand, prefix):
        store.download_file("raw", key, str(folder / key.rsplit("/", 1)[1]))
