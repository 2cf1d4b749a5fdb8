"""The store under what reads and writes tables and files: s3fs, smart-open, pyarrow, Polars, DuckDB, Rust's object_store, Delta."""

import concurrent.futures
import datetime
import io

import pytest

from house import House
from s3_seam import ACCESS, MIB, ODDER, SECRET, body_of, content, rust, s3

ROWS = 200_000


@pytest.fixture(scope="module")
def house():
    with House("store") as house:
        yield house


@pytest.fixture
def bucket(house, request):
    name = request.node.name.replace("_", "-").replace("test-", "")[:40]
    s3(house).create_bucket(Bucket=name)
    return name


def table(start=0, count=ROWS):
    import pyarrow

    ids = range(start, start + count)
    return pyarrow.table(
        {"id": list(ids), "day": [f"2025-01-0{1 + i % 3}" for i in ids], "name": [f"n{i}" for i in ids]}
    )


@pytest.mark.client("S3", "s3fs", "reads, writes, appends, globs, cp, rm; odd keys; tags, metadata, ranges")
def test_s3fs_daily(house, bucket):
    import s3fs

    endpoint = {"endpoint_url": house.url("store")}
    fs = s3fs.S3FileSystem(key=ACCESS, secret=SECRET, client_kwargs=endpoint, use_listings_cache=False)
    keys = [key for key in ODDER if not key.endswith("/") and "//" not in key and not key.startswith("/")]
    for key in keys:
        fs.pipe(f"{bucket}/odd/{key}", body_of(key))
    assert content(house, bucket) == {f"odd/{key}": body_of(key) for key in keys}
    for key in keys:
        assert fs.cat_file(f"{bucket}/odd/{key}") == body_of(key)  # fs.cat takes brackets for a pattern
    with fs.open(f"{bucket}/log", "wb") as f:
        f.write(b"x" * (6 * MIB))
    with fs.open(f"{bucket}/log", "ab") as f:  # by UploadPartCopy
        f.write(b"tail")
    with fs.open(f"{bucket}/log") as f:
        f.seek(-6, 2)
        assert f.read() == b"xxtail"
    fs.touch(f"{bucket}/empty")
    assert fs.info(f"{bucket}/empty")["size"] == 0
    fs.cp(f"{bucket}/log", f"{bucket}/copies/a b+c")
    fs.setxattr(f"{bucket}/empty", colour="blue")
    assert fs.getxattr(f"{bucket}/empty", "colour") == "blue"
    fs.put_tags(f"{bucket}/empty", {"a b": "c"})
    assert fs.get_tags(f"{bucket}/empty") == {"a b": "c"}
    assert fs.glob(f"{bucket}/*p*/a*") == [f"{bucket}/copies/a b+c"]
    assert fs.cat_ranges([f"{bucket}/log"] * 3, [0, 5, 6 * MIB], [2, 9, 6 * MIB + 4]) == [b"xx", b"xxxx", b"tail"]
    with pytest.raises(FileNotFoundError):
        fs.cat(f"{bucket}/never")
    fs.rm(bucket, recursive=True)
    assert not fs.exists(bucket)


@pytest.mark.client("S3", "smart-open", "reads, seeks, writes in parts, gzip, text, an aborted write leaves nothing")
def test_smart_open(house, bucket):
    import smart_open

    at = {"client": s3(house), "min_part_size": 5 * MIB}
    body = body_of("big", 17 * MIB)
    with smart_open.open(f"s3://{bucket}/big ü", "wb", transport_params=at) as f:
        f.write(body)
    with smart_open.open(f"s3://{bucket}/big ü", "rb", transport_params=at) as f:
        assert f.read() == body
        f.seek(16 * MIB)
        assert f.read(10) == body[16 * MIB : 16 * MIB + 10]
    with smart_open.open(f"s3://{bucket}/lines.gz", "w", transport_params=at) as f:
        f.writelines(f"line {i}\n" for i in range(10_000))
    with smart_open.open(f"s3://{bucket}/lines.gz", transport_params=at) as f:
        assert sum(1 for _ in f) == 10_000
    with pytest.raises(RuntimeError), smart_open.open(f"s3://{bucket}/half", "wb", transport_params=at) as f:
        f.write(body)
        raise RuntimeError
    assert content(house, bucket).keys() == {"big ü", "lines.gz"}
    assert "Uploads" not in s3(house).list_multipart_uploads(Bucket=bucket)


@pytest.mark.client("S3", "pyarrow", "S3FileSystem: directories, odd keys, moves, datasets with filters")
def test_pyarrow_daily(house, bucket):
    import pyarrow.dataset as ds
    from pyarrow import fs

    own = fs.S3FileSystem(
        access_key=ACCESS,
        secret_key=SECRET,
        endpoint_override=house.address("store"),
        scheme="http",
        region="us-east-1",
    )
    for key in ("a b", "a+b", "a%2Fb", "käse/日本/🙂", "q?x=1&y#z"):
        with own.open_output_stream(f"{bucket}/odd/{key}", metadata={"Content-Type": "x/y"}) as f:
            f.write(body_of(key))
        with own.open_input_stream(f"{bucket}/odd/{key}") as f:
            assert f.readall() == body_of(key)
        assert s3(house).head_object(Bucket=bucket, Key=f"odd/{key}")["ContentType"] == "x/y"
    own.create_dir(f"{bucket}/d/e", recursive=True)
    assert own.get_file_info(f"{bucket}/d").type == fs.FileType.Directory
    own.move(f"{bucket}/odd/a b", f"{bucket}/moved")
    own.copy_file(f"{bucket}/moved", f"{bucket}/copied")
    found = own.get_file_info(fs.FileSelector(bucket, recursive=True))
    assert {f.path for f in found if f.is_file} >= {f"{bucket}/moved", f"{bucket}/copied", f"{bucket}/odd/a+b"}
    ds.write_dataset(
        table(), f"{bucket}/t", filesystem=own, format="parquet", partitioning=["day"], partitioning_flavor="hive"
    )
    read = ds.dataset(f"{bucket}/t", filesystem=own, partitioning="hive")
    assert read.count_rows() == ROWS
    assert read.to_table(filter=(ds.field("day") == "2025-01-02") & (ds.field("id") < 100)).num_rows == 33
    own.delete_dir(f"{bucket}/t")
    assert own.get_file_info(f"{bucket}/t").type == fs.FileType.NotFound
    with pytest.raises(FileNotFoundError):
        own.open_input_file(f"{bucket}/never")


@pytest.mark.client("S3", "Polars", "scan_parquet, scan_csv of s3:// globs with filters, sink_parquet, write_parquet")
def test_polars(house, bucket):
    import polars

    options = {
        "aws_endpoint_url": house.url("store"),
        "aws_access_key_id": ACCESS,
        "aws_secret_access_key": SECRET,
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }
    frame = polars.from_arrow(table())
    for day, part in frame.partition_by("day", as_dict=True).items():
        part.write_parquet(f"s3://{bucket}/t/day={day[0]}/part 1.parquet", storage_options=options)
    scan = polars.scan_parquet(f"s3://{bucket}/t/**/*.parquet", storage_options=options, hive_partitioning=True)
    assert scan.select(polars.len()).collect().item() == ROWS
    some = scan.filter((polars.col("day") == "2025-01-02") & (polars.col("id") < 100)).collect()
    assert some["id"].to_list() == list(range(1, 100, 3))
    scan.filter(polars.col("id") % 2 == 0).sink_parquet(f"s3://{bucket}/even.parquet", storage_options=options)
    even = polars.read_parquet(f"s3://{bucket}/even.parquet", storage_options=options)
    assert even["id"].sum() == sum(range(0, ROWS, 2))
    s3(house).put_object(Bucket=bucket, Key="c.csv", Body=b"a,b\n1,x\n2,y\n")
    assert polars.scan_csv(f"s3://{bucket}/*.csv", storage_options=options).collect()["a"].sum() == 3


@pytest.mark.client("S3", "DuckDB httpfs", "reads globs, COPY TO in parts and by partition, odd keys, what is missing")
def test_duckdb_httpfs(house, bucket):
    import duckdb

    httpfs = pytest.importorskip("duckdb_extension_httpfs", reason="duckdb-extension-httpfs is not installed")
    folder = f"{httpfs.__path__[0]}/extensions/v{duckdb.__version__}/httpfs.duckdb_extension"
    db = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    db.execute(f"load '{folder}'")
    db.execute(
        f"create secret (type s3, key_id '{ACCESS}', secret '{SECRET}', region 'us-east-1', "
        f"endpoint '{house.address('store')}', url_style 'path', use_ssl false)"
    )

    def one(sql):
        return db.execute(sql).fetchone()[0]

    db.execute(
        f"create table t as select i id, '2025-01-0' || (1 + i % 3) as day, md5(i::text) as name from range({ROWS * 5}) r(i)"
    )
    db.execute(f"copy t to 's3://{bucket}/whole.parquet' (format parquet)")  # 30 MB, in parts
    assert one(f"select count(*) from 's3://{bucket}/whole.parquet'") == ROWS * 5
    assert one(f"select name from 's3://{bucket}/whole.parquet' where id = 4711") == one("select md5('4711')")
    db.execute(f"copy (select * from t where id < 1000) to 's3://{bucket}/d' (format parquet, partition_by (day))")
    assert one(f"select count(*) from read_parquet('s3://{bucket}/d/*/*.parquet') where day = '2025-01-02'") == 333
    assert one(f"select count(*) from glob('s3://{bucket}/d/**')") == 3
    db.execute(f"copy (select 1 a) to 's3://{bucket}/odd/a b+c ü.csv'")
    assert one(f"select a from 's3://{bucket}/odd/a b+c ü.csv'") == 1
    assert one(f"select content from read_text('s3://{bucket}/odd/*')") == "a\n1\n"
    db.execute(f"copy (select 2 a) to 's3://{bucket}/whole.parquet' (format parquet)")
    assert one(f"select a from 's3://{bucket}/whole.parquet'") == 2
    with pytest.raises(duckdb.Error, match="404|No files found"):
        db.execute(f"select * from 's3://{bucket}/never.parquet'")


@pytest.mark.client(
    "S3", "object_store (Rust)", "put, parts, ranges, lists, copies, renames, bulk deletes, attributes, signed URLs"
)
def test_obstore(house, bucket):
    import obstore
    import requests

    store = rust(house, bucket)
    for key in ("a b", "a+b", "käse/日本/🙂", "q?x=1&y#z"):
        obstore.put(store, key, body_of(key), attributes={"Content-Type": "x/y", "colour": "blue"}, tags={"t": "1"})
        got = obstore.get(store, key)
        assert got.attributes["Content-Type"] == "x/y" and got.attributes["colour"] == "blue"
        assert got.bytes() == body_of(key)
    big = body_of("big", 23 * MIB)
    obstore.put(store, "dir/big", io.BytesIO(big), chunk_size=5 * MIB)
    starts = [0, 7 * MIB, 23 * MIB - 9]
    got = obstore.get_ranges(store, "dir/big", starts=starts, lengths=[5, 6, 9])
    assert [bytes(part) for part in got] == [big[at : at + n] for at, n in zip(starts, (5, 6, 9), strict=True)]
    obstore.copy(store, "a b", "dir/copy")
    obstore.rename(store, "a+b", "dir/renamed")
    listed = obstore.list_with_delimiter(store)
    assert sorted(listed["common_prefixes"]) == ["dir", "käse"] and {o["path"] for o in listed["objects"]} == {
        "a b",
        "q?x=1&y#z",
    }
    names = [row["path"] for page in obstore.list(store, chunk_size=2) for row in page]
    assert len(names) == 6
    assert [row["path"] for page in obstore.list(store, offset="dir/copy") for row in page] == sorted(names)[3:]
    with pytest.raises(FileNotFoundError):
        obstore.get(store, "never")
    url = obstore.sign(store, "GET", "a b", datetime.timedelta(minutes=1))
    assert requests.get(url, timeout=10).content == body_of("a b")
    obstore.delete(store, names)
    assert content(house, bucket) == {}


@pytest.mark.client(
    "S3", "object_store (Rust)", "of 16 who create a key one wins; 16 who count by compare and swap lose nothing"
)
def test_obstore_conditions(house, bucket):
    import obstore
    from obstore.exceptions import AlreadyExistsError, PreconditionError

    store = rust(house, bucket)

    def create(i):
        try:
            obstore.put(store, "once", str(i).encode(), mode="create")
        except AlreadyExistsError:
            return None
        return i

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        won = [i for i in pool.map(create, range(16)) if i is not None]
    assert len(won) == 1 and bytes(obstore.get(store, "once").bytes()) == str(won[0]).encode()
    obstore.put(store, "count", b"0")

    def add_one(_):
        while True:
            got = obstore.get(store, "count")
            version = {"e_tag": got.meta["e_tag"]}
            try:
                return obstore.put(store, "count", str(int(bytes(got.bytes())) + 1).encode(), mode=version)
            except PreconditionError:
                continue

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(add_one, range(48)))
    assert bytes(obstore.get(store, "count").bytes()) == b"48"
    with pytest.raises(AlreadyExistsError):
        obstore.copy(store, "count", "once", overwrite=False)


@pytest.mark.client(
    "S3", "delta-rs", "tables: four writers append at once, read, delete, optimize, vacuum, time travel"
)
def test_delta(house, bucket):
    import deltalake

    options = {
        "AWS_ENDPOINT_URL": house.url("store"),
        "AWS_ACCESS_KEY_ID": ACCESS,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }
    at = f"s3://{bucket}/table"
    deltalake.write_deltalake(at, table(0, 1000), partition_by=["day"], storage_options=options)

    def append(i):
        deltalake.write_deltalake(at, table(1000 * i, 1000), mode="append", storage_options=options)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(1, 5)))
    t = deltalake.DeltaTable(at, storage_options=options)
    ids = t.to_pyarrow_table(columns=["id"])["id"].to_pylist()
    assert t.version() == 4 and sorted(ids) == list(range(5000))
    t.delete("id >= 4000")
    t.optimize.compact()
    t.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    t = deltalake.DeltaTable(at, storage_options=options)
    assert t.to_pyarrow_table().num_rows == 4000
