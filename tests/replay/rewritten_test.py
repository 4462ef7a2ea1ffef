#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The same sessions in other packets give the same summary: rewritten_test.py POSTERN CAPTURE LOST

The capture's packets are put into other link types, tags and file formats, into IPv6, into fragments, into
segments of a few bytes, twice, and in another order. Commands, replies, messages and their digests, calls and
all else that is counted of SMTP and SIP must stay what they were. Then packets are left out, one at a time, LOST in all:
what is counted may be less, but nothing may turn up that was not there.
"""
import dataclasses
import ipaddress
import json
import random
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from packets import ACK, FIN, MAC, PSH, RST, SYN, TCP, checksum, frame, layer3, pcapng_read

BUDGETS = Path(__file__).with_name("budgets.conf")
ETHERNET, NULL, RAW, SLL, SLL2 = 1, 0, 101, 113, 276
FRAGMENT = 128


def file_write(path, frames, link=ETHERNET, end="<", digits=9):
    """(ns, bytes) of each; seconds have that many digits behind the point: 6, 9."""
    magic = {6: 0xa1b2c3d4, 9: 0xa1b23c4d}[digits]
    with open(path, "wb") as file:
        file.write(struct.pack(end + "IHHiIII", magic, 2, 4, 0, 0, 262144, link))
        for time, data in frames:
            seconds, rest = divmod(time, 10**9)
            file.write(struct.pack(end + "IIII", seconds, rest // 10**(9 - digits), len(data), len(data)) + data)


def ethernet(packets):
    return [(p.time, frame(p)) for p in packets]


def kind(packet):
    return 0x0800 if ipaddress.ip_address(packet.src).version == 4 else 0x86dd


def headed(packets, header):
    return [(p.time, header(kind(p)) + layer3(p)) for p in packets]


def links(packets):
    """(name, frames, options of file_write)"""
    mac = MAC[1] + MAC[0]
    yield "as it is", ethernet(packets), {}
    yield "big-endian, microseconds", ethernet(packets), {"end": ">", "digits": 6}
    yield "raw IP", headed(packets, lambda _: b""), {"link": RAW}
    yield "loopback", headed(packets, lambda k: struct.pack("<I", 2 if k == 0x0800 else 30)), {"link": NULL}
    yield "cooked", headed(packets, lambda k: struct.pack("!HHH8sH", 0, 1, 6, MAC[0], k)), {"link": SLL}
    yield "cooked 2", headed(packets, lambda k: struct.pack("!HHIHBB8s", k, 0, 1, 1, 0, 6, MAC[0])), {"link": SLL2}
    yield "VLAN", headed(packets, lambda k: mac + struct.pack("!HHH", 0x8100, 7, k)), {}
    yield "QinQ", headed(packets, lambda k: mac + struct.pack("!HHHHH", 0x88a8, 7, 0x8100, 4000, k)), {}
    yield "padded", [(time, data + bytes(6)) for time, data in ethernet(packets)], {}
    yield "fragments", fragments(packets, 1), {}
    yield "fragments, the last first", fragments(packets, -1), {}


def fragments(packets, step):
    frames = []
    for number, p in enumerate(packets, 1):
        data = frame(p)
        if kind(p) != 0x0800 or len(data) - 34 <= FRAGMENT:
            frames.append((p.time, data))
            continue
        pieces = []
        for at in range(34, len(data), FRAGMENT):
            more = 0x2000 if at + FRAGMENT < len(data) else 0
            piece = data[at:at + FRAGMENT]
            head = bytearray(data[14:34])
            head[2:8] = struct.pack("!HHH", 20 + len(piece), number % 65536, more | (at - 34) // 8)
            head[10:12] = bytes(2)
            head[10:12] = struct.pack("!H", checksum(bytes(head)))
            pieces.append((p.time, data[:14] + head + piece))
        frames += pieces[::step]
    return frames


def in_ipv6(packets):
    def address(text):
        old = ipaddress.ip_address(text)
        return text if old.version == 6 else str(ipaddress.ip_address(0x20010db8 << 96 | int(old)))
    return [dataclasses.replace(p, src=address(p.src), dst=address(p.dst)) for p in packets]


def in_pieces(packets, size):
    for p in packets:
        if p.proto != TCP or p.flags & SYN or len(p.payload) <= size:
            yield p
            continue
        for at in range(0, len(p.payload), size):
            last = at + size >= len(p.payload)
            yield dataclasses.replace(p, payload=p.payload[at:at + size], seq=(p.seq + at) % 2**32,
                                      flags=p.flags if last else p.flags & ~(FIN | RST | PSH))


def twice(packets, later):
    """TCP only: a datagram sent twice is two. The copy comes `later` packets behind."""
    waiting = []
    for p in packets:
        yield p
        waiting.append(p)
        if len(waiting) > later:
            old = waiting.pop(0)
            if old.proto == TCP and p.time - old.time < 10**9:
                yield dataclasses.replace(old, time=p.time)


def shuffled(packets, window):
    """Data of one direction, as long as the other says nothing: in another order, a few at a time."""
    order, run = random.Random(1), []
    times = [p.time for p in packets]
    result = []

    def flush():
        for at in range(0, len(run), window):
            some = run[at:at + window]
            order.shuffle(some)
            result.extend(some)
        run.clear()

    for p in packets:
        plain = p.proto == TCP and p.payload and p.flags & ~PSH == ACK
        if run and not (plain and p.key() == run[0].key()):
            flush()
        run.append(p)
        if not plain:
            flush()
    flush()
    return [dataclasses.replace(p, time=time) for p, time in zip(result, times)]


class Gate:
    def __init__(self, postern, folder):
        self.postern, self.folder = postern, folder

    def read(self, capture):
        """The capture's packets, by way of the gate's own writer."""
        copy = self.folder / "copy.pcapng"
        subprocess.run([self.postern, "replay", "-q", "-c", BUDGETS, "--write", copy, capture], check=True)
        return pcapng_read(copy)

    def counts(self, frames, **options):
        path, summary, events = (self.folder / name for name in ("pcap", "summary", "events"))
        file_write(path, frames, **options)
        subprocess.run([self.postern, "replay", "-q", "-c", BUDGETS, "--digests", "--json", summary, "--events", events, path],
                       check=True)
        found = json.loads(summary.read_text())
        for member in ("mail_from", "rcpt_to"):
            found["smtp"][member].sort()
        mails = [json.loads(line) for line in events.read_text().splitlines()]
        return {"smtp": found["smtp"], "sip": found["sip"],
                "mails": sorted(e["email"].get("sha256", "") for e in mails if e["event_type"] == "email")}


def differences(want, got, path=""):
    if isinstance(want, dict):
        for key in want.keys() | got.keys():
            yield from differences(want.get(key), got.get(key), f"{path}.{key}")
    elif want != got:
        yield f"{path[1:]}: {want} became {got}"


def news(want, got):
    """What is counted and was not there before."""
    for protocol, members in (("smtp", ("commands", "replies")), ("sip", ("requests", "responses"))):
        for member in members:
            for name, count in got[protocol][member].items():
                if count > want[protocol][member].get(name, 0):
                    yield f"{protocol}.{member}.{name}: {want[protocol][member].get(name, 0)} became {count}"
    yield from (f"mail {digest}" for digest in set(got["mails"]) - set(want["mails"]) if digest)


def rewritten(gate, packets):
    for name, frames, options in links(packets):
        yield name, gate.counts(frames, **options)
    for name, others in (
        ("IPv6", in_ipv6(packets)),
        ("bytes", in_pieces(packets, 1)),
        ("pieces of 7", in_pieces(packets, 7)),
        ("pieces of 100, shuffled", shuffled(list(in_pieces(packets, 100)), 4)),
        ("shuffled", shuffled(packets, 3)),
        ("twice", twice(packets, 0)),
        ("twice, the copy later", twice(packets, 4)),
    ):
        yield name, gate.counts(ethernet(others))


def main():
    with tempfile.TemporaryDirectory() as folder:
        gate, failed = Gate(sys.argv[1], Path(folder)), []
        packets = gate.read(sys.argv[2])
        want = gate.counts(ethernet(packets))
        for name, got in rewritten(gate, packets):
            failed += [f"{name}: {text}" for text in differences(want, got)]
        for number in range(0, len(packets), len(packets) // int(sys.argv[3]) + 1) if int(sys.argv[3]) else ():
            got = gate.counts(ethernet(packets[:number] + packets[number + 1:]))
            failed += [f"without packet {number + 1}: {text}" for text in news(want, got)]
    print("\n".join(failed) or f"{len(packets)} packets: the same in all forms")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
