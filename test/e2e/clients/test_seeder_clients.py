"""The seeder's API for those who only have its OpenAPI document: testers and generated clients."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import requests
from playground import TABLES, Playground

SMALL = {"count": 200, "batch_size": 100, "rate": 5, "updates": 5, "deletes": 5}
# ten million records in transactions of one are a valid call too, and take their time: such are left out
HOOKS = """
import schemathesis

def number(query, name, default):
    try:
        return int(query.get(name, default))
    except (TypeError, ValueError):
        return 1

@schemathesis.hook
def filter_query(context, query):
    query = query or {}
    if context.operation.path != "/seed/full":
        return number(query, "rate", 1) * number(query, "batch_size", 10) <= 500
    count = number(query, "count", 10000)
    return count <= 2000 and count / max(number(query, "batch_size", 1000), 1) <= 200
"""


@pytest.fixture(scope="module")
def play():
    with Playground() as play:
        play.haus("up", "source")
        yield play


@pytest.fixture(autouse=True)
def still(play):
    """No stream of an earlier test runs on."""
    requests.post(play.url("seeder") + "/seed/stop", timeout=30)


def document(play):
    return requests.get(play.url("seeder") + "/openapi.json", timeout=10).json()


def counts(play):
    address = f"host=127.0.0.1 port={play.port('postgres')} user=postgres password=postgres dbname=storefront"
    with psycopg.connect(address) as connection:
        return {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in TABLES}


# -------------------------------------------------------------- schemathesis


def schemathesis(schema, play, folder, mode, examples):
    (folder / "openapi.json").write_text(json.dumps(schema))
    (folder / "hooks.py").write_text(HOOKS)
    done = subprocess.run(
        [Path(sys.executable).with_name("schemathesis"), "run", str(folder / "openapi.json")]
        + ["--url", play.url("seeder"), "--mode", mode, "--checks", "all", "--max-examples", str(examples)]
        + ["--phases", "coverage,fuzzing", "--generation-deterministic", "--no-color", "--warnings", "off"]
        + ["--max-time", "20", "--suppress-health-check", "filter_too_much", "--request-timeout", "30"],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=folder,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(folder)},
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.client("Seeder", "schemathesis", "all checks over valid calls: statuses, bodies and headers as documented")
def test_valid_calls_are_answered_as_documented(play, tmp_path):
    schema = document(play)
    for operation in (o for path in schema["paths"].values() for o in path.values()):
        for parameter in operation.get("parameters", ()):
            limit = SMALL.get(parameter["name"])
            if limit:
                parameter["required"] = True
                parameter["schema"].update(maximum=limit, default=min(limit, parameter["schema"]["default"]))
    said = schemathesis(schema, play, tmp_path, "positive", 15)
    assert re.search(r"(\d+) passed|No issues found", said), said


@pytest.mark.client("Seeder", "schemathesis", "all checks over invalid calls: none is accepted, none breaks it")
def test_invalid_calls_are_refused_as_documented(play, tmp_path):
    said = schemathesis(document(play), play, tmp_path, "negative", 40)
    assert re.search(r"(\d+) passed|No issues found", said), said
    requests.post(play.url("seeder") + "/seed/stop", timeout=30)
    status = requests.get(play.url("seeder") + "/status", timeout=10).json()
    assert status["last_error"] is None and counts(play)["orders"] == counts(play)["payments"]


# ---------------------------------------------------------- a generated client


@pytest.fixture(scope="module")
def generated(play, tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(document(play)))
    tool = Path(sys.executable).with_name("openapi-python-client")
    done = subprocess.run(
        [tool, "generate", "--path", "openapi.json", "--meta", "none", "--output-path", "storefront_client"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0 and "Warning" not in done.stdout, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield importlib.import_module("storefront_client")
    sys.path.remove(str(folder))


def operation(generated, tag, name):
    return importlib.import_module(f"{generated.__name__}.api.{tag}.{name}")


@pytest.mark.client("Seeder", "openapi-python-client", "generates a typed Python client without warnings, which seeds")
def test_a_generated_client_seeds(play, generated):
    before = counts(play)
    with generated.Client(base_url=play.url("seeder"), raise_on_unexpected_status=True) as client:
        full = operation(generated, "seed", "seed_full_seed_full_post")
        done = full.sync(client=client, count=250, batch_size=100, seed=3)
        assert (done.status, done.records, done.batches) == ("completed", 250, 3)
        assert counts(play)["orders"] - before["orders"] == done.rows.orders == 250
        refused = full.sync_detailed(client=client, count=0)
        assert refused.status_code == 422 and refused.parsed.detail[0].type_ == "greater_than_equal"
        assert operation(generated, "state", "health_health_get").sync(client=client).status == "ok"
        start = operation(generated, "seed", "seed_start_seed_start_post")
        assert start.sync(client=client, rate=5.0, batch_size=2).status == "started"
        assert "already running" in start.sync(client=client).detail
        traffic = operation(generated, "state", "status_status_get").sync(client=client)
        assert traffic.running and traffic.rate == 5.0 and traffic.started_at.tzinfo is not None
        assert operation(generated, "seed", "seed_stop_seed_stop_post").sync(client=client).status == "stopped"
