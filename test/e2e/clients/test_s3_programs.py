"""The store by programs: boto3 of today and of 2023, AWS's SDKs for Go and JavaScript, minio's clients for both.

Each scenario is a program of its own language (python/s3_boto3.py, go/s3, js/s3) and tells by its exit code.
"""

import shutil
import sys

import pytest

from house import House
from s3_seam import DEPS, HERE, run


@pytest.fixture(scope="module")
def house():
    with House("store") as house:
        yield house


def present(path, why):
    return path if path.exists() else pytest.skip(f"{path.name} is not in deps ({why})")


@pytest.mark.client(
    "S3", "boto3", "resource and client: objects, s3transfer in parts, copies, paginators, waiters, presigned URLs"
)
def test_boto3_of_today(house):
    run(sys.executable, HERE / "python" / "s3_boto3.py", house.url("store"), "boto3-new")


@pytest.mark.client("S3", "boto3 1.26", "the same, from before default checksums")
def test_boto3_of_2023(house):
    python = present(DEPS / "python" / "boto3-1.26" / "bin" / "python", "tool/test-deps")
    run(python, HERE / "python" / "s3_boto3.py", house.url("store"), "boto3-old")


GO = [
    pytest.param(
        "aws",
        marks=pytest.mark.client(
            "S3", "AWS SDK for Go v2", "objects, streams, manager's parts, conditions, presigned URLs, pages"
        ),
    ),
    pytest.param(
        "minio",
        marks=pytest.mark.client(
            "S3", "minio-go", "objects, streams in parts, compose, tags, presigned URLs, listings"
        ),
    ),
]


@pytest.mark.parametrize("client", GO)
def test_go(house, client):
    run(present(DEPS / "go" / "s3", "needs go"), client, house.url("store"), f"go-{client}")


JAVASCRIPT = [
    pytest.param(
        "aws",
        marks=pytest.mark.client(
            "S3", "AWS SDK for JavaScript v3", "objects, lib-storage's parts, conditions, tags, presigned URLs, pages"
        ),
    ),
    pytest.param(
        "minio",
        marks=pytest.mark.client(
            "S3", "minio for JavaScript", "objects, streams in parts, copies, tags, presigned URLs, listings"
        ),
    ),
]


@pytest.mark.parametrize("client", JAVASCRIPT)
def test_javascript(house, client):
    packages = present(DEPS / "js" / "s3" / "node_modules", "needs npm")
    node = shutil.which("node") or pytest.skip("node is not installed")
    run(
        node, HERE / "js" / "s3" / "s3.js", client, house.url("store"), f"js-{client}", env={"NODE_PATH": str(packages)}
    )
