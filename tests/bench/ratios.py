#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The page of tools/bench.

    ratios.py RUNS PACKETS

RUNS: one JSON object a line for each run, in the order they were made. PACKETS: of the capture.
"""
import json
import statistics
import sys

SETS = {"100": "100 rules", "1000": "1,000 rules", "10000": "10,000 rules", "shipped": "the shipped rules"}
STAGES = ["rx", "decode", "flow", "stream", "inspect", "verdict", "tx"]


def load(path):
    """Runs by subject, in order."""
    runs = {}
    with open(path) as lines:
        for line in lines:
            run = json.loads(line)
            runs.setdefault(run["subject"], []).append(run)
    return runs


def ns_per_packet(run):
    return run["performance"]["cpu_s"] * 1e9 / run["packets"]


def ns_of_ceiling(run, packets):
    """Per packet of the capture, those without payload included."""
    return run["cpu_s"] * 1e9 / run["loops"] / packets


def spread(values, digits):
    return (f"{statistics.median(values):9.{digits}f}"
            f"   ({min(values):.{digits}f} .. {max(values):.{digits}f})")


def rates(name, ns, size):
    million = [1e3 / n for n in ns]
    gbits = statistics.median(8 * size / n for n in ns)
    print(f"  {name:38s}{spread(million, 3)}   {gbits:6.2f} Gbit/s")


def ratio(name, gate, bound):
    """Runs of one round are compared with each other."""
    print(f"  {name:38s}{spread([b / g for g, b in zip(gate, bound)], 3)}")


def stages(name, runs):
    cycles = [statistics.median(r["performance"]["cycles_per_packet"][s] for r in runs)
              for s in STAGES]
    print(f"  {name:24s}" + "".join(f"{c:9.0f}" for c in cycles) + f"{sum(cycles):9.0f}")


def memory(runs):
    few, many = sorted((r[0] for s, r in runs.items() if s.startswith("idle-")),
                       key=lambda r: r["flows"]["peak"])
    flows = many["flows"]["peak"] - few["flows"]["peak"]
    grown = many["performance"]["rss_bytes"] - few["performance"]["rss_bytes"]
    print("\nmemory of an idle SMTP session, 1,000 rules, bytes")
    print(f"  {'as replay says':38s}{many['performance']['bytes_per_flow']:9d}")
    print(f"  {'growth of the process, by flow':38s}{grown / flows:9.0f}   ({flows:,} more flows)")


def main():
    runs = load(sys.argv[1])
    packets = int(sys.argv[2])
    size = runs["plain"][0]["bytes"] / runs["plain"][0]["packets"]
    ns = {s: [ns_per_packet(r) for r in rs] for s, rs in runs.items() if not s.startswith("ceiling")}
    ceilings = {s: [ns_of_ceiling(r, packets) for r in rs]
                for s, rs in runs.items() if s.startswith("ceiling")}
    print(f"{packets:,} packets of {size:.0f} bytes, {len(runs['plain'])} rounds; "
          "median (lowest .. highest)\n")
    print("million packets per second of processor time")
    rates("testpmd, macswap", ns["testpmd"], size)
    rates("gate, no inspection", ns["plain"], size)
    rates("gate, no rules", ns["rules-0"], size)
    for n, name in SETS.items():
        rates(f"gate, {name}", ns[f"rules-{n}"], size)
    rates("gate, 1,000 rules, checksums verified", ns["checked"], size)
    for n, name in SETS.items():
        rates(f"bare Hyperscan, {name}", ceilings[f"ceiling-{n}"], size)
        rates(f"bare Hyperscan, led, {name}", ceilings[f"ceiling-{n}.led"], size)
    print("\nratios, within each round")
    ratio("(a) no inspection / testpmd", ns["plain"], ns["testpmd"])
    for n, name in SETS.items():
        ratio(f"(b) {name} / bare Hyperscan", ns[f"rules-{n}"], ceilings[f"ceiling-{n}"])
    for n, name in SETS.items():
        ratio(f"    {name} / bare, led", ns[f"rules-{n}"], ceilings[f"ceiling-{n}.led"])
    ratio("    checksums verified / ignored", ns["checked"], ns["rules-1000"])
    print("\ncycles a packet, median" + "".join(f"{s:>9s}" for s in STAGES) + "      sum")
    for name, subject in [("no inspection", "plain"), ("no rules", "rules-0"),
                          *((name, f"rules-{n}") for n, name in SETS.items()),
                          ("1,000, checksums", "checked")]:
        stages(name, runs[subject])
    memory(runs)


main()
