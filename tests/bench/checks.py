#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the policy's checks cost: mails, and calls, with none of them, as they come, and with what can be configured besides.

    checks.py POSTERN POSTERN_GEN [ROUNDS] [LOOPS]

In each round every subject runs once, one after the other, on the core that this was started on (taskset); a round's are compared
with its first. Nothing that is configured here is found in the traffic, so nothing is refused. Nothing is asserted.
"""
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CHECKS = re.findall(r"X\((\w+), \"AUP", (ROOT / "bpf/check.h").read_text())
# The same mails come again and again.
REPEATED = 'mail: { mailbomb = "65000/10min"; };'


def actions(off):
    return "".join(f'{name.lower()} = "pass"; ' for name in off)


def config(off=("SUPPRESSED",), policy="", tenant="", rest=""):
    tenants = ",\n".join(
        f'{{ id = {n}; name = "tenant{n}"; prefixes = [ "10.{n}.0.0/16", "2001:db8:{n}::/48" ]; {tenant} }}' for n in range(1, 9))
    return f"tenants: (\n{tenants} );\n{rest}\npolicy: {{ {REPEATED} {policy} actions: {{ {actions(off)} }}; }};\n"


def entries(folder, name, lines):
    path = folder / name
    path.write_text("".join(line + "\n" for line in lines))
    return path.name


def subjects(folder):
    """Of mail, of calls: name and configuration."""
    optout = entries(folder, "optout.txt", (f"nobody{i}@example.org" for i in range(10_000)))
    numbers = entries(folder, "dnc.txt", (f"+3906{i:07d}" for i in range(10_000)))
    marks = 'marks = [ "Postern Telecom", "Postern Wire" ];'
    both = [("no checks", config(off=CHECKS)), ("as they come", config())]
    yield "mail", "--calls 0 --mails 1000", both + [
        ("and 10,000 opted out", config(tenant=f'optout = [ "{optout}" ];')),
        ("and marks, the provider's hosts", config(policy=f'{marks} provider_hosts = [ ".out.example.com" ];')),
        ("and recipients by domain", config(rest='tiers: { all: { per_domain = "60000/s"; }; };', tenant='tier = "all";')),
        ("without same_body", config(off=["SUPPRESSED", "SAME_BODY"])),
        ("without recipients' sketches",
         config(off=["SUPPRESSED", "MAILBOMB", "NEW_RECIPIENTS", "HARVEST", "PER_DOMAIN"]))]
    yield "calls", "--mails 0 --calls 10000", both + [
        ("and 10,000 not to be called", config(tenant=f'do_not_call = [ "{numbers}" ];')),
        ("and marks", config(policy=marks)),
        ("and calls at once", config(rest="tiers: { all: { calls_at_once = 1000000; }; };", tenant='tier = "all";')),
        ("without probing", config(off=["SUPPRESSED", "PROBING"]))]


def run(postern, conf, capture, loops):
    done = subprocess.run([postern, "replay", "--bench", "--loop", loops, "--checksums", "ignore", "-c", conf, "--json", "-", capture],
                          check=True, stdout=subprocess.PIPE)
    result = json.loads(done.stdout)
    refused = result["verdicts"].get("reject", 0) + result["verdicts"].get("drop", 0)
    return result["performance"]["cpu_s"] * 1e9 / result["packets"], result["performance"]["cycles_per_packet"]["inspect"], refused


def compare(postern, capture, names, loops, rounds):
    ns, inspect, refused = {}, {}, {}
    for _ in range(rounds):
        for name, conf in names:
            cost, cycles, lost = run(postern, conf, capture, loops)
            ns.setdefault(name, []).append(cost)
            inspect.setdefault(name, []).append(cycles)
            refused[name] = lost
    first = ns[names[0][0]]
    print(f"{'':36s} ns a packet   ratio to the first (spread)   cycles of inspect")
    for name, _ in names:
        ratios = [n / one for n, one in zip(ns[name], first)]
        lost = f"   {refused[name]:,} refused" if refused[name] else ""
        print(f"  {name:34s}   {statistics.median(ns[name]):8.1f}   {statistics.median(ratios):8.3f}   ({min(ratios):.3f} .. {max(ratios):.3f})"
              f"   {statistics.median(inspect[name]):8.0f}{lost}")


def main():
    postern, gen = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    loops = sys.argv[4] if len(sys.argv) > 4 else "6"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, options, configs in subjects(folder):
            capture = folder / f"{kind}.pcap"
            subprocess.run([gen, "mix", "--pcap", *options.split(), capture], check=True)
            names = []
            for i, (subject, text) in enumerate(configs):
                path = folder / f"{kind}{i}.conf"
                path.write_text(text)
                names.append((subject, path))
            print(kind)
            compare(postern, capture, names, loops, rounds)


if __name__ == "__main__":
    main()
