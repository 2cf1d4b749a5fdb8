"""What programs do with boto3 all day, with whichever boto3 runs this.

s3_boto3.py ENDPOINT BUCKET      ends with an AssertionError at the first answer that is not as it should be
"""

import io
import os
import sys
import tempfile
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

MIB = 1 << 20
ODD = [
    "plain",
    "a b",
    "a+b",
    "a%2Fb",
    "a//b",
    "käse/日本/🙂",
    "q?x=1&y#z",
    "quote\"'<>&",
    "tail/",
    "x/./y",
    "x/../z",
    "..",
]
KEYS = {"aws_access_key_id": "minio", "aws_secret_access_key": "minio123", "region_name": "us-east-1"}


def code_of(call, **kwargs):
    try:
        call(**kwargs)
    except ClientError as e:
        return e.response["Error"]["Code"]
    return "no error"


def objects(s3, bucket):
    for i, key in enumerate(ODD):
        body = os.urandom(i * 7000)
        bucket.put_object(Key=key, Body=body, ContentType="x/y", Metadata={"colour": "blue"}, ContentEncoding="x-none")
        got = bucket.Object(key).get()
        assert got["Body"].read() == body, key
        assert (got["ContentType"], got["ContentEncoding"]) == ("x/y", "x-none") and got["Metadata"] == {
            "colour": "blue"
        }
    assert {o.key for o in bucket.objects.all()} == set(ODD)
    assert code_of(s3.head_object, Bucket=bucket.name, Key="never") == "404"
    assert code_of(s3.get_object, Bucket=bucket.name, Key="never") == "NoSuchKey"
    assert s3.get_object(Bucket=bucket.name, Key="a b", Range="bytes=-5")["ContentLength"] == 5
    bucket.Object("copy").copy({"Bucket": bucket.name, "Key": "käse/日本/🙂"})
    s3.copy_object(
        Bucket=bucket.name,
        Key="copy",
        CopySource={"Bucket": bucket.name, "Key": "copy"},
        MetadataDirective="REPLACE",
        Metadata={"new": "1"},
        ContentType="z/z",
    )
    head = s3.head_object(Bucket=bucket.name, Key="copy")
    assert head["Metadata"] == {"new": "1"} and head["ContentType"] == "z/z" and head["ContentLength"] == 35000


def transfers(s3, bucket):
    parts = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB, max_concurrency=4)
    body = os.urandom(64 * MIB + 1)
    with tempfile.TemporaryDirectory() as folder:
        sent, got = os.path.join(folder, "sent"), os.path.join(folder, "got")
        with open(sent, "wb") as f:
            f.write(body)
        s3.upload_file(sent, bucket.name, "big", Config=parts, ExtraArgs={"Metadata": {"m": "1"}})
        s3.download_file(bucket.name, "big", got, Config=parts)
        with open(got, "rb") as f:
            assert f.read() == body
    assert s3.head_object(Bucket=bucket.name, Key="big")["ETag"].endswith('-9"')
    s3.upload_fileobj(io.BytesIO(b""), bucket.name, "empty")
    s3.copy({"Bucket": bucket.name, "Key": "big"}, bucket.name, "big copy", Config=parts)  # by UploadPartCopy
    assert bucket.Object("big copy").get()["Body"].read() == body
    assert bucket.Object("empty").content_length == 0


def urls(s3, bucket):
    at = {"Bucket": bucket.name, "Key": "signed a+b/ü"}
    request = urllib.request.Request(
        s3.generate_presigned_url("put_object", Params={**at, "ContentType": "text/x"}),
        b"by url",
        {"Content-Type": "text/x"},
        method="PUT",
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(s3.generate_presigned_url("get_object", Params=at, ExpiresIn=604800)) as answer:
        assert answer.read() == b"by url" and answer.headers["Content-Type"] == "text/x"


def clear(s3, bucket):
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket.name, PaginationConfig={"PageSize": 4}))
    old = list(s3.get_paginator("list_objects").paginate(Bucket=bucket.name, PaginationConfig={"PageSize": 3}))
    rows = [[o["Key"] for page in some for o in page["Contents"]] for some in (pages, old)]
    assert rows[0] == rows[1] and len(rows[0]) == len(ODD) + 5
    assert sum(len(answer["Deleted"]) for answer in bucket.objects.delete()) == len(rows[0])
    assert not list(bucket.objects.all())
    s3.get_waiter("object_not_exists").wait(Bucket=bucket.name, Key="plain")
    bucket.delete()
    s3.get_waiter("bucket_not_exists").wait(Bucket=bucket.name)


def main(endpoint, name):
    s3 = boto3.client("s3", endpoint_url=endpoint, **KEYS)
    bucket = boto3.resource("s3", endpoint_url=endpoint, **KEYS).create_bucket(Bucket=name)
    bucket.wait_until_exists()
    objects(s3, bucket)
    transfers(s3, bucket)
    urls(s3, bucket)
    clear(s3, bucket)


main(*sys.argv[1:])
