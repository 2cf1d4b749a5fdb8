"""Idle: memory and processor time of a house that nobody uses."""

import time

from measure import cpu_seconds, pss, tree
from table import Row, Side

SETTLE_S, LOOK_S = 10, 20


def run(bench):
    with bench.stand() as stand:
        stand.source.close()
        names = [name for name in stand.status() if name != "postgres"]
        memory, cpu = look([stand.supervisor, *stand.pids(*names)], without=stand.pids("postgres"))
        server = pss(tree(stand.pids("postgres")))
    peer_memory = peer_cpu = None
    if bench.peers:
        _, peer_memory, peer_cpu = bench.peers_at_rest
    yield Row(
        "idle",
        "memory of ours (PSS)",
        "MB",
        haus=Side(memory / 1e6),
        peer=peer_memory and Side(peer_memory / 1e6),
        goal="≤ 60",
        note=f"the supervisor and all services but PostgreSQL, {SETTLE_S + LOOK_S} s after the start; peer: Kafka, Connect, Spark master and worker, S3 server",
    )
    yield Row(
        "idle",
        "processor time of ours",
        "ms/s",
        haus=Side(cpu),
        peer=None if peer_cpu is None else Side(peer_cpu),
        goal="0",
    )
    yield Row("idle", "memory of PostgreSQL (PSS)", "MB", haus=Side(server / 1e6))


def look(roots, without=()):
    """(bytes, milliseconds of processor a second)"""
    time.sleep(SETTLE_S)
    before, began = cpu_seconds(part(roots, without)), time.monotonic()
    time.sleep(LOOK_S)
    after, ended = cpu_seconds(part(roots, without)), time.monotonic()
    used = sum(seconds - before.get(pid, 0) for pid, seconds in after.items())
    return pss(part(roots, without)), used / (ended - began) * 1e3


def part(roots, without):
    return set(tree(roots)) - set(tree(without))
