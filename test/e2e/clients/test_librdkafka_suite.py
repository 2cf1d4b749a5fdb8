"""librdkafka's own tests against our log: those that pass against a real Apache Kafka 4.1 on one node pass here.

librdkafka_suite.tsv says for each test how it is run and what is expected; it was found by running the same against Apache
Kafka 4.1.1.  Tests longer than LONG seconds run with HAUS_SUITE_ALL=1.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

import librdkafka_suite
from house import House
from kafka_real import jars, needs_java

pytestmark = [pytest.mark.slow, needs_java]
LONG = 75
AT_ONCE = 10  # they mostly wait
SETTINGS = {"KAFKA_NUM_PARTITIONS": "4", "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "8"}
STRICT = {**SETTINGS, "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false"}
PATIENT = {**SETTINGS, "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "3000"}
SEAM = "librdkafka's tests"
EXPECTED = {"pass", "not here", "not applicable"}


def chosen():
    everything = os.environ.get("HAUS_SUITE_ALL") == "1"
    for row in librdkafka_suite.table():
        if row.expected != "not applicable" and (everything or row.seconds <= LONG):
            yield pytest.param(row, id=row.name, marks=pytest.mark.client(SEAM, "librdkafka", row.name))


@pytest.fixture(scope="module")
def suite():
    try:
        return librdkafka_suite.built(jars())
    except librdkafka_suite.Unavailable as why:
        pytest.skip(str(why))


@pytest.fixture(scope="module")
def told(request, suite):
    """What each chosen test did: all of them side by side, and what failed so up to twice more by itself, because their own
    limits of time are meant for a quiet machine."""
    items = [item for item in request.session.items if item.module is request.module and hasattr(item, "callspec")]
    rows = {item.callspec.params["row"] for item in items}
    rows = sorted((row for row in rows if row.expected == "pass"), key=lambda row: -row.seconds)
    with House("log", env=SETTINGS) as usual, House("log", env=STRICT) as strict, House("log", env=PATIENT) as patient:

        def run(row):
            house = strict if row.scenario == "noautocreate" else patient if "patient" in row.how else usual
            return suite.run_row(row, house.address("log"))

        with ThreadPoolExecutor(AT_ONCE) as pool:
            told = dict(zip(rows, pool.map(run, rows)))
        for row in [*rows, *rows]:
            if told[row][0].state == "FAILED":
                print(f"{row.name} failed: {told[row][0].reason}")
                told[row] = run(row)
    return told


@pytest.mark.parametrize("row", chosen())
def test_passes_as_against_kafka(row, told):
    if row.expected == "not here":
        pytest.skip(row.reason)
    result, text = told[row]
    print(text[-4000:])
    assert result.state == "PASSED", f"{row.name}: {result.state}: {result.reason}"


def test_the_table_names_every_broker_test_of_the_source(suite):
    rows = list(librdkafka_suite.table())
    assert {(row.name, row.scenario) for row in rows} == set(suite.broker_tests())
    assert {row.expected for row in rows} <= EXPECTED
    assert all(row.reason for row in rows if row.expected != "pass")
