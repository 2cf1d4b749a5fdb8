"""The stage as a Spark job: raw order events to rows of an Iceberg table, by day. Prints its times as JSON.

spark-submit stage_job.py SOURCE WAREHOUSE TABLE
"""

import json
import sys
import time

from pyspark.sql import SparkSession, functions

COLUMNS = (("order_id", "id", "bigint"), ("customer_id", "customer_id", "bigint"), ("status", "status", "string"))
COLUMNS += (("total", "total", "double"), ("created_at", "created_at", "bigint"))
SETTINGS = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.catalog.lakehouse": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.lakehouse.type": "hadoop",
    "spark.sql.session.timeZone": "UTC",
}


def session(warehouse):
    builder = SparkSession.builder.appName("stage")
    for name, value in {**SETTINGS, "spark.sql.catalog.lakehouse.warehouse": warehouse}.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def make_table(spark, name):
    columns = ", ".join(f"{column} {kind}" for column, _, kind in COLUMNS)
    spark.sql("create namespace if not exists lakehouse.stage")
    spark.sql(
        f"create table {name} ({columns}, event_date date, event_date_source string) using iceberg "
        "partitioned by (event_date) tblproperties ('format-version' = '2', 'write.parquet.compression-codec' = 'snappy')"
    )


def append(spark, source, name):
    events = spark.read.format("avro").load(source).where(functions.col("op").isin("c", "u", "r"))
    rows = events.select(*(functions.col(f"after.{field}").cast(kind).alias(column) for column, field, kind in COLUMNS))
    day = functions.to_date((functions.col("created_at") / 1_000_000).cast("timestamp"))
    rows = rows.withColumn("event_date", day).withColumn("event_date_source", functions.lit("created_at"))
    rows.writeTo(name).append()


def main(source, warehouse, table):
    name = f"lakehouse.stage.{table}"
    spark = session(warehouse)
    spark.sparkContext.setLogLevel("ERROR")
    began = time.monotonic()
    make_table(spark, name)
    append(spark, source, name)
    seconds = time.monotonic() - began
    print(json.dumps({"rows": spark.table(name).count(), "job_s": seconds}))
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
