"""Records, for golden cases, what a connector reads: the catalogue and the rows in PostgreSQL's text form.

Usage: record_input.py CASE_DIRECTORY...   (needs PostgreSQL's programs; PGBIN names their folder)

Runs setup.sql and changes.sql of a case in a cluster of its own and writes input.jsonl into the case:
one line per step: {"types": [...]}, {"table": {...}}, {"row": ...}.  Snapshot rows come first, by table
name, then the stream's messages, each table described again whenever the server describes it.
"""

import json
import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

PGBIN = os.environ.get("PGBIN", "/usr/lib/postgresql/15/bin")
PORT = os.environ.get("PGPORT", "54999")
SESSION = (
    "SET client_min_messages=warning; SET DateStyle='ISO'; SET IntervalStyle='postgres'; SET TimeZone='GMT'; "
    "SET extra_float_digits=3; SET bytea_output='hex'; SET search_path=''; "
)
TYPES = """
SELECT json_agg(json_build_object('oid', t.oid::int8, 'schema', n.nspname, 'name', t.typname, 'kind', t.typtype,
  'category', t.typcategory, 'element', t.typelem::int8, 'base', t.typbasetype::int8, 'typmod', t.typtypmod,
  'labels', (SELECT json_agg(e.enumlabel ORDER BY e.ctid) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)))
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname <> 'pg_toast' AND t.typtype <> 'p' AND
  (t.typtype <> 'c' AND n.nspname = 'pg_catalog' OR n.nspname NOT IN ('pg_catalog', 'information_schema'))
"""
TABLE = """
SELECT json_build_object('oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname, 'identity', c.relreplident,
  'columns', (SELECT json_agg(json_build_object('name', a.attname, 'number', a.attnum, 'type', a.atttypid::int8,
      'typmod', a.atttypmod, 'not_null', a.attnotnull, 'identity', a.attidentity, 'generated', a.attgenerated,
      'default', CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END)
    ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
  'key', COALESCE(
    (SELECT json_agg(k.attnum ORDER BY k.n) FROM pg_catalog.pg_index i,
       unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
       WHERE i.indrelid = c.oid AND i.indisprimary),
    (SELECT json_agg(k.attnum ORDER BY k.n) FROM (SELECT i.indkey FROM pg_catalog.pg_index i
       JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
       WHERE i.indrelid = c.oid AND i.indisunique AND i.indexprs IS NULL ORDER BY ic.relname LIMIT 1) u,
       unnest(u.indkey::int2[]) WITH ORDINALITY AS k(attnum, n))))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""


def psql(db, sql, *more):
    r = subprocess.run(
        [PGBIN + "/psql", "-X", "-q", "-A", "-t", "-h", "/tmp", "-p", PORT, "-U", "postgres", "-d", db, *more],
        input=sql,
        capture_output=True,
        text=True,
    )
    if r.stderr.strip():
        print(r.stderr.strip()[:500], file=sys.stderr)
    return r.stdout


def query(db, sql):
    return [json.loads(x) for x in psql(db, SESSION + sql).splitlines() if x.strip()]


class Message:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, fmt):
        v = struct.unpack_from(">" + fmt, self.data, self.at)
        self.at += struct.calcsize(">" + fmt)
        return v[0]

    def text(self):
        end = self.data.index(b"\0", self.at)
        s = self.data[self.at : end].decode()
        self.at = end + 1
        return s

    def row(self):
        values = []
        for _ in range(self.take("H")):
            kind = self.take("c")
            if kind == b"t":
                n = self.take("I")
                values.append(self.data[self.at : self.at + n].decode())
                self.at += n
            else:
                values.append(None if kind == b"n" else {"unchanged": True})
        return values


def relation(m, tables):
    oid = m.take("I")
    schema, name = m.text(), m.text()
    m.take("c")
    columns = []
    for _ in range(m.take("H")):
        m.take("B")
        columns.append((m.text(), m.take("I"), m.take("i")))
    now = dict(tables[oid])
    by_name = {c["name"]: c for c in now["columns"]}
    now["columns"] = [
        dict(
            by_name.get(n, {"number": 0, "not_null": False, "default": None, "identity": "", "generated": ""}),
            name=n,
            type=t,
            typmod=tm,
        )
        for n, t, tm in columns
    ]
    return dict(now, schema=schema, name=name)


def stream(db, out):
    tables = {t["oid"]: t for t in query(db, TABLE)}
    out.append({"types": query(db, TYPES)[0]})
    rows = psql(
        db,
        SESSION + "SELECT encode(data, 'hex') FROM pg_catalog.pg_logical_slot_get_binary_changes('input', NULL, "
        "NULL, 'proto_version', '1', 'publication_names', 'input')",
    )
    for line in rows.split():
        m = Message(bytes.fromhex(line))
        kind = m.take("c")
        if kind == b"R":
            out.append({"table": relation(m, tables)})
        elif kind in b"IUD":
            change = {"change": kind.decode(), "table": m.take("I")}
            while m.at < len(m.data):
                part = m.take("c").decode()
                change[{"K": "old", "O": "old", "N": "new"}[part]] = m.row()
            out.append(change)


def snapshot(db, out):
    out.append({"types": query(db, TYPES)[0]})
    for t in sorted(query(db, TABLE), key=lambda t: (t["schema"], t["name"])):
        out.append({"table": t})
        columns = ", ".join(
            'CASE WHEN pg_catalog.num_nulls("%s") = 0 THEN pg_catalog.format($f$%%s$f$, "%s") END'
            % (c["name"], c["name"])
            for c in t["columns"]
        )
        for r in query(db, 'SELECT pg_catalog.json_build_array(%s) FROM "%s"."%s"' % (columns, t["schema"], t["name"])):
            out.append({"change": "r", "table": t["oid"], "new": r})


def needed(out):
    """Only the types that columns use, and what those stand on."""
    seen = {}
    used = set()
    for line in out:
        for t in line.get("types", []):
            seen[t["oid"]] = t
        for c in line.get("table", {}).get("columns", []) if isinstance(line.get("table"), dict) else []:
            used.add(c["type"])
    todo = list(used)
    while todo:
        t = seen.get(todo.pop())
        for oid in (t["element"], t["base"]) if t else ():
            if oid and oid not in used:
                used.add(oid)
                todo.append(oid)
    last = None
    for line in out:
        if "types" in line:
            line["types"] = sorted((t for t in line["types"] if t["oid"] in used), key=lambda t: t["oid"])
            if line["types"] == last:
                continue
            last = line["types"]
        yield line


def record(case):
    db = "golden"
    psql("postgres", "DROP DATABASE IF EXISTS golden;")
    psql("postgres", "CREATE DATABASE golden;")
    psql(db, (case / "setup.sql").read_text())
    psql(db, "SELECT pg_create_logical_replication_slot('input', 'pgoutput'); CREATE PUBLICATION input FOR ALL TABLES;")
    out = []
    snapshot(db, out)
    for part in re.split(r"^-- @step .*$", (case / "changes.sql").read_text(), flags=re.M):
        psql(db, part)
        stream(db, out)
    psql(db, "SELECT pg_drop_replication_slot('input')")
    with open(case / "input.jsonl", "w") as f:
        for line in needed(out):
            f.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def main():
    with tempfile.TemporaryDirectory() as folder:
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        os.chmod(folder, 0o777)
        data = folder + "/data"
        subprocess.run(
            as_user + [PGBIN + "/initdb", "-A", "trust", "-U", "postgres", "--locale=C.utf8", "-E", "UTF8", "-D", data],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        options = (
            "-p %s -k /tmp -c listen_addresses= -c wal_level=logical -c fsync=off -c autovacuum=off -c timezone=UTC"
            % PORT
        )
        subprocess.run(
            as_user + [PGBIN + "/pg_ctl", "-w", "-D", data, "-l", folder + "/log", "-o", options, "start"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        try:
            for case in sys.argv[1:]:
                record(Path(case))
                print(case)
        finally:
            subprocess.run(
                as_user + [PGBIN + "/pg_ctl", "-D", data, "-m", "immediate", "stop"], stdout=subprocess.DEVNULL
            )


main()
