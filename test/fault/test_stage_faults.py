"""The stage build with the world failing at each of its fault points: nothing half done stays, nothing comes twice.

Needs a build with the fault points compiled in (-Dfault=true), as `make fault` makes it.
"""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
import raw_events as raw  # noqa: E402
from house import BINARY, House  # noqa: E402
from test_stage import Lake, orders  # noqa: E402


def has_fault_points():
    names = subprocess.run(["grep", "-c", "lake.publish", BINARY], capture_output=True, text=True)
    return names.stdout.strip() not in ("", "0")


pytestmark = pytest.mark.skipif(not has_fault_points(), reason="built without fault points")

POINTS = [
    "lake.upload:crash@1",
    "lake.upload:crash@4",
    "lake.upload:eio@3",
    "lake.manifest:crash@1",
    "lake.manifest:crash@2",
    "lake.manifest:eio@2",
    "lake.publish:crash@1",
    "lake.publish:eio@1",
    "lake.hint:crash@1",
    "lake.hint:eio@1",
]


@pytest.mark.parametrize("first", [True, False], ids=["new-table", "next-commit"])
@pytest.mark.parametrize("fault", POINTS)
def test_nothing_half_done_stays(fault, first):
    with House("store") as house:
        lake = Lake(house)
        before = 0 if first else 50
        if before:
            raw.put(lake.s3, "orders", 0, orders(0, before))
            lake.build()
        raw.put(lake.s3, "orders", before, orders(before, 200))
        done = subprocess.run([BINARY, "build"], env={**lake.env, "HAUS_FAULT": fault}, capture_output=True, timeout=60)
        assert done.returncode != 0 or fault.startswith("lake.hint")
        lake.wait_for_the_janitor()
        if lake.keys("stage/storefront/orders/metadata/", "metadata.json"):
            lake.no_orphans("orders")
        else:
            assert not lake.keys("stage/storefront/orders/")
        lake.build()
        assert sorted(r["id"] for r in lake.rows("orders")) == list(range(before + 200))
        lake.no_orphans("orders")
