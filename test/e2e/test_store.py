"""The store by strangers' clients: boto3, minio, s3fs, pyarrow, plain HTTP."""

import base64
import concurrent.futures
import hashlib
import io
import json
import os
import random
import threading
import time
import urllib.parse
import zlib

import boto3
import botocore.exceptions
import pytest
import requests
from botocore.config import Config
from house import House

KEYS = {"aws_access_key_id": "minio", "aws_secret_access_key": "minio123"}
PUBLIC_READ = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": ["*"]},
            "Action": ["s3:GetBucketLocation", "s3:ListBucket"],
            "Resource": ["arn:aws:s3:::{bucket}"],
        },
        {
            "Effect": "Allow",
            "Principal": {"AWS": ["*"]},
            "Action": ["s3:GetObject"],
            "Resource": ["arn:aws:s3:::{bucket}/*"],
        },
    ],
}
MIB = 1 << 20


@pytest.fixture(scope="module")
def house():
    with House("store") as house:
        yield house


def client(house, **config):
    return boto3.client(
        "s3",
        endpoint_url=house.url("store"),
        region_name="us-east-1",
        config=Config(retries={"max_attempts": 1}, max_pool_connections=80, **config),
        **KEYS,
    )


@pytest.fixture(scope="module")
def s3(house):
    return client(house)


_buckets = iter(range(10000))


@pytest.fixture
def bucket(s3):
    name = f"bucket-{next(_buckets)}"
    s3.create_bucket(Bucket=name)
    return name


def refused(call, **kwargs):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**kwargs)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


# ----------------------------------------------------------------- buckets


def test_a_bucket_is_made_again_by_its_owner_and_listed(s3, bucket):
    assert s3.create_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    assert s3.head_bucket(Bucket=bucket)["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)


def test_a_bucket_goes_only_when_it_is_empty(s3, bucket):
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    assert refused(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=bucket, Key="a")
    s3.delete_bucket(Bucket=bucket)
    assert refused(s3.head_bucket, Bucket=bucket) == ("404", 404)
    assert refused(s3.list_objects_v2, Bucket=bucket) == ("NoSuchBucket", 404)


@pytest.mark.parametrize("name", ["ab", "Upper-case", "under_score", "192.168.1.1", "a..b", "x" * 64, "-ab"])
def test_bad_bucket_names_are_refused(house, name):
    own = client(house)
    own.meta.events.unregister("before-parameter-build.s3", botocore.handlers.validate_bucket_name)
    assert refused(own.create_bucket, Bucket=name) == ("InvalidBucketName", 400)


@pytest.mark.parametrize(
    "call, code",
    [
        ("get_bucket_policy", "NoSuchBucketPolicy"),
        ("get_bucket_cors", "NoSuchCORSConfiguration"),
        ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
        ("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError"),
        ("get_bucket_tagging", "NoSuchTagSet"),
        ("get_bucket_website", "NoSuchWebsiteConfiguration"),
        ("get_public_access_block", "NoSuchPublicAccessBlockConfiguration"),
        ("get_bucket_ownership_controls", "OwnershipControlsNotFoundError"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ],
)
def test_what_is_not_configured_is_told_by_its_own_code(s3, bucket, call, code):
    assert refused(getattr(s3, call), Bucket=bucket) == (code, 404)


def test_canned_private_is_accepted_and_others_are_told(s3, bucket):
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    s3.put_object(Bucket=bucket, Key="k", Body=b"", ACL="private")
    s3.put_object_acl(Bucket=bucket, Key="k", ACL="private")
    assert s3.get_bucket_acl(Bucket=bucket)["Grants"][0]["Permission"] == "FULL_CONTROL"
    assert refused(s3.put_object_acl, Bucket=bucket, Key="k", ACL="public-read")[0] == "AccessControlListNotSupported"


# ----------------------------------------------------------------- objects


@pytest.mark.client("S3", "boto3", "objects of all sizes, ranges, conditions, bulk deletes")
@pytest.mark.parametrize("size", [0, 1, 1000, 65535, 65536, 65537, 300000, 3 * MIB + 7])
def test_what_is_put_is_got(s3, bucket, size):
    body = random.Random(size).randbytes(size)
    put = s3.put_object(
        Bucket=bucket, Key="k", Body=body, ContentType="a/b", Metadata={"Colour": "grün".encode().hex()}
    )
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == body
    assert got["ContentLength"] == size and got["ContentType"] == "a/b"
    assert got["ETag"] == put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert got["Metadata"] == {"colour": "grün".encode().hex()}
    assert got["AcceptRanges"] == "bytes"
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ContentLength"], head["ETag"]) == (size, put["ETag"])


KEYS_OF_ALL_KINDS = [
    "a",
    "a/b",
    "a//b",
    "a/../b",
    "..",
    "./x",
    "/lead",
    "trail/",
    "with blank",
    "plus+plus",
    "per%cent%2F",
    "q?x=1&y#z",
    "käse/日本/🙂",
    "quote\"'<>&",
    "tab\tline\nend",
    "x" * 1024,
    "ü" * 512,
    "s/" * 512,
]


@pytest.mark.client("S3", "boto3", "keys of all kinds, written, listed, deleted")
def test_a_key_is_a_key(s3, bucket):
    for key in KEYS_OF_ALL_KINDS:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for key in KEYS_OF_ALL_KINDS:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    for call, args in ((s3.list_objects_v2, {}), (s3.list_objects, {}), (s3.list_objects_v2, {"EncodingType": "url"})):
        keys = [o["Key"] for o in call(Bucket=bucket, **args)["Contents"]]
        if args:
            keys = [urllib.parse.unquote_plus(k) for k in keys]
        assert keys == sorted(KEYS_OF_ALL_KINDS, key=str.encode)
    assert refused(s3.put_object, Bucket=bucket, Key="x" * 1025, Body=b"") == ("KeyTooLongError", 400)
    for key in KEYS_OF_ALL_KINDS:
        s3.delete_object(Bucket=bucket, Key=key)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    s3.delete_bucket(Bucket=bucket)


@pytest.mark.client("S3", "boto3", "objects of all sizes, ranges, conditions, bulk deletes")
@pytest.mark.parametrize("size", [10, 200000])
def test_ranges(s3, bucket, size):
    body = random.Random(1).randbytes(size)
    s3.put_object(Bucket=bucket, Key="k", Body=body)

    def get(header):
        got = s3.get_object(Bucket=bucket, Key="k", Range=header)
        return got["Body"].read(), got.get("ContentRange"), got["ResponseMetadata"]["HTTPStatusCode"]

    assert get("bytes=2-5") == (body[2:6], f"bytes 2-5/{size}", 206)
    assert get("bytes=7-") == (body[7:], f"bytes 7-{size - 1}/{size}", 206)
    assert get("bytes=-3") == (body[-3:], f"bytes {size - 3}-{size - 1}/{size}", 206)
    assert get(f"bytes=5-{size * 9}") == (body[5:], f"bytes 5-{size - 1}/{size}", 206)
    assert get("bytes=0-1,4-5") == (body, None, 200)
    assert get("lines=0-1") == (body, None, 200)
    assert refused(s3.get_object, Bucket=bucket, Key="k", Range=f"bytes={size}-") == ("InvalidRange", 416)
    assert s3.head_object(Bucket=bucket, Key="k", Range="bytes=1-2")["ContentLength"] == 2


@pytest.mark.client("S3", "boto3", "objects of all sizes, ranges, conditions, bulk deletes")
def test_conditions_of_reads(house, s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    assert s3.get_object(Bucket=bucket, Key="k", IfMatch=etag)["Body"].read() == b"x"
    assert refused(s3.get_object, Bucket=bucket, Key="k", IfMatch='"other"') == ("PreconditionFailed", 412)
    assert refused(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag) == ("304", 304)
    assert refused(s3.get_object, Bucket=bucket, Key="k", IfModifiedSince=modified) == ("304", 304)
    assert s3.get_object(Bucket=bucket, Key="k", IfUnmodifiedSince=modified)["Body"].read() == b"x"
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    answer = requests.get(url, headers={"If-None-Match": etag}, timeout=10)
    assert answer.status_code == 304 and answer.headers["ETag"] == etag and answer.content == b""


@pytest.mark.client("S3", "boto3", "objects of all sizes, ranges, conditions, bulk deletes")
def test_conditions_of_writes(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfMatch='"no"') == ("PreconditionFailed", 412)
    assert refused(s3.put_object, Bucket=bucket, Key="none", Body=b"2", IfMatch=etag) == ("NoSuchKey", 404)
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfNoneMatch=etag) == ("NotImplemented", 501)
    s3.put_object(Bucket=bucket, Key="k", Body=b"3", IfMatch=etag)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"3"
    assert refused(s3.delete_object, Bucket=bucket, Key="k", IfMatch=etag) == ("PreconditionFailed", 412)


@pytest.mark.client("S3", "boto3", "64 writers of one key: one wins")
@pytest.mark.parametrize("size", [4, 100000])
def test_of_64_who_create_one_key_one_wins(s3, bucket, size):
    barrier = threading.Barrier(64)

    def put(i):
        body = bytes([i]) * size
        barrier.wait()
        try:
            s3.put_object(Bucket=bucket, Key="k", Body=body, IfNoneMatch="*")
            return body
        except botocore.exceptions.ClientError as e:
            assert e.response["ResponseMetadata"]["HTTPStatusCode"] == 412
            return None

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        won = [body for body in pool.map(put, range(64)) if body]
    assert len(won) == 1
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == won[0]


@pytest.mark.client("S3", "boto3", "objects of all sizes, ranges, conditions, bulk deletes")
def test_deleting(s3, bucket):
    s3.delete_object(Bucket=bucket, Key="never")
    for key in ("d/a", "d/b", "x"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    answer = s3.delete_objects(
        Bucket=bucket, Delete={"Objects": [{"Key": "never"}, {"Key": "d/"}, {"Key": "x"}, {"Key": "a&<b>"}]}
    )
    assert {d["Key"] for d in answer["Deleted"]} == {"never", "d/", "x", "a&<b>"} and "Errors" not in answer
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["d/a", "d/b"]
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "d/a"}, {"Key": "d/b"}], "Quiet": True})
    assert "Deleted" not in quiet
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_what_a_reader_has_begun_it_ends_though_the_object_goes(s3, bucket):
    body = os.urandom(24 * MIB)
    s3.put_object(Bucket=bucket, Key="one", Body=body)
    upload(s3, bucket, "parts", [body[: 5 * MIB], body[5 * MIB : 15 * MIB], body[15 * MIB :]])
    for key in ("one", "parts"):
        stream = s3.get_object(Bucket=bucket, Key=key)["Body"]
        start = stream.read(1000)
        s3.delete_object(Bucket=bucket, Key=key)
        s3.put_object(Bucket=bucket, Key=key, Body=b"new")
        assert start + stream.read() == body


# ---------------------------------------------------------------- listings


def model(keys, prefix, delimiter):
    rows = []
    for key in sorted(keys, key=str.encode):
        if not key.startswith(prefix):
            continue
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        row = ("P", key[: at + len(delimiter)]) if at >= 0 else ("K", key)
        if not rows or rows[-1] != row:
            rows.append(row)
    return rows


def rows_of(page):
    rows = [("K", o["Key"]) for o in page.get("Contents", [])]
    rows += [("P", p["Prefix"]) for p in page.get("CommonPrefixes", [])]
    return sorted(rows, key=lambda row: row[1].encode())


@pytest.fixture(scope="module")
def listed(s3):
    rng = random.Random(7)
    keys = {"".join(rng.choice("ab/é") for _ in range(rng.randrange(1, 9))) for _ in range(150)}
    keys |= {"l" * 500 + tail for tail in ("", "/", "/x", "/y/z", "m")}
    s3.create_bucket(Bucket="listed")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda k: s3.put_object(Bucket="listed", Key=k, Body=b""), keys))
    return keys


@pytest.mark.parametrize("prefix", ["", "a", "a/", "/", "l", "é", "none"])
@pytest.mark.parametrize("delimiter", ["", "/", "a", "//"])
@pytest.mark.parametrize("page_size", [2, 1000])
def test_listings_are_those_of_a_naive_model(s3, listed, prefix, delimiter, page_size):
    want = model(listed, prefix, delimiter)
    args = {"Bucket": "listed", "Prefix": prefix, "Delimiter": delimiter, "MaxKeys": page_size}
    for version in (1, 2):
        got, more = [], {}
        while True:
            page = (s3.list_objects if version == 1 else s3.list_objects_v2)(**args, **more)
            assert urllib.parse.unquote(page["Prefix"]) == prefix
            assert len(rows_of(page)) <= page_size
            got += rows_of(page)
            if not page["IsTruncated"]:
                break
            if version == 2:
                more = {"ContinuationToken": page["NextContinuationToken"]}
            else:
                more = {"Marker": page["NextMarker"]}
        assert got == want


def test_listing_from_a_key_and_no_keys(s3, listed):
    keys = sorted(listed, key=str.encode)
    page = s3.list_objects_v2(Bucket="listed", StartAfter=keys[10])
    assert [o["Key"] for o in page["Contents"]] == keys[11:]
    page = s3.list_objects_v2(Bucket="listed", MaxKeys=0)
    assert not page["IsTruncated"] and page["KeyCount"] == 0
    assert refused(s3.list_objects_v2, Bucket="listed", ContinuationToken="x!")[0] == "InvalidArgument"


def test_the_words_of_a_listing(house, s3, bucket):
    s3.put_object(Bucket=bucket, Key="a+b c&d", Body=b"")
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(PUBLIC_READ).replace("{bucket}", bucket))
    text = requests.get(f"{house.url('store')}/{bucket}?list-type=2&encoding-type=url", timeout=10).text
    assert "<Prefix></Prefix>" in text and "<Key>a%2Bb%20c%26d</Key>" in text
    text = requests.get(f"{house.url('store')}/{bucket}?list-type=2", timeout=10).text
    assert "<Key>a+b c&amp;d</Key>" in text


# ------------------------------------------------------- copies, multipart


def upload(s3, bucket, key, parts, **args):
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key=key, **args)["UploadId"]
    done = []
    for number, part in enumerate(parts, 1):
        answer = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=part)
        done.append({"PartNumber": number, "ETag": answer["ETag"]})
    return (
        s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": done}),
        upload_id,
        done,
    )


def test_an_upload_in_parts(s3, bucket):
    parts = [os.urandom(5 * MIB), os.urandom(5 * MIB + 1), b"tail"]
    answer, upload_id, done = upload(s3, bucket, "k", parts, ContentType="x/y", Metadata={"m": "1"})
    binary = b"".join(hashlib.md5(p).digest() for p in parts)
    assert answer["ETag"] == f'"{hashlib.md5(binary).hexdigest()}-3"'
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"".join(parts)
    assert got["ETag"] == answer["ETag"] and got["ContentType"] == "x/y" and got["Metadata"] == {"m": "1"}
    ranged = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={5 * MIB - 2}-{10 * MIB + 2}")
    assert ranged["Body"].read() == b"".join(parts)[5 * MIB - 2 : 10 * MIB + 3]
    part = s3.get_object(Bucket=bucket, Key="k", PartNumber=3)
    assert part["Body"].read() == b"tail" and part["PartsCount"] == 3
    again = s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload_id, MultipartUpload={"Parts": done})
    assert again["ETag"] == answer["ETag"]


def test_uploads_and_parts_are_listed_and_aborted(s3, bucket):
    ids = {key: s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"] for key in ("b", "a", "d/x", "d/y")}
    s3.upload_part(Bucket=bucket, Key="a", UploadId=ids["a"], PartNumber=7, Body=b"seven")
    s3.upload_part(Bucket=bucket, Key="a", UploadId=ids["a"], PartNumber=2, Body=b"two")
    s3.upload_part(Bucket=bucket, Key="a", UploadId=ids["a"], PartNumber=2, Body=b"two again")
    parts = s3.list_parts(Bucket=bucket, Key="a", UploadId=ids["a"])["Parts"]
    assert [(p["PartNumber"], p["Size"]) for p in parts] == [(2, 9), (7, 5)]
    page = s3.list_parts(Bucket=bucket, Key="a", UploadId=ids["a"], MaxParts=1)
    assert page["IsTruncated"] and page["NextPartNumberMarker"] == 2
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["a", "b", "d/x", "d/y"]
    grouped = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/", MaxUploads=2)
    assert grouped["IsTruncated"] and grouped["NextKeyMarker"] == "b"
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    for key, upload_id in ids.items():
        s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    assert refused(s3.list_parts, Bucket=bucket, Key="a", UploadId=ids["a"]) == ("NoSuchUpload", 404)


def test_what_is_wrong_with_a_completion_is_told(s3, bucket):
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    etag = {}
    for number in (1, 2):
        answer = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload_id, PartNumber=number, Body=b"small")
        etag[number] = answer["ETag"]

    def complete(*parts):
        rows = [{"PartNumber": n, "ETag": e} for n, e in parts]
        call = s3.complete_multipart_upload
        return refused(call, Bucket=bucket, Key="k", UploadId=upload_id, MultipartUpload={"Parts": rows})

    assert complete((1, etag[1]), (2, etag[2])) == ("EntityTooSmall", 400)
    assert complete((2, etag[2]), (1, etag[1])) == ("InvalidPartOrder", 400)
    assert complete((1, '"00"')) == ("InvalidPart", 400)
    assert complete((3, etag[1])) == ("InvalidPart", 400)
    number = {"Bucket": bucket, "Key": "k", "UploadId": upload_id, "Body": b""}
    assert refused(s3.upload_part, PartNumber=10001, **number) == ("InvalidArgument", 400)
    number["UploadId"] = "0" * 32
    assert refused(s3.upload_part, PartNumber=1, **number) == ("NoSuchUpload", 404)


def test_copies_outlive_their_source(s3, bucket):
    body = os.urandom(200000)
    s3.put_object(Bucket=bucket, Key="a b+ü", Body=body, ContentType="x/y", Metadata={"m": "1"}, Tagging="t=1")
    source = {"Bucket": bucket, "Key": "a b+ü"}
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    s3.copy_object(
        Bucket=bucket, Key="other", CopySource=source, MetadataDirective="REPLACE", Metadata={"n": "2"}, ContentType="z"
    )
    assert refused(s3.copy_object, Bucket=bucket, Key="a b+ü", CopySource=source)[0] == "InvalidRequest"
    s3.copy_object(Bucket=bucket, Key="a b+ü", CopySource=source, MetadataDirective="REPLACE", Metadata={"o": "3"})
    assert s3.head_object(Bucket=bucket, Key="a b+ü")["Metadata"] == {"o": "3"}
    s3.delete_object(Bucket=bucket, Key="a b+ü")
    copy, other = (s3.get_object(Bucket=bucket, Key=key) for key in ("copy", "other"))
    assert copy["Body"].read() == other["Body"].read() == body
    assert (copy["ContentType"], copy["Metadata"], copy["TagCount"]) == ("x/y", {"m": "1"}, 1)
    assert (other["ContentType"], other["Metadata"]) == ("z", {"n": "2"})
    assert refused(s3.copy_object, Bucket=bucket, Key="c", CopySource=f"{bucket}/none")[0] == "NoSuchKey"


def test_a_failing_condition_on_the_source_of_a_copy_is_412(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="a", Body=b"x")["ETag"]
    args = {"Bucket": bucket, "Key": "b", "CopySource": {"Bucket": bucket, "Key": "a"}}
    assert refused(s3.copy_object, CopySourceIfNoneMatch=etag, **args) == ("PreconditionFailed", 412)
    assert refused(s3.copy_object, CopySourceIfMatch='"no"', **args) == ("PreconditionFailed", 412)
    s3.copy_object(CopySourceIfMatch=etag, **args)


def test_parts_by_copy(s3, bucket):
    body = os.urandom(6 * MIB)
    s3.put_object(Bucket=bucket, Key="a", Body=body)
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    args = {"Bucket": bucket, "Key": "k", "UploadId": upload_id, "CopySource": {"Bucket": bucket, "Key": "a"}}
    one = s3.upload_part_copy(PartNumber=1, **args)["CopyPartResult"]["ETag"]
    two = s3.upload_part_copy(PartNumber=2, CopySourceRange="bytes=10-19", **args)["CopyPartResult"]["ETag"]
    assert refused(s3.upload_part_copy, PartNumber=2, CopySourceRange=f"bytes=0-{6 * MIB}", **args)[0] == "InvalidRange"
    assert refused(s3.upload_part_copy, PartNumber=2, CopySourceRange="bytes=-2", **args)[0] == "InvalidArgument"
    parts = [{"PartNumber": 1, "ETag": one}, {"PartNumber": 2, "ETag": two}]
    s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload_id, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body + body[10:20]


def test_tags(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    tags = [{"Key": "a b", "Value": "1&2"}, {"Key": "c", "Value": ""}]
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == tags
    many = [{"Key": str(i), "Value": ""} for i in range(11)]
    assert refused(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging={"TagSet": many})[0] == "InvalidTag"
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []


# --------------------------------------------------------------- checksums


@pytest.mark.client("S3", "boto3", "checksums of objects and parts, kept and returned")
@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums_are_kept_and_returned(s3, bucket, algorithm):
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm=algorithm)
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    name = f"Checksum{algorithm}"
    assert got["Body"].read() == b"hello" and got[name] == put[name]
    assert got["ChecksumType"] == "FULL_OBJECT"


def test_a_wrong_checksum_or_digest_stores_nothing(s3, bucket):
    call = {"Bucket": bucket, "Key": "k", "Body": b"hello"}
    wrong = base64.b64encode(b"1234").decode()
    assert refused(s3.put_object, ChecksumCRC32=wrong, **call) == ("BadDigest", 400)
    md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert refused(s3.put_object, ContentMD5=md5, **call) == ("BadDigest", 400)
    assert refused(s3.put_object, ContentMD5="x", **call) == ("InvalidDigest", 400)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    right = base64.b64encode(zlib.crc32(b"hello").to_bytes(4, "big")).decode()
    s3.put_object(ChecksumCRC32=right, **call)


@pytest.mark.client("S3", "boto3", "checksums of objects and parts, kept and returned")
@pytest.mark.parametrize("kind", ["COMPOSITE", "FULL_OBJECT"])
def test_checksums_of_parts(s3, bucket, kind):
    parts = [os.urandom(5 * MIB), b"tail"]
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="CRC32", ChecksumType=kind)[
        "UploadId"
    ]
    rows = []
    for number, part in enumerate(parts, 1):
        answer = s3.upload_part(
            Bucket=bucket, Key="k", UploadId=upload_id, PartNumber=number, Body=part, ChecksumAlgorithm="CRC32"
        )
        rows.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumCRC32": answer["ChecksumCRC32"]})
    done = s3.complete_multipart_upload(
        Bucket=bucket, Key="k", UploadId=upload_id, MultipartUpload={"Parts": rows}, ChecksumType=kind
    )
    crcs = [zlib.crc32(part).to_bytes(4, "big") for part in parts]
    whole = zlib.crc32(b"".join(parts)).to_bytes(4, "big")
    composite = base64.b64encode(zlib.crc32(b"".join(crcs)).to_bytes(4, "big")).decode() + "-2"
    want = composite if kind == "COMPOSITE" else base64.b64encode(whole).decode()
    assert done["ChecksumCRC32"] == want and done["ChecksumType"] == kind
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumCRC32"] == want


def test_streams_with_trailers_as_todays_clients_send_them(house, s3, bucket):
    class Stream(io.RawIOBase):
        def __init__(self, body):
            self.inner = io.BytesIO(body)

        def readable(self):
            return True

        def readinto(self, b):
            return self.inner.readinto(b)

    body = os.urandom(3 * MIB + 3)
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "t"})
    crc = base64.b64encode(zlib.crc32(body).to_bytes(4, "big"))

    def chunked(trailer):
        out, at = b"", 0
        for size in (65536, 65536, len(body) - 131072):
            out += b"%x\r\n%b\r\n" % (size, body[at : at + size])
            at += size
        return out + b"0\r\n" + trailer + b"\r\n"

    headers = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": str(len(body)),
        "x-amz-trailer": "x-amz-checksum-crc32",
        "Content-Encoding": "aws-chunked,gzip",
    }
    own = client(house, signature_version="s3v4")

    def put(trailer):
        request = botocore.awsrequest.AWSRequest("PUT", f"{house.url('store')}/{bucket}/t", headers=headers)
        signer = botocore.auth.S3SigV4Auth(botocore.credentials.Credentials("minio", "minio123"), "s3", "us-east-1")
        request.context["payload_signing_enabled"] = False
        request.context["client_config"] = Config()
        signer.payload = lambda _: "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        signer.add_auth(request)
        return requests.put(request.url, data=chunked(trailer), headers=dict(request.headers), timeout=20)

    answer = put(b"x-amz-checksum-crc32:" + crc + b"\r\n")
    assert answer.status_code == 200, answer.text
    got = own.get_object(Bucket=bucket, Key="t", ChecksumMode="ENABLED")
    assert got["ContentEncoding"] == "gzip" and got["ContentLength"] == len(body)
    assert got["ChecksumCRC32"] == crc.decode()
    assert "BadDigest" in put(b"x-amz-checksum-crc32:AAAAAA==\r\n").text
    assert "MalformedTrailerError" in put(b"").text
    assert url


@pytest.mark.parametrize("with_trailer", [False, True])
def test_streams_of_signed_chunks(house, s3, bucket, with_trailer):
    body, empty = os.urandom(100000), hashlib.sha256().hexdigest()
    payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if with_trailer else "")
    crc = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    headers = {"x-amz-decoded-content-length": str(len(body)), "Content-Encoding": "aws-chunked"}
    if with_trailer:
        headers["x-amz-trailer"] = "x-amz-checksum-crc32"

    def put(spoil=None):
        request = botocore.awsrequest.AWSRequest("PUT", f"{house.url('store')}/{bucket}/t", headers=dict(headers))
        request.headers["x-amz-content-sha256"] = payload
        keys = botocore.credentials.Credentials("minio", "minio123")
        signer = botocore.auth.S3SigV4Auth(keys, "s3", "us-east-1")
        request.context["client_config"] = Config()
        signer.payload = lambda _: payload
        signer.add_auth(request)
        previous = request.headers["Authorization"].rsplit("Signature=", 1)[1]
        date, out = request.context["timestamp"], b""

        def sign(kind, *lines):
            text = "\n".join([f"AWS4-HMAC-SHA256-{kind}", date, signer.credential_scope(request), previous, *lines])
            return signer.signature(text, request)

        for chunk in (body[:65536], body[65536:], b""):
            previous = sign("PAYLOAD", empty, hashlib.sha256(chunk).hexdigest())
            out += f"{len(chunk):x};chunk-signature={previous}\r\n".encode() + chunk + (b"\r\n" if chunk else b"")
        if with_trailer:
            line = f"x-amz-checksum-crc32:{crc}"
            previous = sign("TRAILER", hashlib.sha256(f"{line}\n".encode()).hexdigest())
            out += f"{line}\r\nx-amz-trailer-signature:{previous}\r\n".encode()
        if spoil is not None:
            out = out[:spoil] + bytes([out[spoil] ^ 1]) + out[spoil + 1 :]
        return requests.put(request.url, data=out + b"\r\n", headers=dict(request.headers), timeout=20)

    answer = put(spoil=1000)
    assert (answer.status_code, "SignatureDoesNotMatch" in answer.text) == (403, True)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    answer = put()
    assert answer.status_code == 200, answer.text
    assert s3.get_object(Bucket=bucket, Key="t")["Body"].read() == body


# ------------------------------------------------------- signatures, policy


@pytest.mark.client("S3", "boto3", "presigned URLs of versions 4 and 2")
@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_urls(house, bucket, version):
    own = client(house, signature_version=version)
    params = {"Bucket": bucket, "Key": "a b+c/ü"}
    put = own.generate_presigned_url("put_object", Params=params, ExpiresIn=60)
    assert ("X-Amz-Signature" in put) == (version == "s3v4")
    assert requests.put(put, data=b"body", timeout=10).status_code == 200
    get = own.generate_presigned_url(
        "get_object", Params={**params, "ResponseContentType": "q/r", "ResponseContentDisposition": "attachment"}
    )
    answer = requests.get(get, timeout=10)
    assert (answer.content, answer.headers["Content-Type"]) == (b"body", "q/r")
    assert requests.get(get.replace("Signature=", "Signature=A"), timeout=10).status_code == 403
    assert requests.put(get, data=b"x", timeout=10).status_code == 403
    old = own.generate_presigned_url("get_object", Params=params, ExpiresIn=-5)
    if version == "s3":
        assert "Request has expired" in requests.get(old, timeout=10).text


def test_presigned_by_default_configuration(house, bucket):
    own = boto3.client("s3", endpoint_url=house.url("store"), region_name="us-east-1", **KEYS)
    own.put_object(Bucket=bucket, Key="k", Body=b"x")
    url = own.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    assert requests.get(url, timeout=10).content == b"x"


def test_wrong_keys_are_told_apart(house, bucket):
    def own(access, secret):
        return boto3.client(
            "s3",
            endpoint_url=house.url("store"),
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            region_name="us-east-1",
        )

    assert refused(own("minio", "wrong-wrong").list_buckets) == ("SignatureDoesNotMatch", 403)
    assert refused(own("nobody", "minio123").list_buckets) == ("InvalidAccessKeyId", 403)
    assert requests.get(house.url("store"), timeout=10).status_code == 403
    assert requests.get(f"{house.url('store')}/{bucket}", timeout=10).status_code == 403


def test_any_region_will_do(house, bucket):
    own = boto3.client("s3", endpoint_url=house.url("store"), region_name="eu-central-1", **KEYS)
    own.create_bucket(Bucket=f"{bucket}-eu", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    own.put_object(Bucket=f"{bucket}-eu", Key="k", Body=b"x")


def test_a_public_bucket_is_read_by_everybody_and_written_by_nobody(house, s3, bucket):
    url = f"{house.url('store')}/{bucket}"
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"hello")
    policy = json.dumps(PUBLIC_READ).replace("{bucket}", bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(policy)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"]
    assert requests.get(f"{url}/a/b", timeout=10).content == b"hello"
    assert requests.get(f"{url}/a/b", headers={"Range": "bytes=1-2"}, timeout=10).content == b"el"
    assert requests.head(f"{url}/a/b", timeout=10).headers["Content-Length"] == "5"
    assert "<Key>a/b</Key>" in requests.get(url, params={"list-type": "2"}, timeout=10).text
    assert requests.get(f"{url}/none", timeout=10).status_code == 404
    assert requests.put(f"{url}/a/b", data=b"x", timeout=10).status_code == 403
    assert requests.delete(f"{url}/a/b", timeout=10).status_code == 403
    assert requests.get(f"{url}/a/b?response-content-type=x", timeout=10).status_code == 400
    s3.delete_bucket_policy(Bucket=bucket)
    assert requests.get(f"{url}/a/b", timeout=10).status_code == 403


@pytest.mark.parametrize("policy", ["{", "{}", '{"Statement":[{"Effect":"Maybe"}]}'])
def test_broken_policies_are_refused(s3, bucket, policy):
    assert refused(s3.put_bucket_policy, Bucket=bucket, Policy=policy) == ("MalformedPolicy", 400)


def test_pages_for_probes(house, s3):
    for probe in ("live", "ready", "cluster"):
        answer = requests.get(f"{house.url('store')}/minio/health/{probe}", timeout=10)
        assert (answer.status_code, answer.content) == (200, b"")
    assert requests.get(f"{house.url('store')}/health", timeout=10).json() == {"status": "ok"}
    assert "minio_s3_requests_total" in requests.get(f"{house.url('store')}/metrics", timeout=10).text
    port = house.port("store") + 1
    answer = requests.get(f"http://127.0.0.1:{port}/browser", allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"http://127.0.0.1:{house.port('console')}/")


# ------------------------------------------------------------ other clients


@pytest.mark.client("S3", "minio for Python", "buckets, streams in parts, copies, listings, bulk deletes")
def test_minio_client(house):
    from minio import Minio
    from minio.commonconfig import CopySource
    from minio.deleteobjects import DeleteObject

    own = Minio(house.address("store"), access_key="minio", secret_key="minio123", secure=False)
    own.make_bucket(bucket_name="minio-py")
    assert own.bucket_exists(bucket_name="minio-py")
    body = os.urandom(12 * MIB)
    own.put_object(bucket_name="minio-py", object_name="big", data=io.BytesIO(body), length=-1, part_size=5 * MIB)
    own.put_object(bucket_name="minio-py", object_name="d/small", data=io.BytesIO(b"abc"), length=3)
    with own.get_object(bucket_name="minio-py", object_name="big") as got:
        assert got.read() == body
    assert own.stat_object(bucket_name="minio-py", object_name="d/small").size == 3
    own.copy_object(
        bucket_name="minio-py", object_name="copy", source=CopySource(bucket_name="minio-py", object_name="d/small")
    )
    names = [o.object_name for o in own.list_objects(bucket_name="minio-py", recursive=True)]
    assert names == ["big", "copy", "d/small"]
    assert [o.object_name for o in own.list_objects(bucket_name="minio-py")] == ["big", "copy", "d/"]
    errors = own.remove_objects(bucket_name="minio-py", delete_object_list=[DeleteObject(n) for n in names])
    assert not list(errors)
    own.remove_bucket(bucket_name="minio-py")


@pytest.mark.client("S3", "s3fs", "files in parts, find, ls, mv, rm")
def test_s3fs(house):
    import s3fs

    fs = s3fs.S3FileSystem(
        key="minio", secret="minio123", client_kwargs={"endpoint_url": house.url("store")}, use_listings_cache=False
    )
    fs.mkdir("s3fs-bucket")
    body = os.urandom(12 * MIB)
    with fs.open("s3fs-bucket/a/big", "wb", block_size=5 * MIB) as f:
        f.write(body)
    fs.pipe("s3fs-bucket/a/small", b"x")
    assert fs.cat("s3fs-bucket/a/big") == body
    assert sorted(fs.find("s3fs-bucket")) == ["s3fs-bucket/a/big", "s3fs-bucket/a/small"]
    assert fs.ls("s3fs-bucket") == ["s3fs-bucket/a"]
    fs.mv("s3fs-bucket/a/small", "s3fs-bucket/b")
    assert fs.cat("s3fs-bucket/b") == b"x"
    fs.rm("s3fs-bucket", recursive=True)


@pytest.mark.client("S3", "pyarrow", "partitioned datasets, streams in parts, seeks")
def test_pyarrow(house):
    import pyarrow
    import pyarrow.dataset
    import pyarrow.fs

    fs = pyarrow.fs.S3FileSystem(
        access_key="minio",
        secret_key="minio123",
        endpoint_override=house.address("store"),
        scheme="http",
        region="us-east-1",
        allow_bucket_creation=True,
    )
    fs.create_dir("arrow-bucket/emptydir")
    table = pyarrow.table({"a": list(range(100000)), "b": [str(i % 7) for i in range(100000)]})
    pyarrow.dataset.write_dataset(
        table, "arrow-bucket/t", filesystem=fs, format="parquet", partitioning=["b"], partitioning_flavor="hive"
    )
    read = pyarrow.dataset.dataset("arrow-bucket/t", filesystem=fs, partitioning="hive").to_table()
    assert read.num_rows == 100000 and sum(read["a"].to_pylist()) == sum(range(100000))
    with fs.open_output_stream("arrow-bucket/big") as f:
        f.write(b"x" * (23 * MIB))
    assert fs.get_file_info("arrow-bucket/big").size == 23 * MIB
    with fs.open_input_file("arrow-bucket/big") as f:
        f.seek(22 * MIB)
        assert f.read() == b"x" * MIB
    fs.delete_dir_contents("arrow-bucket")


# ------------------------------------------------------------------ killing


def test_nothing_acknowledged_is_lost_when_killed():
    with House("store") as house:
        client(house).create_bucket(Bucket="kill")
        acknowledged, lock = {}, threading.Lock()
        clients = [client(house) for _ in range(6)]
        for round_number in range(3):
            stop = threading.Event()

            def write(worker, round_number=round_number, stop=stop):
                own, n = clients[worker], 0
                while not stop.is_set():
                    key = f"{round_number}/{worker}/{n}"
                    body = (key * (9000 if n % 4 == 0 else 1)).encode()
                    try:
                        own.put_object(Bucket="kill", Key=key, Body=body)
                    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
                        return
                    with lock:
                        acknowledged[key] = body
                    n += 1

            workers = [threading.Thread(target=write, args=(i,)) for i in range(6)]
            for worker in workers:
                worker.start()
            wanted, deadline = len(acknowledged) + 50, time.monotonic() + 60
            while len(acknowledged) < wanted and time.monotonic() < deadline:
                time.sleep(0.02)
            house.kill("store")
            stop.set()
            for worker in workers:
                worker.join()
            house.start("store")
            own = client(house)
            listed = {
                o["Key"]: o["Size"]
                for page in own.get_paginator("list_objects_v2").paginate(Bucket="kill")
                for o in page.get("Contents", [])
            }
            assert not set(acknowledged) - set(listed)
            for key, size in listed.items():
                factor = 9000 if int(key.rsplit("/", 1)[1]) % 4 == 0 else 1
                assert own.get_object(Bucket="kill", Key=key)["Body"].read() == (key * factor).encode()
                assert size == len(key * factor)
        assert len(acknowledged) >= 150
        named = [p for p in (house.home / "store" / "blob").glob("*/*")]
        large = [k for k in listed if listed[k] > 65536]
        assert len(named) <= len(large) + 6  # of the last run at most what was being written


def test_the_second_store_on_one_home_is_told_who_holds_it():
    with House("store") as house:
        with pytest.raises(RuntimeError, match="by pid"):
            House("store", home=house.home).__enter__()
