"""What S3 promises to the byte, asked over plain HTTP with requests signed here: headers, XML, codes, conditions, signatures.

Which test proves which point (../test_store.py proves those that a client of boto3's can ask):

    ListBuckets: owner, times, prefix, pages                 test_buckets_are_listed_in_pages
    Create, Head, Delete, location, versioning, ACL          test_store: a_bucket_is_made_again, goes_only_when_empty, canned_private
    the region of a bucket, also with errors                 test_every_answer_about_a_bucket_names_its_region
    ListObjects V1, V2, versions: rows, pages, delimiters    test_store: listings_are_those_of_a_naive_model
    what a listing repeats, counts, escapes, encodes         test_a_listing_repeats_and_escapes, test_versions_of_a_bucket_without
    Head and Get: ranges, 416, part numbers, overrides       test_store: ranges; here: what_cannot_be_given_of_an_object, heads_have_no_body
    Put: default type, tags, class, digests                  test_what_a_put_says_is_kept; test_store: a_wrong_checksum_or_digest
    100-continue; refused before the body is sent            test_s3_commands: curl_on_presigned_urls; here: who_may_not_is_told_first
    Copy: source's forms, directives, conditions             test_sources_of_copies, test_conditions_of_copies; test_store: copies_outlive
    Delete, 1,000 at once, digests, entities                 test_a_thousand_keys_go_at_once; test_store: deleting
    uploads in parts, their errors, conditions, checksums    test_store: an_upload_in_parts and after; here: completing_under_conditions, parts_by_copy
    tags, attributes                                         test_store: tags; here: attributes, limits_of_tags
    policies, anonymous requests                             test_store: a_public_bucket; here: what_policies_allow
    what is not there says so by its code                    test_store: what_is_not_configured; here: what_is_not_implemented
    payloads: all modes, chunks, trailers                    test_store: streams_*; here: test_bodies_in_chunks, bodies_of_unknown_length
    checksums: five kinds, one at a time                     test_each_checksum, test_one_checksum_at_a_time
    conditions of reads and writes, all pairs                test_conditions_of_reads_in_pairs; test_store: conditions_of_*
    signatures: vectors, blanks and pluses, date, region     unit tests of net/sigv4; here: test_signatures_*
    clock skew, expiry, unsigned headers                     test_clocks_may_differ_by_15_minutes, test_presigned_limits
    uploads torn in the midst                                test_of_a_torn_put_nothing_is_seen
    errors as XML, ids, dates, namespaces                    test_an_error_to_the_letter, test_requests_with_and_without_namespace
"""

import asyncio
import base64
import contextlib
import datetime
import hashlib
import hmac
import html
import re
import socket
import struct
import urllib.parse
import zlib

import botocore.exceptions
import obstore
import pytest
import requests

from house import House
from kafka_habits import until
from s3_seam import ACCESS, MIB, SECRET, public, rust, s3

EMPTY = hashlib.sha256().hexdigest()
STREAM = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


@pytest.fixture(scope="module")
def house():
    with House("store") as house:
        yield house


@pytest.fixture(scope="module")
def own(house):
    return s3(house)


_names = iter(range(10_000))


@pytest.fixture
def bucket(own):
    name = f"conform-{next(_names)}"
    own.create_bucket(Bucket=name)
    return name


def encode(text, safe=""):
    return urllib.parse.quote(text, safe=safe + "-_.~")


def sign(method, path, query, headers, payload, when, scope=("us-east-1", "s3")):
    """The signature of version 4, written down from its specification."""
    day, names = when[:8], ";".join(sorted(headers))
    pairs = "&".join(f"{k}={v}" for k, v in sorted((encode(k), encode(v)) for k, v in query))
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
    canonical = "\n".join([method, path, pairs, lines, names, payload])
    where = "/".join([day, *scope, "aws4_request"])
    text = "\n".join(["AWS4-HMAC-SHA256", when, where, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{SECRET}".encode()
    for part in (day, *scope, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return where, names, hmac.digest(key, text.encode(), "sha256").hex()


def stamp(seconds=0):
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)).strftime("%Y%m%dT%H%M%SZ")


class Wire:
    """Requests as they are written here, nothing added, nothing normalised."""

    def __init__(self, house):
        self.host = house.address("store")

    def url(self, path, query=()):
        pairs = "&".join(f"{encode(k)}={encode(v)}" if v is not None else encode(k) for k, v in query)
        return f"http://{self.host}{path}" + (f"?{pairs}" if pairs else "")

    def prepare(self, method, path, query=(), headers=None, body=b"", payload=None, when=None, **scope):
        """The headers of a signed request; path and query are those of the wire."""
        when, payload = when or stamp(), payload or hashlib.sha256(body).hexdigest()
        signed = {"host": self.host, "x-amz-date": when, "x-amz-content-sha256": payload}
        signed |= {name.lower(): value for name, value in (headers or {}).items()}
        where, names, signature = sign(method, path, [(k, v or "") for k, v in query], signed, payload, when, **scope)
        claim = f"Credential={ACCESS}/{where}, SignedHeaders={names}, Signature={signature}"
        return {**signed, "Authorization": f"AWS4-HMAC-SHA256 {claim}"}

    def __call__(self, method, path, query=(), headers=None, body=b"", more=None, **signing):
        path = encode(path, "/")
        known = body if isinstance(body, bytes) else b""
        given = self.prepare(method, path, query, headers, known, **signing)
        del given["host"]
        return self.send(method, self.url(path, query), {**given, **(more or {})}, body)

    def send(self, method, url, headers=None, body=b""):
        request = requests.Request(method, url, headers={k: v.encode() for k, v in (headers or {}).items()}, data=body)
        prepared = request.prepare()
        prepared.url = url
        with requests.Session() as session:
            return session.send(prepared, timeout=20, allow_redirects=False)


@pytest.fixture(scope="module")
def wire(house):
    return Wire(house)


def code(answer):
    found = re.search(r"<Code>(.*?)</Code>", answer.text)
    return (found.group(1) if found else "", answer.status_code)


def conforms(what):
    return pytest.mark.client("S3", "conformance", what)


# ------------------------------------------------------ buckets and listings


@conforms("buckets and listings: pages, prefixes, escapes, owners, regions, versions")
def test_buckets_are_listed_in_pages(own, wire):
    for i in range(5):
        own.create_bucket(Bucket=f"paged-{i}")
    text = wire("GET", "/").text
    assert re.search(r"<Owner><ID>\w+</ID><DisplayName>minio</DisplayName></Owner>", text)
    assert re.search(r"<Name>paged-0</Name><CreationDate>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z</CreationDate>", text)
    names, token, pages = [], None, 0
    while True:
        page = own.list_buckets(Prefix="paged-", MaxBuckets=2, **({"ContinuationToken": token} if token else {}))
        names += [row["Name"] for row in page["Buckets"]]
        pages, token = pages + 1, page.get("ContinuationToken")
        assert page["Prefix"] == "paged-" and len(page["Buckets"]) <= 2
        if not token:
            break
    assert names == [f"paged-{i}" for i in range(5)] and pages == 3
    assert code(wire("GET", "/", [("max-buckets", "0")])) == ("InvalidArgument", 400)


@conforms("buckets and listings: pages, prefixes, escapes, owners, regions, versions")
def test_every_answer_about_a_bucket_names_its_region(wire, bucket):
    answers = [wire("HEAD", f"/{bucket}"), wire("HEAD", "/never"), wire.send("HEAD", wire.url(f"/{bucket}"))]
    assert [a.status_code for a in answers] == [200, 404, 403]
    assert {a.headers["x-amz-bucket-region"] for a in answers} == {"us-east-1"}
    assert wire("GET", f"/{bucket}", [("location", None)]).text.endswith(
        '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>'
    )


@conforms("buckets and listings: pages, prefixes, escapes, owners, regions, versions")
def test_a_listing_repeats_and_escapes(own, wire, bucket):
    for key in ("a/1", "a/2", "b c", "d&<e>", "f\x01g", "h\rj"):
        own.put_object(Bucket=bucket, Key=key, Body=b"")
    ask = [("list-type", "2"), ("prefix", ""), ("delimiter", "/"), ("start-after", "A"), ("max-keys", "5")]
    text = wire("GET", f"/{bucket}", ask).text
    assert text.startswith(
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/'
    )
    for part in (
        "<KeyCount>5</KeyCount>",
        "<MaxKeys>5</MaxKeys>",
        "<Delimiter>/</Delimiter>",
        "<StartAfter>A</StartAfter>",
    ):
        assert part in text
    assert "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>" in text and "<IsTruncated>false</IsTruncated>" in text
    assert (
        "<Key>d&amp;&lt;e&gt;</Key>" in text
        and "<Key>f&#x1;g</Key>" in text
        and "<Key>h&#xD;j</Key>" in text.replace("&#xd;", "&#xD;")
    )
    assert "<Owner>" not in text and "<Owner>" in wire("GET", f"/{bucket}", [*ask, ("fetch-owner", "true")]).text
    text = wire(
        "GET", f"/{bucket}", [("list-type", "2"), ("encoding-type", "url"), ("prefix", "b c"), ("delimiter", " d")]
    ).text
    assert "<EncodingType>url</EncodingType>" in text and "<Prefix>b%20c</Prefix>" in text.replace("b+c", "b%20c")
    assert "<Delimiter>%20d</Delimiter>" in text.replace("+d", "%20d")
    assert code(wire("GET", f"/{bucket}", [("list-type", "2"), ("encoding-type", "x")])) == ("InvalidArgument", 400)
    assert code(wire("GET", f"/{bucket}", [("list-type", "2"), ("max-keys", "-1")])) == ("InvalidArgument", 400)


@conforms("buckets and listings: pages, prefixes, escapes, owners, regions, versions")
def test_five_thousand_keys_in_pages(house, own, bucket):
    store = rust(house, bucket)

    async def put():
        keys = [f"{i:05d}" for i in range(5000)]
        for at in range(0, 5000, 100):
            await asyncio.gather(*(obstore.put_async(store, key, b"") for key in keys[at : at + 100]))

    asyncio.run(put())
    pages = [p["Contents"] for p in own.get_paginator("list_objects_v2").paginate(Bucket=bucket)]
    assert [len(p) for p in pages] == [1000] * 5
    assert [row["Key"] for page in pages for row in page] == [f"{i:05d}" for i in range(5000)]
    for page in pages:
        gone = own.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": row["Key"]} for row in page]})
        assert len(gone["Deleted"]) == 1000
    own.delete_bucket(Bucket=bucket)


@conforms("buckets and listings: pages, prefixes, escapes, owners, regions, versions")
def test_versions_of_a_bucket_without(own, wire, bucket):
    for key in ("a", "b", "c"):
        own.put_object(Bucket=bucket, Key=key, Body=b"x")
    page = own.list_object_versions(Bucket=bucket, MaxKeys=2)
    assert [(v["Key"], v["VersionId"], v["IsLatest"]) for v in page["Versions"]] == [
        ("a", "null", True),
        ("b", "null", True),
    ]
    rest = own.list_object_versions(
        Bucket=bucket, KeyMarker=page["NextKeyMarker"], VersionIdMarker=page["NextVersionIdMarker"]
    )
    assert [v["Key"] for v in rest["Versions"]] == ["c"] and "DeleteMarkers" not in rest
    assert own.get_object(Bucket=bucket, Key="a", VersionId="null")["Body"].read() == b"x"
    assert code(wire("GET", f"/{bucket}/a", [("versionId", "other")])) == ("NoSuchVersion", 404)
    assert "VersioningConfiguration" in wire("GET", f"/{bucket}", [("versioning", None)]).text
    on = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert code(wire("PUT", f"/{bucket}", [("versioning", None)], body=on)) == ("NotImplemented", 501)


# ------------------------------------------------------------------ objects


@conforms("objects: headers kept, ranges, heads, limits, bulk deletes")
def test_what_a_put_says_is_kept(own, wire, bucket):
    given = {
        "Cache-Control": "max-age=5",
        "Content-Disposition": 'attachment; filename="a b"',
        "Content-Encoding": "x-none",
        "Content-Language": "de",
        "Expires": "Wed, 21 Oct 2026 07:28:00 GMT",
        "x-amz-meta-Colour": "grün",
        "x-amz-meta-spaced": "a  b",
        "x-amz-tagging": "a=1&b=%20",
        "x-amz-storage-class": "STANDARD",
        "x-amz-acl": "private",
    }
    assert wire("PUT", f"/{bucket}/k", headers=given, body=b"body").status_code == 200
    for method in ("GET", "HEAD"):
        answer = wire(method, f"/{bucket}/k")
        for name in ("Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires"):
            assert answer.headers[name] == given[name]
        assert answer.headers["Content-Type"] == "binary/octet-stream"
        assert answer.headers["x-amz-meta-colour"].encode("latin-1").decode() == "grün"
        assert answer.headers["x-amz-tagging-count"] == "2" and answer.headers["Content-Length"] == "4"
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", answer.headers["Last-Modified"])
        assert (
            answer.headers["Accept-Ranges"] == "bytes"
            and answer.headers["ETag"] == f'"{hashlib.md5(b"body").hexdigest()}"'
        )
        for name in ("x-amz-request-id", "x-amz-id-2", "Server", "Date"):
            assert answer.headers[name]
    large = {f"x-amz-meta-{i}": "x" * 200 for i in range(11)}
    assert code(wire("PUT", f"/{bucket}/k", headers=large)) == ("MetadataTooLarge", 400)


@conforms("objects: headers kept, ranges, heads, limits, bulk deletes")
def test_what_cannot_be_given_of_an_object(own, wire, bucket):
    own.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    answer = wire("GET", f"/{bucket}/k", headers={"Range": "bytes=10-"})
    assert code(answer) == ("InvalidRange", 416) and answer.headers["Content-Range"] == "bytes */10"
    answer = wire("HEAD", f"/{bucket}/k", headers={"Range": "bytes=10-"})
    assert (answer.status_code, answer.content, answer.headers["Content-Range"]) == (416, b"", "bytes */10")
    assert code(wire("GET", f"/{bucket}/k", [("partNumber", "2")])) == ("InvalidRange", 416)
    assert wire("GET", f"/{bucket}/k", [("partNumber", "1")]).content == b"0123456789"
    own.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert wire("GET", f"/{bucket}/empty", headers={"Range": "bytes=0-"}).status_code == 416
    assert wire("GET", f"/{bucket}/empty").content == b""


@conforms("objects: headers kept, ranges, heads, limits, bulk deletes")
def test_heads_have_no_body(house, wire, bucket):
    for path in (f"/{bucket}/never", "/never", "/never/k"):
        answer = wire("HEAD", path)
        assert (answer.status_code, answer.content) == (404, b"") and answer.headers["x-amz-request-id"]
    # and the connection goes on with the next request
    with socket.create_connection(("127.0.0.1", house.port("store")), 5) as raw:
        request = f"HEAD /{bucket}/never HTTP/1.1\r\nHost: h\r\n\r\n".encode()
        for _ in range(2):
            raw.sendall(request)
            told = b""
            while b"\r\n\r\n" not in told:
                told += raw.recv(65536) or pytest.fail("the connection was closed")
            assert told.startswith(b"HTTP/1.1 403") and told.endswith(b"\r\n\r\n")


@conforms("objects: headers kept, ranges, heads, limits, bulk deletes")
def test_a_thousand_keys_go_at_once(own, wire, bucket):
    own.put_object(Bucket=bucket, Key="k&<0>", Body=b"")

    def delete(count, headers):
        rows = "".join(f"<Object><Key>k&amp;&lt;{i}&gt;</Key></Object>" for i in range(count))
        body = f"<Delete>{rows}</Delete>".encode()
        made = {name: make(body) for name, make in headers.items()}
        return wire("POST", f"/{bucket}", [("delete", None)], headers=made, body=body)

    def b64(data):
        return base64.b64encode(data).decode()

    md5 = {"Content-MD5": lambda body: b64(hashlib.md5(body).digest())}
    crc = {"x-amz-checksum-crc32": lambda body: b64(zlib.crc32(body).to_bytes(4, "big"))}
    sha = {"x-amz-checksum-sha256": lambda body: b64(hashlib.sha256(body).digest())}
    for digest in (md5, crc, sha):
        answer = delete(1000, digest)
        assert answer.status_code == 200 and answer.text.count("<Deleted>") == 1000
        assert "<Key>k&amp;&lt;999&gt;</Key>" in answer.text
    assert content_keys(own, bucket) == []
    assert code(delete(1001, md5)) == ("MalformedXML", 400)
    assert code(delete(1, {"Content-MD5": lambda body: b64(bytes(16))})) == ("BadDigest", 400)
    assert code(delete(0, md5)) == ("MalformedXML", 400)


def content_keys(own, bucket):
    return [row["Key"] for row in own.list_objects_v2(Bucket=bucket).get("Contents", [])]


@conforms("objects: headers kept, ranges, heads, limits, bulk deletes")
def test_limits_of_tags(own, wire, bucket):
    own.put_object(Bucket=bucket, Key="k", Body=b"")

    def put(*tags):
        rows = "".join(f"<Tag><Key>{k}</Key><Value>{v}</Value></Tag>" for k, v in tags)
        body = f"<Tagging><TagSet>{rows}</TagSet></Tagging>".encode()
        return code(wire("PUT", f"/{bucket}/k", [("tagging", None)], body=body))

    assert put(("k" * 128, "v" * 256)) == ("", 200)
    for wrong in ([("k" * 129, "")], [("k", "v" * 257)], [("", "v")], [("a", "1"), ("a", "2")]):
        assert put(*wrong) == ("InvalidTag", 400)


@conforms("objects: headers kept, ranges, heads, limits, bulk deletes")
def test_attributes(own, bucket):
    wanted = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    put = own.put_object(Bucket=bucket, Key="k", Body=b"12345", ChecksumAlgorithm="SHA256")
    told = own.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=wanted)
    assert told["ETag"] == put["ETag"].strip('"') and told["ObjectSize"] == 5 and told["StorageClass"] == "STANDARD"
    assert told["Checksum"]["ChecksumSHA256"] == put["ChecksumSHA256"] and "ObjectParts" not in told


# ---------------------------------------------------------- copies and parts


@conforms("copies and uploads in parts: sources, conditions, checksums")
def test_sources_of_copies(own, wire, bucket):
    own.put_object(Bucket=bucket, Key="a b+ü", Body=b"x", ContentType="x/y")
    name = encode("a b+ü")
    for source in (f"{bucket}/{name}", f"/{bucket}/{name}", f"%2F{bucket}%2F{name}", f"{bucket}/{name}?versionId=null"):
        answer = wire("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": source})
        assert answer.status_code == 200, answer.text
        assert "<CopyObjectResult" in answer.text and "<LastModified>" in answer.text and "<ETag>" in answer.text
        own.delete_object(Bucket=bucket, Key="copy")
    assert (
        code(wire("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": f"{bucket}/a%20b+%C3%BC?versionId=1"}))[1]
        == 404
    )
    assert code(wire("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": "never/k"})) == ("NoSuchBucket", 404)
    assert code(wire("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": "nothing"})) == ("InvalidArgument", 400)
    both = {"x-amz-copy-source": f"{bucket}/{name}", "x-amz-metadata-directive": "NEITHER"}
    assert code(wire("PUT", f"/{bucket}/copy", headers=both)) == ("InvalidArgument", 400)


@conforms("copies and uploads in parts: sources, conditions, checksums")
def test_conditions_of_copies(own, wire, bucket):
    etag = own.put_object(Bucket=bucket, Key="a", Body=b"x")["ETag"]

    def copy(**headers):
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return code(wire("PUT", f"/{bucket}/b", headers={"x-amz-copy-source": f"{bucket}/a", **given}))

    assert copy(if_none_match="*") == ("", 200)
    assert copy(if_none_match="*") == ("PreconditionFailed", 412)
    assert copy(if_match='"no"') == ("PreconditionFailed", 412)
    assert copy(if_match=etag) == ("", 200)
    past, future = "Thu, 01 Jan 2015 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT"
    assert copy(x_amz_copy_source_if_unmodified_since=past) == ("PreconditionFailed", 412)
    assert copy(x_amz_copy_source_if_modified_since=past) == ("", 200)
    assert copy(x_amz_copy_source_if_match=etag, x_amz_copy_source_if_unmodified_since=past) == ("", 200)
    assert copy(x_amz_copy_source_if_unmodified_since=future) == ("", 200)


@conforms("copies and uploads in parts: sources, conditions, checksums")
def test_completing_under_conditions(own, wire, bucket):
    def complete(**condition):
        upload = own.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
        at = {"Bucket": bucket, "Key": "k", "UploadId": upload}
        part = own.upload_part(**at, PartNumber=1, Body=b"x")["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
        try:
            return own.complete_multipart_upload(**at, MultipartUpload=parts, **condition)["ETag"]
        except botocore.exceptions.ClientError as e:
            own.abort_multipart_upload(**at)
            return e.response["Error"]["Code"]

    etag = complete(IfNoneMatch="*")
    assert etag == own.head_object(Bucket=bucket, Key="k")["ETag"] == own.get_object(Bucket=bucket, Key="k")["ETag"]
    assert complete(IfNoneMatch="*") == "PreconditionFailed"
    assert complete(IfMatch='"no"') == "PreconditionFailed"
    assert complete(IfMatch=etag) == etag
    own.delete_object(Bucket=bucket, Key="k")
    assert complete(IfMatch=etag) == "NoSuchKey"


@conforms("copies and uploads in parts: sources, conditions, checksums")
def test_parts_by_copy_have_the_uploads_checksum(own, bucket):
    body = bytes(range(256)) * (6 * MIB // 256)
    own.put_object(Bucket=bucket, Key="a", Body=body)
    upload = own.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    at = {"Bucket": bucket, "Key": "k", "UploadId": upload["UploadId"]}
    source = {"Bucket": bucket, "Key": "a"}
    rows = []
    for number, extra in ((1, {}), (2, {"CopySourceRange": "bytes=0-99"})):
        told = own.upload_part_copy(**at, CopySource=source, PartNumber=number, **extra)["CopyPartResult"]
        rows.append({"PartNumber": number, "ETag": told["ETag"], "ChecksumCRC32": told["ChecksumCRC32"]})
    done = own.complete_multipart_upload(**at, MultipartUpload={"Parts": rows}, ChecksumType="FULL_OBJECT")
    whole = base64.b64encode(zlib.crc32(body + body[:100]).to_bytes(4, "big")).decode()
    assert done["ChecksumCRC32"] == whole


# ---------------------------------------------------------------- checksums


@conforms("payloads: five checksums, chunks, trailers, unknown lengths")
@pytest.mark.parametrize(
    "name, of_hello",
    [
        ("crc32", "NhCmhg=="),
        ("crc32c", "mnG7TA=="),
        ("crc64nvme", "M3eFcAZSQlc="),
        ("sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="),
        ("sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
    ],
)
def test_each_checksum(wire, bucket, name, of_hello):
    header = f"x-amz-checksum-{name}"
    answer = wire("PUT", f"/{bucket}/k", headers={header: of_hello}, body=b"hello")
    assert answer.status_code == 200 and answer.headers[header] == of_hello
    got = wire("GET", f"/{bucket}/k", headers={"x-amz-checksum-mode": "ENABLED"})
    assert got.headers[header] == of_hello and got.headers["x-amz-checksum-type"] == "FULL_OBJECT"
    assert header not in wire("GET", f"/{bucket}/k").headers
    refused = wire("PUT", f"/{bucket}/wrong", headers={header: of_hello}, body=b"hellO")
    assert code(refused) == ("BadDigest", 400)
    assert f"The {name.upper()} you specified did not match the calculated checksum." in refused.text
    assert code(wire("PUT", f"/{bucket}/wrong", headers={header: "x"}, body=b"hello")) == ("InvalidRequest", 400)
    assert wire("HEAD", f"/{bucket}/wrong").status_code == 404


@conforms("payloads: five checksums, chunks, trailers, unknown lengths")
def test_one_checksum_at_a_time(wire, bucket):
    two = {"x-amz-checksum-crc32": "NhCmhg==", "x-amz-checksum-sha1": "qvTGHdzF6KLavt4PO0gs2a6pQ00="}
    answer = wire("PUT", f"/{bucket}/k", headers=two, body=b"hello")
    assert code(answer) == ("InvalidRequest", 400)
    assert "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed." in answer.text


def put_chunks(wire, bucket, raw, decoded=5, trailer="x-amz-checksum-crc32", **more):
    given = {"Content-Encoding": "aws-chunked", "x-amz-decoded-content-length": str(decoded)}
    if trailer:
        given["x-amz-trailer"] = trailer
    return wire("PUT", f"/{bucket}/k", headers=given, body=raw, payload=STREAM, **more)


@conforms("payloads: five checksums, chunks, trailers, unknown lengths")
def test_bodies_in_chunks(own, wire, bucket):
    crc = b"x-amz-checksum-crc32:NhCmhg=="
    for end in (crc + b"\r\n\r\n", crc + b"\n\n", crc + b"\r\n", crc):
        assert code(put_chunks(wire, bucket, b"5\r\nhello\r\n0\r\n" + end)) == ("", 200)
    assert code(put_chunks(wire, bucket, b"2\r\nhe\r\n3\r\nllo\r\n0\r\n" + crc + b"\r\n\r\n")) == ("", 200)
    assert code(put_chunks(wire, bucket, b"5\r\nhello\r\n0\r\n\r\n", trailer=None)) == ("", 200)
    assert code(put_chunks(wire, bucket, b"0\r\n\r\n", decoded=0, trailer=None)) == ("", 200)
    assert wire("GET", f"/{bucket}/k").content == b"" and "Content-Encoding" not in wire("HEAD", f"/{bucket}/k").headers
    wrong = {
        b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n": "BadDigest",
        b"5\r\nhello\r\n0\r\n\r\n": "MalformedTrailerError",
        b"5\r\nhello\r\n0\r\nnonsense\r\n\r\n": "MalformedTrailerError",
        b"4\r\nhell\r\n0\r\n" + crc + b"\r\n\r\n": "IncompleteBody",
        b"6\r\nhello!\r\n0\r\n" + crc + b"\r\n\r\n": "IncompleteBody",
        b"5\r\nhel": "IncompleteBody",
        b"x\r\nhello\r\n0\r\n\r\n": "InvalidRequest",
    }
    for raw, name in wrong.items():
        assert code(put_chunks(wire, bucket, raw)) == (name, 400), raw
    for payload in ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"):
        answer = wire("PUT", f"/{bucket}/k", headers={"x-amz-decoded-content-length": "0"}, payload=payload)
        assert code(answer) == ("NotImplemented", 501)


@conforms("payloads: five checksums, chunks, trailers, unknown lengths")
def test_bodies_of_unknown_length(own, wire, bucket):
    def pieces():
        yield b"5\r\nhello\r\n"
        yield b"0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"

    given = {
        "Content-Encoding": "aws-chunked",
        "x-amz-trailer": "x-amz-checksum-crc32",
        "x-amz-decoded-content-length": "5",
    }
    answer = wire("PUT", f"/{bucket}/k", headers=given, body=pieces(), payload=STREAM)
    assert answer.status_code == 200, answer.text
    answer = wire("PUT", f"/{bucket}/plain", body=iter([b"a", b"bc"]), payload="UNSIGNED-PAYLOAD")
    assert answer.status_code == 200, answer.text
    assert content_of(own, bucket) == {"k": b"hello", "plain": b"abc"}


def content_of(own, bucket):
    return {key: own.get_object(Bucket=bucket, Key=key)["Body"].read() for key in content_keys(own, bucket)}


@conforms("payloads: five checksums, chunks, trailers, unknown lengths")
def test_a_body_that_is_not_what_was_signed(wire, bucket):
    assert code(wire("PUT", f"/{bucket}/k", body=b"x", payload=EMPTY)) == ("XAmzContentSHA256Mismatch", 400)
    assert code(wire("PUT", f"/{bucket}/k", body=b"x", payload="nonsense")) == ("InvalidArgument", 400)
    assert wire("HEAD", f"/{bucket}/k").status_code == 404


# --------------------------------------------------------------- conditions


@conforms("conditions: every pair of those for reads, those for writes, what a 412 tells")
def test_conditions_of_reads_in_pairs(own, wire, bucket):
    etag = own.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    past, future = "Thu, 01 Jan 2015 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT"

    def get(**headers):
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        answers = [wire(method, f"/{bucket}/k", headers=given) for method in ("GET", "HEAD")]
        assert answers[0].status_code == answers[1].status_code
        return answers[0].status_code

    assert get(if_match=etag, if_unmodified_since=past) == 200
    assert get(if_match='"no"', if_unmodified_since=future) == 412
    assert get(if_none_match=etag, if_modified_since=past) == 304
    assert get(if_none_match='"no"', if_modified_since=future) == 200
    assert get(if_unmodified_since=past) == 412 and get(if_unmodified_since=future) == 200
    assert get(if_modified_since=past) == 200
    assert get(if_match=etag.strip('"')) == get(if_match="*") == get(if_match=f'"x", {etag}') == 200
    assert get(if_none_match="*") == get(if_none_match=etag.strip('"')) == 304
    assert get(if_modified_since="nonsense") == 200


@conforms("conditions: every pair of those for reads, those for writes, what a 412 tells")
def test_what_a_412_tells(wire, bucket):
    wire("PUT", f"/{bucket}/k", body=b"x")
    answer = wire("PUT", f"/{bucket}/k", headers={"If-None-Match": "*"}, body=b"y")
    assert code(answer) == ("PreconditionFailed", 412) and "<Condition>If-None-Match</Condition>" in answer.text
    answer = wire("PUT", f"/{bucket}/k", headers={"If-Match": '"no"'}, body=b"y")
    assert code(answer) == ("PreconditionFailed", 412) and "<Condition>If-Match</Condition>" in answer.text
    both = {"If-Match": '"no"', "If-None-Match": "*"}
    assert code(wire("PUT", f"/{bucket}/k", headers=both, body=b"y")) == ("NotImplemented", 501)
    assert code(wire("DELETE", f"/{bucket}/k", headers={"If-Match": '"no"'})) == ("PreconditionFailed", 412)
    assert wire("GET", f"/{bucket}/k").content == b"x"


# --------------------------------------------------------------- signatures


@conforms("signatures: odd paths and queries, dates, regions, clocks, expiry, what must be signed")
@pytest.mark.parametrize(
    "key", ["a+b", "a b", "a%2Fb", "/lead", "a//b", "./x", "../y", "ü/日", "~!$&'()*,;=:@", "a?b#c"]
)
def test_signatures_of_odd_paths(wire, bucket, key):
    assert wire("PUT", f"/{bucket}/{key}", body=key.encode()).status_code == 200
    assert wire("GET", f"/{bucket}/{key}").content == key.encode()
    assert f"<Key>{key}</Key>" in html.unescape(wire("GET", f"/{bucket}", [("list-type", "2")]).text)


@conforms("signatures: odd paths and queries, dates, regions, clocks, expiry, what must be signed")
def test_signatures_of_odd_queries(own, wire, bucket):
    for key in ("a+b", "a b", "a%b", "a=b&c"):
        own.put_object(Bucket=bucket, Key=key, Body=b"")
        text = wire("GET", f"/{bucket}", [("prefix", key), ("list-type", "2"), ("X", ""), ("a", None)]).text
        assert text.count("<Contents>") == 1, text


@conforms("signatures: odd paths and queries, dates, regions, clocks, expiry, what must be signed")
def test_signatures_for_any_region_but_one_service(wire):
    assert wire("GET", "/", scope=("mars-north-7", "s3")).status_code == 200
    assert code(wire("GET", "/", scope=("us-east-1", "ec2"))) == ("AuthorizationHeaderMalformed", 400)


@conforms("signatures: odd paths and queries, dates, regions, clocks, expiry, what must be signed")
def test_clocks_may_differ_by_15_minutes(wire):
    for seconds in (-14 * 60, 14 * 60):
        assert wire("GET", "/", when=stamp(seconds)).status_code == 200
    for seconds in (-16 * 60, 16 * 60):
        assert code(wire("GET", "/", when=stamp(seconds))) == ("RequestTimeTooSkewed", 403)
    assert code(wire("GET", "/", when="yesterday"))[1] in (400, 403)


@conforms("signatures: odd paths and queries, dates, regions, clocks, expiry, what must be signed")
def test_what_must_be_signed(wire, bucket):
    answer = wire("PUT", f"/{bucket}/k", more={"x-amz-meta-smuggled": "1"})
    assert code(answer) == ("AccessDenied", 403) and "x-amz-meta-smuggled" in answer.text
    assert code(wire("PUT", f"/{bucket}/k", more={"x-amz-copy-source": f"{bucket}/a"})) == ("AccessDenied", 403)
    answer = wire.send("GET", wire.url("/"), {"Authorization": "AWS minio:abcdef", "Date": "x"})
    assert code(answer) == ("InvalidRequest", 400) and "Please use AWS4-HMAC-SHA256" in answer.text
    answer = wire.send("GET", wire.url("/"), {"Authorization": "AWS4-HMAC-SHA256 Credential=minio/x"})
    assert code(answer) == ("AuthorizationHeaderMalformed", 400)


def presigned(wire, method, path, expires, when=None, key=ACCESS):
    when = when or stamp()
    query = [
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", f"{key}/{when[:8]}/us-east-1/s3/aws4_request"),
        ("X-Amz-Date", when),
        ("X-Amz-Expires", str(expires)),
        ("X-Amz-SignedHeaders", "host"),
    ]
    signature = sign(method, encode(path, "/"), query, {"host": wire.host}, "UNSIGNED-PAYLOAD", when)[2]
    return wire.url(encode(path, "/"), [*query, ("X-Amz-Signature", signature)])


@conforms("signatures: odd paths and queries, dates, regions, clocks, expiry, what must be signed")
def test_presigned_limits(own, wire, bucket):
    own.put_object(Bucket=bucket, Key="k", Body=b"x")
    path = f"/{bucket}/k"
    assert wire.send("GET", presigned(wire, "GET", path, 604800)).content == b"x"
    assert wire.send("GET", presigned(wire, "GET", path, 604800, stamp(-604000))).content == b"x"
    for expires in (604801, -1, "soon", ""):
        assert code(wire.send("GET", presigned(wire, "GET", path, expires))) == (
            "AuthorizationQueryParametersError",
            400,
        )
    answer = wire.send("GET", presigned(wire, "GET", path, 60, stamp(-61)))
    assert code(answer) == ("AccessDenied", 403) and "Request has expired" in answer.text
    assert wire.send("GET", presigned(wire, "GET", path, 60, stamp(16 * 60))).status_code == 403
    assert code(wire.send("GET", presigned(wire, "GET", path, 60, key="nobody"))) == ("InvalidAccessKeyId", 403)
    assert code(wire.send("PUT", presigned(wire, "GET", path, 60), body=b"y")) == ("SignatureDoesNotMatch", 403)
    assert code(wire.send("GET", presigned(wire, "GET", path, 60).replace("/k?", "/l?"))) == (
        "SignatureDoesNotMatch",
        403,
    )


# ---------------------------------------------------- policies, errors, XML


@conforms("policies and errors: who may what, errors to the letter, what is not implemented")
def test_who_may_not_is_told_first(house, bucket):
    """A large body is not waited for when the answer is known: Expect: 100-continue gets its refusal at once."""
    with socket.create_connection(("127.0.0.1", house.port("store")), 5) as raw:
        raw.sendall(
            f"PUT /{bucket}/k HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        assert raw.recv(65536).startswith(b"HTTP/1.1 403")


@conforms("policies and errors: who may what, errors to the letter, what is not implemented")
def test_what_policies_allow(house, own, wire, bucket):
    own.put_object(Bucket=bucket, Key="a", Body=b"x")
    public(house, bucket)
    assert wire.send("GET", wire.url(f"/{bucket}/a")).content == b"x"
    for method, path, query in (
        ("GET", "/", []),
        ("PUT", f"/{bucket}/a", []),
        ("DELETE", f"/{bucket}/a", []),
        ("POST", f"/{bucket}", [("delete", None)]),
        ("POST", f"/{bucket}/a", [("uploads", None)]),
        ("GET", f"/{bucket}", [("policy", None)]),
        ("PUT", f"/{bucket}", [("policy", None)]),
        ("DELETE", f"/{bucket}", []),
        ("PUT", "/other-bucket", []),
    ):
        assert code(wire.send(method, wire.url(path, query))) == ("AccessDenied", 403), (method, path, query)
    # a copy needs its source to be readable by who copies: nobody writes without a key, so nobody copies
    assert wire.send("PUT", wire.url(f"/{bucket}/b"), {"x-amz-copy-source": f"{bucket}/a"}).status_code == 403


@conforms("policies and errors: who may what, errors to the letter, what is not implemented")
def test_an_error_to_the_letter(wire, bucket):
    answer = wire("GET", f"/{bucket}/a b&c")
    assert answer.headers["Content-Type"] == "application/xml" and answer.status_code == 404
    ids = (answer.headers["x-amz-request-id"], "store")
    assert answer.text == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
        "<Message>The specified key does not exist.</Message><Key>a b&amp;c</Key>"
        f"<BucketName>{bucket}</BucketName><Resource>/{bucket}/a%20b%26c</Resource>"
        "<RequestId>{}</RequestId><HostId>{}</HostId></Error>".format(*ids)
    )


@conforms("policies and errors: who may what, errors to the letter, what is not implemented")
def test_requests_with_and_without_namespace(wire, bucket):
    for space in ("", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'):
        body = f"<Tagging{space}><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>".encode()
        wire("PUT", f"/{bucket}/k")
        assert wire("PUT", f"/{bucket}/k", [("tagging", None)], body=body).status_code == 200
        assert "<Tag><Key>a</Key><Value>b</Value></Tag>" in wire("GET", f"/{bucket}/k", [("tagging", None)]).text
    for wrong in (b"", b"<Tagging>", b"<!DOCTYPE x [<!ENTITY e 'e'>]><Tagging><TagSet>&e;</TagSet></Tagging>"):
        assert code(wire("PUT", f"/{bucket}/k", [("tagging", None)], body=wrong)) == ("MalformedXML", 400), wrong


@conforms("policies and errors: who may what, errors to the letter, what is not implemented")
def test_what_is_not_implemented(wire, bucket):
    for method, path, query in (
        ("POST", f"/{bucket}/k", [("select", None), ("select-type", "2")]),
        ("POST", f"/{bucket}", []),
        ("PUT", f"/{bucket}", [("cors", None)]),
        ("PUT", f"/{bucket}", [("lifecycle", None)]),
        ("PUT", f"/{bucket}", [("encryption", None)]),
    ):
        assert code(wire(method, path, query)) == ("NotImplemented", 501), (method, query)
    assert code(wire("PATCH", f"/{bucket}/k")) == ("MethodNotAllowed", 405)
    for name in ("server-side-encryption", "server-side-encryption-customer-algorithm", "object-lock-mode"):
        answer = wire("PUT", f"/{bucket}/k", headers={f"x-amz-{name}": "AES256"}, body=b"secret")
        assert code(answer) == ("NotImplemented", 501) and "is not implemented" in answer.text
    assert wire("HEAD", f"/{bucket}/k").status_code == 404


# ------------------------------------------------------------------- abuse


def torn_put(wire, path, body, told, reset):
    """The head of a signed PUT that tells a longer body than it sends; then reset, or ended, or left open."""
    request = wire.prepare("PUT", path, payload="UNSIGNED-PAYLOAD")
    head = "".join(f"{name}: {value}\r\n" for name, value in request.items())
    raw = socket.create_connection(("127.0.0.1", int(wire.host.rsplit(":", 1)[1])), 10)
    raw.sendall(f"PUT {path} HTTP/1.1\r\n{head}Content-Length: {told}\r\n\r\n".encode() + body)
    if reset == "reset":
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()
    elif reset == "ended":
        raw.shutdown(socket.SHUT_WR)
    return raw


def sizes(folder):
    found = set()
    for file in folder.glob("*/*"):
        with contextlib.suppress(FileNotFoundError):
            found.add(file.stat().st_size)
    return found


@conforms("torn uploads: reset, ended early, left open; nothing of them is seen, others are served")
def test_of_a_torn_put_nothing_is_seen(house, own, wire, bucket):
    own.put_object(Bucket=bucket, Key="k", Body=b"old")
    upload = own.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    half = bytes(2 * MIB)
    left = []
    for how in ("reset", "ended", "open"):
        for path in (f"/{bucket}/k", f"/{bucket}/new"):
            left += [torn_put(wire, path, half, 4 * MIB, how) for _ in range(4)]
        own.put_object(Bucket=bucket, Key="meanwhile", Body=half)
        assert own.get_object(Bucket=bucket, Key="k")["Body"].read() == b"old"
        assert content_keys(own, bucket) == ["k", "meanwhile"]
    for raw in left:
        raw.close()
    assert "Parts" not in own.list_parts(Bucket=bucket, Key="parts", UploadId=upload)
    own.abort_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload)
    own.put_object(Bucket=bucket, Key="k", Body=b"new")
    assert content_of(own, bucket) == {"k": b"new", "meanwhile": half}
    own.delete_object(Bucket=bucket, Key="meanwhile")
    # files are made without a name: what was torn leaves none, and what was deleted goes with its last reader
    until("the files to go", lambda: len(half) not in sizes(house.home / "store" / "blob"))
