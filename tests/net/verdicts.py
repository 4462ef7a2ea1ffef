#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Connections that the kernel passes by itself because nobody can read them any more, and what must hold for them all
the same. Between two hosts with the gate in between; the gate is asked and told things over SOCKET.

    verdicts.py serve ADDRESS PORT
    verdicts.py CASE SOCKET ADDRESS PORT SOURCE

The server echoes what those say who begin as TLS does, and is an SMTP server to the others; which of both, a client's
SYN tells by its DSCP, for the same ports may be either. Exits 1, with what is wrong, if something is."""
import json
import os
import signal
import socket
import struct
import sys
import threading
import time

DEADLINE = 30  # s
SPEAKS_FIRST = 0x20  # IPv4's TOS: CS1
TCP_SAVE_SYN, TCP_SAVED_SYN = 27, 28  # linux/tcp.h
HELLO = b"\x16\x03\x01\x00\x04\x01\x00\x00\x00"
OPTED_OUT = "carol@example.net"


# The server

def answer(connection):
    try:
        if connection.getsockopt(socket.IPPROTO_TCP, TCP_SAVED_SYN, 256)[1] == SPEAKS_FIRST:
            while data := connection.recv(65536):
                connection.sendall(data)
            return
        connection.sendall(b"220 mx ESMTP\r\n")
        for line in connection.makefile("rb"):
            connection.sendall(b"250 Ok\r\n")
            if line.startswith(b"QUIT"):
                return
    except OSError:
        pass
    finally:
        connection.close()


def serve(address, port):
    with socket.create_server((address, int(port)), backlog=64) as server:
        server.setsockopt(socket.IPPROTO_TCP, TCP_SAVE_SYN, 1)
        print("ready", flush=True)
        while True:
            threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()


# The client

class Gate:
    def __init__(self, path):
        self.path = path

    def ask(self, command, **arguments):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.path)
            s.sendall((json.dumps({"command": command, "arguments": arguments}) + "\n").encode())
            answer_ = json.loads(s.makefile().readline())
        if not answer_["ok"]:
            raise AssertionError(answer_)
        return answer_["result"]

    def passed(self):
        """Packets that the kernel passed because of a verdict about their flow, of both ports."""
        return sum(port["kernel"]["passed_for"].get("flow_decided", 0) for port in self.ask("ports")["ports"])

    def passed_tls(self, tenant):
        """Their bytes, of connections of the tenant's."""
        return self.ask("tenant", tenant=tenant)["kernel"]["bytes_tls"]

    def read(self):
        """Packets that came to the dataplane."""
        return sum(port["kernel"]["inspected"] for port in self.ask("ports")["ports"])


class Peer:
    """A connection to the server: of TLS, or of one who waits for the greeting."""

    def __init__(self, source, to, tls=True):
        self.s = socket.socket()
        self.s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, SPEAKS_FIRST if tls else 0)
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.s.settimeout(DEADLINE)
        self.s.bind(source)
        self.s.connect(to)
        self.rounds = 0

    def hello(self):
        self.s.sendall(HELLO)
        self.take(len(HELLO))

    def take(self, size):
        data = b""
        while len(data) < size:
            more = self.s.recv(size - len(data))
            if not more:
                raise AssertionError("the connection ended")
            data += more
        return data

    def send_round(self):
        self.rounds += 1
        self.record = b"\x17\x03\x03\x00\x08" + struct.pack("!Q", self.rounds)
        self.s.sendall(self.record)

    def end_round(self):
        if self.take(len(self.record)) != self.record:
            raise AssertionError("another answer")

    def chat(self, rounds):
        for _ in range(rounds):
            self.send_round()
            self.end_round()

    def line(self, text=None):
        """Says a line (None: nothing), and the answer to it."""
        if text is not None:
            self.s.sendall(text.encode() + b"\r\n")
        data = b""
        while not data.endswith(b"\n"):
            more = self.s.recv(1)
            if not more:
                raise AssertionError("the connection ended")
            data += more
        return data.decode().strip()

    def end(self):
        """Until nothing of it is under way any more."""
        self.s.shutdown(socket.SHUT_WR)
        while self.s.recv(4096):
            pass
        self.s.close()

    def reset(self):
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.s.close()


def wait_for(what, condition, step=lambda: time.sleep(0.02)):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{DEADLINE} s are over, and still not: {what}")
        step()


def passed_peer(gate, source, to):
    """A connection that the kernel passes by now."""
    peer = Peer(source, to)
    peer.hello()
    before = gate.passed()
    wait_for("the kernel passes it", lambda: gate.passed() > before + 8, lambda: peer.chat(4))
    return peer


def passes(gate, source, to):
    peer = passed_peer(gate, (source, 0), to)
    passed, read, tls = gate.passed(), gate.read(), gate.passed_tls("acme")
    peer.chat(200)
    passed, read, tls = gate.passed() - passed, gate.read() - read, gate.passed_tls("acme") - tls
    print(f"{passed} packets passed in the kernel, of {tls} bytes, {read} were read")
    # Each round has two packets at least; others' traffic, and a verdict that expires, are a few.
    if passed < 390 or read > 100:
        raise AssertionError("the kernel does not pass them")
    # Ethernet, IPv4 and TCP with timestamps, and now and then a record of 13 bytes.
    if not 66 * passed <= tls <= 80 * passed:
        raise AssertionError("they are not counted as bytes under TLS")
    peer.end()


def suspended(gate, source, to):
    peer = passed_peer(gate, (source, 0), to)
    gate.ask("tenant suspend", tenant="acme", reason="a test")
    try:
        peer.send_round()
        peer.s.settimeout(1.5)
        try:
            peer.end_round()
        except socket.timeout:
            pass
        else:
            raise AssertionError("an answer, though the tenant is suspended")
    finally:
        gate.ask("tenant resume", tenant="acme")
    peer.s.settimeout(DEADLINE)
    peer.end_round()
    peer.chat(50)
    peer.end()


def refused(peer):
    """A new session is read: one of its recipients opted out."""
    lines = [peer.line()] + [peer.line(text) for text in (
        "EHLO acme.example.com", "MAIL FROM:<ann@acme.example.com>", f"RCPT TO:<{OPTED_OUT}>")]
    if not lines[-1].startswith("550"):
        raise AssertionError(f"a session that was not read: {lines}")


def reused(gate, source, to):
    """The same ports again, at once: with a verdict in force, and with one on its way."""
    port = 40111
    for n in range(12):
        if n % 3 == 0:
            peer = passed_peer(gate, (source, port), to)
        else:
            peer = Peer((source, port), to)
            peer.hello()
            peer.chat(3 + n % 5)
        peer.reset()
        peer = Peer((source, port), to, tls=False)
        refused(peer)
        peer.reset()


def outlives(gate, source, to):
    """The dataplane is killed; nothing is lost of what passes in the kernel, nor when the next one comes. What would have
    to be read meets the failure policy, for posternd can't start another one before it did."""
    peer = passed_peer(gate, (source, 0), to)
    status = gate.ask("status")
    old, posternd = status["dataplane"]["pid"], status["posternd"]["pid"]
    os.kill(posternd, signal.SIGSTOP)
    try:
        os.kill(old, signal.SIGKILL)
        peer.chat(50)
        Peer((source, 0), to).reset()
    finally:
        os.kill(posternd, signal.SIGCONT)

    def again():
        now = gate.ask("status")["dataplane"]
        return now["up"] and now["pid"] not in (None, old)
    wait_for("another dataplane", again, lambda: peer.chat(5))
    peer.chat(50)
    peer.end()


def turned_off(gate, source, to):
    """Called with gate.flow_verdicts off, and reloaded: everything is read."""
    peer = Peer((source, 0), to)
    peer.hello()
    passed, read = gate.passed(), gate.read()
    peer.chat(100)
    if gate.passed() != passed or gate.read() < read + 200:
        raise AssertionError("the kernel passes them")
    peer.end()


def main():
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:4])
    case, path, address, port, source = sys.argv[1:]
    cases = {"passes": passes, "suspended": suspended, "reused": reused, "outlives": outlives, "off": turned_off}
    try:
        cases[case](Gate(path), source, (address, int(port)))
    except (AssertionError, OSError) as wrong:
        print(f"{case}: {wrong!r}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
