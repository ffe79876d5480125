"""Runs scenarios: contenders in turns, another one first in every round, and the figures as tables and JSON."""

import argparse
import json
import platform
import statistics
import subprocess
import sys

import contenders
import measure
from contenders import WIDE
from measure import Load

IDLE_CONNECTIONS = 2000
PLAIN = Load("wrk", False, "bench", 100, "/bytes/1024", {})
SINGLE = PLAIN._replace(host=WIDE, count=0)
REJECT = SINGLE._replace(host="reject.gw.localhost", status=429)
PLUGINS = SINGLE._replace(host="plugins.gw.localhost",
                          fields={"apikey": "bench-key", "Origin": "https://shop.example"})
TLS = Load("h1", True, WIDE, 0, "/bytes/1024", {})
PEERS = ("sluice", "nginx", "haproxy", "envoy")

# Of each scenario: what is said about it, and its entries (label, contender, load). The first is set
# beside each of the others.
SCENARIOS = {
    "plain": ("HTTP/1.1, 64 connections, 1 KB, 100 of the hosts in turn", [(name, name, PLAIN) for name in PEERS]),
    "floor": ("the same beside a relay of bytes", [(name, name, PLAIN) for name in ("sluice", "relay")]),
    "tls": ("TLS 1.3, 64 connections, 1 KB", [(name, name, TLS) for name in PEERS]),
    "h2": ("HTTP/2 over TLS, 16 connections, 4 streams each, 1 KB",
           [(name, name, TLS._replace(tool="h2", connections=16)) for name in PEERS]),
    "upload": ("requests of 10 MB, 8 connections; a request is a megabyte here",
               [(name, name, SINGLE._replace(tool="upload", path="/anything", connections=8)) for name in PEERS]),
    "download": ("answers of 10 MB, 8 connections; a request is a megabyte here",
                 [(name, name, SINGLE._replace(tool="download", path="/bytes/10000000", connections=8))
                  for name in PEERS]),
    "reject": ("answers of 429 beside proxied requests", [("429", "sluice", REJECT), ("proxied", "sluice", SINGLE)]),
    "plugins": ("key-auth, rate-limiting and cors beside none, the same fields sent",
                [("plugins", "sluice", PLUGINS), ("none", "sluice", PLUGINS._replace(host=WIDE))]),
}


def spread(values):
    return f"{statistics.median(values):5.2f} ({min(values):.2f}-{max(values):.2f})"


def show(label, runs, ratio, calls):
    middle = {key: statistics.median(run[key] for run in runs) for key in ("cpu", "user", "p50", "p99")}
    failures = sum(run["failures"] for run in runs)
    rate = statistics.median(run["requests"] / run["seconds"] for run in runs)
    known = " ".join(f"{kind} {calls.get(kind, 0):.2f}" for kind in ("recv", "send"))
    others = sum(count for kind, count in calls.items() if kind not in ("recv", "send"))
    split = f"(user {middle['user']:6.2f}, system {middle['cpu'] - middle['user']:6.2f})"
    print(f"    {label:8} {middle['cpu']:8.2f} us {split}  {ratio:19}  p50 {middle['p50']:7.2f} ms"
          f"  p99 {middle['p99']:7.2f} ms"
          f"  {rate:8.0f}/s  calls: {known} other {others:.2f}  failures: {failures:.0f}", flush=True)


def compare(options, name, running):
    """One scenario; its figures, as they go into its file."""
    about, entries = SCENARIOS[name]
    print(f"\n  {name}: {about}", flush=True)
    runs = {label: [] for label, _, _ in entries}
    refused = {label: "it is not there" for label, which, _ in entries if which not in running}
    entries = [entry for entry in entries if entry[1] in running]
    calls = {}
    for label, which, load in entries:
        first = measure.run(options, running[which], load, min(0.5, options.seconds))  # connections and caches
        if "refused" in first:
            refused[label] = first["refused"]
    for turn in range(options.rounds):
        shift = turn % len(entries)
        for label, which, load in entries[shift:] + entries[:shift]:
            if label in refused:
                continue
            figures = measure.run(options, running[which], load, options.seconds)
            if "refused" in figures:
                refused[label] = figures["refused"]
            else:
                runs[label].append(figures)
    for label, which, load in entries:
        if label not in refused:
            calls[label] = measure.system_calls(options, running[which], load)
    ours = entries[0][0]
    print(f"    {'':8} {'CPU a request':42}  {ours + ' / it':19}")
    for label in runs:
        if label in refused:
            print(f"    {label:8} no figures: {refused[label]}")
            continue
        ratios = [a["cpu"] / b["cpu"] for a, b in zip(runs[ours], runs[label])]
        show(label, runs[label], spread(ratios) if ratios else "    -", calls[label])
    return {"about": about, "runs": runs, "refused": refused, "calls": calls}


def idle(options, running):
    print(f"\n  idle: bytes of user space for one of {IDLE_CONNECTIONS} idle keep-alive connections", flush=True)
    figures = {}
    for name in PEERS:
        if name in running:
            figures[name] = {}
            for kind in ("plain", "tls"):
                # A process that has served before, or has read 10,000 gateways, holds memory that new connections
                # would be given; so each is started anew, and the node with few gateways.
                running[name].stop()
                if name == "sluice":
                    running[name] = contenders.node(options, "few")
                running[name].start(options)
                figures[name][kind] = measure.idle_connections(running[name], kind == "tls", IDLE_CONNECTIONS)
            print(f"    {name:8} plain {figures[name]['plain']:8.0f}   TLS {figures[name]['tls']:8.0f}", flush=True)
    running["sluice"].stop()
    running["sluice"] = contenders.node(options)
    running["sluice"].start(options)
    return {"bytes": figures}


def machine():
    with open("/proc/cpuinfo") as info:
        model = next(line.split(":")[1].strip() for line in info if line.startswith("model name"))
    cores = subprocess.run(["nproc"], capture_output=True, text=True).stdout.strip()
    return f"{model}, {cores} cores, Linux {platform.release()}"


def main():
    parser = argparse.ArgumentParser()
    for name in ("programs", "state", "results", "envoy", "upstream", "node"):
        parser.add_argument(f"--{name}", required=True)
    for name, kind in (("core", int), ("hosts", int), ("rounds", int), ("seconds", float)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    parser.add_argument("scenarios", nargs="+")
    options = parser.parse_args()
    wanted = {which for name in options.scenarios if name in SCENARIOS for _, which, _ in SCENARIOS[name][1]}
    if "idle" in options.scenarios:
        wanted.update(PEERS)
    make = {"sluice": contenders.node, "relay": contenders.relay, "nginx": contenders.nginx,
            "haproxy": contenders.haproxy, "envoy": contenders.envoy}
    running = {}
    try:
        for name, maker in make.items():
            if name in wanted and (name != "envoy" or options.envoy):
                running[name] = maker(options)
                running[name].start(options)
        print(f"    {machine()}; {options.rounds} rounds of {options.seconds} s each, medians (range)")
        for name in options.scenarios:
            figures = idle(options, running) if name == "idle" else compare(options, name, running)
            figures.update(machine=machine(), rounds=options.rounds, seconds=options.seconds)
            with open(f"{options.results}/{name}.json", "w") as out:
                json.dump(figures, out, indent=1)
    finally:
        for contender in running.values():
            contender.stop()


if __name__ == "__main__":
    sys.exit(main())
