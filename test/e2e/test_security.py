"""Who may ask, what is shown, what is hidden: signatures, keys that look like paths, markup in rows, passwords, files."""

import hashlib
import hmac
import json
import os
import re
import socket
import stat
import time
import urllib.parse
from pathlib import Path

import boto3
import botocore.config
import botocore.exceptions
import pytest
import requests
from house import House
from playground import Playground

SECRETS = {
    "POSTGRES_PASSWORD": "Secret-of-postgres-4711",
    "DEBEZIUM_PASSWORD": "Secret-of-debezium-4712",
    "MINIO_ROOT_PASSWORD": "Secret-of-the-store-4713",
}
MARKUP = "<script>alert('&\"')</script>"


@pytest.fixture(scope="module")
def store():
    with House("store") as house:
        s3_of(house).create_bucket(Bucket="box")
        yield house


def s3_of(house):
    return boto3.client(
        "s3",
        endpoint_url=house.url("store"),
        aws_access_key_id="minio",
        aws_secret_access_key="minio123",
        region_name="us-east-1",
        config=botocore.config.Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )


# ------------------------------------------------------------------------------- signatures


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signed(house, method, path, shift_s=0, secret="minio123", signed_headers="host;x-amz-content-sha256;x-amz-date"):
    """The headers of a request signed `shift_s` seconds from now, by the book."""
    now = time.gmtime(time.time() + shift_s)
    day, moment = time.strftime("%Y%m%d", now), time.strftime("%Y%m%dT%H%M%SZ", now)
    headers = {"host": house.address("store"), "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "x-amz-date": moment}
    lines = "".join(f"{name}:{headers[name]}\n" for name in signed_headers.split(";"))
    canonical = f"{method}\n{path}\n\n{lines}\n{signed_headers}\nUNSIGNED-PAYLOAD"
    scope = f"{day}/us-east-1/s3/aws4_request"
    key = mac(mac(mac(mac(b"AWS4" + secret.encode(), day), "us-east-1"), "s3"), "aws4_request")
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = mac(key, text).hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential=minio/{scope}, SignedHeaders={signed_headers}, Signature={signature}"
    )
    return headers


def code_of(answer):
    return (re.findall("<Code>(.*?)</Code>", answer.text) or [answer.status_code])[0]


@pytest.mark.parametrize(
    "shift,code",
    [(0, 200), (-14 * 60, 200), (14 * 60, 200), (-16 * 60, "RequestTimeTooSkewed"), (16 * 60, "RequestTimeTooSkewed")],
)
def test_a_request_is_good_for_a_quarter_of_an_hour(store, shift, code):
    answer = requests.get(f"{store.url('store')}/box", headers=signed(store, "GET", "/box", shift), timeout=10)
    assert code_of(answer) == code


def test_every_digit_of_a_signature_counts(store):
    headers = signed(store, "GET", "/box")
    right = headers["authorization"]
    for place in (-1, -32, -64):
        digit = "0" if right[place] != "0" else "1"
        end = right[place + 1 :] if place != -1 else ""
        wrong = {**headers, "authorization": right[:place] + digit + end}
        assert code_of(requests.get(f"{store.url('store')}/box", headers=wrong, timeout=10)) == "SignatureDoesNotMatch"
    for cut in (right[:-1], right[:-64], right + "0"):
        answer = requests.get(f"{store.url('store')}/box", headers={**headers, "authorization": cut}, timeout=10)
        assert answer.status_code in (400, 403)


def test_what_a_signature_does_not_cover_is_refused(store):
    url = f"{store.url('store')}/box/key"
    assert code_of(requests.get(url, headers=signed(store, "GET", "/box/other"), timeout=10)) == "SignatureDoesNotMatch"
    assert (
        code_of(requests.delete(url, headers=signed(store, "GET", "/box/key"), timeout=10)) == "SignatureDoesNotMatch"
    )
    more = {**signed(store, "GET", "/box/key"), "x-amz-copy-source": "/box/secret"}
    assert code_of(requests.put(url, headers=more, timeout=10)) == "AccessDenied"
    bare = signed(store, "GET", "/box/key", signed_headers="x-amz-content-sha256;x-amz-date")
    assert code_of(requests.get(url, headers=bare, timeout=10)) == "AccessDenied"
    another = signed(store, "GET", "/box/key", secret="minio124")
    assert code_of(requests.get(url, headers=another, timeout=10)) == "SignatureDoesNotMatch"


def test_without_a_signature_nothing_is_told(store):
    s3_of(store).put_object(Bucket="box", Key="known", Body=b"x")
    for path in ("/", "/box", "/box/known", "/box/unknown", "/other/key"):
        assert code_of(requests.get(store.url("store") + path, timeout=10)) == "AccessDenied"


# ------------------------------------------------------------------------- keys and names


@pytest.mark.parametrize(
    "key",
    [
        "../../../../etc/passwd",
        "..",
        "a/../../b",
        "./a",
        "/etc/passwd",
        "//a//b//",
        "a\\..\\b",
        "%2e%2e%2fa",
        "..%2f..%2fb",
        "blobs/0",
        "a\tb\x01c",
        MARKUP,
    ],
)
def test_a_key_that_looks_like_a_path_is_a_key(store, key):
    s3 = s3_of(store)
    before = {p for p in Path(store.home).rglob("*") if "blobs" not in p.parts}
    s3.put_object(Bucket="box", Key=key, Body=key.encode())
    assert s3.get_object(Bucket="box", Key=key)["Body"].read() == key.encode()
    listed = s3.list_objects_v2(Bucket="box", Prefix=key, EncodingType="url")["Contents"]
    assert key in [urllib.parse.unquote(o["Key"]) if "%" in o["Key"] and o["Key"] != key else o["Key"] for o in listed]
    after = {p for p in Path(store.home).rglob("*") if "blobs" not in p.parts}
    assert after == before, "files besides blobs"
    s3.delete_object(Bucket="box", Key=key)


@pytest.mark.parametrize("bucket", ["..", "../x", "a/b", "A_B", MARKUP, "x" * 64, "127.0.0.1"])
def test_a_bucket_that_looks_like_a_path_is_refused(store, bucket):
    path = "/" + urllib.parse.quote(bucket, safe="")
    answer = requests.put(store.url("store") + path, headers=signed(store, "PUT", path), timeout=10)
    assert answer.status_code in (400, 403, 404), answer.text


def test_markup_in_a_key_is_text_in_the_answers(store):
    s3 = s3_of(store)
    s3.put_object(Bucket="box", Key=MARKUP, Body=b"x")
    path = "/box/" + urllib.parse.quote(MARKUP + "?", safe="/")
    missing = requests.get(store.url("store") + path, headers=signed(store, "GET", path), timeout=10)
    assert missing.status_code == 404 and missing.headers["Content-Type"] == "application/xml"
    listed = requests.get(f"{store.url('store')}/box", headers=signed(store, "GET", "/box"), timeout=10)
    for answer in (missing, listed):
        assert "<script" not in answer.text and "&lt;script&gt;" in answer.text, answer.text
    s3.delete_object(Bucket="box", Key=MARKUP)


# -------------------------------------------------------------------------------- a house


@pytest.fixture(scope="module")
def play():
    with Playground(env=SECRETS) as play:
        play.haus("up")
        play.haus("seed", "--count", "60", "--batch-size", "20")
        play.haus("connector", "apply")
        yield play


def processes(play):
    """Everything that runs in the house: pid to command line and environment."""
    found = {}
    for proc in Path("/proc").iterdir():
        if not proc.name.isdigit():
            continue
        try:
            environ = (proc / "environ").read_bytes()
            words = (proc / "cmdline").read_bytes()
        except OSError:
            continue
        if str(play.home).encode() in environ + words:
            found[int(proc.name)] = words.replace(b"\0", b" ").decode(errors="replace")
    return found


def secrets_in(text):
    return [name for name, secret in SECRETS.items() if secret in text]


def test_no_password_stands_in_a_command_line_or_a_log(play):
    play.settle()
    running = processes(play)
    assert len(running) >= 8
    for pid, words in running.items():
        assert not secrets_in(words), (pid, words)
    logs = [p for p in play.home.rglob("*.log") if p.is_file() and p.parent.name == "logs"]
    assert len(logs) >= 7
    for log in logs:
        assert not secrets_in(log.read_text(errors="replace")), log


def test_no_password_is_in_what_commands_print_unless_asked_for(play):
    for command in (["status"], ["config"], ["connector", "list"], ["topic", "list"], ["verify"], ["logs"]):
        done = play.run(*command)
        assert not secrets_in(done.stdout + done.stderr), command
    assert secrets_in(play.haus("config", "--show-secrets")) == list(SECRETS)


def connect(play, method, path, **json_body):
    return requests.request(method, play.url("connect") + path, timeout=30, **json_body)


def source_config(play, **changes):
    name = next(n for n in connect(play, "GET", "/connectors").json() if "source" in n or "postgres" in n)
    return {**connect(play, "GET", f"/connectors/{name}/config").json(), **changes}


def test_validation_hides_passwords_as_debezium_does(play):
    secret = "Secret-of-the-body-4714"
    config = source_config(play, **{"database.password": secret, "name": "x"})
    path = "/connector-plugins/io.debezium.connector.postgresql.PostgresConnector/config/validate"
    answer = connect(play, "PUT", path, json=config)
    assert answer.status_code == 200 and secret not in answer.text and not secrets_in(answer.text)
    row = next(r for r in answer.json()["configs"] if r["value"]["name"] == "database.password")
    assert row["value"]["value"] == "[hidden]" and row["definition"]["type"] == "PASSWORD"
    # refused: the words name the user, not what they tried
    assert any("password authentication failed" in e for r in answer.json()["configs"] for e in r["value"]["errors"])


def test_a_refused_connector_does_not_tell_its_password(play):
    secret = "Secret-of-the-body-4715"
    config = source_config(play, **{"database.password": secret})
    config.pop("name")
    answer = connect(play, "PUT", "/connectors/refused/config", json=config)
    assert answer.status_code == 400 and secret not in answer.text and not secrets_in(answer.text), answer.text
    sink = "io.confluent.connect.s3.S3SinkConnector"
    config = {"connector.class": sink, "topics": "t", "aws.secret.access.key": secret, "s3.bucket.name": ""}
    answer = connect(play, "PUT", "/connectors/refused/config", json=config)
    assert answer.status_code == 400 and secret not in answer.text
    for name in ("connect", "supervisor"):
        for log in (play.home / "logs").glob(f"{name}*"):
            assert secret not in log.read_text(errors="replace")


def test_a_failed_task_does_not_tell_its_password(play):
    secret = "Secret-of-the-body-4716"
    config = {
        "connector.class": "io.confluent.connect.s3.S3SinkConnector",
        "topics": "storefront.public.orders",
        "s3.bucket.name": "raw",
        "store.url": play.url("store"),
        "aws.access.key.id": "minio",
        "aws.secret.access.key": secret,
        "storage.class": "io.confluent.connect.s3.storage.S3Storage",
        "format.class": "io.confluent.connect.s3.format.avro.AvroFormat",
        "flush.size": "1",
    }
    answer = connect(play, "PUT", "/connectors/wrong-keys/config", json=config)
    text = answer.text
    if answer.status_code == 201:
        play.wait_for(
            "the task to fail", lambda: "FAILED" in connect(play, "GET", "/connectors/wrong-keys/status").text, 60
        )
        text = connect(play, "GET", "/connectors/wrong-keys/status").text
    connect(play, "DELETE", "/connectors/wrong-keys")
    assert secret not in text and not secrets_in(text), text
    assert not secrets_in(play.logs()) and secret not in play.logs()


def test_the_pages_of_the_house_hide_passwords_and_show_markup_as_text(play):
    name = "table <script>alert(1)</script>"
    config = source_config(play, **{"table.include.list": name, "slot.name": "BAD <script>", "database.password": "x"})
    config.pop("name")
    answer = connect(play, "PUT", "/connectors/markup/config", json=config)
    assert answer.headers["Content-Type"] == "application/json" and answer.status_code == 400
    for service, path, kind in (
        ("console", "/", "text/html; charset=utf-8"),
        ("console", "/api/state", "application/json"),
        ("console", "/metrics", "text/plain; version=0.0.4"),
        ("seeder", "/docs", "text/html; charset=utf-8"),
        ("seeder", "/metrics", "text/plain; version=0.0.4"),
        ("seeder", "/status", "application/json"),
        ("store", "/metrics", "text/plain; version=0.0.4"),
    ):
        answer = requests.get(play.url(service) + path, timeout=10)
        assert answer.status_code == 200 and answer.headers["Content-Type"] == kind, (service, path, answer.headers)
        assert not secrets_in(answer.text), (service, path)
    page = requests.get(play.url("console") + "/", timeout=10)
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in page.text, way


@pytest.mark.parametrize(
    "service,method,path",
    [
        ("seeder", "POST", "/seed/full?count="),
        ("registry", "GET", "/subjects/{}/versions"),
        ("connect", "GET", "/connectors/{}"),
    ],
)
def test_errors_that_repeat_what_was_asked_are_json(play, service, method, path):
    markup = urllib.parse.quote(MARKUP, safe="")
    path = path.format(markup) if "{}" in path else path + markup
    answer = requests.request(method, play.url(service) + path, timeout=10)
    assert answer.status_code in (404, 422) and "json" in answer.headers["Content-Type"]
    assert MARKUP in json.dumps(answer.json(), ensure_ascii=False).replace('\\"', '"')


# ------------------------------------------------------------------- files and addresses


def test_the_state_is_its_owners_alone(play):
    mode = stat.S_IMODE(play.home.stat().st_mode)
    assert mode == (0o710 if os.geteuid() == 0 else 0o700), oct(mode)
    loose = []
    for path in play.home.rglob("*"):
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:  # a house that runs makes and takes away files
            continue
        if not stat.S_ISLNK(mode) and not stat.S_ISSOCK(mode) and mode & 0o007:
            loose.append(f"{path} {stat.filemode(mode)}")
    assert not loose, "\n".join(loose[:20])


def listening(play):
    """(address, port) of every listening socket of the house's processes."""
    inodes = set()
    for pid in processes(play):
        try:
            links = [os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        inodes |= {int(link[8:-1]) for link in links if link.startswith("socket:[")}
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] != "0A" or int(fields[9]) not in inodes:
                continue
            address, port = fields[1].split(":")
            words = [bytes.fromhex(address[i : i + 8])[::-1] for i in range(0, len(address), 8)]
            found.add((socket.inet_ntop(family, b"".join(words)), int(port, 16)))
    return found


def test_nothing_listens_for_other_machines(play):
    found = listening(play)
    assert len({port for _, port in found}) >= 7, found
    assert {address for address, _ in found} <= {"127.0.0.1", "::1"}, found


# ------------------------------------------------------------------------ other web pages


@pytest.mark.parametrize("service", ["registry", "connect", "store", "seeder", "console"])
def test_a_page_from_elsewhere_may_not_read_answers(play, service):
    for method in ("GET", "OPTIONS"):
        answer = requests.request(
            method,
            play.url(service) + "/",
            headers={"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "PUT"},
            timeout=10,
        )
        assert "Access-Control-Allow-Origin" not in answer.headers, answer.headers


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_what_a_form_of_another_page_can_send_makes_no_connector(play, kind):
    """A browser sends these to any address without asking; JSON it does not."""
    config = {"name": "forged", "config": {"connector.class": "io.confluent.connect.s3.S3SinkConnector"}}
    answer = connect(play, "POST", "/connectors", data=json.dumps(config), headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert "forged" not in connect(play, "GET", "/connectors").json()
