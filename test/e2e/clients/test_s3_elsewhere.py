"""Our sink and our build on an S3 server that is not ours: versitygw, files in a folder (moto: ../test_external.py)."""

import subprocess

import pytest

from house import free_offset
from playground import Playground, fast_templates
from s3_seam import ACCESS, DEPS, SECRET
from test_external import proves_equal, wait_for_port


@pytest.fixture
def gateway(tmp_path):
    program = DEPS / "go" / "versitygw"
    if not program.exists():
        pytest.skip("versitygw is not in deps/go (needs go)")
    port, folder = 9000 + free_offset(), tmp_path / "objects"
    folder.mkdir()
    command = [
        program,
        "--access",
        ACCESS,
        "--secret",
        SECRET,
        "--port",
        f"127.0.0.1:{port}",
        "--quiet",
        "posix",
        folder,
    ]
    with open(tmp_path / "versitygw.log", "wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for_port(port, server)
        yield f"http://127.0.0.1:{port}", folder
    finally:
        server.kill()
        server.wait()


@pytest.mark.client(
    "S3", "versitygw", "in our store's place: the sink writes, the build reads and commits, verify proves all equal"
)
def test_versitygw_for_the_store(gateway, tmp_path):
    url, folder = gateway
    with Playground({"HAUS_EXTERNAL": "store", "MINIO_ENDPOINT": url}, fast_templates(tmp_path)) as play:
        assert proves_equal(play)["store"]["pid"] is None
        assert {row["result"] for row in play.json("doctor")} == {"ok"}
    assert list(folder.glob("raw/**/*.avro"))
    assert list(folder.glob("lakehouse/**/metadata/v1.metadata.json"))
