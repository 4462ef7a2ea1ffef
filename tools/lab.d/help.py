#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A telephone that calls for help, and speaks: help.py OWN PEER NUMBER

PEER is a SIPp that answers and sends voice back (-rtp_echo). Says of each thing it tries whether anything came back:
voice before the call, during it, between other ports then, and when the call is over. Exit 1: nobody answered.
"""
import os
import re
import socket
import sys
import time

TRIES = 20       # datagrams that are sent where none should come back
PATIENCE_S = 10  # for what should


def bound(own, port):
    s = socket.socket(socket.AF_INET6 if ":" in own else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((own, port))
    s.settimeout(0.05)
    return s


def received(s):
    try:
        return s.recv(65536)
    except (TimeoutError, ConnectionRefusedError):
        return b""


def echoes(s, to, hoped):
    """Whether anything comes back of what is sent here; without hope it is not waited for as long."""
    end, mark = time.monotonic() + PATIENCE_S, os.urandom(4)
    for n in range(sys.maxsize):
        if time.monotonic() > end or (not hoped and n == TRIES):
            return False
        s.sendto(b"\x80\x00" + n.to_bytes(2, "big") + mark + b"\0" * 164, to)
        while data := received(s):
            if data[4:8] == mark:  # not what was sent before, and comes late
                return True


class Call:
    def __init__(self, own, peer, number):
        self.own, self.peer, self.uri = own, peer, f"sip:{number}@{peer}"
        self.sip = bound(own, 5077)
        self.to, self.call_id = f"<{self.uri}>", f"help-{time.time_ns()}"

    def request(self, method, cseq, body=""):
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (f"{method} {self.uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self.own}:5077;branch=z9hG4bKhelp{cseq}{method}\r\n"
                f"From: <sip:+12025550150@{self.own}>;tag=help\r\nTo: {self.to}\r\nCall-ID: {self.call_id}\r\n"
                f"CSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContact: <sip:help@{self.own}:5077>\r\n{kind}"
                f"Content-Length: {len(body)}\r\n\r\n{body}").encode()

    def ask(self, method, cseq, body=""):
        """The 200, or nothing. Sent again each half second, as RFC 3261 17.1.1.2 begins."""
        request, end = self.request(method, cseq, body), time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            self.sip.sendto(request, (self.peer, 5060))
            for _ in range(10):
                said = received(self.sip).decode(errors="replace")
                if said.startswith("SIP/2.0 200") and f"CSeq: {cseq} {method}" in said:
                    self.to = re.search(r"^To: *(.*?)\r$", said, re.M)[1]
                    return said
                if said.startswith("SIP/2.0") and said[8] > "2":
                    return ""
        return ""

    def acknowledge(self):
        self.sip.sendto(self.request("ACK", 1), (self.peer, 5060))


def main():
    own, peer, number = sys.argv[1:]
    call, voice, other = Call(own, peer, number), bound(own, 4000), bound(own, 4002)
    said = [("before", echoes(voice, (peer, 6000), False))]
    answer = call.ask("INVITE", 1, f"v=0\r\no=- 1 1 IN IP4 {own}\r\ns=-\r\nc=IN IP4 {own}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n")
    if not answer:
        print("no answer")
        return 1
    call.acknowledge()
    port = int(re.search(r"^m=audio (\d+)", answer, re.M)[1])
    said += [("voice", echoes(voice, (peer, port), True)), ("other", echoes(other, (peer, port + 2), False))]
    if not call.ask("BYE", 2):
        print("no end")
        return 1
    said += [("after", echoes(voice, (peer, port), False))]
    print(", ".join(f"{what} {'yes' if came else 'no'}" for what, came in said))
    return 0


if __name__ == "__main__":
    sys.exit(main())
