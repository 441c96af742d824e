#!/usr/bin/env python3
"""Tries a running `aloud serve` with requests that schemathesis makes from its OpenAPI document.

    python3 -m venv /tmp/peer && /tmp/peer/bin/pip install schemathesis==4.32.5
    /tmp/peer/bin/python tests/peers/openapi.py [--seconds 60] [--seed 1]

No request may make the server fail; every answer must have a status, a content type, headers and a form
that the document names, without a field that it does not; and without the token nothing is answered.
The server has a home of its own, and speaks with a voice of tones. Left out are `/v1/shutdown`, which
would end it, and `/v1/events`, which has no end. Exit code 1 if something is not as the document says.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
VOICE = "voices/en_US-joe-medium/en_US-joe-medium.onnx.json"
TOKEN = "0123456789abcdef0123456789abcdef"
LEFT_OUT = ["/v1/shutdown", "/v1/events"]
CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance", "unsupported_method",
    "allow_header_conformance", "ignored_auth",
]
# However slow the machine, no answer takes longer.
PATIENCE = 30


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="how long requests are made for, about")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--checks", default=",".join(CHECKS), help="those of schemathesis, or `all`")
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--aloud", default=target / "debug/aloud")
    parser.add_argument("--data", type=pathlib.Path, default=target / "tmp/aloud-assets",
                        help="the folder with the runtime and the real voice, as the tests leave it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        home = pathlib.Path(home)
        with Server(home, args) as server:
            tasks = [narrated(server.url, text) for text in ("It struck one.\n\nIt struck two.", "Three.")]
            document = home / "openapi.json"
            document.write_text(json.dumps(strict(json.load(asked(server.url + "/v1/openapi.json")))))
            code = schemathesis(args, home, document, server.url, tasks)
            has_ended = server.process.poll() is not None
        faults = [line for line in server.told(home) if "panicked" in line]
        if has_ended or server.process.returncode not in (0, 128 + signal.SIGTERM):
            faults.insert(0, f"the server ended with {server.process.returncode}")
        for fault in faults:
            print(fault, file=sys.stderr)
    return code or int(bool(faults))


class Server:
    """`aloud serve` in a home of its own, at a port that the system chooses."""

    def __init__(self, home, args):
        (home / "data").symlink_to(args.data.resolve(), target_is_directory=True)
        shutil.copy(ROOT / "tests/fixtures/tone.onnx", home / "tone.onnx")
        shutil.copy(args.data / VOICE, home / "tone.onnx.json")
        environment = {**os.environ, "ALOUD_HOME": str(home), "ALOUD_HTTP_TOKEN": TOKEN}
        command = [args.aloud, "serve", "--stay", "--listen", "127.0.0.1:0",
                   "--voice", home / "tone.onnx", "--out", home / "out"]
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        self.said = []
        for line in self.process.stderr:
            self.said.append(line)
            if found := re.search(r"http://\S+", line):
                self.url = found.group()
                break
        else:
            raise SystemExit("the server did not begin: " + "".join(self.said))
        # It must not wait for us when it says more.
        self.reader = threading.Thread(target=lambda: self.said.extend(self.process.stderr), name="stderr")
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()

    def told(self, home):
        """The lines of its log, and what it said."""
        for log in (home / "logs").iterdir():
            yield from log.read_text().splitlines()
        yield from "".join(self.said).splitlines()


def asked(url, body=None):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    if body is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(body).encode()
    return urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=2 * PATIENCE)


def narrated(url, text):
    """A task that has ended, so that there are segments, clips and a file."""
    answer = json.load(asked(f"{url}/v1/tasks?wait={PATIENCE}", {"text": text, "group": "book"}))
    if answer["task"]["state"] != "COMPLETED":
        raise SystemExit(f"the text was not narrated: {answer}")
    return answer["task_id"]


def strict(document):
    """The same, for a server with a token over TCP, and without a field that it does not name."""
    document["security"] = [way for way in document["security"] if way]
    # A path is refused; one is sent by the query often enough.
    text = document["components"]["schemas"]["NewText"]
    del text["oneOf"], text["properties"]["file"], text["properties"]["out"]
    text["required"], text["properties"]["text"] = ["text"], {"type": "string"}

    def close(value):
        if isinstance(value, list):
            for item in value:
                close(item)
        elif isinstance(value, dict):
            if value.get("type") == "object" and "properties" in value:
                value.setdefault("additionalProperties", False)
            for item in value.values():
                close(item)

    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        # What is sent may say more.
        if name not in ("NewText", "Call", "When", "Retry", "Limits"):
            close(schema)
    close(document["components"]["responses"])
    for methods in document["paths"].values():
        for operation in methods.values():
            close(operation["responses"])
    return document


def schemathesis(args, home, document, url, tasks):
    """Its exit code."""
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", document, "--url", url, "--no-color",
        "--checks", args.checks, "--max-time", args.seconds, "--seed", args.seed,
        "--continue-on-failure", "--request-timeout", PATIENCE, "--suppress-health-check", "all",
        "--generation-database", "none", "--header", f"Authorization: Bearer {TOKEN}",
    ]
    for path in LEFT_OUT:
        command += ["--exclude-path", path]
    environment = {
        **os.environ,
        "ALOUD_TASKS": ",".join(tasks),
        "SCHEMATHESIS_HOOKS": "openapi_hooks",
        "PYTHONPATH": str(ROOT / "tests/peers"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    # Its own bound is soft.
    patience = 5 * args.seconds + 120
    return subprocess.run([str(part) for part in command], env=environment, cwd=home, timeout=patience).returncode


if __name__ == "__main__":
    sys.exit(main())
