"""The paths, in the table's order. Each module measures one: `run(bench)` gives its rows."""

from importlib import import_module

NAMES = ("load", "stream", "latency", "produce", "fetch", "seed", "sink", "stage", "first_row", "start", "idle", "size")


def module(name):
    return import_module(f"paths.{name}")
