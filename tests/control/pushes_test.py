#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Rules pushed to a live gate, again and again: pushes_test.py POSTERND POSTERN DATAPLANE

Under load no packet and no match is lost, and after many pushes both programs are as large as after a few. PUSHES in the
environment says how many; 50 without. Needs root.
"""
import os
import resource
import socket
import statistics
import sys
import threading
import time
import unittest
from pathlib import Path

from gate import wait_for
from wire import PEER, TENANT, UDP, LiveCase, Packet, frame, run_in_namespace

PUSHES = int(os.environ.get("PUSHES", "50"))
WINDOW = 32  # packets on their way: none is lost for want of room, however slow the machine is
UNTOLD = 256  # that the log has nothing of yet: nor is an event, where posternd gets no CPU
ALWAYS = 42  # the rule that is in all generations
OWN = 100000  # and this, a generation's own, for one that is in no other
SAME = "".join(f'alert sip any any -> any any (msg:"same"; sip.user_agent; content:"agent {n} "; sid:{n}; rev:1;)\n'
               for n in range(1000, 1100))
SAME += "".join(f'alert smtp any any -> any any (msg:"same"; email.body; content:"words {n} "; sid:{n}; rev:1;)\n'
                for n in range(2000, 2100))


def rules(number):
    """A generation: what is always there, one that changes, one that comes and goes."""
    text = f'alert sip any any -> any any (msg:"always"; sip.method; content:"OPTIONS"; sid:{ALWAYS}; rev:1;)\n{SAME}'
    text += f'alert sip any any -> any any (msg:"n"; sip.user_agent; content:"round {number} "; sid:9001; rev:{number + 1};)\n'
    text += f'alert sip any any -> any any (msg:"own"; sip.method; content:"OPTIONS"; noalert; sid:{OWN + number}; rev:1;)\n'
    if number % 2:
        text += f'alert smtp any any -> any any (msg:"n"; email.body; pcre:"/[0-9]{{4}} round {number}/"; sid:9002; rev:1;)\n'
    return text


def options(number):
    text = (f"OPTIONS sip:1@{PEER} SIP/2.0\r\nVia: SIP/2.0/UDP {TENANT}:5060;branch=z9hG4bK-{number}-\r\n"
            f"From: <sip:a@{TENANT}>;tag=t{number}\r\nTo: <sip:1@{PEER}>\r\nCall-ID: c{number}@{TENANT}\r\n"
            f"CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nUser-Agent: agent\r\nContent-Length: 0\r\n\r\n")
    return frame(Packet(0, TENANT, PEER, 5060, 5060, text.encode(), UDP))


class Load:
    """Numbered packets, never more than WINDOW of them on their way and UNTOLD without an event."""

    def __init__(self, wire, log):
        self.wire, self.sent, self.arrived, self.ending = wire, 0, set(), False
        self.stuck, self.log, self.begun, self.told = None, open(log, "rb"), b"", 0
        self.log.seek(0, os.SEEK_END)
        wire.outside.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def take(self):
        for text in self.wire.left():
            if "branch=z9hG4bK-" in text:
                self.arrived.add(int(text.split("branch=z9hG4bK-")[1].split("-")[0]))

    def listen(self):
        *lines, self.begun = (self.begun + self.log.read()).split(b"\n")
        self.told += sum(b'"signature_id":%d,' % ALWAYS in line for line in lines)

    def run(self):
        moved = time.monotonic()
        while not self.ending or len(self.arrived) < self.sent:
            before = len(self.arrived)
            self.take()
            if self.sent - self.told >= UNTOLD:
                self.listen()
            if len(self.arrived) > before or len(self.arrived) == self.sent:
                moved = time.monotonic()
            if time.monotonic() - moved > 30:
                self.stuck = sorted(set(range(self.sent)) - self.arrived)[:10]
                return
            if self.ending or self.sent - len(self.arrived) >= WINDOW or self.sent - self.told >= UNTOLD:
                time.sleep(0.0005)
                continue
            self.wire.inside.send(options(self.sent))
            self.sent += 1

    def end(self):
        self.ending = True
        self.thread.join()
        self.log.close()


class Size:
    """Of a process: pages, mappings, descriptors."""

    def __init__(self, pid):
        proc = Path(f"/proc/{pid}")
        self.kib = int((proc / "statm").read_text().split()[1]) * resource.getpagesize() // 1024
        self.maps = len((proc / "maps").read_text().splitlines())
        self.files = len(list((proc / "fd").iterdir()))

    def __str__(self):
        return f"{self.kib} KiB, {self.maps} mappings, {self.files} descriptors"


class Pushes(LiveCase):
    def setUp(self):
        super().setUp()
        self.start()
        self.client = self.gate.client()
        self.addCleanup(self.client.close)

    def push(self, number, **arguments):
        text = rules(number)
        for at in range(0, len(text), 30000):
            self.assertTrue(self.client.ask("rules stage", file="a.rules", text=text[at:at + 30000])["ok"])
        answer = self.client.ask("rules push", **arguments)
        self.assertTrue(answer["ok"], answer)
        self.assertTrue(answer["result"]["in_force"], answer)
        return answer["result"]

    def hits(self):
        return {hit["sid"]: hit["hits"] for hit in self.result("rules")["hits"]}

    def own(self):
        return {sid: hits for sid, hits in self.hits().items() if sid >= OWN}

    def test_pushes_under_load_lose_no_packet_and_no_match(self):
        self.push(0)
        self.wait_passes(True)
        load, took, swaps = Load(self.wire, self.gate.eve), [], []
        for number in range(1, PUSHES + 1):
            result = self.push(number)
            took.append(result["took_s"])
            swaps.append(result["times"]["swap_s"])
            last = load.sent
            wait_for("a packet meets it", lambda n=last: n in load.arrived or load.stuck)
        load.end()
        self.assertIsNone(load.stuck, f"{load.sent} sent, {len(load.arrived)} arrived")
        self.assertEqual(len(load.arrived), load.sent)
        self.assertGreater(load.sent, PUSHES)
        wait_for("every match is counted", lambda: self.hits().get(ALWAYS) == load.sent)
        # Each of them once for the rule of the generation that met it, most of which are gone.
        wait_for("and each generation's", lambda: sum(self.own().values()) == load.sent)
        self.assertGreaterEqual(len(self.own()), PUSHES)
        wait_for("every match is told of", lambda: self.alerts() >= load.sent)
        self.assertEqual(self.alerts(), load.sent)
        print(f"{load.sent} packets and as many matches over {PUSHES} pushes; seconds, median and longest: a push "
              f"{statistics.median(took):.3f} {max(took):.3f}, its swap {statistics.median(swaps):.3f} {max(swaps):.3f}")

    def alerts(self):
        return sum(event["alert"]["signature_id"] == ALWAYS for event in self.gate.events("alert"))

    def test_many_pushes_leave_no_memory_behind(self):
        pids = {"posternd": self.gate.process.pid, "dataplane": self.dataplane()["pid"]}
        for number in range(30):
            self.push(number)
        before = {name: Size(pid) for name, pid in pids.items()}
        for number in range(30, 30 + PUSHES):
            self.push(number)
        # A ruleset goes with its last worker, which comes by in its own time.
        for name, pid in pids.items():
            print(f"{name}: {before[name]}; after {PUSHES} pushes more: {Size(pid)}")
            wait_for(f"{name}: descriptors", lambda p=pid, n=name: Size(p).files <= before[n].files)
            wait_for(f"{name}: mappings", lambda p=pid, n=name: Size(p).maps <= before[n].maps + 8)
            # The history grows to its bound; pages that malloc() keeps come and go.
            most = before[name].kib + 4096 + before[name].kib // 10
            wait_for(f"{name}: pages", lambda p=pid, m=most: Size(p).kib < m)


if __name__ == "__main__":
    sys.exit(run_in_namespace(sys.argv))
