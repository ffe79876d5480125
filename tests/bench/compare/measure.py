"""One run: a load, and what the kernel has counted for the proxy meanwhile."""

import collections
import os
import re
import signal
import socket
import ssl
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TICKS = os.sysconf("SC_CLK_TCK")
MEGABYTE = 1_000_000
BODY_MEGABYTES = 10
RECEIVE = {"read", "readv", "recvfrom", "recvmsg", "recvmmsg"}
SEND = {"write", "writev", "sendto", "sendmsg", "sendfile", "splice"}

# What a load is: the tool, one host's name or a prefix with a count of hosts, fields, and what answers are right.
Load = collections.namedtuple("Load", "tool tls host count path fields status connections", defaults=(200, 64))


def cpu(contender):
    """Nanoseconds on a core of all threads of it and its children, and how its ticks split into user and system."""
    nanoseconds, user, system = 0, 0, 0
    for pid in contender.pids():
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/schedstat") as stat:
                nanoseconds += int(stat.read().split()[0])
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(") ", 1)[1].split()
        user, system = user + int(fields[11]), system + int(fields[12])
    return nanoseconds, user, system


def wrk(contender, load, seconds):
    scheme, port = ("https", contender.https) if load.tls else ("http", contender.http)
    fields = [part for pair in load.fields.items() for part in pair]
    command = ["taskset", "-c", "0", "wrk", "-t1", f"-c{load.connections}", f"-d{seconds}s", "-s", f"{HERE}/load.lua",
               f"{scheme}://127.0.0.1:{port}/", "--", load.path, load.host, str(load.count), *fields]
    # wrk takes whole seconds only, so a shorter run is ended by the signal that it handles.
    process = subprocess.Popen([part.replace(f"-d{seconds}s", "-d60s") for part in command], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=20)[0]
    figures = re.search(r"^FIGURES (.*)$", output, re.M)
    if figures is None:
        raise SystemExit(f"wrk: {output[-1000:]}")
    requests, micros, refused, broken, p50, p99 = (float(part) for part in figures[1].split())
    wrong = refused if load.status < 400 else max(0, requests - refused - seconds - 2)  # one a second is admitted
    return {"requests": requests, "seconds": micros / 1e6, "failures": wrong + broken, "p50": p50, "p99": p99}


def h2load(contender, load, seconds, log):
    scheme, port = ("https", contender.https) if load.tls else ("http", contender.http)
    big = load.tool in ("upload", "download")
    command = ["taskset", "-c", "0", "h2load", "-t1", f"-c{load.connections}", f"--connect-to=127.0.0.1:{port}"]
    if load.tool == "h2":
        command += ["-m4"]
    else:
        command += ["--h1"]
    # A fixed count, about what the slowest does in that time, so that no body is half counted.
    command += [f"-n{max(16, int(seconds * 60)) if big else int(seconds * 20000)}"]
    if load.tool == "upload":
        command += ["-d", log + ".body"]
        with open(log + ".body", "wb") as body:
            body.write(b"x" * (BODY_MEGABYTES * MEGABYTE))
    if os.path.exists(log):
        os.remove(log)
    for name, value in load.fields.items():
        command += ["-H", f"{name}: {value}"]
    output = subprocess.run([*command, f"--log-file={log}", f"{scheme}://{load.host}:{port}{load.path}"],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120).stdout
    if load.tool == "h2" and "Application protocol: h2\n" not in output:
        return {"refused": "HTTP/2 is not negotiated (ALPN h2)"}
    counts = re.search(r"requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, "
                       r"(\d+) timeout", output)
    took = re.search(r"finished in ([\d.]+)(m?s)", output)
    if counts is None or took is None:
        raise SystemExit(f"h2load: {output[-1000:]}")
    done, succeeded, failed, errored, timeout = (int(part) for part in counts.groups())
    with open(log) as lines:
        taken = sorted(int(line.split("\t")[2]) / 1000 for line in lines)
    scale = BODY_MEGABYTES if big else 1
    return {"requests": done * scale, "seconds": float(took[1]) / (1000 if took[2] == "ms" else 1),
            "failures": done - succeeded + failed + errored + timeout,
            "p50": taken[len(taken) // 2] if taken else 0, "p99": taken[len(taken) * 99 // 100] if taken else 0}


def run(options, contender, load, seconds):
    """Figures of one run; {"refused": why} where the contender does not offer what is measured."""
    before = cpu(contender)
    if load.tool == "wrk":
        figures = wrk(contender, load, seconds)
    else:
        figures = h2load(contender, load, seconds, f"{options.state}/h2load")
    after = cpu(contender)
    if "refused" in figures or not figures["requests"]:
        return figures if "refused" in figures else {"refused": "no request was answered"}
    spent, user, system = (b - a for a, b in zip(before, after))
    figures["cpu"] = spent / 1000 / figures["requests"]
    figures["user"] = figures["cpu"] * user / max(1, user + system)
    return figures


def system_calls(options, contender, load):
    """Calls a request by name, in a short run of their own: tracing slows what it looks at."""
    log = f"{options.state}/strace"
    pids = [part for pid in contender.pids() for part in ("-p", str(pid))]
    run(options, contender, load, 0.2)  # connections to the upstream are there already
    tracer = subprocess.Popen(["strace", "-c", "-f", "-qq", "-o", log, *pids], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    figures = run(options, contender, load, 0.2)
    tracer.send_signal(signal.SIGINT)
    tracer.wait(20)
    if "refused" in figures:
        return {}
    calls = collections.Counter()
    for line in open(log):
        parts = line.split()
        if len(parts) >= 5 and parts[0][0].isdigit() and parts[-1] != "total":
            kind = "recv" if parts[-1] in RECEIVE else "send" if parts[-1] in SEND else parts[-1]
            calls[kind] += int(parts[3])
    return {kind: count / figures["requests"] for kind, count in calls.items() if count / figures["requests"] >= 0.005}


def resident(contender):
    total = 0
    for pid in contender.pids():
        with open(f"/proc/{pid}/smaps_rollup") as rollup:
            total += sum(int(line.split()[1]) * 1024 for line in rollup
                         if line.startswith(("Private_", "Shared_Dirty")))
    return total


def settled(contender):
    """Until its memory has not changed for a second: what it does at its start is done."""
    last, since = resident(contender), time.monotonic()
    while time.monotonic() < since + 1:
        time.sleep(0.1)
        now = resident(contender)
        if now != last:
            last, since = now, time.monotonic()


def idle_connections(contender, tls, count):
    """Bytes of process memory for a connection that has had an answer and waits, without the kernel's buffers."""
    settled(contender)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    kept = []

    def connect(n):
        for i in range(n):
            host = f"bench{len(kept) % 10}.gw.localhost"  # nor is a limit per gateway
            raw = socket.socket()
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            raw.bind((f"127.0.1.{len(kept) % 100 + 1}", 0))  # a limit per address is not what is asked
            raw.connect(("127.0.0.1", int(contender.https if tls else contender.http)))
            kept.append(context.wrap_socket(raw, server_hostname=host) if tls else raw)
            kept[-1].sendall(f"GET /bytes/1 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            answer = b""
            while not answer.endswith(b"\r\n\r\nx"):
                piece = kept[-1].recv(65536)
                if not piece:
                    raise SystemExit(f"{contender.name} closed an idle connection: {answer[:200]}")
                answer += piece

    connect(count)  # what all share is there then, and what the start has left free is taken
    before = resident(contender)
    connect(count)
    after = resident(contender)
    for connection in kept:
        connection.close()
    return (after - before) / count
