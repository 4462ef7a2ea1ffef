#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a packet costs with how many tenants, as ratios; and how long posternd takes to start and to reload.

    tenants.py POSTERN POSTERN_GEN POSTERND [ROUNDS]

One capture of mails and calls whose clients are spread over 100,000 networks of 128 addresses. The networks are one tenant's, a
thousand tenants', or a hundred thousand's; or the traffic is all of one tenant, beside as many others. Each tenant has limits.
Runs of a round follow each other; a round's runs are compared with its first. Nothing is asserted.
"""
import json
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "control"))
from gate import Gate  # noqa: E402 pylint: disable=wrong-import-position

NETWORKS = 100_000
LIMITS = 'messages = "1000/s"; recipients = "10000/s"; calls = "1000/s"; bytes = "10G/s"; packets = "10M/s"; syns = "1M/s";'
LOOPS = "40"


def network(first, n):
    at = n * 128
    return f'"{first}.{at >> 16 & 255}.{at >> 8 & 255}.{at & 255}/25"'


def tenants(count, first=10):
    """All networks, evenly among so many tenants."""
    each = NETWORKS // count
    return [", ".join(network(first, n) for n in range(i * each, (i + 1) * each)) for i in range(count)]


def config(prefixes):
    lines = ",\n".join(f'{{ id = {i + 1}; name = "t{i + 1}"; tier = "all"; prefixes = [ {p} ]; }}' for i, p in enumerate(prefixes))
    return f"tiers: {{ all: {{ {LIMITS} }}; }};\ntenants: (\n{lines} );\n"


def configs():
    """The same networks of one, a thousand, all; then one tenant of all traffic, beside so many."""
    yield "1, one network", config(['"10.0.0.0/8"'])
    yield "1", config(tenants(1))
    yield "1,000", config(tenants(1_000))
    yield "100,000", config(tenants(100_000))
    yield "1 beside 1,000", config(['"10.0.0.0/8"'] + tenants(1_000, 11))
    yield "1 beside 100,000", config(['"10.0.0.0/8"'] + tenants(100_000, 11))


def spread(path, out):
    """Each flow's client becomes another address of the networks; checksums are not mended. (networks, flows)"""
    data, at, chosen, rng = bytearray(path.read_bytes()), 24, {}, random.Random(1)
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        ip = at + 16 + 14
        l4 = ip + (data[ip] & 15) * 4
        # Calls of two hosts share their ports: they are a flow.
        for place, other, port in ((ip + 12, ip + 16, l4), (ip + 16, ip + 12, l4 + 2)):
            if data[place] == 10:
                key = bytes(data[place:place + 4] + data[other:other + 4] + data[port:port + 2])
                address = chosen.setdefault(key, struct.pack(">I", (10 << 24) + rng.randrange(NETWORKS * 128)))
                data[place:place + 4] = address
                break
        at += 16 + length
    out.write_bytes(data)
    return len({int.from_bytes(a, "big") // 128 for a in chosen.values()}), len(chosen)


def run(postern, conf, capture, summary):
    subprocess.run([postern, "replay", "-q", "--bench", "--loop", LOOPS, "--checksums", "ignore", "-c", conf, "--json", summary,
                    capture], check=True)
    result = json.loads(summary.read_text())
    return result["performance"]["cpu_s"] * 1e9 / result["packets"], result["performance"]["rss_bytes"]


def curve(postern, gen, folder, rounds):
    raw, capture = folder / "raw.pcap", folder / "spread.pcap"
    subprocess.run([gen, "mix", "--mails", "600", "--calls", "12000", "--size", "8K", "--prefix", "10.0.0.0/8", "--ipv6", "0", "--tls", "0",
                    "--sip-tcp", "0.1", "--pcap", raw], check=True)
    networks, flows = spread(raw, capture)
    print(f"{flows:,} flows of {networks:,} networks, {LOOPS} times with new ports")
    names, ns, rss = [], {}, {}
    for i, (name, text) in enumerate(configs()):
        (folder / f"{i}.conf").write_text(text)
        names.append(name)
    for _ in range(rounds):
        for i, name in enumerate(names):
            cost, memory = run(postern, folder / f"{i}.conf", capture, folder / "summary.json")
            ns.setdefault(name, []).append(cost)
            rss[name] = memory
    print(f"{'tenants':>20s}   ns a packet        ratio to the first (spread)     resident")
    for name in names:
        ratios = [n / one for n, one in zip(ns[name], ns[names[0]])]
        print(f"{name:>20s}   {statistics.median(ns[name]):8.1f}   {statistics.median(ratios):8.3f}   ({min(ratios):.3f} .. {max(ratios):.3f})"
              f"   {rss[name] / 2 ** 20:6.0f} MiB")


def seconds(what):
    began = time.monotonic()
    what()
    return time.monotonic() - began


def daemon(postern, posternd, count):
    """Without a dataplane: reading, compiling, slots."""
    with tempfile.TemporaryDirectory() as folder:
        gate = Gate(folder, posternd, postern)
        text = config(tenants(count))
        gate.configure(tenants=text.split("tenants: ")[1].rstrip(";\n"), extra=text.split("tenants: ")[0])
        gate.config.write_text(gate.config.read_text().replace("gate: {", f"gate: {{ tenants = {count + 10};", 1))
        start = seconds(gate.start)
        reload = seconds(lambda: gate.ask("reload"))
        show = seconds(lambda: gate.ask("policy", tenant=f"t{count}"))
        status = Path(f"/proc/{gate.process.pid}/status").read_text()
        rss = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        gate.stop()
    print(f"posternd, {count:,} tenants: start {start:.2f} s, reload {reload:.2f} s, policy show {1e3 * show:.1f} ms, {rss / 1024:.0f} MiB")


def main():
    postern, gen, posternd = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    with tempfile.TemporaryDirectory() as folder:
        curve(postern, gen, Path(folder), rounds)
    for count in (1, 1_000, 100_000):
        daemon(postern, posternd, count)


if __name__ == "__main__":
    main()
