#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Numbered datagrams to an echo and back: what a gate between the two loses, doubles or turns round is told.

    echo.py serve ADDRESS PORT
    echo.py ask ADDRESS PORT UNTIL [SOURCE]   until the file UNTIL exists, then waits for what is still due

At most WINDOW datagrams are on their way, so that no queue between two hosts overflows: a datagram that does not come
back within PATIENCE seconds was lost. `ask` prints "answered" when the first is back, at its end
"sent N back N doubled N late N", and exits 1 unless all came back once."""
import os
import select
import socket
import sys
import time

WINDOW = 48
PATIENCE = 15
LIMIT = 400000  # datagrams
SIZES = (8, 64, 200, 512, 1000, 1472)


def serve(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((address, port))
        print("ready", flush=True)
        while True:
            data, peer = s.recvfrom(2048)
            s.sendto(data, peer)


def take(s, due, counts):
    while True:
        try:
            data = s.recv(2048, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        number = int.from_bytes(data[:8], "big")
        if number not in due:
            counts["doubled"] += 1
            continue
        counts["late"] += number != min(due)
        due.discard(number)
        counts["back"] += 1


def ask(address, port, until, source):
    counts = {"sent": 0, "back": 0, "doubled": 0, "late": 0}
    due = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((source, 0))
        s.connect((address, port))
        heard = time.monotonic()
        while True:
            ending = os.path.exists(until) or counts["sent"] >= LIMIT
            while not ending and len(due) < WINDOW and counts["sent"] < LIMIT:
                number = counts["sent"]
                s.send(number.to_bytes(8, "big") + bytes(SIZES[number % len(SIZES)] - 8))
                due.add(number)
                counts["sent"] += 1
            if ending and not due:
                break
            before = counts["back"]
            select.select([s], [], [], 0.2)
            take(s, due, counts)
            now = time.monotonic()
            if counts["back"] > before:
                heard = now
                if not before:
                    print("answered", flush=True)
            elif now - heard > PATIENCE:
                break
    print(" ".join(f"{name} {n}" for name, n in counts.items()))
    return 0 if counts["back"] == counts["sent"] > 0 and not counts["doubled"] else 1


def main():
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    return ask(sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5] if len(sys.argv) > 5 else "")


sys.exit(main())
