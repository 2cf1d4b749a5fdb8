"""Spark with Iceberg's Hadoop catalog over s3a, on a store of ours.

Needs, in $HAUS_SPARK_JARS, iceberg-spark-runtime-3.5_2.12 1.9.2, hadoop-aws 3.3.4, aws-java-sdk-bundle 1.12.262.
"""

import contextlib
import glob
import os

import pytest


def jars():
    """Paths of the jars; without them the test says why it does not run."""
    found = glob.glob(os.path.join(os.environ.get("HAUS_SPARK_JARS", "/nowhere"), "*.jar"))
    if not found:
        pytest.skip("HAUS_SPARK_JARS is not set")
    return found


@contextlib.contextmanager
def spark_session(store_url):
    from pyspark.sql import SparkSession

    settings = {
        "spark.jars": ",".join(jars()),
        "spark.ui.enabled": "false",
        "spark.driver.memory": "1g",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lakehouse": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lakehouse.type": "hadoop",
        "spark.sql.catalog.lakehouse.warehouse": "s3a://lakehouse/",
        "spark.hadoop.fs.s3a.endpoint": store_url,
        "spark.hadoop.fs.s3a.access.key": "minio",
        "spark.hadoop.fs.s3a.secret.key": "minio123",
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
    }
    builder = SparkSession.builder.master("local[2]").appName("stage")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        yield session
    finally:
        session.stop()
        # the JVM stays for the next session of this process, and with it Hadoop's file systems, which know this store's port
        session._jvm.org.apache.hadoop.fs.FileSystem.closeAll()
