"""Engines that read Iceberg, on the tables of `haus build`: rows, pruning, snapshots, a column that came later."""

import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import polars
import pytest
import raw_events as raw
from house import House
from pyiceberg.catalog.memory import InMemoryCatalog
from pyiceberg.expressions import And, EqualTo, GreaterThanOrEqual, IsNull, NotIn
from test_stage import Lake, order, orders, stage_file

COLUMNS = [(n, t, f"after.{n}") for n, t in (("id", "bigint"), ("status", "string"), ("total", "decimal(10,2)"))]
LOCATION = "s3a://lakehouse/stage/storefront/orders"


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """Two snapshots of one table: 0..99 as c; then 100..149 with a column more, an update of 3, a delete of 4."""
    folder = tmp_path_factory.mktemp("stage")
    with House("store") as house:
        lake = Lake(house)
        created = [*COLUMNS, ("created_at", "timestamp", "after.created_at")]
        raw.put(lake.s3, "orders", 0, orders(0, 100))
        lake.haus("build", "--config", stage_file(folder, created))
        wider = [*raw.COLUMNS["orders"], ("note", ["null", "string"])]
        events = [raw.event("orders", "c", after={**order(i), "note": f"n{i}"}, lsn=1000 + i) for i in range(100, 150)]
        events.append(raw.event("orders", "u", after={**order(3, status="paid"), "note": None}, lsn=2000))
        events.append(raw.event("orders", "d", before={**order(4), "note": None}, lsn=2001))
        raw.put(lake.s3, "orders", 100, events, columns=wider)
        lake.haus("build", "--config", stage_file(folder, [*created, ("note", "string", "after.note")]))
        yield lake


def newest(lake):
    hint = lake.get("stage/storefront/orders/metadata/version-hint.text").decode()
    return f"{LOCATION}/metadata/v{hint}.metadata.json"


# ---------------------------------------------------------------- PyIceberg


@pytest.mark.client("Tables", "PyIceberg", "opens a table by its metadata file, scans with filters, prunes partitions")
def test_pyiceberg_scans_and_reads_only_the_partitions_it_needs(lake):
    table = lake.iceberg("orders")
    assert len(table.scan().to_arrow()) == 152
    assert sorted(r["id"] for r in table.scan().to_arrow().to_pylist() if r["__op"] == "c") == list(range(150))
    day = table.scan(row_filter=EqualTo("event_date", "2025-01-03"))
    assert len(list(day.plan_files())) == 1
    assert [r["id"] for r in day.to_arrow().to_pylist()] == list(range(48, 72))
    # by bounds of the files, without a partition in the filter
    late = table.scan(row_filter=GreaterThanOrEqual("created_at", "2025-01-07T00:00:00+00:00"))
    assert len(list(late.plan_files())) == 1 and len(late.to_arrow()) == 6
    one = table.scan(row_filter=And(EqualTo("id", 30), NotIn("status", ["paid"])), selected_fields=("id", "total"))
    assert one.to_arrow().to_pylist() == [{"id": 30, "total": Decimal("12.50")}]
    assert len(table.scan(row_filter="status == 'paid'").to_arrow()) == 1
    assert len(table.scan(row_filter=IsNull("note")).to_arrow()) == 102
    assert len(table.scan(limit=7).to_arrow()) == 7
    assert table.scan(row_filter="event_date == '2031-01-01'").to_arrow().num_rows == 0


@pytest.mark.client("Tables", "PyIceberg", "snapshots, history, files, partitions, entries, manifests; time travel")
def test_pyiceberg_inspects_and_travels_in_time(lake):
    table = lake.iceberg("orders")
    first, second = table.snapshots()
    assert second.parent_snapshot_id == first.snapshot_id
    assert [e.snapshot_id for e in table.history()] == [first.snapshot_id, second.snapshot_id]
    assert table.current_snapshot() == second
    assert first.summary["added-records"] == "100" and second.summary["total-records"] == "152"
    inspect = table.inspect
    assert inspect.snapshots().column("operation").to_pylist() == ["append", "append"]
    assert inspect.history().column("is_current_ancestor").to_pylist() == [True, True]
    files = inspect.files().to_pylist()
    assert sum(f["record_count"] for f in files) == 152
    for file in files:
        ids = file["readable_metrics"]["id"]
        assert ids["null_value_count"] == 0 and ids["value_count"] == file["record_count"]
        assert 0 <= ids["lower_bound"] <= ids["upper_bound"] < 150
        assert file["readable_metrics"]["total"]["lower_bound"] == Decimal("12.50")
    partitions = {p["partition"]["event_date"]: p["record_count"] for p in inspect.partitions().to_pylist()}
    # the update stands on the day it is about, so does the delete
    assert partitions[datetime.date(2025, 1, 1)] == 26 and sum(partitions.values()) == 152
    entries = inspect.entries().to_pylist()
    assert {e["status"] for e in entries} == {1} and len(entries) == len(files)
    assert {e["sequence_number"] for e in entries} == {1, 2}
    manifests = inspect.manifests().to_pylist()
    assert sum(m["added_data_files_count"] for m in manifests) == len(files)
    assert inspect.metadata_log_entries().num_rows == 2 and inspect.refs().column("name").to_pylist() == ["main"]

    then = table.scan(snapshot_id=first.snapshot_id).to_arrow()
    assert len(then) == 100 and "note" not in then.column_names
    assert table.snapshot_as_of_timestamp(second.timestamp_ms - 1).snapshot_id == first.snapshot_id


@pytest.mark.client("Tables", "PyIceberg", "sees a column that was added later, with its field id and schema history")
def test_pyiceberg_sees_the_schema_evolve(lake):
    table = lake.iceberg("orders")
    before, after = (table.schemas()[i] for i in sorted(table.schemas()))
    assert "note" not in before.column_names and after.find_field("note").field_id == before.highest_field_id + 1
    assert [s.schema_id for s in table.snapshots()] == [before.schema_id, after.schema_id]
    notes = {r["id"]: r["note"] for r in table.scan(row_filter="__op == 'c'").to_arrow().to_pylist()}
    assert notes[99] is None and notes[100] == "n100" and notes[149] == "n149"


@pytest.mark.client("Tables", "PyIceberg", "registers the table in a catalog of its own and appends to a copy")
def test_pyiceberg_registers_the_table_in_a_catalog(lake, tmp_path):
    catalog = InMemoryCatalog("mine", warehouse=f"file://{tmp_path}", **storage(lake))
    catalog.create_namespace("stage")
    table = catalog.register_table("stage.orders", newest(lake))
    rows = table.scan(selected_fields=("id", "status")).to_arrow()
    assert rows.num_rows == 152
    copy = catalog.create_table("stage.copy", rows.schema)
    copy.append(rows)
    assert copy.scan(row_filter="id < 10").to_arrow().num_rows == 12


def storage(lake):
    return {
        "s3.endpoint": lake.house.url("store"),
        "s3.access-key-id": "minio",
        "s3.secret-access-key": "minio123",
        "s3.region": "us-east-1",
    }


# ------------------------------------------------------------------- Polars


@pytest.mark.client("Tables", "Polars", "scan_iceberg: row counts, filters, a column that came later, time travel")
def test_polars_scans_the_table(lake):
    frame = polars.scan_iceberg(lake.iceberg("orders"), storage_options=storage(lake))
    assert frame.select(polars.len()).collect().item() == 152
    found = frame.filter(polars.col("event_date") == datetime.date(2025, 1, 3)).select("id").collect()
    assert sorted(found["id"]) == list(range(48, 72))
    paid = frame.filter((polars.col("status") == "paid") & (polars.col("total") > 12)).collect()
    assert paid["id"].to_list() == [3] and paid["total"].to_list() == [Decimal("12.50")]
    assert frame.filter(polars.col("note").is_null()).select(polars.len()).collect().item() == 102
    sums = frame.group_by("__op").agg(polars.len(), polars.col("total").sum()).sort("__op").collect()
    assert sums.rows() == [("c", 150, Decimal("1875.00")), ("d", 1, Decimal("12.50")), ("u", 1, Decimal("12.50"))]
    first = lake.iceberg("orders").snapshots()[0].snapshot_id
    then = polars.scan_iceberg(lake.iceberg("orders"), snapshot_id=first, storage_options=storage(lake))
    assert then.select(polars.len()).collect().item() == 100


@pytest.mark.client("Tables", "Polars", "scan_iceberg by the metadata file's address")
def test_polars_scans_by_address(lake):
    frame = polars.scan_iceberg(newest(lake), storage_options=storage(lake))
    found = frame.filter(polars.col("status") == "paid").select("id", "__offset").collect()
    assert found.rows() == [(3, 150)] and frame.select(polars.len()).collect().item() == 152


# ------------------------------------------------------------------- DuckDB

SECRET = """CREATE SECRET (TYPE s3, KEY_ID 'minio', SECRET 'minio123', REGION 'us-east-1', ENDPOINT '{}',
URL_STYLE 'path', USE_SSL false)"""


def extension(name):
    """PyPI's package of a DuckDB extension is a folder with the file that INSTALL would download."""
    package = pytest.importorskip(f"duckdb_extension_{name}", reason=f"PyPI's duckdb-extension-{name} is not installed")
    return next(Path(package.__path__[0]).rglob(f"{name}.duckdb_extension"))


@pytest.fixture
def duck(lake):
    connection = duckdb.connect()
    for name in ("avro", "httpfs", "iceberg"):
        connection.execute(f"LOAD '{extension(name)}'")
    connection.execute(SECRET.format(lake.house.address("store")))
    yield connection
    connection.close()


@pytest.mark.client("Tables", "DuckDB", "iceberg_scan by folder and version hint: counts, filters, added column")
def test_duckdb_reads_the_table_by_its_folder(lake, duck):
    scan = f"iceberg_scan('{LOCATION}')"

    def ask(sql):
        return duck.execute(sql).fetchall()

    assert ask(f"SELECT count(*), count(note), sum(total) FROM {scan}") == [(152, 50, Decimal("1900.00"))]
    assert ask(f"SELECT min(id), max(id), count(*) FROM {scan} WHERE event_date = DATE '2025-01-03'") == [(48, 71, 24)]
    assert ask(f"SELECT id, __op FROM {scan} WHERE status = 'paid'") == [(3, "u")]
    assert ask(f"SELECT count(*) FROM {scan} WHERE created_at >= TIMESTAMPTZ '2025-01-07 00:00:00+00'") == [(6,)]


@pytest.mark.client("Tables", "DuckDB", "iceberg_snapshots, iceberg_metadata; time travel by snapshot id")
def test_duckdb_lists_snapshots_and_files(lake, duck):
    first, second = [s.snapshot_id for s in lake.iceberg("orders").snapshots()]
    rows = duck.execute(f"SELECT snapshot_id FROM iceberg_snapshots('{LOCATION}') ORDER BY sequence_number").fetchall()
    assert [r[0] for r in rows] == [first, second]
    files = duck.execute(f"SELECT sum(record_count), count(*) FROM iceberg_metadata('{LOCATION}')").fetchone()
    assert files == (152, len(list(lake.iceberg("orders").scan().plan_files())))
    then = duck.execute(f"SELECT count(*) FROM iceberg_scan('{LOCATION}', snapshot_from_id = {first}::UBIGINT)")
    assert then.fetchone() == (100,)


@pytest.mark.client("Tables", "DuckDB", "read_parquet of the table's files by their list and by a glob")
def test_duckdb_reads_the_data_files_without_the_table(lake, duck):
    files = [task.file.file_path for task in lake.iceberg("orders").scan().plan_files()]
    for source in (str(files), f"'{LOCATION}/data/**/*.parquet'"):
        sql = f"SELECT count(*), count(DISTINCT event_date) FROM read_parquet({source}, union_by_name = true)"
        assert duck.execute(sql).fetchone() == (152, 7)
