#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The page of tests/bench/live: live_ratios.py RUNS"""
import statistics
import sys


def spread(values, form):
    return f"{statistics.median(values):{form}}   ({min(values):{form}} .. {max(values):{form}})"


runs = {}
for line in open(sys.argv[1]):
    subject, what, *figures = line.split()
    runs.setdefault((what, subject), []).append([float(f) for f in figures])
subjects = [s for what, s in runs if what == "rate"]
print("packets per second at the far end; median (lowest .. highest), and over testpmd's of the same round")
for s in subjects:
    base = "testpmd-read" if s.endswith("-read") else "testpmd"
    rates = [r[0] for r in runs["rate", s]]
    ratios = [a / max(b[0], 1) for a, b in zip(rates, runs["rate", base])]
    print(f"  {s:14s}{spread(rates, '9,.0f')}   {spread(ratios, '6.3f')}")
print("\nthere and back, us: median, 90 %, 99 % of each round's; the median over the bridge's")
for s in subjects:
    base = "bridge-read" if s.endswith("-read") else "bridge"
    figures = runs["latency", s]
    p = [statistics.median(f[i] for f in figures) for i in range(3)]
    ratios = [a[0] / b[0] for a, b in zip(figures, runs["latency", base])]
    print(f"  {s:14s}" + "".join(f"{v:9.1f}" for v in p) + f"   {spread(ratios, '6.2f')}")
