"""Real Spark with Iceberg's Hadoop catalog over s3a, on our store: reads a stage table, appends to it, and the build goes on.

Needs pyspark 3.5.6 and, in $HAUS_SPARK_JARS, iceberg-spark-runtime-3.5_2.12 1.9.2, hadoop-aws 3.3.4, aws-java-sdk-bundle 1.12.262.
"""

import glob
import os

import pytest
import raw_events as raw
from house import House
from test_stage import Lake, orders

pytestmark = pytest.mark.slow
pyspark = pytest.importorskip("pyspark")
JARS = glob.glob(os.path.join(os.environ.get("HAUS_SPARK_JARS", "/nowhere"), "*.jar"))


@pytest.fixture
def lake():
    if not JARS:
        pytest.skip("HAUS_SPARK_JARS is not set")
    with House("store") as house:
        yield Lake(house)


@pytest.fixture
def spark(lake):
    from pyspark.sql import SparkSession

    settings = {
        "spark.jars": ",".join(JARS),
        "spark.ui.enabled": "false",
        "spark.driver.memory": "1g",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lakehouse": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lakehouse.type": "hadoop",
        "spark.sql.catalog.lakehouse.warehouse": "s3a://lakehouse/",
        "spark.hadoop.fs.s3a.endpoint": lake.house.url("store"),
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
    yield session
    session.stop()


@pytest.mark.client(
    "S3", "Hadoop s3a", "under Spark 3.5.6 and Iceberg 1.9.2: reads, appends, deletes, commits by rename"
)
@pytest.mark.client(
    "Tables",
    "Spark and Iceberg",
    "reads with .files .manifests .snapshots .partitions .entries, appends, deletes both ways; our next build goes on",
)
def test_spark_reads_appends_deletes_and_the_build_goes_on(lake, spark):
    table = "lakehouse.stage.storefront.orders"
    raw.put(lake.s3, "orders", 0, orders(0, 100))
    lake.build()
    assert spark.table(table).count() == 100
    row = spark.sql(f"select * from {table} where id = 30").collect()[0]
    assert (str(row.total), str(row.event_date), row["__offset"]) == ("12.50", "2025-01-02", 30)
    for view, least in (("files", 5), ("manifests", 1), ("snapshots", 1), ("partitions", 5), ("entries", 5)):
        assert spark.sql(f"select * from {table}.{view}").count() >= least
    pruned = spark.sql(f"select count(*) n from {table} where event_date = date'2025-01-02' and id between 30 and 35")
    assert pruned.collect()[0].n == 6

    # by name, as the old job did: its frame knows nothing of our columns
    more = spark.sql(
        "select cast(900 as bigint) id, cast(7 as bigint) customer_id, 'foreign' status, "
        "cast(1.5 as decimal(10,2)) total, cast(1735689600000000 as bigint) created_at, "
        "date'2025-01-01' event_date, 'created_at' event_date_source"
    )
    more.writeTo(table).append()
    assert str(lake.build()["orders"]["rows"]) == "0"
    raw.put(lake.s3, "orders", 100, orders(100, 50))
    assert str(lake.build()["orders"]["rows"]) == "50"
    spark.sql(f"refresh table {table}")
    assert spark.table(table).count() == 151
    assert sorted(r["id"] for r in lake.rows("orders")) == [*range(150), 900]

    spark.sql(f"insert into {table} select * from {table} where id = 900")
    spark.sql(f"delete from {table} where id = 900 and __offset is null")
    spark.sql(f"alter table {table} rename column status to state")
    spark.sql(f"alter table {table} rename column state to status")
    spark.sql(f"alter table {table} set tblproperties ('write.delete.mode'='merge-on-read')")
    spark.sql(f"delete from {table} where id in (3, 4)")
    assert lake.haus("sql", "select count(*) from orders").stdout.split()[-1] == "148"
    raw.put(lake.s3, "orders", 150, orders(150, 10))
    assert str(lake.build()["orders"]["rows"]) == "10"
    spark.sql(f"refresh table {table}")
    assert spark.table(table).count() == 158
    assert lake.haus("sql", "select count(*) from orders").stdout.split()[-1] == "158"
