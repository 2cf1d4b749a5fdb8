"""What Spark 3.5.6 with Iceberg 1.9.2 does to our tables beyond reading: overwrites, metadata tables, maintenance, rollbacks; and
after each of them our build, which brings each new event once and nothing back.

A store of ours and one session for all; every test has a table and raw files of its own.
"""

import json
import time

import pytest
import raw_events as raw
from house import House
from spark_session import jars, spark_session
from test_stage import Lake, orders
from test_tables_spark import Table, client

pytestmark = pytest.mark.slow
pyspark = pytest.importorskip("pyspark")
FIRST = 100

STAGE = """version: 1
sources:
  - name: storefront_cdc
    tables:
      - name: {name}
        source_path: s3a://raw/kafka/storefront.public.{name}/
        format: avro
        key: [id]
        schema:
          - {{name: id, type: bigint, source: after.id}}
          - {{name: status, type: string, source: after.status}}
          - {{name: created_at, type: bigint, source: after.created_at}}
        partitions: [event_date]
        table_properties: {{format-version: '2'{properties}}}
"""


@pytest.fixture(scope="module")
def lake():
    jars()
    with House("store") as house:
        yield Lake(house)


@pytest.fixture(scope="module")
def session(lake):
    with spark_session(lake.house.url("store")) as session:
        yield session


class Stage(Table):
    """A table of orders, one event for each id, its offset the id; built by haus with a stage file of its own."""

    def __init__(self, session, lake, name, folder, properties="", first=FIRST):
        self.config = folder / f"{name}.yaml"
        self.config.write_text(STAGE.format(name=name, properties=properties))
        self.events = 0
        self.session, self.lake, self.name = session, lake, name
        self.full = f"lakehouse.stage.storefront.{name}"
        if first:
            self.more(first)

    def raw(self, count):
        """More events, for the next build; partitions are days of 24 orders."""
        body = raw.encode("orders", orders(self.events, count))
        self.lake.s3.put_object(Bucket="raw", Key=raw.key(self.name, 0, self.events), Body=body)
        self.events += count

    def build(self, check=True):
        """Rows that a build added, or its error."""
        done = self.lake.haus("build", "--config", str(self.config), "-o", "json", check=check)
        if done.returncode:
            return done.stderr
        self.refresh()
        return int(json.loads(done.stdout)[0]["rows"])

    def more(self, count=10):
        self.raw(count)
        assert self.build() == count

    def ids(self):
        """As Spark and haus read them, duplicates too."""
        spark = [row[0] for row in self.ask("select id from {t} order by id")]
        text = self.lake.haus("sql", "-o", "json", f"select id from {self.name} order by id").stdout
        assert [int(row["id"]) for row in json.loads(text)] == spark
        return spark

    def snapshot(self):
        return self.one("select snapshot_id from {t}.refs where name = 'main'")

    def expire(self):
        return self.call("expire_snapshots", ", older_than => timestamp'2100-01-01 00:00:00', retain_last => 1")


@pytest.fixture
def stage(session, lake, tmp_path):
    return lambda name, **more: Stage(session, lake, name, tmp_path, **more)


# ---------------------------------------------------------------- changes


@client(
    "INSERT OVERWRITE of the whole table, of the partitions at hand (dynamic), of a named one; our next build goes on"
)
def test_spark_overwrites_and_the_build_brings_nothing_back(stage, session):
    t = stage("overwritten")
    first = t.snapshot()
    session.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")
    t.ask("insert overwrite {t} select * from {t} where id in (0, 1)")
    assert t.ids() == [0, 1, *range(24, FIRST)]
    columns = "id, status, created_at, event_date_source, __op, __ts_ms, __lsn, __topic, __partition, __offset"
    t.ask(
        f"insert overwrite {{t}} partition (event_date = date'2025-01-02') select {columns} from {{t}} where id in (25, 26)"
    )
    assert t.ids() == [0, 1, 25, 26, *range(48, FIRST)]
    t.more()
    assert t.ids() == [0, 1, 25, 26, *range(48, FIRST + 10)]
    session.conf.set("spark.sql.sources.partitionOverwriteMode", "static")
    t.ask("insert overwrite {t} select * from {t} where id > 90")
    t.more()
    assert t.ids() == [*range(91, FIRST + 20)]
    t.ask("truncate table {t}")
    assert t.build() == 0
    t.more()
    assert t.ids() == [*range(FIRST + 20, FIRST + 30)]
    assert t.one(f"select count(*) from {{t}} version as of {first}") == FIRST


@client("CREATE OR REPLACE TABLE AS SELECT, CREATE TABLE AS SELECT; our next build goes on")
def test_spark_replaces_the_table_and_the_build_brings_nothing_back(stage):
    t = stage("replaced")
    t.ask("create or replace table {t} using iceberg partitioned by (event_date) as select * from {t} where id >= 40")
    assert t.build() == 0
    t.more()
    assert t.ids() == [*range(40, FIRST + 10)]
    t.ask("create or replace table {t} using iceberg as select * from {t} where id >= 70")  # no partitions any more
    t.expire()
    assert t.build() == 0
    t.more()
    assert t.ids() == [*range(70, FIRST + 20)]
    assert t.one("select count(*) from {t}.files") == 2


@client("frames that lack columns: refused, or with write.spark.accept-any-schema appended; UPDATE after UNSET")
def test_spark_appends_frames_that_lack_our_columns_when_it_is_told_to(stage, session):
    t = stage("lacking")
    assert t.ask("show tblproperties {t} ('write.spark.accept-any-schema')")[0][1].endswith(
        "does not have property: write.spark.accept-any-schema"
    )
    frame = session.sql("select cast(900001 as bigint) id, 'foreign' status, date'2025-01-01' event_date")
    with pytest.raises(pyspark.errors.AnalysisException, match="Cannot find data for the output column `created_at`"):
        frame.writeTo(t.full).append()
    t.ask("alter table {t} set tblproperties ('write.spark.accept-any-schema' = 'true')")
    frame.writeTo(t.full).append()
    update = "update {t} set status = 'paid' where id = 900001"
    with pytest.raises(pyspark.errors.PySparkException, match="not supported temporarily"):
        t.ask(update)
    t.more()
    t.ask("alter table {t} unset tblproperties ('write.spark.accept-any-schema')")
    t.ask(update)
    t.more()
    assert t.ids() == [*range(FIRST + 20), 900001]
    assert t.ask("select status, __offset from {t} where id = 900001") == [("paid", None)]


@client(
    "ALTER TABLE: partition fields added and replaced, columns added, widened, dropped, order of writing; our build goes on"
)
def test_spark_alters_the_table_and_the_build_goes_on(stage):
    t = stage("altered")
    t.ask("alter table {t} add partition field truncate(1, status)")
    t.more()
    t.ask("alter table {t} replace partition field event_date with month(event_date)")
    t.more()
    t.ask("alter table {t} add column extra array<int> after id")
    t.ask("alter table {t} write ordered by id")
    t.more()
    t.ask("update {t} set extra = array(1, 2) where id = 3")
    assert t.ids() == [*range(FIRST + 30)]
    assert t.ask("select distinct spec_id from {t}.files order by 1") == [(0,), (1,), (2,)]
    assert t.ask("select id from {t} where event_date = date'2025-01-05' order by id") == [(i,) for i in range(96, 120)]
    assert t.ask("select extra from {t} where id = 3") == [([1, 2],)]
    t.ask("alter table {t} drop column extra")
    t.more()
    t.ask("alter table {t} add partition field bucket(4, id)")
    t.raw(10)
    refused = t.build(check=False)
    assert "partition transform 'bucket[4]' of 'id_bucket_4' is not supported" in refused
    t.ask("alter table {t} drop partition field bucket(4, id)")
    assert t.build() == 10
    assert t.ids() == [*range(FIRST + 50)]


@client("format version 3: its deletion vectors are refused by name until they are applied")
def test_deletion_vectors_are_refused_not_passed_over(stage):
    t = stage("vectors", properties=", write.delete.mode: merge-on-read")
    t.ask("alter table {t} set tblproperties ('format-version' = '3')")
    t.ask("delete from {t} where id = 7")
    file = t.one("select file_path from {t}.delete_files")
    assert file.endswith(".puffin")
    done = t.lake.haus("sql", "select count(*) from vectors", check=False)
    assert (
        done.returncode == 1 and f"file '{file}' holds deletion vectors of format version 3; apply them" in done.stderr
    )
    t.raw(5)
    assert "has format version 3, only 2 is written; make the table anew" in t.build(check=False)
    t.call("rewrite_data_files", ", options => map('delete-file-threshold', '1', 'remove-dangling-deletes', 'true')")
    assert t.ids() == [i for i in range(FIRST) if i != 7]


# ---------------------------------------------------------------- metadata tables


@client(
    "every metadata table: history, metadata_log_entries, snapshots, entries, files, data_files, delete_files, manifests, "
    "partitions, position_deletes, refs, all_*"
)
def test_spark_reads_every_metadata_table(stage):
    t = stage("inspected", properties=", write.delete.mode: merge-on-read")
    t.more()
    t.ask("delete from {t} where id in (3, 4, 30)")
    t.more()
    ours, second, theirs, last = (r[0] for r in t.ask("select snapshot_id from {t}.snapshots order by committed_at"))
    line = [(ours, None, True), (second, ours, True), (theirs, second, True), (last, theirs, True)]
    sql = "select snapshot_id, parent_id, is_current_ancestor from {t}.history order by made_current_at"
    assert t.ask(sql) == line
    sql = "select operation, summary['engine-name'], summary['total-records'] from {t}.snapshots order by committed_at"
    spark = ("delete", "spark", "110")
    assert t.ask(sql) == [("append", "haus", "100"), ("append", "haus", "110"), spark, ("append", "haus", "120")]
    log = t.ask(
        "select latest_snapshot_id, latest_sequence_number, file from {t}.metadata_log_entries order by timestamp"
    )
    assert [row[:2] for row in log] == [(ours, 1), (second, 2), (theirs, 3), (last, 4)]
    assert [row[2].rsplit("/")[-1] for row in log] == [f"v{n}.metadata.json" for n in (1, 2, 3, 4)]

    days = ["2025-01-01", "2025-01-02", "2025-01-03", "2025-01-04", "2025-01-05"]
    one_build = [("2025-01-05", 10, 1)]
    kinds = "select cast(partition.event_date as string), record_count, {kind} from {{t}}.{table} order by 1, 2 desc"
    data = kinds.format(kind="cast(spec_id + 1 as int)", table="data_files")
    assert t.ask(data) == [*((d, 24, 1) for d in days[:4]), *one_build * 2, ("2025-01-05", 4, 1)]
    deletes = t.ask("select content, record_count, file_format, readable_metrics from {t}.delete_files")
    assert [row[:3] for row in deletes] == [(1, 3, "PARQUET")] or sorted(r[1] for r in deletes) == [1, 2]
    assert t.one("select count(*) from {t}.files") == 7 + len(deletes)
    bounds = "select readable_metrics.id.lower_bound, readable_metrics.id.upper_bound from {t}.data_files order by 1"
    assert t.ask(bounds)[:3] == [(0, 23), (24, 47), (48, 71)]
    assert t.ask(
        "select max(readable_metrics.status.value_count), min(readable_metrics.status.null_value_count) from {t}.files where content = 0"
    ) == [(24, 0)]
    entries = "select status, snapshot_id, sequence_number, count(*) from {t}.entries where data_file.content = 0 group by all order by 3"
    assert t.ask(entries) == [(1, ours, 1, 5), (1, second, 2, 1), (1, last, 4, 1)]
    manifests = "select content, added_snapshot_id, added_data_files_count, added_delete_files_count from {t}.manifests order by 1, length, 2"
    assert sorted(t.ask(manifests)) == sorted(
        [(0, ours, 5, 0), (0, second, 1, 0), (0, last, 1, 0), (1, theirs, 0, len(deletes))]
    )
    bounds = "select distinct s.lower_bound, s.upper_bound from {t}.manifests lateral view explode(partition_summaries) x as s order by 1"
    assert t.ask(bounds)[0][0] == "2025-01-01"
    parts = t.ask(
        "select cast(partition.event_date as string), record_count, file_count, position_delete_record_count, last_updated_snapshot_id from {t}.partitions order by 1"
    )
    assert [row[:3] for row in parts] == [*((d, 24, 1) for d in days[:4]), (days[4], 24, 3)]
    assert [row[3] for row in parts] == [2, 1, 0, 0, 0] and [row[4] for row in parts] == [
        theirs,
        theirs,
        ours,
        ours,
        last,
    ]
    positions = t.ask("select pos, cast(partition.event_date as string) from {t}.position_deletes order by 2, 1")
    assert positions == [(3, days[0]), (4, days[0]), (6, days[1])]
    assert t.ask("select name, type, snapshot_id from {t}.refs") == [("main", "BRANCH", last)]

    assert t.one("select count(*) from {t}.all_data_files") == 7
    assert t.one("select count(*) from {t}.all_delete_files") == len(deletes)
    assert t.one("select count(*) from {t}.all_files") == 7 + len(deletes)
    assert t.one("select count(*) from {t}.all_entries") == 7 + len(deletes)
    seen = "select reference_snapshot_id, count(*) from {t}.all_manifests group by 1 order by 2"
    assert t.ask(seen) == [(ours, 1), (second, 2), (theirs, 3), (last, 4)]
    assert t.ids() == [i for i in range(FIRST + 20) if i not in (3, 4, 30)]


# ---------------------------------------------------------------- procedures


@client(
    "CALL rewrite_data_files, rewrite_position_delete_files, rewrite_manifests, expire_snapshots, remove_orphan_files after row-level "
    "deletes; our next build goes on after each"
)
def test_spark_maintains_a_table_with_deletes(stage, session):
    t = stage("kept", properties=", write.delete.mode: merge-on-read")
    left = [i for i in range(FIRST) if i not in (3, 4, 30)]
    for i in (3, 4, 30):
        t.ask(f"delete from {{t}} where id = {i}")

    def goes_on():
        t.more()
        left.extend(range(t.events - 10, t.events))
        assert t.ids() == left

    goes_on()
    t.call("rewrite_position_delete_files", ", options => map('rewrite-all', 'true')")
    goes_on()
    assert t.call("rewrite_data_files", ", options => map('rewrite-all', 'true')")["rewritten_data_files_count"] > 5
    goes_on()
    t.call("rewrite_manifests")
    goes_on()
    done = t.expire()
    assert done["deleted_data_files_count"] > 5 and done["deleted_manifest_lists_count"] > 5
    goes_on()
    assert t.one("select count(*) from {t}.snapshots") == 2
    # of a table of ours nothing is an orphan, not even the notes of builds; a file that nobody names is
    stray = f"stage/storefront/{t.name}/data/event_date=2025-01-01/stray.parquet"
    t.lake.s3.put_object(Bucket="lakehouse", Key=stray, Body=b"nobody's")
    before = set(t.lake.keys(f"stage/storefront/{t.name}/"))
    assert t.session.sql(f"call lakehouse.system.remove_orphan_files('stage.storefront.{t.name}')").collect() == []
    jvm = session._jvm  # the procedure takes none that is younger than a day; the action below it does
    table = jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(session._jsparkSession, t.full)
    action = jvm.org.apache.iceberg.spark.actions.SparkActions.get().deleteOrphanFiles(table)
    action = action.olderThan(int(time.time() * 1000) + 86_400_000)
    assert list(action.execute().orphanFileLocations()) == [f"s3a://lakehouse/{stray}"]
    assert set(t.lake.keys(f"stage/storefront/{t.name}/")) == before - {stray}
    goes_on()


@client("CALL rollback_to_snapshot, rollback_to_timestamp, set_current_snapshot; our next build has each event once")
def test_a_rollback_takes_events_back_and_the_build_brings_them_again(stage):
    t = stage("rolled")
    first = t.snapshot()
    t.more()
    second, at = t.snapshot(), t.one("select cast(max(committed_at) as string) from {t}.snapshots")
    t.more()
    t.call("rollback_to_snapshot", f", snapshot_id => {first}")
    assert t.ids() == [*range(FIRST)]
    assert t.build() == 20 and t.ids() == [*range(FIRST + 20)]
    assert t.build() == 0
    t.call("set_current_snapshot", f", snapshot_id => {second}")  # of the line that was left
    t.raw(10)
    assert t.build() == 20 and t.ids() == [*range(FIRST + 30)]
    t.call("rollback_to_timestamp", f", timestamp => timestamp'{at}'")  # what was before it: the first build
    t.ask("delete from {t} where id < 10")  # what is done on the older state stands
    assert t.build() == 30 and t.ids() == [*range(10, FIRST + 30)]


@client(
    "CALL rollback_to_snapshot, an append and CALL expire_snapshots: nothing lost though the snapshots that knew are gone"
)
def test_a_rollback_whose_snapshots_expired_loses_nothing(stage):
    t = stage("expired")
    first = t.snapshot()
    t.more()
    t.call("rollback_to_snapshot", f", snapshot_id => {first}")
    t.ask("delete from {t} where id = 5")
    t.expire()
    assert t.one("select count(*) from {t}.snapshots") == 1
    assert t.build() == 10
    assert t.ids() == [i for i in range(FIRST + 10) if i != 5]
    # and without a rollback nothing comes twice
    t.ask("delete from {t} where id = 6")
    t.expire()
    assert t.build() == 0
    assert t.ids() == [i for i in range(FIRST + 10) if i not in (5, 6)]


@client("a table that Spark made, built into by us, rolled back to before; our next build has each event once")
def test_a_rollback_to_before_our_first_build(stage):
    t = stage("theirs", first=0)
    t.ask("create table {t} (id bigint, status string, event_date date) using iceberg partitioned by (event_date)")
    t.ask("insert into {t} values (900001, 'foreign', date'2025-01-01')")
    own = t.snapshot()
    t.more(20)
    assert t.ids() == [*range(20), 900001]
    t.call("rollback_to_snapshot", f", snapshot_id => {own}")
    assert t.ids() == [900001]
    assert t.build() == 20 and t.build() == 0
    assert t.ids() == [*range(20), 900001]
    t.call("rollback_to_snapshot", f", snapshot_id => {own}")
    t.expire()
    assert t.build() == 20 and t.ids() == [*range(20), 900001]


@client("CALL cherrypick_snapshot of a build's snapshot after a rollback: our next build has each event once")
def test_a_cherrypicked_build_is_not_built_again(stage):
    t = stage("picked")
    first = t.snapshot()
    t.more()
    second = t.snapshot()
    t.call("rollback_to_snapshot", f", snapshot_id => {first}")
    t.call("cherrypick_snapshot", f", snapshot_id => {second}")
    assert t.snapshot() == second and t.build() == 0  # nothing between: it is simply current again
    t.call("rollback_to_snapshot", f", snapshot_id => {first}")
    t.ask("delete from {t} where id = 5")
    t.call("cherrypick_snapshot", f", snapshot_id => {second}")
    assert t.ids() == [i for i in range(FIRST + 10) if i != 5]
    t.raw(10)
    t.build()
    assert t.ids() == [i for i in range(FIRST + 20) if i != 5]
