# SPDX-License-Identifier: BSD-3-Clause
"""Conversations in text, as packets: what each side says, what of it the gate lets out, what the gate says.

A document is a list of sessions:

    == one of three recipients opted out
    smtp 10.1.0.1 198.51.100.25:25 at=60 vlan=7
    C: EHLO a.example
    S: 250 ok
    C- RCPT TO:<listed@example.net>
    G: 550 5.7.1 The recipient opted out of your mail
    S: 550 what the server had said to it, in the capture
    = reject recipient opt_out "550 5.7.1 The recipient opted out of your mail" about listed@example.net

`C` is the client, `S` the server; `:` what it says leaves the gate, `-` it does not; `G:` what the gate says to the client.
Lines that follow each other are one write; `|` alone begins the next segment. A line that starts with a quote is a string as
in JSON, without CRLF after it. `C*3: RCPT TO:<r{n}@example.net>` is three lines, {n} from 1. {i} is the session's number where
`times=` makes several; {eicar} the EICAR test file in base64, {text:N} N characters of base64 in lines.
`wait 2` lets two seconds pass; `close` says that nothing of the session leaves from here on, not even its FIN.
`resend C` is the client's last write once more, over TCP; `resend C+` the same in one segment with what it says next. `=` lines are the session's events, in order, all of them
(decisions.py says in which words); `=*3 one ;; two` is two lines three times. `G*3:` is said three times.

The second line: kind (`smtp` over TCP, or `sip`, `sip-tcp`: conversation_sip.py; or `syn`: of TCP only SYNs, `C:` each, that nobody
answers), the client's address (a port may follow), the server's, and options: at= (s), times= and every= (s), vlan=, mss=, and `open`: no FIN.
Sections `== summary` and `== risk` have lines `what = expected` (decisions.py).
"""
import base64
import json
import re
from dataclasses import dataclass, field, replace

import conversation_sip
from packets import ACK, FIN, PSH, SYN, TCP, UDP, Packet

START = 1_767_268_800  # s since 1970
STEP = 100_000         # ns between a session's packets

MACRO = re.compile(r"\{(n|i|eicar|text:\d+)\}")
LINE = re.compile(r"([CS])(?:\*(\d+))?([:-])(?: (.*))?$", re.S)


def eicar():
    """Put together only here: scanners of other people's machines look at files."""
    return "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*"


def folded(data):
    text = base64.b64encode(data).decode()
    return "\r\n".join(text[i:i + 76] for i in range(0, len(text), 76))


def expand(text, n, i):
    def value(match):
        name = match.group(1)
        if name == "eicar":
            return folded(eicar().encode())
        if name.startswith("text:"):
            return folded(b"nothing to see here. " * (int(name[5:]) // 28))
        return str(n if name == "n" else i)
    return MACRO.sub(value, text)


@dataclass
class Say:
    """One line or datagram."""
    side: str
    data: bytes
    leaves: bool
    breaks: bool = False  # a new segment begins with it
    time: float = 0       # s of the session's clock before it
    again: str = ""       # no data of its own: the side's last write, alone or ("+") with what it says next


@dataclass
class Session:
    title: str
    kind: str
    client: tuple
    server: tuple
    at: float
    number: int = 1
    vlan: int = 0
    mss: int = 1448
    open: bool = False
    says: list = field(default_factory=list)
    gate: list = field(default_factory=list)    # what the gate says, in order
    events: list = field(default_factory=list)  # lines
    call_ids: set = field(default_factory=set)
    closed_at: int = 0                          # ns; 0: never closed
    packets: list = field(default_factory=list)

    def expected(self, side):
        """(bytes, which of them leave) of one direction."""
        data = b"".join(s.data for s in self.says if s.side == side)
        leaves = b"".join(bytes([s.leaves]) * len(s.data) for s in self.says if s.side == side)
        return data, leaves


def address(text, port):
    host, colon, digits = text.rpartition(":")
    if host.startswith("["):
        return host[1:-1], int(digits)
    return (host, int(digits)) if colon and ":" not in host else (text, port)


class Builder:
    """One session's lines, said."""

    def __init__(self, session):
        self.session = session
        self.pause = 0.0
        self.breaks = False
        self.closes = False
        self.sip = conversation_sip.Dialog(session) if session.kind.startswith("sip") else None

    def say(self, side, data, leaves, again=""):
        self.session.says.append(Say(side, data, leaves, self.breaks or bool(again), self.pause, again))
        self.pause, self.breaks = 0.0, False
        if self.closes:
            self.session.closed_at, self.closes = len(self.session.says), False

    def line(self, line, indented):
        session, i = self.session, self.session.number
        if line.startswith("="):
            count, _, words = line[1:].partition(" ")
            session.events += expand(words, 0, i).split(" ;; ") * int(count[1:] or 1)
        elif line.startswith("resend "):
            self.say(line[7], b"", True, again=line[8:] or "alone")
        elif line == "|":
            self.breaks = True
        elif line == "close":
            self.closes = True
        elif line.startswith("wait "):
            self.pause += float(line[5:])
        elif line.startswith("G"):
            count, _, words = line[1:].partition(": ")
            said = (expand(words, 0, i), [expand(x, 0, i) for x in indented])
            session.gate += [said] * int(count[1:] or 1)
        else:
            match = LINE.match(line)
            if not match:
                raise ValueError(f"{session.title}: {line}")
            side, count, mark, text = match.groups()
            for n in range(1, int(count or 1) + 1):
                self.say(side, self.data(side, text or "", indented, lambda x, n=n: expand(x, n, i)), mark == ":")

    def data(self, side, text, indented, expanded):
        if self.session.kind == "syn":
            return b""
        if text.startswith('"'):
            return expanded(json.loads(text)).encode("latin-1")
        if self.sip:
            return self.sip.message(side, expanded(text), [expanded(x) for x in indented])
        return expanded(text).encode() + b"\r\n"


def sessions_of(block, number):
    """One section's sessions: as many as times= says."""
    title, head, lines = block
    kind, client, server, *options = head.split()
    options = dict(o.partition("=")[::2] for o in options)
    for i in range(int(options.get("times", 1))):
        session = Session(title, kind, address(client, 20000 + number + i), address(server, 5060),
                          float(options.get("at", 0)) + i * float(options.get("every", 1)), i + 1,
                          int(options.get("vlan", 0)), int(options.get("mss", 1448)), "open" in options)
        builder = Builder(session)
        for line, indented in lines:
            builder.line(line, indented)
        PACKETS.get(kind, tcp_packets)(session)
        yield session


def tcp_turns(session):
    """(side, [Say]): what one side says before the other does, or before a pause or a break."""
    turn = []
    for say in session.says:
        if turn and (say.side != turn[0].side or turn[0].again == "alone" or say.breaks or say.time or say is closing(session)):
            yield turn
            turn = []
        turn.append(say)
    if turn:
        yield turn


def closing(session):
    """The first thing said of which nothing may leave any more."""
    return session.says[session.closed_at - 1] if session.closed_at else None


class Clock:
    def __init__(self, session):
        self.now = int((START + session.at) * 10**9)

    def tick(self):
        self.now += STEP
        return self.now


def tcp_packets(session):
    clock = Clock(session)
    ends = {"C": session.client, "S": session.server}
    seq = {"C": 1000, "S": 5000}
    written = {"C": [], "S": []}  # each side's last write
    closed_at = 0

    def send(side, flags, payload=b""):
        other = "S" if side == "C" else "C"
        (src, sport), (dst, dport) = ends[side], ends[other]
        session.packets.append(Packet(clock.tick(), src, dst, sport, dport, payload, TCP, seq[side],
                                      seq[other] if flags & ACK else 0, flags, session.vlan))
        seq[side] += len(payload) + bool(flags & (SYN | FIN))

    send("C", SYN)
    send("S", SYN | ACK)
    send("C", ACK)
    for turn in tcp_turns(session):
        clock.now += int(turn[0].time * 10**9)
        if turn[0] is closing(session):
            closed_at = clock.now
        side, data = turn[0].side, b"".join(say.data for say in turn)
        if turn[0].again == "alone":
            session.packets += [replace(p, time=clock.tick()) for p in written[side]]
        else:
            if turn[0].again:
                before = b"".join(p.payload for p in written[side])
                seq[side], data = seq[side] - len(before), before + data
            first = len(session.packets)
            for at in range(0, len(data), session.mss):
                send(side, PSH | ACK, data[at:at + session.mss])
            written[side] = session.packets[first:]
        send("S" if side == "C" else "C", ACK)
    if not session.open:
        send("C", FIN | ACK)
        send("S", FIN | ACK)
        send("C", ACK)
    session.closed_at = closed_at


def udp_packets(session):
    clock = Clock(session)
    for say in session.says:
        clock.now += int(say.time * 10**9)
        ends = (session.client, session.server) if say.side == "C" else (session.server, session.client)
        (src, sport), (dst, dport) = ends
        session.packets.append(Packet(clock.tick(), src, dst, sport, dport, say.data, UDP, vlan=session.vlan))


def syn_packets(session):
    clock = Clock(session)
    for say in session.says:
        clock.now += int(say.time * 10**9)
        session.packets.append(Packet(clock.tick(), session.client[0], session.server[0], session.client[1],
                                      session.server[1], b"", TCP, 1000, 0, SYN, session.vlan))


PACKETS = {"sip": udp_packets, "syn": syn_packets}


def sections(text):
    """(title, first line, [(line, [lines indented below it])]) of each `==` section."""
    for section in re.split(r"^== ", text, flags=re.M)[1:]:
        title, *lines = [line for line in section.splitlines() if line.strip() and not line.startswith("#")]
        grouped = []
        for line in lines[1:]:
            if line.startswith("    "):
                grouped[-1][1].append(line[4:])
            else:
                grouped.append((line, []))
        yield title, lines[0] if lines else "", grouped


def conversation_read(text):
    """All sessions of a document, with their packets, and the lines of its summary and its scores."""
    sessions, lines = [], {"summary": [], "risk": []}
    for section in sections(text):
        if section[0] in lines:
            lines[section[0]] = [section[1]] + [line for line, _ in section[2]]
        else:
            sessions += sessions_of(section, len(sessions))
    return sessions, lines
