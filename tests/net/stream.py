#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Traffic at a steady pace through a gate whose programs come and go, and what became of it.

    stream.py serve ADDRESS PORT          echoes datagrams and TCP
    stream.py run ADDRESS PORT SOURCE EXCHANGER MAIL-SOURCE SENDER RECIPIENT UNTIL REPORT

run keeps a stream of numbered datagrams, one TCP connection with numbered blocks, and one SMTP session after the
other going until the file UNTIL exists, and writes what it counted so far into REPORT (JSON, replaced at once) ten
times a second. A connection that breaks is counted and made again."""
import json
import os
import smtplib
import socket
import sys
import threading
import time

PACE = 0.004  # s between two datagrams, and two blocks
LATE = 10  # s: a datagram that is not back by then is lost
BLOCK = 256


def serve(address, port):
    def echo(connection):
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                pass

    def datagrams():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((address, port))
            while True:
                data, peer = s.recvfrom(2048)
                s.sendto(data, peer)

    threading.Thread(target=datagrams, daemon=True).start()
    with socket.create_server((address, port)) as listener:
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=echo, args=(connection,), daemon=True).start()


class Datagrams:
    """Numbered; each is waited for."""

    def __init__(self, to, source, until):
        self.counts = {"sent": 0, "back": 0, "doubled": 0, "lost": 0}
        self.to, self.source, self.until = to, source, until

    def __call__(self):
        due = {}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((self.source, 0))
            s.connect(self.to)
            s.settimeout(PACE)
            while not os.path.exists(self.until):
                number = self.counts["sent"]
                try:
                    s.send(number.to_bytes(8, "big") + bytes(100))
                except OSError:  # an ICMP's echo of what was sent before
                    continue
                due[number] = time.monotonic()
                self.counts["sent"] += 1
                self.take(s, due, time.monotonic() + PACE)
                self.expire(due, LATE)
            end = time.monotonic() + LATE
            while due and time.monotonic() < end:
                self.take(s, due, time.monotonic() + PACE)
            self.counts["lost"] += len(due)

    def take(self, s, due, end):
        while time.monotonic() < end:
            try:
                number = int.from_bytes(s.recv(2048)[:8], "big")
            except OSError:
                return
            if due.pop(number, None) is None:
                self.counts["doubled"] += 1
            else:
                self.counts["back"] += 1

    def expire(self, due, age):
        now = time.monotonic()
        for number in [n for n, sent in due.items() if now - sent > age]:
            del due[number]
            self.counts["lost"] += 1


class Connection:
    """One TCP connection; each block has to come back as it went."""

    def __init__(self, to, source, until):
        self.counts = {"blocks": 0, "broken": 0, "wrong": 0}
        self.to, self.source, self.until = to, source, until

    def __call__(self):
        while not os.path.exists(self.until):
            try:
                with socket.create_connection(self.to, 30, (self.source, 0)) as s:
                    self.talk(s)
            except OSError:
                self.counts["broken"] += 1
                time.sleep(0.1)

    def talk(self, s):
        while not os.path.exists(self.until):
            block = os.urandom(BLOCK)
            s.sendall(block)
            got = b""
            while len(got) < BLOCK:
                data = s.recv(BLOCK - len(got))
                if not data:
                    raise ConnectionResetError
                got += data
            self.counts["wrong"] += got != block
            self.counts["blocks"] += 1
            time.sleep(PACE)


class Mails:
    """One session after the other; what it hears is counted."""

    def __init__(self, exchanger, source, sender, recipient, until):
        self.counts = {"delivered": 0, "refused": 0, "broken": 0}
        self.exchanger, self.source, self.until = exchanger, source, until
        self.sender, self.recipient = sender, recipient

    def __call__(self):
        text = f"From: <{self.sender}>\r\nTo: <{self.recipient}>\r\nSubject: stream\r\nDate: Thu, 01 Jan 2026 12:00:00 +0000\r\n\r\n" + "A line.\r\n" * 200
        while not os.path.exists(self.until):
            try:
                with smtplib.SMTP(self.exchanger, 25, "stream.example.com", 10, (self.source, 0)) as s:
                    s.sendmail(self.sender, [self.recipient], text)
                self.counts["delivered"] += 1
            except (OSError, smtplib.SMTPServerDisconnected):
                self.counts["broken"] += 1
            except smtplib.SMTPException:
                self.counts["refused"] += 1
            time.sleep(0.2)


def report(streams, path):
    text = json.dumps({name: stream.counts for name, stream in streams.items()})
    with open(path + ".new", "w") as f:
        f.write(text)
    os.rename(path + ".new", path)


def run(address, port, source, exchanger, mail_source, sender, recipient, until, path):
    to = (address, int(port))
    streams = {
        "udp": Datagrams(to, source, until),
        "tcp": Connection(to, source, until),
        "smtp": Mails(exchanger, mail_source, sender, recipient, until),
    }
    threads = [threading.Thread(target=s, daemon=True) for s in streams.values()]
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        time.sleep(0.1)
        report(streams, path)
    report(streams, path)


if sys.argv[1] == "serve":
    serve(sys.argv[2], int(sys.argv[3]))
else:
    run(*sys.argv[2:])
