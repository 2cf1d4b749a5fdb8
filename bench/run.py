"""What a row's way takes, path by path, beside the limit of each and the system it replaces: one table of one run.

    make bench                  haus and its limits
    make bench PEERS=1          also the peers: Apache Kafka, Debezium on Connect, Spark (installed when they are not there)
    bench/run.py --only fetch,produce --rows 100000 --runs 3

Every figure is taken on this machine in this run, one after the other; the load average beside it is the one before it was
taken. Peers run only while they are measured.
"""

import argparse
import os
import platform
import signal
import sys
import time
from pathlib import Path

import client
import paths
import table
from bench import Bench
from measure import load


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="orders, customers, events of a path (1000000)")
    parser.add_argument("--runs", type=int, default=1, help="how often each is measured; the middle one counts (1)")
    parser.add_argument("--only", default=",".join(paths.NAMES), metavar="PATH[,PATH]", help=" ".join(paths.NAMES))
    parser.add_argument("--peers", action="store_true", help="measure the systems replaced, too")
    parser.add_argument(
        "--from", dest="files", nargs="+", metavar="FILE", help="print what runs with --json told before"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the table as JSON")
    form.add_argument("--markdown", action="store_true", help="print the table as doc/performance.md has it")
    args = parser.parse_args()
    args.only = args.only.split(",")
    unknown = [name for name in args.only if name not in paths.NAMES]
    if unknown:
        parser.error(f"there is no path '{unknown[0]}'; there are {', '.join(paths.NAMES)}")
    if args.rows < 1000 or args.runs < 1:
        parser.error("at least 1000 rows and one run")
    return args


def command(args):
    """The command of this run, as the page tells it."""
    words = ["bench/run.py", f"--rows {args.rows}", f"--runs {args.runs}"]
    if args.only != list(paths.NAMES):
        words.append("--only " + ",".join(args.only))
    return " ".join(words + (["--peers"] if args.peers else []))


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} processors ({model}), {memory:.0f} GiB, Linux {platform.release()}"


def measured(name, bench):
    """The rows of one path; the load is the one before it began."""
    before = load()
    print(f"bench: {name} (load {before:.1f})", file=sys.stderr, flush=True)
    for row in paths.module(name).run(bench):
        row.load = before
        print("bench:   " + "  ".join(form(row) for _, form in table.COLUMNS), file=sys.stderr, flush=True)
        yield row


def run(args):
    """(rows, what is told of the run); a path that fails costs no other path its rows"""
    client.build()
    bench = Bench(args.rows, args.runs, args.peers)
    peers = "each ran only while it was measured; our services stood idle beside it" if args.peers else "not measured"
    about = {"command": command(args), "machine": machine(), "date": time.strftime("%Y-%m-%d"), "peers": peers}
    about["failures"] = {}
    rows = []
    for name in args.only:
        try:
            for row in measured(name, bench):
                rows.append(row)
        except (Exception, SystemExit) as failure:
            about["failures"][name] = why = str(failure) or repr(failure)
            print(f"bench: {name} did not complete: {why}", file=sys.stderr, flush=True)
    return rows, about


def heading(about):
    return f"`{about['command']}`, {about['date']}, {about['machine']}. Peers: {about['peers']}."


def main():
    args = options()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, told_to_end)
    if args.files:
        told = [table.from_json(Path(file).read_text()) for file in args.files]
    else:
        told = [run(args)]
    rows = [row for some, _ in told for row in some]
    failures = {name: why for _, about in told for name, why in about.get("failures", {}).items()}
    head = "\n\n".join(dict.fromkeys(heading(about) for _, about in told))
    if args.json:
        print(table.as_json(rows, told[0][1]))
    elif args.markdown:
        print("\n".join(table.markdown(rows, head)))
    else:
        print("\n" + "\n".join(table.text(rows)) + "\n")
        for where, words in table.notes(rows).items():
            print(f"{where}: {words}")
        print("\n" + head.replace("`", ""))
    for name in failures:
        print(f"bench: {name} did not complete", file=sys.stderr)
    return 1 if failures else 0


def told_to_end(number, _):
    """Houses and peers end with their blocks; a second signal must not cut that short."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: None)
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("bench: told to end")
