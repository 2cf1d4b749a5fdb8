"""Spark 3.5.6 with Iceberg 1.9.2's Hadoop catalog over s3a, on the tables of a whole house, and the build that goes on after it.

One session for all, since each costs seconds; every test takes a table of its own, and the last looks at all of them.
"""

import json

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

    def haus_rows(self, sql):
        """As Spark gives them: the first column a number."""
        first, *_ = rows = [tuple(r.values()) for r in json.loads(self.lake.haus("sql", "-o", "json", sql).stdout)]
        assert first
        return [(int(row[0]), *row[1:]) for row in rows]

    def haus_count(self):
        return int(self.lake.haus("sql", f"select count(*) from {self.name}").stdout.split()[-1])


@pytest.fixture
def table(session, lake):
    return lambda name: Table(session, lake, name)


def verified(play, name):
    return next(row for row in play.json("verify") if row["table"] == name)


def client(what):
    return pytest.mark.client("Tables", "Spark and Iceberg", what)


@client("appends by name (DataFrameWriterV2) and by SQL; VERSION AS OF and TIMESTAMP AS OF")
def test_spark_appends_and_travels_in_time(table, play):
    orders = table("orders")
    first = orders.one("select snapshot_id from {t}.snapshots")
    at = orders.one("select cast(committed_at as string) from {t}.snapshots")
    # as the old job did: its frame knows nothing of our columns
    orders.ask("alter table {t} set tblproperties ('write.spark.accept-any-schema' = 'true')")
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
    row = verified(play, "orders")
    newest = orders.one("select snapshot_id from {t}.refs where name = 'main'")
    assert row["equal"] and row["note"] == (
        f"2 rows tell no event and are not counted, rows were last added by snapshot {newest} of engine spark (append)"
    )


CHANGES = {
    "customers": ("copy-on-write", "city"),
    "payments": ("merge-on-read", "payment_method"),
}


@client(
    "UPDATE, DELETE, MERGE INTO as copy-on-write and as merge-on-read; our next build goes on, haus verify names the snapshot"
)
@pytest.mark.parametrize("name", CHANGES)
def test_spark_updates_deletes_and_merges(table, play, name):
    mode, column = CHANGES[name]
    t = table(name)
    rows = {row[0]: row[1] for row in t.ask(f"select id, {column} from {{t}}")}
    had = len(rows)
    modes = ", ".join(f"'write.{verb}.mode' = '{mode}'" for verb in ("update", "delete", "merge"))
    t.ask(f"alter table {{t}} set tblproperties ({modes})")
    t.ask(f"update {{t}} set {column} = 'updated' where id in (1, 2)")
    t.ask("delete from {t} where id in (3, 4)")
    t.ask(
        f"""merge into {{t}} t using (
            select id, if(id = 5, 'gone', 'merged') what from {{t}} where id in (5, 6, 7)
            union all select cast(900001 as bigint), 'new') s
        on t.id = s.id
        when matched and s.what = 'gone' then delete
        when matched then update set {column} = s.what
        when not matched then insert (id, {column}, event_date) values (s.id, s.what, date'2025-01-01')"""
    )
    theirs = t.one("select snapshot_id from {t}.refs where name = 'main'")
    rows.update({1: "updated", 2: "updated", 6: "merged", 7: "merged", 900001: "new"})
    for gone in (3, 4, 5):
        del rows[gone]
    assert t.ask(f"select id, {column} from {{t}} order by id") == sorted(rows.items())
    assert (t.one("select count(*) from {t}.delete_files") > 0) == (mode == "merge-on-read")
    assert t.haus_rows(f"select id, {column} from {name} order by id") == sorted(rows.items())

    play.haus("seed", "--count", "20", "--seed", "8")
    play.wait_for("the raw files", play.raw_has_all)
    row = verified(play, name)
    assert not row["equal"] and "events wait for 'haus build'; 3 events that a build wrote are no longer" in row["note"]
    added = next(int(r["rows"]) for r in play.json("build", "--table", name))
    assert added == row["source"] - had
    t.refresh()
    assert t.count() == t.haus_count() == len(rows) + added
    assert t.one("select count(*) - count(distinct __topic, __partition, __offset) from {t}") == 1  # Spark's own row
    assert t.ask(f"select id, {column} from {{t}} where id <= 7 or id = 900001 order by id") == sorted(
        item for item in rows.items() if item[0] <= 7 or item[0] == 900001
    )
    row = verified(play, name)
    by = f"snapshot {theirs} of engine spark (overwrite)"
    assert not row["equal"] and row["note"] == (
        f"3 events that a build wrote are no longer in the table, rows were taken out by {by}; "
        f"1 rows tell no event and are not counted, rows were last added by {by}"
    )


@client(
    "CALL rollback_to_snapshot: haus verify says what waits, haus build brings it; rows doubled by INSERT are named"
)
def test_a_rollback_is_told_and_made_good(table, play):
    products = table("products")
    first = products.one("select snapshot_id from {t}.refs where name = 'main'")
    before = products.count()
    play.haus("seed", "--count", "20", "--seed", "7")
    play.wait_for("the raw files", play.raw_has_all)
    play.haus("build", "--table", "products")
    assert verified(play, "products")["equal"]
    products.refresh()
    after = products.count()
    assert after > before
    products.call("rollback_to_snapshot", f", snapshot_id => {first}")
    assert products.count() == products.haus_count() == before
    row = verified(play, "products")
    assert (row["equal"], row["note"]) == (False, f"{after - before} events wait for 'haus build'")
    play.haus("build", "--table", "products")
    row = verified(play, "products")
    assert (row["equal"], row["note"]) == (True, "")
    products.refresh()
    assert products.count() == products.haus_count() == after

    products.ask("insert into {t} select * from {t} where id in (1, 2)")
    doubles = products.one("select snapshot_id from {t}.refs where name = 'main'")
    row = verified(play, "products")
    assert (row["equal"], row["note"]) == (
        False,
        "2 rows tell an event that another row tells too, rows were last added by "
        f"snapshot {doubles} of engine spark (append)",
    )


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
