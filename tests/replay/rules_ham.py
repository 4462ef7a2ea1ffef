#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the shipped packs say about other people's mail: rules_ham.py POSTERN RULES CORPUS

Each message of the corpus is sent by a tenant, with rules and checks in shadow. No rule that refuses may hit honest mail, and no check
of what mail says of itself more than one in twenty: some of the corpus is there because its header is broken. What alerts do to it,
and what is caught of spam, is printed. Exit 77: there is no corpus.
"""
import collections
import email
import email.policy
import email.utils
import ipaddress
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from packets import ACK, FIN, PSH, SYN, Packet, pcap_write

HONEST = {"ham", "ham-fixture"}
SPAM = {"spam", "phish"}
# All of them go to one mailbox within a minute, which says nothing about any of them.
CONFIG = ('policy: { shadow = true; actions: { mailbomb = "pass"; }; };\ntenants: ( { id = 1; name = "t"; prefixes = [ "10.0.0.0/8" ]; } );\n')
START = 1_767_268_800 * 10**9
MSS = 1400


def sender(message):
    for name in ("Return-Path", "From"):
        address = email.utils.parseaddr(str(message.get(name, "")))[1]
        if re.fullmatch(r"[!-;=?-~]+@[!-;=?-~]+", address):
            return address
    return "sender@example.com"


def as_sent(raw):
    """Of an mbox's entry or a file with bare line feeds, what DATA carries."""
    if raw.startswith(b"From "):
        raw = raw.split(b"\n", 1)[1]
    raw = re.sub(rb"\r?\n", b"\r\n", raw).replace(b"\r\n.", b"\r\n..")
    return raw + (b"" if raw.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def session(raw, client, time):
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    says = [(1, b"220 mx.example.net ESMTP\r\n"), (0, b"EHLO mail.example.com\r\n"), (1, b"250-mx.example.net\r\n250 8BITMIME\r\n"),
            (0, f"MAIL FROM:<{sender(message)}>\r\n".encode()), (1, b"250 Ok\r\n"), (0, b"RCPT TO:<bob@example.net>\r\n"), (1, b"250 Ok\r\n"),
            (0, b"DATA\r\n"), (1, b"354 Go on\r\n"), (0, as_sent(raw)), (1, b"250 Ok\r\n"), (0, b"QUIT\r\n"), (1, b"221 Bye\r\n")]
    ends, seq = ((client, 40000), ("198.51.100.25", 25)), [1000, 2000]
    packets = []

    def put(side, flags, payload=b""):
        nonlocal time
        time += 100_000
        (src, sport), (dst, dport) = ends[side], ends[1 - side]
        packets.append(Packet(time, src, dst, sport, dport, payload, seq=seq[side], ack=seq[1 - side] if flags & ACK else 0, flags=flags))
        seq[side] += len(payload) + bool(flags & (SYN | FIN))

    put(0, SYN)
    put(1, SYN | ACK)
    put(0, ACK)
    for side, data in says:
        for at in range(0, len(data), MSS):
            put(side, ACK | PSH, data[at:at + MSS])
        put(1 - side, ACK)
    put(0, FIN | ACK)
    put(1, FIN | ACK)
    put(0, ACK)
    return packets, time


def alerts(postern, rules, folder, mails):
    """{file: {sid: (action, msg)}} of (file, bytes)."""
    packets, time, files = [], START, {}
    for n, (name, raw) in enumerate(mails):
        client = str(ipaddress.ip_address("10.0.0.1") + n)
        files[client] = name
        more, time = session(raw, client, time)
        packets += more
    pcap_write(folder / "mails.pcap", packets)
    (folder / "conf").write_text(CONFIG)
    subprocess.run([postern, "replay", "-q", "-c", folder / "conf", "-r", rules, "--events", folder / "events", folder / "mails.pcap"], check=True)
    found, read = collections.defaultdict(dict), 0
    for line in (folder / "events").read_text().splitlines():
        event = json.loads(line)
        if event["event_type"] == "email":
            read += 1
        if event["event_type"] == "alert":
            alert, ends = event["alert"], (event["src_ip"], event["dest_ip"])
            client = next(end for end in ends if end in files)
            found[files[client]][alert["signature_id"]] = (event["verdict"]["action"], alert["signature"])
        if event["event_type"] == "verdict" and event["verdict"]["reason"] != "rule":
            verdict, ends = event["verdict"], (event["src_ip"], event["dest_ip"])
            client = next(end for end in ends if end in files)
            found[files[client]][verdict["reason"]] = (verdict["action"], f"check, such as of {verdict.get('detail', '-')}")
    return found, read


def table(title, names, found):
    count = collections.Counter(sid for name in names for sid in found.get(name, ()))
    words = {sid: what for name in names for sid, what in found.get(name, {}).items()}
    hit = sum(1 for name in names if found.get(name))
    print(f"{title}: {len(names)} messages, {hit} with an alert")
    for sid, n in count.most_common():
        print(f"  {n:4} {sid} {words[sid][0]:6} {words[sid][1]}")


def main(postern, rules, corpus):
    truth = Path(corpus) / "truth" / "mail.json"
    if not truth.exists():
        print(f"skipped: no corpus: {truth}")
        return 77
    classes = {name: about["class"] for name, about in json.loads(truth.read_text())["messages"].items()}
    mails = [(name, (Path(corpus) / name).read_bytes()) for name in sorted(classes) if (Path(corpus) / name).exists()]
    with tempfile.TemporaryDirectory() as folder:
        found, read = alerts(postern, rules, Path(folder), mails)
    honest = [name for name, _ in mails if classes[name] in HONEST]
    table("honest mail", honest, found)
    table("spam", [name for name, _ in mails if classes[name] in SPAM], found)
    table("other mail", [name for name, _ in mails if classes[name] not in HONEST | SPAM], found)
    refused = [(name, sid, what) for name in honest for sid, what in found.get(name, {}).items() if what[0] in ("reject", "drop")]
    checked = {name for name, sid, _ in refused if isinstance(sid, str)}
    for name, sid, what in refused:
        print(f"{name}: {sid} would refuse it: {what[1]}")
    # A message that was not read would not be hit either. Some of the corpus hold no message.
    if read < len(mails) * 0.95 or not honest:
        print(f"only {read} of {len(mails)} messages were read")
        return 1
    return 1 if len(checked) * 20 > len(honest) or any(isinstance(sid, int) for _, sid, _ in refused) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
