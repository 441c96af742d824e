#!/usr/bin/env python3
"""Asks a running `aloud serve` for speech as other programs do: openai-python itself, and what Open WebUI,
LibreChat and SillyTavern send, and what a listener waits for beside a book.

    python3 -m venv /tmp/openai && /tmp/openai/bin/pip install openai==3.57.0
    ALOUD_HOME=... /tmp/openai/bin/python tests/peers/speech.py [--aloud target/release/aloud]

Needs a voice that is installed. Exit code 1, with what was expected, if something is not as those programs
need it.
"""
import argparse
import base64
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import wave

import openai

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 60
SENTENCE = "The clock in the hall struck three."
TEXT = "Nobody had wound it for years. And yet it ticked.\n\nMara went down to look."


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--aloud", default=os.environ.get("ALOUD", ROOT / "target/release/aloud"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        # The voices are shared, the queue is not.
        (home / "data").symlink_to(pathlib.Path(os.environ["ALOUD_HOME"], "data").resolve())
        env = {**os.environ, "ALOUD_HOME": folder}
        env.pop("XDG_RUNTIME_DIR", None)
        command = [args.aloud, "serve", "--stay", "--listen", "127.0.0.1:0"]
        with open(home / "log", "wb") as log:
            server = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stderr=log)
        try:
            ask(f"http://{address(home, server)}/v1")
        except Exception:
            sys.stderr.write((home / "log").read_text())
            raise
        finally:
            subprocess.run([args.aloud, "stop"], env=env, check=False, stdout=subprocess.DEVNULL)
            try:
                server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                server.kill()
                raise


def address(home, server):
    """Where it listens: its lock file says so."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert server.poll() is None, f"aloud serve has ended with {server.returncode}"
        try:
            return json.loads((home / "state/lock").read_text())["http"]
        except (OSError, ValueError, KeyError):
            time.sleep(0.05)
    raise AssertionError("aloud serve does not say where it listens")


def ask(base):
    client = openai.OpenAI(base_url=base, api_key="none", max_retries=0, timeout=PATIENCE)
    openai_python(client)
    open_webui(base)
    libre_chat(base)
    silly_tavern(base)
    beside_a_book(client, base)


def openai_python(client):
    speech = client.audio.speech
    streaming = speech.with_streaming_response
    with streaming.create(model="gpt-4o-mini-tts", voice="alloy", input=TEXT, instructions="Softly.") as answer:
        assert answer.headers["content-type"] == "audio/mpeg", answer.headers
        assert answer.headers["x-aloud-ignored"] == "instructions", answer.headers
        pieces = [piece for piece in answer.iter_bytes() if piece]
    mp3 = b"".join(pieces)
    assert len(pieces) > 1, "all of it came at once"
    seconds = check_mp3(mp3)
    again = speech.create(model="tts-1", voice="coral", input=TEXT).read()
    assert again == mp3, "the same text with the same voice is another sound"
    wav = wave.open(io.BytesIO(speech.create(model="tts-1", voice="echo", input=TEXT, response_format="wav").read()))
    assert abs(wav.getnframes() / wav.getframerate() - seconds) < 0.2, (wav.getparams(), seconds)
    pcm = speech.create(model="tts-1", voice={"id": "nova"}, input=TEXT, response_format="pcm").read()
    assert abs(len(pcm) / 48_000 - seconds) < 0.2, (len(pcm), seconds)
    usual = speech.create(model="tts-1", voice="alloy", input=SENTENCE).read()
    fast = speech.create(model="tts-1", voice="alloy", input=SENTENCE, speed=2.0).read()
    assert len(usual) > 1.4 * len(fast), (len(usual), len(fast))
    events = speech.create(model="tts-1", voice="alloy", input=TEXT, stream_format="sse").read().decode()
    events = [json.loads(event.removeprefix("data: ")) for event in events.split("\n\n") if event]
    assert events.pop()["type"] == "speech.audio.done"
    assert b"".join(base64.b64decode(event["audio"]) for event in events) == mp3
    for wrong, param in [
        ({"response_format": "opus"}, "response_format"),
        ({"voice": "nobody"}, "voice"),
        ({"input": ""}, "input"),
        ({"speed": 9.0}, "speed"),
    ]:
        try:
            speech.create(**{"model": "tts-1", "voice": "alloy", "input": SENTENCE, **wrong})
        except openai.BadRequestError as error:
            assert error.param == param and error.type == "invalid_request_error", error
        else:
            raise AssertionError(f"{wrong} was taken")
    assert "tts-1" in [model.id for model in client.models.list()]
    print(f"openai-python {openai.__version__}: streamed, in every format, as events, refused in its form")


def open_webui(base):
    voices = get(f"{base}/audio/voices")["voices"]
    assert voices and all(voice["id"] and voice["name"] for voice in voices), voices
    assert all(model["id"] for model in get(f"{base}/audio/models")["models"])
    body = {"model": "tts-1", "input": SENTENCE, "voice": voices[0]["id"]}
    _, mp3 = post_json(f"{base}/audio/speech", body)
    check_mp3(mp3)
    print("Open WebUI: voices, models, and MP3 where no format is asked for")


def libre_chat(base):
    sentences = [SENTENCE, "She listened.", SENTENCE]
    joined = b""
    for sentence in sentences:
        body = {"input": sentence, "model": "tts-1", "voice": "alloy", "backend": None}
        joined += post_json(f"{base}/audio/speech", body)[1]
    check_mp3(joined)
    print("LibreChat: several answers, one after the other, are one MP3")


def silly_tavern(base):
    body = {"input": SENTENCE, "response_format": "mp3", "voice": "shimmer", "speed": 1, "model": "tts-1"}
    media_type, mp3 = post_json(f"{base}/audio/speech", {**body, "instructions": ""})
    assert media_type == "audio/mpeg", media_type
    check_mp3(mp3)
    print("SillyTavern: MP3")


def beside_a_book(client, base):
    """Says how long a listener waits while a book is at work. That depends on the machine."""
    book = narrate(base)
    waits = []
    for n in range(3):
        began = time.monotonic()
        streaming = client.audio.speech.with_streaming_response
        with streaming.create(model="tts-1", voice="alloy", input=f"Answer number {n}.") as answer:
            for piece in answer.iter_bytes():
                waits.append(time.monotonic() - began)
                break
    task = get(f"{base}/tasks/{book}")
    assert task["state"] in ("PENDING", "PROCESSING") and task["failed_segments"] == 0, task
    print(f"beside a book the first byte comes after {statistics.median(waits):.2f} s ({max(waits):.2f} at most)")


def narrate(base):
    """A book that is at work for longer than all of this takes. Gives its id."""
    story = (ROOT / "samples" / "the-lighthouse-keeper.txt").read_text()
    book = "\n\n".join(f"Chapter {n}.\n\n{story}" for n in range(1, 100))
    return json.loads(post(f"{base}/tasks", book.encode(), "text/plain", {"x-aloud-name": "book.txt"})[1])["task_id"]


def check_mp3(mp3):
    """Frames of MPEG-2 layer III, one channel, and nothing between them. Gives the seconds."""
    kilobits = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
    at = frames = 0
    while at < len(mp3):
        head = mp3[at : at + 4]
        assert head[0] == 0xFF and head[1] & 0xFE == 0xF2 and head[3] >> 6 == 3, (at, head)
        rate = [22_050, 24_000, 16_000][head[2] >> 2 & 3]
        at += 72_000 * kilobits[head[2] >> 4] // rate + (head[2] >> 1 & 1)
        frames += 1
    assert at == len(mp3) and frames, "the last frame is cut off"
    return frames * 576 / rate


def get(url):
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return json.load(answer)


def post_json(url, body):
    return post(url, json.dumps(body).encode(), "application/json", {"authorization": "Bearer none"})


def post(url, body, media_type, headers):
    request = urllib.request.Request(url, body, {"content-type": media_type, **headers})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.headers["content-type"], answer.read()


if __name__ == "__main__":
    main()
