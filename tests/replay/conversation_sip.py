# SPDX-License-Identifier: BSD-3-Clause
"""SIP in shorthand: `INVITE sip:bob@example.net` from one side, `180` from the other, and the rest is filled in.

Indented lines below are header fields: one more, or instead of that name's. `| text` is a line of the body.

    C: INVITE sip:+15551234567@example.net
        User-Agent: example
        | v=0
    S: 100
    S: 200
    C: ACK
    C: BYE

A request takes the next CSeq and a new branch; ACK and CANCEL take the INVITE's, and `again INVITE` is the last one
once more, byte for byte. A status answers the last request of the other side but ACK, or the one whose method follows it
(`200 INVITE`). The other side's tag comes with the first answer above 100; what belongs to the dialog that it opens has it. `call 2` in the
headers' place (`call: 2`) speaks of another call of the same session; the Call-ID is TITLE-NUMBER-CALL, the title cut.
"""
import re

PHRASES = {100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 302: "Moved Temporarily", 401: "Unauthorized",
           403: "Forbidden", 404: "Not Found", 407: "Proxy Authentication Required",
           413: "Request Entity Too Large", 415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension",
           422: "Session Interval Too Small", 480: "Temporarily Unavailable", 486: "Busy Here",
           487: "Request Terminated", 491: "Request Pending", 500: "Server Internal Error", 503: "Service Unavailable", 603: "Decline",
           607: "Unwanted"}


def hostport(end):
    host, port = end
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Call:
    """What both ends remember of one Call-ID."""

    def __init__(self, call_id):
        self.call_id = call_id
        self.cseq = {"C": 0, "S": 100}
        self.branch = 0
        self.tag = {"C": "caller", "S": None}
        self.dialog = False # INVITE was answered, and not with a failure
        self.requests = {}  # (side, method) -> (CSeq, branch, URI, whether a To tag was in it)
        self.last = {}      # side -> method of its last request but ACK
        self.sent = {}      # (side, method) -> bytes


class Dialog:
    def __init__(self, session):
        self.session = session
        self.slug = re.sub(r"[^a-z0-9]+", "-", session.title.lower())[:40]
        self.ends = {"C": session.client, "S": session.server}
        self.calls = {}

    def call(self, name):
        call_id = f"{self.slug}-{self.session.number}-{name}"
        if name not in self.calls:
            self.calls[name] = Call(call_id)
            self.session.call_ids.add(call_id)
        return self.calls[name]

    def message(self, side, text, indented):
        own, body, name = [], [], "1"
        for line in indented:
            if line.startswith("|"):
                body.append(line[2:] + "\r\n")
            elif line.startswith("call: "):
                name = line[6:]
            elif line.startswith("Call-ID: "):
                own.append(line)
                self.session.call_ids.add(line[9:])
            else:
                own.append(line)
        call = self.call(name)
        if text.startswith("again "):
            return call.sent[side, text[6:]]
        if text[:3].isdigit():
            lines = self.response(call, side, text)
        else:
            lines = self.request(call, side, text)
        data = self.assemble(lines, own, "".join(body))
        call.sent[side, text.split()[0]] = data
        return data

    def assemble(self, lines, own, body):
        for line in own:
            name = line.partition(":")[0].lower()
            lines = [x for x in lines if x.partition(":")[0].lower() != name]
        if not any(line.lower().startswith(("content-length:", "l:")) for line in own):
            own = own + [f"Content-Length: {len(body.encode())}"]
        return ("\r\n".join(lines + own) + "\r\n\r\n" + body).encode()

    def request(self, call, side, text):
        method, _, uri = text.partition(" ")
        invite = call.requests.get((side, "INVITE"))
        if method in ("ACK", "CANCEL") and invite:
            number, branch, asked, _ = invite
        else:
            call.cseq[side] += 1
            call.branch += 1
            number, branch, asked = call.cseq[side], f"z9hG4bK{call.call_id}-{call.branch}", uri
        if not uri:
            uri = asked or f"sip:them@{self.ends['S' if side == 'C' else 'C'][0]}"
        tagged = method == "ACK" or (method != "CANCEL" and call.dialog)
        call.requests[side, method] = (number, branch, uri, tagged)
        if method != "ACK":
            call.last[side] = method
        return [f"{method} {uri} SIP/2.0", *self.fields(call, side, number, method, branch, tagged),
                "Max-Forwards: 70", f"Contact: <sip:me@{hostport(self.ends[side])}>"]

    def response(self, call, side, text):
        code, _, method = text.partition(" ")
        other = "S" if side == "C" else "C"
        method = method or call.last[other]
        number, branch, _, tagged = call.requests[other, method]
        if int(code) > 100 and not call.tag["S"]:
            call.tag["S"] = "callee"
        tagged = tagged or int(code) > 100
        if method == "INVITE" and not call.requests[other, method][3]:
            call.dialog = 100 < int(code) < 300
        return [f"SIP/2.0 {code} {PHRASES[int(code)]}", *self.fields(call, other, number, method, branch, tagged)]

    def fields(self, call, asker, number, method, branch, tagged):
        """Of a request of `asker`'s, and of the answers to it."""
        transport = "UDP" if self.session.kind == "sip" else "TCP"
        caller = f"<sip:caller@{self.ends['C'][0]}>;tag={call.tag['C']}"
        callee = f"<sip:callee@{self.ends['S'][0]}>" + (f";tag={call.tag['S']}" if tagged and call.tag["S"] else "")
        if asker == "S":
            caller, callee = callee, caller
        return [f"Via: SIP/2.0/{transport} {hostport(self.ends[asker])};branch={branch};rport",
                f"From: {caller}", f"To: {callee}", f"Call-ID: {call.call_id}", f"CSeq: {number} {method}"]
