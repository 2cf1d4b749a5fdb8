"""Compares records of the connector with recorded ones, leaving out what must differ from run to run.

Places in the server's log (LSN) and transaction numbers are compared by rank: the i-th smallest here is
the i-th smallest there.  Times are compared only with each other.
"""

import copy
import json
import re

OFFSET_PLACES = ("lsn", "lsn_proc", "lsn_commit")


def source_of(record):
    value = record["value"]
    source = value.get("source") if isinstance(value, dict) else None
    return source if isinstance(source, dict) else None


def complete_offsets(records):
    """A change's records but its last carry no offset: the next one's is theirs.  Marks them."""
    following = {}
    for record in reversed(records):
        if record["sourceOffset"] is None:
            record["sourceOffset"] = copy.deepcopy(following.get(record["run"]))
            record["borrowed"] = True
        following[record["run"]] = record["sourceOffset"]


class Ranks:
    def __init__(self, records):
        commits, changes, transactions = set(), set(), set()
        for record in records:
            offset, source = record["sourceOffset"] or {}, source_of(record) or {}
            for name in OFFSET_PLACES:
                if name == "lsn_proc" and offset.get(name) == offset.get("lsn_commit"):
                    continue
                if offset.get(name) is not None:
                    (commits if name == "lsn_commit" else changes).add(offset[name])
            if source.get("lsn") is not None:
                changes.add(source["lsn"])
            if source.get("sequence"):
                before, at = json.loads(source["sequence"])
                commits |= {int(before)} if before is not None else set()
                changes |= {int(at)} if at is not None else set()
            transactions |= {offset["txId"]} if offset.get("txId") is not None else set()
        self.place, rank, joins = {}, 0, False
        for lsn in sorted(commits | changes):
            rank += not joins  # whether the server wrote something after a commit is chance: one place
            self.place[lsn] = rank
            joins = lsn not in changes
        self.transaction = {xid: i for i, xid in enumerate(sorted(transactions))}

    def lsn(self, lsn):
        return None if lsn is None else f"place {self.place.get(int(lsn))}"

    def tx(self, xid):
        return None if xid is None else f"tx {self.transaction.get(int(xid))}"

    def tx_place(self, text):
        xid, lsn = text.split(":")
        return f"{self.tx(xid)} at {self.lsn(lsn)}"


def normal_text(value):
    if isinstance(value, dict):
        return {k: normal_text(v) for k, v in value.items()}
    if isinstance(value, list):
        return [normal_text(v) for v in value]
    return re.sub(r"\[Ljava\.lang\.(\w+);@[0-9a-f]+", r"[Ljava.lang.\1;", value) if isinstance(value, str) else value


def normal_offset(offset, ranks):
    offset = dict(offset)
    for name in OFFSET_PLACES:
        if name in offset:
            offset[name] = ranks.lsn(offset[name])
    if "txId" in offset:
        offset["txId"] = ranks.tx(offset["txId"])
    if offset.get("transaction_id"):
        offset["transaction_id"] = ranks.tx(offset["transaction_id"])
    offset.pop("ts_usec", None)
    offset.pop("xmin", None)
    return offset


def normal_value(value, key, ranks):
    """Of an envelope or a transaction's boundary."""
    value = dict(value)
    if isinstance(value.get("source"), dict):
        source = value["source"] = dict(value["source"])
        source["lsn"], source["txId"] = ranks.lsn(source["lsn"]), ranks.tx(source["txId"])
        source["ts_ms"] = source["xmin"] = None
        if source["sequence"]:
            source["sequence"] = [ranks.lsn(x) for x in json.loads(source["sequence"])]
        if value.get("transaction"):
            value["transaction"] = dict(value["transaction"], id=ranks.tx_place(value["transaction"]["id"]))
    if "event_count" in value:
        value["id"] = ranks.tx_place(value["id"])
        key = dict(key, id=ranks.tx_place(key["id"]))
    if "ts_ms" in value:
        value["ts_ms"] = None
    return value, key


def problems_of(record, now_ms):
    """What must hold within one record."""
    source, offset, found = source_of(record), record["sourceOffset"], []
    if not source:
        return found
    if source["ts_ms"] != offset["ts_usec"] // 1000:
        found.append("source.ts_ms is not the offset's time")
    if json.loads(source["sequence"])[1] != str(source["lsn"]):
        found.append("sequence[1] is not lsn")
    if source["txId"] != offset["txId"]:
        found.append("source.txId is not the offset's")
    if now_ms and not source["ts_ms"] - 2000 <= record["value"]["ts_ms"] <= now_ms:
        found.append("ts_ms is not between the change and now")
    return found


def normal_records(records, schemas=None, now_ms=None):
    records = [r for r in copy.deepcopy(records) if not r["topic"].startswith("__debezium-heartbeat")]
    complete_offsets(records)
    ranks, out = Ranks(records), []
    for record in records:
        value, key = record["value"], record["key"]
        problems = problems_of(record, now_ms)
        if isinstance(value, dict):
            value, key = normal_value(value, key, ranks)
        row = {
            "run": record["run"],
            "topic": record["topic"],
            "partition": record["partition"],
            "key": normal_text(key),
            "value": normal_text(value),
            "headers": [(h["name"], h["text"]) for h in record["headers"]],
            "sourcePartition": record["sourcePartition"],
            "sourceOffset": normal_offset(record["sourceOffset"] or {}, ranks),
            "borrowed": record.get("borrowed", False),
            "problems": problems,
        }
        for name in ("keySchema", "valueSchema"):
            row[name] = schemas.get(str(record[name])) if schemas is not None else record[name]
        out.append(row)
    return out


def differences(expected, got, limit=5):
    """Lines of text; none when they are equal.  Both are normal_records()."""
    lines = [f"{len(got)} records instead of {len(expected)}"] if len(expected) != len(got) else []
    for i, (want, have) in enumerate(zip(expected, got)):
        want, have = dict(want), dict(have)
        if have.pop("borrowed"):
            for side in (want, have):
                side["sourceOffset"] = {
                    k: v
                    for k, v in side["sourceOffset"].items()
                    if k != "lsn_proc" and not k.startswith("transaction_data_collection_order_")
                }
        want.pop("borrowed")
        for name in want:
            if want[name] != have[name]:
                lines.append(
                    f"record {i + 1} ({want['topic']}) {name}:\n  want {json.dumps(want[name])[:1500]}"
                    f"\n  have {json.dumps(have[name])[:1500]}"
                )
        if len(lines) > limit:
            break
    return lines
