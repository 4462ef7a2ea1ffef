#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What no server wants: SYNs by the thousand, sources of others, addresses one after the other. Between two hosts
with the gate in between; the gate is asked and told things over SOCKET.

    flood.py serve ADDRESS PORT...
    flood.py CASE SOCKET INTERFACE SERVER SOURCE KERNEL CAPTURE

KERNEL is `yes` where the gate's kernel part counts, `no` where workers do; CAPTURE has what came out of the gate. Exits 1, with what is wrong, if something is."""
import errno
import selectors
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "replay"))
from packets import SYN, TCP, UDP, Packet, frame  # noqa: E402
from verdicts import Gate, wait_for  # noqa: E402

KNOWN, UNKNOWN, VOID = 8080, 8081, "198.51.100.200"  # ports; an address that is nobody's
RATE, SECONDS = 1000, 200  # a second; as long as it is looked at, and no longer
SYNS = 240  # a minute that are allowed, all at once, too
LANE = 100  # the VLAN of tenant `lane`


def serve(address, *ports):
    """Takes connections and ends them."""
    ready = selectors.DefaultSelector()
    for port in ports:
        ready.register(socket.create_server((address, int(port)), backlog=64), selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in ready.select():
            key.fileobj.accept()[0].close()


class Wire:
    """Frames as they are, from the tenants' side."""

    def __init__(self, interface):
        self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.s.bind((interface, 0))

    def send(self, **packet):
        data = frame(Packet(0, **packet))
        while True:
            try:
                self.s.send(data)
                return
            except OSError as full:
                if full.errno != errno.ENOBUFS:
                    raise
                time.sleep(0.001)


class Case:
    def __init__(self, path, interface, server, source, kernel, capture):
        self.gate, self.wire, self.server, self.source = Gate(path), Wire(interface), server, source
        self.kernel, self.capture = kernel == "yes", capture

    def dropped(self, tenant, reason):
        """Packets of the tenant's, by what the gate says."""
        answer = self.gate.ask("tenant", tenant=tenant)
        counts = answer["kernel"]["dropped_for"] if self.kernel else answer["counters"]["reasons"]
        return counts.get(reason, 0)

    def points(self, tenant, term):
        return {t["name"]: t["points"] for t in self.gate.ask("explain", tenant=tenant)["terms"]}.get(term, 0)

    def passed(self, filter_):
        """Packets that came out of the gate, but for those that are still on their way."""
        lines = subprocess.run(["tcpdump", "-n", "-r", self.capture, filter_], capture_output=True, check=False).stdout
        return len(lines.splitlines())

    def connects(self, port, again=1):
        """Whether the server takes a connection, asked for once more, or so often, if it doesn't answer."""
        with socket.socket() as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, again)
            s.bind((self.source, 0))
            try:
                s.connect((self.server, port))
            except TimeoutError:
                return False
            return True

    def send_all(self, packets):
        """No more than the way to the gate has room for, however long that waits for a CPU."""
        for n, packet in enumerate(packets):
            if n % 20 == 0:
                self.wait_read()
            self.wire.send(**packet)

    def wait_read(self):
        """All that was sent has been read: the connection's SYN comes after it, or comes again."""
        self.expect("no connection", self.connects(KNOWN, 4))

    def expect(self, what, true):
        if not true:
            raise AssertionError(what)

    def expect_points(self, tenant, term, points):
        wait_for(f"{points} points of {term} for {tenant}", lambda: self.points(tenant, term) > points - 0.5)
        self.expect("more points than once a minute", self.points(tenant, term) <= points)


def flood(case):
    """A thousand SYNs a second into the void, and connections to one server meanwhile."""
    sent, enough, limited = [0], threading.Event(), time.monotonic()

    def syns():
        began = time.monotonic()
        while not enough.is_set() and sent[0] < RATE * SECONDS:
            for _ in range(int((time.monotonic() - began) * RATE) - sent[0]):
                case.wire.send(src=case.source, dst=VOID, sport=10000 + sent[0] % 50000, dport=80, proto=TCP, flags=SYN)
                sent[0] += 1
            time.sleep(0.005)

    case.gate.ask("limits set", tenant="acme", limits={"syns": f"{SYNS}/min"})
    case.expect("no connection before the flood", case.connects(KNOWN, 4))
    thread = threading.Thread(target=syns)
    thread.start()
    try:
        wait_for("SYNs are dropped", lambda: case.dropped("acme", "limit_syns") > 100)
        known = [case.connects(KNOWN, 4) for _ in range(3)]  # the flood may fill the way to the gate
        unknown = [case.connects(UNKNOWN) for _ in range(3)]
    finally:
        enough.set()
        thread.join()
    passed, dropped = case.passed(f"tcp and dst host {VOID}"), case.dropped("acme", "limit_syns")
    print(f"{passed} of {sent[0]} SYNs passed, {dropped} dropped; {sum(known)} of 3 connections to who answered before, "
          f"{sum(unknown)} to another")
    # What is lost before the gate, where the gate waits for a CPU, was neither.
    # And its clock may be fast by a tenth.
    case.expect("SYNs pass", 0 < passed <= SYNS * (1 + 1.1 * (time.monotonic() - limited) / 60) + 1)
    case.expect("whom it knows it can't reach", all(known))
    case.expect("whom it doesn't know it reaches as if nothing were", not all(unknown))
    case.expect_points("acme", "flood", 5)
    case.gate.ask("limits set", tenant="acme", limits={"syns": "default"})


def spoofed(case):
    """Sources that are nobody's, by the VLAN of one tenant: they are his."""
    case.send_all({"src": "203.0.113.9", "dst": case.server, "sport": 1000 + i, "dport": 9, "proto": UDP, "vlan": LANE}
                  for i in range(200))
    wait_for("all are dropped", lambda: case.dropped("lane", "spoofed") == 200)
    print("200 packets of nobody's dropped, in the VLAN of lane")
    case.expect_points("lane", "spoof", 1)


def scan(case, tenant, source, **kind):
    case.send_all({"src": source, "dst": f"198.51.100.{i + 1}", "sport": 5000, "dport": 161, **kind} for i in range(200))


def probing(case):
    """200 addresses, one after the other; 50 are not too many."""
    scan(case, "blue", "192.0.2.20", proto=UDP, payload=b"anybody there?")
    case.expect_points("blue", "flood", 5)
    scan(case, "bulk", "192.0.2.30", proto=TCP, flags=SYN)
    case.expect_points("bulk", "flood", 5)
    case.expect("packets were dropped", not case.dropped("blue", "probing") or not case.kernel)
    print("two tenants looked for servers, and have points")


def dropped(case):
    """The same, with policy.actions.probing = "drop"."""
    scan(case, "dial", "192.0.2.40", proto=UDP, payload=b"anybody there?")
    wait_for("most are dropped", lambda: case.dropped("dial", "probing") >= 140)
    print(f"{case.dropped('dial', 'probing')} of 200 packets dropped")
    case.expect("those before are dropped, too", case.dropped("dial", "probing") <= 150)
    case.expect_points("dial", "flood", 5)


def main():
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:])
    name, *arguments = sys.argv[1:]
    try:
        {"flood": flood, "spoofed": spoofed, "probing": probing, "dropped": dropped}[name](Case(*arguments))
    except (AssertionError, OSError) as wrong:
        print(f"{name}: {wrong!r}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
