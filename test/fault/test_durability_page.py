"""Each promise of doc/durability.md names tests that are there, and each station has its promises."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "doc" / "durability.md").read_text()
NAMES = sorted(set(re.findall(r"`([\w/]+\.(?:py|c))::(\w+)`", PAGE)))
STATIONS = (
    "postgres",
    "migrate",
    "seeder",
    "log",
    "registry",
    "connect, source",
    "connect, sink",
    "store",
    "build",
    "supervisor",
)


@pytest.mark.parametrize("file, name", NAMES, ids="::".join)
def test_a_proof_that_is_named_is_there(file, name):
    text = (ROOT / "test" / file).read_text()
    if file.endswith(".py"):
        assert re.search(rf"^def {name}\(", text, re.MULTILINE)
    else:
        assert re.search(rf"^static void {name}\(void \*\*state\)", text, re.MULTILINE)
        assert text.count(name) > 1, "it is not in the list of tests"


def test_each_station_has_promises_and_each_promise_a_proof():
    parts = dict(re.findall(r"^## ([a-z, ]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
    assert set(parts) == set(STATIONS)
    for station, text in parts.items():
        rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
        assert rows, station
        for row in rows:
            assert re.search(r"`[\w/]+\.(py|c)::\w+`", row), row
