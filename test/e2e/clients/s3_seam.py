"""What the tests of the seam S3 share: the store's keys, keys of objects that clients stumble over, and how a client is run."""

import json
import os
import random
import subprocess
from pathlib import Path

import boto3
from obstore.store import S3Store

from house import ROOT

ACCESS, SECRET = "minio", "minio123"
DEPS = ROOT / "deps"
HERE = Path(__file__).parent
MIB = 1 << 20
ODD = [
    "plain",
    "a b",
    "a+b",
    "a%2Fb",
    "käse/日本/🙂",
    "q?x=1&y#z",
    "quote\"'<>&",
    "(round) [square] {curly} ~!$,;:@=^|`",
]
# also names that a file system does not have
ODDER = [*ODD, "a//b", "tail/", "dots/./x", "dots/../y", "..", "/lead"]


def body_of(key, size=10_000):
    return random.Random(key).randbytes(size)


def s3(house):
    """Our side's look at what a client did."""
    return boto3.client(
        "s3",
        endpoint_url=house.url("store"),
        region_name="us-east-1",
        aws_access_key_id=ACCESS,
        aws_secret_access_key=SECRET,
    )


def rust(house, bucket):
    """Rust's object_store, as Polars, delta-rs and DataFusion have it."""
    return S3Store(
        bucket,
        endpoint=house.url("store"),
        access_key_id=ACCESS,
        secret_access_key=SECRET,
        region="us-east-1",
        copy_if_not_exists="multipart",
        client_options={"allow_http": True},
    )


def content(house, bucket):
    """Every object of a bucket by key."""
    own = s3(house)
    pages = own.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [row["Key"] for page in pages for row in page.get("Contents", [])]
    return {key: own.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def public(house, bucket):
    """Everybody may list the bucket and read its objects, as `mc anonymous set download` has it."""
    everybody = {"Effect": "Allow", "Principal": {"AWS": ["*"]}}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {**everybody, "Action": ["s3:GetBucketLocation", "s3:ListBucket"], "Resource": [f"arn:aws:s3:::{bucket}"]},
            {**everybody, "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{bucket}/*"]},
        ],
    }
    s3(house).put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def run(*args, env=None, check=True, **kwargs):
    """A command, without the AWS settings of whoever runs the tests; what it said when it failed stands in the report."""
    command = [str(arg) for arg in args]
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        command, env={**own, **(env or {})}, capture_output=True, text=True, timeout=240, check=False, **kwargs
    )
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done
