"""Kafka Connect's REST API, and the source connector's settings: the same for our connect and for Apache's worker."""

import time

import requests

TABLES = ("customers", "orders")
CALL_S = 120
AGAIN_S = 0.1
REBALANCING, UNKNOWN = 409, 404


class Worker:
    def __init__(self, url):
        self.url = url

    def call(self, method, path, body=None):
        deadline = time.monotonic() + CALL_S
        while True:
            answer = self.ask(method, path, body)
            if answer.status_code < 400:
                return answer
            if answer.status_code != REBALANCING or time.monotonic() > deadline:
                raise SystemExit(f"bench: {method} {path} answered {answer.status_code}: {answer.text[:500]}")
            time.sleep(AGAIN_S)

    def ask(self, method, path, body=None):
        try:
            return requests.request(method, self.url + path, json=body, timeout=CALL_S)
        except requests.RequestException as problem:
            raise SystemExit(f"bench: {method} {path} got no answer: {problem}") from None

    def create(self, name, config):
        self.call("POST", "/connectors", {"name": name, "config": config})

    def stop(self, name):
        self.call("PUT", f"/connectors/{name}/stop")
        self.wait_state(name, "STOPPED")

    def resume(self, name):
        self.call("PUT", f"/connectors/{name}/resume")

    def delete(self, name):
        self.call("DELETE", f"/connectors/{name}")

    def status(self, name):
        """(the connector's state, its tasks'); a worker may not know of it for a moment. A failure ends the run."""
        answer = self.ask("GET", f"/connectors/{name}/status")
        if answer.status_code in (REBALANCING, UNKNOWN):
            return "UNKNOWN", []
        told = answer.json()
        for part in (told["connector"], *told["tasks"]):
            if part["state"] == "FAILED":
                raise SystemExit(f"bench: connector '{name}' failed: {part.get('trace', '')[:1500]}")
        return told["connector"]["state"], [task["state"] for task in told["tasks"]]

    def wait_state(self, name, state, timeout=120):
        deadline = time.monotonic() + timeout
        while True:
            status = connector, tasks = self.status(name)
            if connector == state and all(task == state for task in tasks) and (tasks or state != "RUNNING"):
                return
            if time.monotonic() > deadline:
                raise SystemExit(f"bench: connector '{name}' is not {state}: {status}")
            time.sleep(0.05)


def source_config(name, postgres_port, converter, **more):
    """As the compose stack's template has it, for two tables."""
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "database.hostname": "127.0.0.1",
        "database.port": str(postgres_port),
        "database.user": "postgres",
        "database.password": "postgres",
        "database.dbname": "storefront",
        "topic.prefix": name,
        "plugin.name": "pgoutput",
        "slot.name": name,
        "publication.name": "bench_pub",
        "publication.autocreate.mode": "disabled",
        "table.include.list": ",".join(f"public.{table}" for table in TABLES),
        "snapshot.mode": "initial",
        "tombstones.on.delete": "false",
        **converter,
        **more,
    }
