"""Spark 3.5.6 with Iceberg 1.9.2's Hadoop catalog over s3a, on the tables of a whole house, and the build that goes on after it.

One session for all, since each costs seconds; every test takes a table of its own, and the last looks at all of them.
"""

import pytest
from playground import Playground, fast_templates
from spark_session import jars, spark_session
from test_stage import Lake

pytestmark = pytest.mark.slow
pyspark = pytest.importorskip("pyspark")
RECORDS = 200


@pytest.fixture(scope="module")
def play(tmp_path_factory):
    jars()
    with Playground(folder=fast_templates(tmp_path_factory.mktemp("play"))) as play:
        play.haus("up")
        play.haus("seed", "--count", str(RECORDS), "--batch-size", "100", "--seed", "5")
        play.haus("connector", "apply")
        play.settle()
        yield play


@pytest.fixture(scope="module")
def lake(play):
    return Lake(play)


@pytest.fixture(scope="module")
def session(play):
    with spark_session(play.url("store")) as session:
        yield session


class Table:
    """One stage table, asked and changed by Spark SQL in which {t} stands for its name, and by haus."""

    def __init__(self, session, lake, name):
        self.session, self.lake, self.name = session, lake, name
        self.full = f"lakehouse.stage.storefront.{name}"
        self.refresh()

    def refresh(self):
        self.session.sql(f"refresh table {self.full}")

    def ask(self, sql):
        return [tuple(row) for row in self.session.sql(sql.format(t=self.full)).collect()]

    def one(self, sql):
        return self.ask(sql)[0][0]

    def count(self):
        return self.one("select count(*) from {t}")

    def call(self, procedure, more=""):
        sql = f"call lakehouse.system.{procedure}(table => 'stage.storefront.{self.name}'{more})"
        return self.session.sql(sql).collect()[0].asDict()

    def haus_count(self):
        return int(self.lake.haus("sql", f"select count(*) from {self.name}").stdout.split()[-1])


@pytest.fixture
def table(session, lake):
    return lambda name: Table(session, lake, name)


def client(what):
    return pytest.mark.client("Tables", "Spark and Iceberg", what)


@client("appends by name (DataFrameWriterV2) and by SQL; VERSION AS OF and TIMESTAMP AS OF")
def test_spark_appends_and_travels_in_time(table, play):
    orders = table("orders")
    first = orders.one("select snapshot_id from {t}.snapshots")
    at = orders.one("select cast(committed_at as string) from {t}.snapshots")
    # as the old job did: its frame knows nothing of our columns
    more = orders.session.sql(
        "select cast(900001 as bigint) id, cast(7 as bigint) customer_id, 'foreign' status, "
        "cast(1.5 as decimal(10,2)) total, cast(1735689600000000 as bigint) created_at, "
        "date'2025-01-01' event_date, 'created_at' event_date_source"
    )
    more.writeTo(orders.full).append()
    orders.ask("insert into {t} select * from {t} where id = 900001")
    assert orders.count() == orders.haus_count() == RECORDS + 2
    assert orders.one(f"select count(*) from {{t}} version as of {first}") == RECORDS
    assert orders.one(f"select count(*) from {{t}} timestamp as of '{at}'") == RECORDS
    assert orders.one("select count(*) from {t} where __offset is null") == 2
    assert all(row["equal"] for row in play.json("verify"))


@client("CALL rewrite_data_files, rewrite_manifests, expire_snapshots; a branch and a tag")
def test_spark_maintains_the_table(table, play):
    items = table("order_items")
    before = items.count()
    play.haus("seed", "--count", "20", "--seed", "6")
    play.wait_for("the raw files", play.raw_has_all)
    play.haus("build", "--table", "order_items")
    items.refresh()
    after, files = items.count(), items.one("select count(*) from {t}.files")
    assert after > before
    items.ask("alter table {t} create tag before_rewrite")
    items.ask("alter table {t} create branch trial")
    done = items.call("rewrite_data_files", ", options => map('rewrite-all', 'true')")
    assert done["rewritten_data_files_count"] == files
    assert items.one("select count(*) from {t}.files") < files or files == done["added_data_files_count"]
    items.call("rewrite_manifests")
    assert items.one("select count(*) from {t} version as of 'before_rewrite'") == after
    items.ask("alter table {t} drop tag before_rewrite")
    items.ask("alter table {t} drop branch trial")
    items.call("expire_snapshots", ", older_than => timestamp'2100-01-01 00:00:00', retain_last => 1")
    assert items.one("select count(*) from {t}.snapshots") == 1
    assert items.count() == items.haus_count() == after
