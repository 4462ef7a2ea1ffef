# SPDX-License-Identifier: BSD-3-Clause
"""A posternd of a test's own, in a folder of its own: started, asked, killed, and gone at the end."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

DEADLINE = 60  # seconds: for machines that are busy with something else
# An address of the loopback that no other process has (ids are below 2^22): what is free on it stays free.
HERE = f"127.{64 + (os.getpid() >> 16)}.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"


def wait_for(what, condition, deadline=DEADLINE):
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"{deadline} s are over, and still not: {what}")


def arf(message_id, more=""):
    """A complaint (RFC 5965); `more`: lines of its machine-readable part."""
    return f"""From: fbl@isp.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Test/1.0
Version: 1
{more}
--b
Content-Type: message/rfc822

From: news@somebody.example
Message-ID: {message_id}

Text
--b--
"""


class Client:
    """A connection to the socket: lines out, lines in."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE)
        self.buffer = b""
        try:
            self.socket.connect(str(path))
        except OSError:
            self.socket.close()
            raise

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def line(self):
        """The next line, None at the end."""
        while b"\n" not in self.buffer:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def ask(self, command, **arguments):
        self.send(json.dumps({"command": command, "arguments": arguments}) + "\n")
        return self.line()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


class Gate:
    def __init__(self, folder, posternd, postern):
        self.folder = Path(folder)
        self.posternd, self.postern = posternd, postern
        self.config = self.folder / "postern.conf"
        self.socket = self.folder / "control.sock"
        self.eve = self.folder / "log" / "eve.json"
        self.process = None
        self.log = self.folder / "log.txt"
        self.tenants = '( { id = 7; name = "acme"; prefixes = [ "192.0.2.0/24" ]; } )'
        self.settings = {"supervise": "false", "mode": '"dpdk"', "inside": '"a"', "outside": '"b"'}
        self.metrics_at = (HERE, 9425)
        self.metrics_url = f"http://{HERE}:9425/metrics"
        self.extra = ""

    def configure(self, tenants=None, extra=None, **settings):
        if tenants is not None:
            self.tenants = tenants
        if extra is not None:
            self.extra = extra
        self.settings.update(settings)
        gate = "".join(f" {name} = {value};\n" for name, value in self.settings.items() if value is not None)
        self.config.write_text(f"""tenants: {self.tenants};
{self.extra}
gate: {{
{gate} runtime_dir = "{self.folder}/run"; state_dir = "{self.folder}/state";
 control: {{ path = "{self.socket}"; clients = 8; follow_buffer = "64Ki"; }};
 eve: {{ path = "{self.eve}"; stats = "1s"; }};
 metrics: {{ listen = "{HERE}:9425"; }};
}};
""")

    def start(self, *options, env=None, ready=True):
        """Starts it; ready: waits until it answers."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.posternd, "-c", self.config, *options], stderr=log, stdout=log,
                                            stdin=subprocess.DEVNULL, env=env)
        if ready:
            wait_for("posternd answers", self.answers)
        return self.process

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"posternd ended with {self.process.returncode}:\n{self.said()}")
        with contextlib.suppress(OSError):
            return self.ask("status")["result"]["configuration"]["generation"] > 0
        return False

    def stop(self, how=signal.SIGTERM):
        """Ends it; its exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(DEADLINE)
        self.process = None
        return status

    def client(self):
        return Client(self.socket)

    def ask(self, command, **arguments):
        with self.client() as client:
            return client.ask(command, **arguments)

    def said(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def run(self, *words, **options):
        """`postern` as people type it."""
        env = dict(os.environ, POSTERN_SOCKET=str(self.socket))
        return subprocess.run([self.postern, *map(str, words)], capture_output=True, text=True, env=env,
                              stdin=subprocess.DEVNULL, timeout=DEADLINE, **options)

    def events(self, type_=None):
        if not self.eve.exists():
            return []
        lines = [json.loads(line) for line in self.eve.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [event for event in lines if type_ in (None, event["event_type"])]

    def gate_events(self, name):
        return [{"tenant": event.get("tenant"), **event["gate"]} for event in self.events("gate") if event["gate"]["event"] == name]
