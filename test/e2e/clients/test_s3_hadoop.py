"""Hadoop's file system shell over s3a, in one JVM: what `hadoop fs` does with a warehouse (Spark: ../test_stage_spark.py)."""

import pytest

from house import House
from s3_seam import ACCESS, MIB, SECRET, body_of, content, s3
from spark_session import jars

pytestmark = pytest.mark.slow
NAMES = ["plain", "a b", "a+b", "a%2Fb", "käse/日本", "q?x=1&y#z"]


@pytest.fixture(scope="module")
def house():
    with House("store") as house:
        yield house


@pytest.fixture(scope="module")
def jvm():
    """The JVM as spark-submit starts it; its jars are Hadoop 3.3.4's."""
    pytest.importorskip("pyspark")
    from pyspark import SparkConf
    from pyspark.java_gateway import launch_gateway

    gateway = launch_gateway(SparkConf().set("spark.driver.extraClassPath", ":".join(jars())))
    yield gateway
    gateway.shutdown()
    gateway.proc.kill()
    gateway.proc.wait()


@pytest.fixture
def hadoop(jvm, house):
    settings = {
        "fs.defaultFS": "s3a://hadoop/",
        "fs.s3a.endpoint": house.url("store"),
        "fs.s3a.access.key": ACCESS,
        "fs.s3a.secret.key": SECRET,
        "fs.s3a.path.style.access": "true",
        "fs.s3a.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "fs.s3a.multipart.size": "5M",
        "fs.s3a.multipart.threshold": "5M",
        "fs.s3a.paging.maximum": "3",
    }
    hadoop = jvm.jvm.org.apache.hadoop
    conf = hadoop.conf.Configuration()
    for name, value in settings.items():
        conf.set(name, value)
    s3(house).create_bucket(Bucket="hadoop")

    def fs(*args):
        words = jvm.new_array(jvm.jvm.java.lang.String, len(args))
        for i, arg in enumerate(args):
            words[i] = str(arg)
        return hadoop.util.ToolRunner.run(conf, hadoop.fs.FsShell(), words)

    return fs


@pytest.mark.client(
    "S3", "Hadoop s3a", "hadoop fs: -mkdir, -put, -ls, -cp, -mv of folders, -get, -appendToFile, -rm; odd names, parts"
)
def test_hadoop_fs(house, hadoop, tmp_path):
    tree = tmp_path / "tree"
    files = {f"odd/{name}": body_of(name) for name in NAMES} | {"empty": b"", "large": body_of("large", 17 * MIB)}
    for name, body in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(body)
    assert hadoop("-mkdir", "-p", "/wh/empty folder") == 0
    assert content(house, "hadoop") == {"wh/empty folder/": b""}
    assert hadoop("-put", tree, "/wh/") == 0
    stored = content(house, "hadoop")
    assert {key: body for key, body in stored.items() if not key.endswith("/")} == {
        f"wh/tree/{k}": v for k, v in files.items()
    }
    assert hadoop("-put", tree / "empty", "/wh/tree/empty") != 0  # it is there already
    assert hadoop("-ls", "-R", "/") == 0
    assert hadoop("-cp", "/wh/tree/odd", "/wh/copy") == 0
    assert hadoop("-mv", "/wh/tree", "/wh/moved") == 0  # a rename is a copy of each, then bulk deletes
    keys = {key for key in content(house, "hadoop") if not key.endswith("/")}
    assert keys == {f"wh/moved/{name}" for name in files} | {f"wh/copy/{name}" for name in NAMES}
    assert hadoop("-get", "/wh/moved", tmp_path / "back") == 0
    back = {
        str(p.relative_to(tmp_path / "back")): p.read_bytes() for p in (tmp_path / "back").rglob("*") if p.is_file()
    }
    assert {name: body for name, body in back.items() if not name.endswith(".crc")} == files
    assert hadoop("-touchz", "/wh/_SUCCESS") == 0 and hadoop("-test", "-e", "/wh/_SUCCESS") == 0
    assert hadoop("-test", "-d", "/wh/moved/odd") == 0 and hadoop("-test", "-e", "/wh/never") == 1
    assert hadoop("-rm", "-r", "-skipTrash", "/wh") == 0
    assert content(house, "hadoop") == {}
    assert "Uploads" not in s3(house).list_multipart_uploads(Bucket="hadoop")
