#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""How long a change to a tenant takes to hold, as its traffic sees it.

    changes.py SOCKET TENANT ADDRESS PORT SOURCE udp|sip ROUNDS BOUND-MS

Sends a numbered datagram every millisecond (udp: of no protocol; sip: an OPTIONS request each) to an echo, and
suspends the tenant and lets it back by SOCKET, ROUNDS times. A suspension holds from the first datagram on after
which none comes back; a resumption from the first that does. Both are measured from before the command is
written. Prints a line, and exits 1 if one took longer than BOUND-MS."""
import json
import re
import socket
import statistics
import sys
import threading
import time

PACE = 0.001  # s
BEFORE, AFTER = 0.3, 0.7  # s of traffic around a command
IN_FLIGHT = 0.1  # s
SETTLE = 0.5  # s: what is not back by then does not come


class Traffic:
    def __init__(self, to, source, kind):
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.bind((source, 0))
        self.s.connect(to)
        self.s.settimeout(0.1)
        self.kind, self.sent, self.back, self.ending = kind, [], set(), False
        self.threads = [threading.Thread(target=t, daemon=True) for t in (self.send, self.take)]
        for t in self.threads:
            t.start()

    def words(self, number):
        here, there = self.s.getsockname(), self.s.getpeername()
        if self.kind == "udp":
            return f"<{number}>".encode()
        return (f"OPTIONS sip:{there[0]} SIP/2.0\r\nVia: SIP/2.0/UDP {here[0]}:{here[1]};branch=z9hG4bK{number}\r\n"
                f"From: <sip:probe@{here[0]}>;tag={number}\r\nTo: <sip:{there[0]}>\r\nCall-ID: <{number}>\r\n"
                f"CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode()

    def send(self):
        while not self.ending:
            words = self.words(len(self.sent))
            self.sent.append(time.monotonic())
            try:
                self.s.send(words)
            except OSError:
                pass
            time.sleep(PACE)

    def take(self):
        while not self.ending:
            try:
                data = self.s.recv(2048)
            except OSError:
                continue
            # A refusal is an answer, not an echo.
            if not data.startswith(b"SIP/2.0") and (found := re.search(rb"<(\d+)>", data)):
                self.back.add(int(found[1]))

    def end(self):
        self.ending = True
        for t in self.threads:
            t.join()


def command(path, name, **arguments):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        begun = time.monotonic()
        s.sendall(json.dumps({"command": name, "arguments": arguments}).encode() + b"\n")
        answer = json.loads(s.makefile().readline())
    if not answer["ok"]:
        sys.exit(f"changes.py: {name}: {answer}")
    return begun, time.monotonic()


def one_round(path, tenant, to, source, kind):
    """ms: until a suspension held, was answered, and until a resumption held."""
    t = Traffic(to, source, kind)
    time.sleep(BEFORE)
    suspended, answered = command(path, "tenant suspend", tenant=tenant, reason="a test")
    time.sleep(AFTER)
    resumed, _ = command(path, "tenant resume", tenant=tenant)
    time.sleep(AFTER + SETTLE)
    t.end()
    # What was sent just before the resumption may have been looked at after it.
    before = [n for n in t.back if t.sent[n] < resumed - IN_FLIGHT]
    after = [n for n in t.back if t.sent[n] >= resumed]
    if not before or not after:
        sys.exit(f"changes.py: {len(before)} back before, {len(after)} after")
    held = max(0, t.sent[max(before) + 1] - suspended)
    return held * 1000, (answered - suspended) * 1000, (t.sent[min(after)] - resumed) * 1000


def main():
    path, tenant, address, port, source, kind, rounds, bound = sys.argv[1:]
    figures = [one_round(path, tenant, (address, int(port)), source, kind) for _ in range(int(rounds))]
    names = ("suspended", "answered", "resumed")
    print(kind, "ms, median and worst:", ", ".join(
        f"{name} {statistics.median(f):.1f} {max(f):.1f}" for name, f in zip(names, zip(*figures))))
    return 0 if max(max(f[0], f[2]) for f in figures) < int(bound) else 1


sys.exit(main())
