"""The storefront's database as the paths need it, and PostgreSQL's own ways of reading it: the limits.

Rows are spread over 30 days. Only `customers` and `orders` are filled; both systems read the same server.
"""

import subprocess
import time

import psycopg
from scratch_postgres import bin_dir

DAYS = 30
GIVE_UP_S = 600
CUSTOMERS = """insert into customers (full_name, email, address, city, country, created_at)
    select 'Customer Number ' || i, 'customer' || i || '@example.org', i || ' Lake Road', 'City ' || i % 500,
           'Country ' || i % 60, timestamp '2025-01-01' + i * interval '{step} microseconds'
    from generate_series(1, {rows}) i"""
ORDERS = """insert into orders (customer_id, status, total, created_at)
    select 1 + i::bigint * 7919 % {customers}, (array['pending', 'shipped', 'delivered', 'cancelled'])[1 + i % 4],
           (i % 100000) / 100.0, timestamp '2025-01-01' + i * interval '{step} microseconds'
    from generate_series({first}, {last}) i"""
A_TRANSACTION = 1000  # rows, in the backlog


class Source:
    def __init__(self, port, database="storefront"):
        self.port, self.database = port, database
        where = f"host=127.0.0.1 port={port} user=postgres password=postgres dbname={database}"
        where += f" connect_timeout=30 options='-c statement_timeout={GIVE_UP_S}s'"
        self.connection = psycopg.connect(where, autocommit=True)

    def sql(self, text):
        """Runs one statement; the first column of the first row, if it gives rows."""
        cursor = self.connection.execute(text)
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]

    def fill(self, rows):
        """So many customers and so many orders, in one transaction each."""
        step = DAYS * 86_400_000_000 // rows
        self.sql("drop publication if exists bench_pub")
        self.sql("create publication bench_pub for table customers, orders")
        self.sql(CUSTOMERS.format(rows=rows, step=step))
        self.sql(ORDERS.format(customers=rows, first=1, last=rows, step=step))
        self.sql("vacuum analyze")
        self.sql("checkpoint")

    def add_orders(self, rows, customers):
        """A backlog: transactions of a thousand orders."""
        step = DAYS * 86_400_000_000 // rows
        for first in range(1, rows + 1, A_TRANSACTION):
            last = min(first + A_TRANSACTION - 1, rows)
            self.sql(ORDERS.format(customers=customers, first=first, last=last, step=step))

    def count(self, table):
        return self.sql(f"select count(*) from {table}")

    def make_slot(self, name):
        self.sql(f"select pg_create_logical_replication_slot('{name}', 'pgoutput')")

    def drop_slot(self, name, timeout=120):
        """The walsender may still be on its way out."""
        deadline = time.monotonic() + timeout
        while self.sql(f"select count(*) from pg_replication_slots where slot_name = '{name}' and active"):
            if time.monotonic() > deadline:
                raise SystemExit(f"bench: slot '{name}' is still in use")
            time.sleep(0.05)
        self.sql(f"select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{name}'")

    def tool(self, name, *args):
        """Runs one of PostgreSQL's own programs on this database; the seconds it took."""
        to = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", self.database]
        began = time.monotonic()
        subprocess.run(
            [bin_dir() / name, *to, *args],
            env={"PGPASSWORD": "postgres"},
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=GIVE_UP_S,
        )
        return time.monotonic() - began

    def copy_out(self, tables):
        """Seconds of psql's COPY in binary to /dev/null, table after table."""
        return sum(self.tool("psql", "-qXc", f"copy {table} to stdout (format binary)") for table in tables)

    def drain(self, slot):
        """Seconds of pg_recvlogical, with our connector's options, up to what is written now."""
        end = self.sql("select pg_current_wal_lsn()")
        options = ["-o", "proto_version=1", "-o", "publication_names=bench_pub"]
        return self.tool("pg_recvlogical", "-S", slot, "--start", f"--endpos={end}", *options, "-f", "/dev/null")

    def close(self):
        self.connection.close()
