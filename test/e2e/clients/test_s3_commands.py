"""The store by the commands people type: aws, rclone, s3cmd, curl."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from house import House
from s3_seam import ACCESS, MIB, ODD, SECRET, body_of, content, public, run, s3


@pytest.fixture(scope="module")
def house():
    with House("store") as house:
        yield house


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A folder with odd names, an empty file and a large one; what an upload of it must give."""
    root = tmp_path_factory.mktemp("tree")
    files = {f"odd/{key}": body_of(key) for key in ODD} | {"empty": b"", "deep/er/large": body_of("large", 20 * MIB)}
    for name, body in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return root, files


def files_below(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in Path(root).rglob("*") if path.is_file()}


def below(prefix, files):
    return {f"{prefix}{name}": body for name, body in files.items()}


def command(name):
    """Of Debian, or an entry of the Python that runs the tests."""
    path = shutil.which(name) or shutil.which(name, path=Path(sys.executable).parent)
    return path or pytest.skip(f"the command {name} is not installed")


# --------------------------------------------------------------------- aws


@pytest.fixture
def aws(house):
    program = shutil.which("aws", path=Path(sys.executable).parent) or pytest.skip("awscli is not installed")
    env = {
        "AWS_ACCESS_KEY_ID": ACCESS,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": house.url("store"),
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
    return lambda *args, **kwargs: run(program, *args, env=env, **kwargs)


@pytest.mark.client("S3", "aws CLI", "s3 mb, cp, sync, mv, ls, rm, presign, rb; odd names, an empty and a large file")
def test_aws_s3_as_it_is_typed(house, aws, tree, tmp_path):
    root, files = tree
    aws("s3", "mb", "s3://aws-s3")
    aws("s3", "cp", "--recursive", "--quiet", root, "s3://aws-s3/tree")
    assert content(house, "aws-s3") == below("tree/", files)
    assert aws("s3", "sync", root, "s3://aws-s3/tree").stdout == ""
    aws("s3", "sync", "--quiet", "s3://aws-s3/tree", tmp_path / "back")
    assert files_below(tmp_path / "back") == files
    (tmp_path / "back" / "empty").unlink()
    (tmp_path / "back" / "new").write_bytes(b"new")
    told = aws("s3", "sync", "--delete", tmp_path / "back", "s3://aws-s3/tree").stdout
    assert "delete: s3://aws-s3/tree/empty" in told and told.count("upload: ") == 1
    aws("s3", "mv", "--recursive", "--quiet", "s3://aws-s3/tree/odd", "s3://aws-s3/moved")
    assert content(house, "aws-s3").keys() == {"tree/new", "tree/deep/er/large", *below("moved/", dict.fromkeys(ODD))}
    listed = aws("s3", "ls", "--recursive", "--summarize", "s3://aws-s3").stdout
    assert f"Total Objects: {len(ODD) + 2}" in listed and "moved/käse/日本/🙂" in listed
    assert "PRE moved/" in aws("s3", "ls", "s3://aws-s3").stdout
    aws("s3", "cp", "-", "s3://aws-s3/piped", input="by pipe")
    assert aws("s3", "cp", "s3://aws-s3/piped", "-").stdout == "by pipe"
    url = aws("s3", "presign", "s3://aws-s3/moved/a+b").stdout.strip()
    assert run("curl", "-fsS", url, "-o", tmp_path / "got").returncode == 0
    assert (tmp_path / "got").read_bytes() == body_of("a+b")
    aws("s3", "rm", "--recursive", "--quiet", "s3://aws-s3")
    aws("s3", "rb", "s3://aws-s3")
    assert "NoSuchBucket" in aws("s3", "ls", "s3://aws-s3", check=False).stderr


@pytest.mark.client(
    "S3", "aws CLI", "s3api: metadata, conditions, ranges, copies, tags, parts, attributes, pages, errors"
)
def test_aws_s3api(house, aws, tmp_path):
    def api(*args, **options):
        flags = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
        done = aws("s3api", *args, "--bucket", "aws-s3api", *flags)
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def fails(*args, code):
        done = aws("s3api", *args, "--bucket", "aws-s3api", check=False)
        assert done.returncode != 0 and f"({code})" in done.stderr, done.stderr

    (tmp_path / "body").write_bytes(b"0123456789")
    s3(house).create_bucket(Bucket="aws-s3api")
    put = ("put-object", "--key", "a b/ü", "--body", tmp_path / "body")
    etag = api(*put, metadata="colour=blue,size=12", content_type="x/y", cache_control="max-age=5", if_none_match="*")[
        "ETag"
    ]
    assert etag == '"781e5e245d69b566979b86e28d23f2c7"'
    fails(*put, "--if-none-match", "*", code="PreconditionFailed")
    head = api("head-object", key="a b/ü")
    assert head["Metadata"] == {"colour": "blue", "size": "12"} and head["CacheControl"] == "max-age=5"
    fails("head-object", "--key", "never", code="404")
    api("get-object", tmp_path / "part", key="a b/ü", range="bytes=2-4")
    assert (tmp_path / "part").read_bytes() == b"234"
    api("copy-object", key="copy", copy_source="aws-s3api/a b/ü", tagging_directive="REPLACE", tagging="a=b%20c")
    assert api("get-object-tagging", key="copy")["TagSet"] == [{"Key": "a", "Value": "b c"}]
    upload = api("create-multipart-upload", key="parts")["UploadId"]
    part = api("upload-part", key="parts", part_number="1", upload_id=upload, body=tmp_path / "body")["ETag"]
    done = json.dumps({"Parts": [{"PartNumber": 1, "ETag": part}]})
    api("complete-multipart-upload", key="parts", upload_id=upload, multipart_upload=done)
    assert api("get-object-attributes", key="parts", object_attributes="ObjectSize")["ObjectSize"] == 10
    rows = [{"Key": row["Key"]} for row in api("list-objects-v2", page_size="2")["Contents"]]
    assert rows == [{"Key": "a b/ü"}, {"Key": "copy"}, {"Key": "parts"}]
    assert len(api("delete-objects", delete=json.dumps({"Objects": rows}))["Deleted"]) == 3


# ------------------------------------------------------------------ rclone


@pytest.mark.client("S3", "rclone", "copy, sync, check, lsjson, cat, move, rcat, purge; Minio's and Other's provider")
@pytest.mark.parametrize("provider", ["Minio", "Other"])
def test_rclone(house, tree, tmp_path, provider):
    program = command("rclone")
    root, files = tree
    bucket = f"rclone-{provider.lower()}"
    env = {
        "RCLONE_CONFIG": "/dev/null",
        "RCLONE_CONFIG_HAUS_TYPE": "s3",
        "RCLONE_CONFIG_HAUS_PROVIDER": provider,
        "RCLONE_CONFIG_HAUS_ENDPOINT": house.url("store"),
        "RCLONE_CONFIG_HAUS_ACCESS_KEY_ID": ACCESS,
        "RCLONE_CONFIG_HAUS_SECRET_ACCESS_KEY": SECRET,
        "RCLONE_CONFIG_HAUS_UPLOAD_CUTOFF": "6Mi",
        "RCLONE_CONFIG_HAUS_CHUNK_SIZE": "5Mi",
    }

    def rclone(*args, **kwargs):
        return run(program, *args, env=env, **kwargs)

    rclone("mkdir", f"haus:{bucket}")
    rclone("copy", root, f"haus:{bucket}/tree", "--metadata")
    assert content(house, bucket) == below("tree/", files)
    told = rclone("sync", root, f"haus:{bucket}/tree", "-v").stderr
    assert "Copied" not in told
    rclone("check", root, f"haus:{bucket}/tree", "--download")
    rows = {
        row["Path"]: row for row in json.loads(rclone("lsjson", "-R", "--files-only", f"haus:{bucket}/tree").stdout)
    }
    assert rows.keys() == files.keys() and rows["deep/er/large"]["Size"] == 20 * MIB
    # rclone keeps a file's time with its object and gives it back
    rclone("copy", f"haus:{bucket}/tree", tmp_path / "back")
    assert files_below(tmp_path / "back") == files
    assert int((tmp_path / "back" / "empty").stat().st_mtime) == int((root / "empty").stat().st_mtime)
    rclone("move", f"haus:{bucket}/tree/odd", f"haus:{bucket}/moved")
    rclone("rcat", f"haus:{bucket}/piped", input="by pipe")
    assert rclone("cat", f"haus:{bucket}/piped").stdout == "by pipe"
    assert content(house, bucket).keys() == {
        "piped",
        "tree/empty",
        "tree/deep/er/large",
        *below("moved/", dict.fromkeys(ODD)),
    }
    link = rclone("link", f"haus:{bucket}/piped", "--expire", "1h").stdout.strip()
    assert run("curl", "-fsS", link).stdout == "by pipe"
    rclone("purge", f"haus:{bucket}")
    assert rclone("lsd", "haus:").stdout.find(bucket) == -1


# ------------------------------------------------------------------- s3cmd


@pytest.mark.client("S3", "s3cmd", "mb, put, get, sync, ls, info, cp, mv, modify, del, signurl, setpolicy, la, du, rb")
def test_s3cmd(house, tree, tmp_path):
    program = command("s3cmd")
    root, files = tree
    config = tmp_path / "s3cfg"
    address = house.address("store")
    config.write_text(
        f"[default]\naccess_key = {ACCESS}\nsecret_key = {SECRET}\nhost_base = {address}\n"
        f"host_bucket = {address}/%(bucket)\nuse_https = False\nmultipart_chunk_size_mb = 5\nencoding = UTF-8\n"
    )

    def s3cmd(*args, **kwargs):
        return run(program, "-c", config, "--no-progress", *args, **kwargs)

    s3cmd("mb", "s3://s3cmd")
    s3cmd("put", "--recursive", f"{root}/", "s3://s3cmd/tree/")
    assert content(house, "s3cmd") == below("tree/", files)
    assert "upload: " not in s3cmd("sync", f"{root}/", "s3://s3cmd/tree/").stdout
    back = tmp_path / "back"
    back.mkdir()
    s3cmd("sync", "s3://s3cmd/tree/", f"{back}/")
    assert files_below(back) == files
    s3cmd("cp", "s3://s3cmd/tree/odd/a b", "s3://s3cmd/copy+1")
    s3cmd("mv", "s3://s3cmd/tree/odd/käse/日本/🙂", "s3://s3cmd/moved ü")
    s3cmd(
        "modify", "--add-header=Cache-Control: max-age=5", "--add-header=x-amz-meta-colour: blue", "s3://s3cmd/copy+1"
    )
    head = s3(house).head_object(Bucket="s3cmd", Key="copy+1")
    assert head["CacheControl"] == "max-age=5" and head["Metadata"]["colour"] == "blue"
    info = s3cmd("info", "s3://s3cmd/copy+1").stdout
    assert "File size: 10000" in info and "x-amz-meta-colour: blue" in info
    assert s3cmd("ls", "--recursive", "s3://s3cmd").stdout.count("s3://s3cmd/") == len(files) + 1
    assert "DIR" in s3cmd("ls", "s3://s3cmd").stdout
    url = s3cmd("signurl", "s3://s3cmd/copy+1", "+60").stdout.strip()
    run("curl", "-fsS", url, "-o", tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == body_of("a b")
    policy = tmp_path / "policy"
    policy.write_text(
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",'
        '"Resource":"arn:aws:s3:::s3cmd/moved*"}]}'
    )
    s3cmd("setpolicy", policy, "s3://s3cmd")
    run("curl", "-fsS", f"{house.url('store')}/s3cmd/moved%20%C3%BC", "-o", tmp_path / "public")
    assert (tmp_path / "public").read_bytes() == body_of("käse/日本/🙂")
    s3cmd("delpolicy", "s3://s3cmd")
    assert "s3://s3cmd/copy+1" in s3cmd("la").stdout
    assert s3cmd("du", "s3://s3cmd/tree/deep/").stdout.split()[0] == str(20 * MIB)
    s3cmd("del", "--recursive", "--force", "s3://s3cmd")
    s3cmd("rb", "s3://s3cmd")
    assert "404" in s3cmd("ls", "s3://s3cmd", check=False).stderr


# -------------------------------------------------------------------- curl


@pytest.mark.client("S3", "curl", "public objects: get, head, ranges, resumed, conditional, refused writes")
def test_curl_on_public_objects(house, tmp_path):
    own, body, url = s3(house), body_of("public", 300_000), f"{house.url('store')}/curl"
    own.create_bucket(Bucket="curl")
    own.put_object(Bucket="curl", Key="a b/ü+", Body=body, ContentType="text/x")
    public(house, "curl")
    at = f"{url}/a%20b/%C3%BC%2B"

    def curl(*args, **kwargs):
        return run("curl", "-sS", *args, **kwargs)

    half = tmp_path / "half"
    half.write_bytes(body[:1000])
    curl("-f", "-C", "-", "-o", half, at)
    assert half.read_bytes() == body
    curl("-f", "-r", "5-9", "-o", half, at)
    assert half.read_bytes() == body[5:10]
    head = {
        line.split(": ")[0].lower(): line.split(": ", 1)[1]
        for line in curl("-fI", at).stdout.splitlines()
        if ": " in line
    }
    assert head["content-length"] == "300000" and head["content-type"] == "text/x" and head["accept-ranges"] == "bytes"
    code = ("-o", "/dev/null", "-w", "%{http_code}")
    assert curl(*code, "-H", f"If-None-Match: {head['etag']}", at).stdout == "304"
    assert curl(*code, "-z", head["last-modified"], at).stdout == "304"
    assert curl(*code, "-r", "300000-", at).stdout == "416"
    assert curl(*code, f"{url}/none").stdout == "404"
    assert curl(*code, "-T", half, at).stdout == curl(*code, "-X", "DELETE", at).stdout == "403"
    assert "<Key>a b/ü+</Key>" in curl("-f", f"{url}?list-type=2").stdout
    assert "<Code>NoSuchKey</Code>" in curl(f"{url}/none").stdout
    # a name that leaves the bucket is no way out of it
    assert curl(*code, "--path-as-is", f"{url}/../../etc/passwd").stdout == "404"


@pytest.mark.client("S3", "curl", "presigned URLs: put with Expect: 100-continue, put by chunks, get, delete")
def test_curl_on_presigned_urls(house, tmp_path):
    own, body = s3(house), body_of("big", 3 * MIB)
    own.create_bucket(Bucket="curl-signed")
    (tmp_path / "big").write_bytes(body)

    def url(call, key):
        return own.generate_presigned_url(call, Params={"Bucket": "curl-signed", "Key": key})

    told = run("curl", "-fsSv", "-H", "Expect: 100-continue", "-T", tmp_path / "big", url("put_object", "a b")).stderr
    assert "100 Continue" in told
    told = run("curl", "-sSv", "-H", "Expect: 100-continue", "-T", tmp_path / "big", url("get_object", "a b")).stderr
    assert "100 Continue" not in told and "403" in told
    with open(tmp_path / "big", "rb") as f:
        run("curl", "-fsS", "-H", "Transfer-Encoding: chunked", "-T", "-", url("put_object", "chunks"), stdin=f)
    assert content(house, "curl-signed") == {"a b": body, "chunks": body}
    run("curl", "-fsS", "-X", "DELETE", url("delete_object", "chunks"))
    assert content(house, "curl-signed").keys() == {"a b"}


@pytest.mark.client("S3", "curl", "signs itself (--aws-sigv4): list, put, get, delete")
def test_curl_that_signs(house, tmp_path):
    (tmp_path / "body").write_bytes(b"signed by curl")
    s3(house).create_bucket(Bucket="curl-sigv4")
    url = f"{house.url('store')}/curl-sigv4"

    def curl(*args, payload="UNSIGNED-PAYLOAD"):
        sign = ("--aws-sigv4", "aws:amz:us-east-1:s3", "-u", f"{ACCESS}:{SECRET}")
        return run("curl", "-fsS", *sign, "-H", f"x-amz-content-sha256: {payload}", *args).stdout

    curl("-T", tmp_path / "body", f"{url}/a%20b")
    assert curl(f"{url}/a%20b") == "signed by curl"
    assert "<Key>a b</Key>" in curl(f"{url}?list-type=2&prefix=a")
    curl("-X", "DELETE", f"{url}/a%20b")
    assert "<KeyCount>0</KeyCount>" in curl(f"{url}?list-type=2")
