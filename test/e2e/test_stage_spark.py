"""Real Spark with Iceberg's Hadoop catalog over s3a, on our store: reads a stage table, appends to it, and the build goes on."""

import pytest
import raw_events as raw
from house import House
from spark_session import jars, spark_session
from test_stage import Lake, orders

pytestmark = pytest.mark.slow
pyspark = pytest.importorskip("pyspark")


@pytest.fixture
def lake():
    jars()
    with House("store") as house:
        yield Lake(house)


@pytest.fixture
def spark(lake):
    with spark_session(lake.house.url("store")) as session:
        yield session


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
    spark.sql(f"alter table {table} set tblproperties ('write.spark.accept-any-schema' = 'true')")
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
