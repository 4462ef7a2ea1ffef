#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a capture holds, told without the gate: expect.py CAPTURE [--messages N --recipients N --calls N]

tshark takes the packets and SIP messages apart and puts IP fragments together; TCP's order, SMTP and
the counting are done here, from the summary's definitions. Prints the summary's keys as one JSON object.
What the peers say (messages and recipients that the mail exchanger took, calls that SIPp made) must agree, or it exits 1.
"""
import argparse
import json
import re
import subprocess
import sys
from collections import Counter, deque
from pathlib import Path

SHORT_CALL_S = 6
HARD_BOUNCE = re.compile(rb"^5\d\d[ -]5\.(1\.(1|2|3|6|10)|2\.1) ")


def tshark(capture, *args):
    """Lines of tshark's output; SIP over TCP in its order."""
    command = ["tshark", "-r", capture, "-o", "tcp.reassemble_out_of_order:TRUE", "-o", "ip.check_checksum:TRUE",
               "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", *args]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def fields(capture, shown, *names):
    args = ["-Y", shown, "-T", "fields", "-E", "separator=\t", "-E", "occurrence=f"]
    for name in names:
        args += ["-e", name]
    return [line.split("\t") for line in tshark(capture, *args)]


def tcp_data(capture):
    """Yields (stream, from the server, bytes) as a receiver gets them: in order, the first copy of each byte."""
    ways = {}  # -> [next byte's number, {number: bytes beyond a gap}]
    for stream, dport, seq, payload in fields(capture, "tcp.len > 0", "tcp.stream", "tcp.dstport", "tcp.seq",
                                              "tcp.payload"):
        from_server = dport not in ("25", "465", "587")
        way = ways.setdefault((stream, from_server), [1, {}])
        way[1].setdefault(int(seq), bytes.fromhex(payload))
        for start in sorted(way[1]):
            if start > way[0]:
                break
            data = way[1].pop(start)[way[0] - start:]
            if data:
                way[0] += len(data)
                yield stream, from_server, data


class Session:
    """One SMTP connection: commands matched with replies by their order alone."""

    def __init__(self, total):
        self.total = total
        self.lines = {"client": b"", "server": b""}
        self.waiting = deque(["greeting"])  # what the next replies answer
        self.data = None  # the message that is being sent, None between messages
        self.chunk = 0    # bytes of a BDAT chunk still to come
        self.challenged = False
        self.encrypted = self.lf_end = False
        self.addresses = deque()
        self.transaction_clear()

    def transaction_clear(self):
        self.accepted = 0
        self.chunks = False
        self.open = False

    def feed(self, side, data):
        self.lines[side] += data
        while self.lines[side] and not self.encrypted:
            if side == "client" and self.chunk:
                taken = min(self.chunk, len(self.lines[side]))
                self.chunk -= taken
                self.lines[side] = self.lines[side][taken:]
                continue
            line, end, rest = self.lines[side].partition(b"\r\n")
            if not end:
                return
            self.lines[side] = rest
            if side == "server":
                self.reply_line(line)
            elif self.data is not None:
                self.data_line(line)
            elif self.challenged:
                self.challenged = False
            else:
                self.command(line)

    def data_line(self, line):
        if re.search(rb"(^|\n)\.(\n|$)", line) and line != b".":
            self.lf_end = True
        if line == b".":
            self.data = None
            self.waiting.append("end")

    def command(self, line):
        verb = (line.split() or [b""])[0].upper().decode()
        self.total["commands"][verb] += 1
        argument = re.search(rb":\s*<([^>]*)", line)
        if verb in ("MAIL", "RCPT"):
            self.addresses.append((verb, argument and argument[1].decode()))
        if verb == "RCPT":
            self.total["rcpt_attempted"] += 1
        if verb == "BDAT":
            size, *last = line.split()[1:]
            self.chunk = int(size)
            if not self.chunks:
                self.total["attempted"] += 1
                self.chunks = True
            self.waiting.append("end" if last else "chunk")
        else:
            self.waiting.append(verb)

    def address_answered(self, opens):
        """Addresses are those of transactions: of a MAIL that was taken, and the RCPTs in it."""
        verb, address = self.addresses.popleft()
        if verb == "MAIL" and opens:
            self.open = True
            self.total["mail_from"].append(address)
        elif verb == "RCPT" and self.open and address is not None:
            self.total["rcpt_to"].append(address)

    def reply_line(self, line):
        if line[3:4] == b"-":
            return
        code = line[:3].decode()
        self.total["replies"][code] += 1
        what = self.waiting.popleft() if self.waiting else "unsolicited"
        good = code[0] == "2"
        if code == "334":  # the client's next line is an answer, and this AUTH has its reply still to come
            self.challenged = True
            self.waiting.appendleft(what)
        elif what == "MAIL":
            self.address_answered(good)
        elif what == "RCPT":
            self.address_answered(True)
            self.accepted += code[:2] == "25"
            self.total["rcpt_accepted"] += code[:2] == "25"
            self.total["hard_bounced"] += bool(HARD_BOUNCE.match(line))
        elif what == "DATA" and code == "354":
            self.data = []
            self.total["attempted"] += 1
        elif what == "end":
            self.total["accepted" if good else "refused_by_peer"] += 1
            self.total["delivered"] += self.accepted if good else 0
            self.transaction_clear()
        elif what in ("RSET", "EHLO", "HELO", "QUIT") and good:
            self.transaction_clear()
        elif what == "STARTTLS" and code == "220":
            self.total["starttls"] += 1
            self.encrypted = True


def smtp(capture):
    total = Counter({k: 0 for k in ("attempted", "accepted", "refused_by_peer", "rcpt_attempted", "rcpt_accepted",
                                    "delivered", "hard_bounced", "starttls")})
    total = dict(total, commands=Counter(), replies=Counter(), mail_from=[], rcpt_to=[])
    ports = {row[0]: row[1] for row in fields(capture, "tcp.dstport in {25,465,587} && tcp.flags.syn == 1",
                                              "tcp.stream", "tcp.dstport")}
    sessions = {stream: Session(total) for stream, port in ports.items() if port != "465"}
    for stream, from_server, data in tcp_data(capture):
        if stream in sessions:
            sessions[stream].feed("server" if from_server else "client", data)
    for session in sessions.values():
        while session.addresses:  # unanswered when the capture ends
            session.address_answered(True)
    if not sessions:
        return None, 0
    return {
        "sessions": len(sessions),
        "commands": dict(sorted(total["commands"].items())),
        "replies": dict(sorted(total["replies"].items())),
        "messages": {k: total[k] for k in ("attempted", "accepted", "refused_by_peer")},
        "recipients": {"attempted": total["rcpt_attempted"], "accepted": total["rcpt_accepted"],
                       "delivered": total["delivered"], "hard_bounced": total["hard_bounced"]},
        "starttls": total["starttls"],
        "mail_from": sorted(total["mail_from"]),
        "rcpt_to": sorted(total["rcpt_to"]),
    }, sum(session.lf_end for session in sessions.values())


def calls(messages):
    """POLICY.md, counting calls: an attempt is a Call-ID and From tag of an INVITE without To tag."""
    attempts = {}
    for time, method, code, call_id, from_tag, to_tag, cseq in messages:
        key = (call_id, from_tag)
        if method == "INVITE" and not to_tag:
            attempts.setdefault(key, {"final": None, "rang": False, "answered": None, "bye": None})
        # The callee may end the call: then its tags are the other way round.
        call = attempts.get(key) or attempts.get((call_id, to_tag))
        if not call:
            continue
        if method == "BYE" and call["bye"] is None:
            call["bye"] = float(time)
        elif code and cseq == "INVITE" and call["answered"] is None:
            if code[0] == "1":
                call["rang"] = True
            elif code[0] == "2":
                call["answered"] = float(time)
            elif code not in ("401", "407", "413", "415", "416", "420", "422"):
                call["final"] = code
    answered = [c for c in attempts.values() if c["answered"] is not None]
    ended = [c for c in answered if c["bye"] is not None]
    short = [c for c in ended if c["bye"] - c["answered"] <= SHORT_CALL_S]
    seized = [c for c in attempts.values()
              if c["answered"] is not None or (c["final"][0] != "3" if c["final"] else c["rang"])]
    return {
        "calls": {"attempted": len(attempts), "answered": len(answered), "short": len(short), "completed": len(ended)},
        "asr": round(len(answered) / len(seized), 6) if seized else None,
        "short_call_ratio": round(len(short) / len(answered), 6) if answered else None,
    }


def sip(capture):
    messages = fields(capture, "sip && !icmp", "frame.time_epoch", "sip.Method", "sip.Status-Code", "sip.Call-ID",
                      "sip.from.tag", "sip.to.tag", "sip.CSeq.method")
    if not messages:
        return None
    return {
        "requests": dict(sorted(Counter(m[1] for m in messages if m[1]).items())),
        "responses": dict(sorted(Counter(m[2] for m in messages if m[2]).items())),
        "malformed": 0,
        **calls(messages),
    }


def frames(capture):
    count = lambda shown: len(fields(capture, shown, "frame.number"))
    rows = fields(capture, "frame", "frame.time_epoch", "frame.len", "frame.cap_len")
    times = [float(r[0]) for r in rows]
    bad = "ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0"
    return {
        "packets": len(rows),
        "bytes": sum(int(r[1]) for r in rows),
        "duration_s": round(max(times) - min(times), 6),
        "link": {
            "not_ip": count("!ip && !ipv6"),
            "fragments": count("ip.flags.mf == 1 || ip.frag_offset > 0 || ipv6.fraghdr"),
            "malformed": 0,
            "truncated": sum(r[1] != r[2] for r in rows),
        },
        "tcp": {"flows": len({r[0] for r in fields(capture, "tcp", "tcp.stream")}), "midstream": 0, "overlap_differs": 0},
    }, count(bad)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("capture")
    for name in ("messages", "recipients", "calls"):
        arguments.add_argument("--" + name, type=int)
    args = arguments.parse_args()
    expected, bad_checksums = frames(args.capture)
    mail, lf_ends = smtp(args.capture)
    voice = sip(args.capture)
    expected = {"files": [Path(args.capture).name], **expected}
    if mail:
        expected["smtp"] = mail
    if voice:
        expected["sip"] = voice
    said = {k: getattr(args, k) for k in ("messages", "recipients", "calls") if getattr(args, k) is not None}
    found = {"messages": mail["messages"]["accepted"] if mail else 0,
             "recipients": mail["recipients"]["delivered"] if mail else 0,
             "calls": voice["calls"]["attempted"] if voice else 0}
    expected["peers"] = said
    expected["encrypted"] = bool(mail) and (mail["starttls"] > 0 or
                                            bool(fields(args.capture, "tcp.dstport == 465", "frame.number")))
    if lf_ends:
        expected["bare_lf_ends"] = lf_ends
    wrong = {k: (found[k], said[k]) for k in said if found[k] != said[k]}
    if wrong and not expected["encrypted"] and not lf_ends:
        sys.exit(f"{args.capture}: in the capture, and in the peers' words: {wrong}")
    if bad_checksums:
        sys.exit(f"{args.capture}: {bad_checksums} frames with bad checksums")
    json.dump(expected, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
