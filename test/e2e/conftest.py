"""Collects the rows of doc/compatibility.md: what each test marked as a client's did, as it came out.

    @pytest.mark.client("Kafka", "kcat", "produces and consumes, keys and headers")

Tests with the same seam, client and words are one row, passed when all of them passed; a test may make several rows.  With
HAUS_COMPATIBILITY=FILE the rows are written there as JSON lines; clients/table.py makes the page of them.  Works with and
without pytest-xdist: a row travels with its test's report.
"""

import json
import os

import versions

ROW = "client"
rows = {}


def pytest_collection_modifyitems(items):
    for item in items:  # before any of them runs, so that a skipped one tells its rows too
        for mark in item.iter_markers("client"):
            seam, name, what = mark.args
            item.user_properties.append((ROW, [seam, name, versions.of(name), what]))


def reason(report):
    if report.skipped and isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    text = getattr(getattr(report.longrepr, "reprcrash", None), "message", None) or str(report.longrepr)
    return text.strip().splitlines()[0][:200] if text.strip() else "no reason given"


def pytest_runtest_logreport(report):
    if report.when != "call" and report.passed:
        return
    rank = ["pass", "missing", "fail"]
    result = "pass" if report.passed else "missing" if report.skipped else "fail"
    for row in [value for name, value in report.user_properties if name == ROW]:
        told = rows.setdefault(tuple(row), {"result": "pass", "reason": ""})
        if rank.index(result) > rank.index(told["result"]):
            told.update(result=result, reason=reason(report))


def pytest_sessionfinish(session):
    path = os.environ.get("HAUS_COMPATIBILITY")
    if not path or hasattr(session.config, "workerinput"):
        return
    with open(path, "a") as out:
        for (seam, name, version, what), told in rows.items():
            out.write(
                json.dumps({"seam": seam, "client": name, "version": version, "what": what, **told}, ensure_ascii=False)
                + "\n"
            )
