#!/usr/bin/env python3
"""Compares `aloud` with piper-tts and sherpa-onnx: the same text, the same voice, side by side.

    aloud setup en_US-joe-medium && cargo build --release
    python3 tests/peers/compare.py [--pairs 5] [--json FILE]

The peers are installed once, from PyPI, into a virtual environment under `target/peers`. Each run is
a process of its own with a folder of its own, so that nothing is reused. Within a round all of them
speak the same text one after the other, and each round begins with another, for a machine's speed
changes with time: the ratios are taken within a round, and the table shows their median. Measured
are the whole process's wall time and its CPU time with that of its children, by wait4(2); the peak of
the memory of all its processes together, each page shared among those that have it, every 50 ms (on
Linux; elsewhere that of its largest process), in a run of its own, for while memory is looked at a process
waits, the longer the more it has; and the time from the start to the first audio that can
be heard.

Every program runs with its defaults, except that sherpa-onnx gets all cores, as the others take
them. aloud does more meanwhile: a clip for each segment, made durable, and the joined narration. `--kokoro`
compares a Kokoro voice with kokoro-onnx instead, on the first 300 words; that one makes the pauses of its
speech shorter.
Exit code 1 if a run fails or doesn't speak the text.
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import venv
import wave

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PEERS = ("piper-tts", "sherpa-onnx")
PINNED = ["piper-tts==1.8.0", "sherpa-onnx==1.13.8", "onnx", "kokoro-onnx==0.6.1"]
VOICE = "en_US-joe-medium"
KOKORO, KOKORO_VOICE, KOKORO_WORDS = "kokoro-onnx", "af_heart", 300
SENTENCE = "The harbor lights came on one by one, and nobody on the quay said a word."
MEASURES = {"wall": "wall, s", "cpu": "CPU, s", "memory": "peak memory, MiB"}
# What a column begins with that is aloud with another voice.
OURS = "aloud, "
# How far the lengths of speech may lie apart. The voice draws noise, so that none is like another.
WITHIN = 0.10


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=5, metavar="N", help="rounds (5)")
    parser.add_argument("--aloud", default=os.environ.get("ALOUD", ROOT / "target/release/aloud"))
    parser.add_argument("--text", type=pathlib.Path, default=HERE / "text.txt")
    parser.add_argument("--only", choices=PEERS, help="compare with one peer")
    parser.add_argument(
        "--voice",
        action="append",
        default=[],
        metavar="NAME",
        help="aloud with this installed voice as well, in a column of its own",
    )
    parser.add_argument(
        "--kokoro", action="store_true", help=f"compare {KOKORO_VOICE} with {KOKORO}, and nothing else"
    )
    parser.add_argument("--cache", type=pathlib.Path, default=ROOT / "target/peers")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every number")
    args = parser.parse_args()
    if args.pairs < 1:
        parser.error("--pairs must be at least 1")

    bench = Bench(args)
    text = args.text.resolve()
    with tempfile.TemporaryDirectory(prefix="aloud-peers-") as folder:
        sentence = pathlib.Path(folder) / "sentence.txt"
        sentence.write_text(SENTENCE + "\n", encoding="utf-8")
        results = {"machine": machine(), "date": str(datetime.date.today()), "pairs": args.pairs}
        words = len(text.read_text(encoding="utf-8").split())
        if args.kokoro:
            some = pathlib.Path(folder) / "some.txt"
            some.write_text(beginning(text.read_text(encoding="utf-8")), encoding="utf-8")
            results["kokoro"] = bench.compare(some, f"about {KOKORO_WORDS} words, {KOKORO_VOICE}")
            return finish(args, results)
        results["long"] = bench.compare(text, f"{words:,} words")
        results["short"] = bench.compare(sentence, "one sentence, from cold")
        results["first"] = bench.first_audio(text, f"first audio of {words:,} words")
    finish(args, results)


def beginning(text):
    """The paragraphs of a text until there are words enough."""
    taken = []
    for paragraph in text.split("\n\n"):
        if sum(len(one.split()) for one in taken) >= KOKORO_WORDS:
            break
        taken.append(paragraph)
    return "\n\n".join(taken) + "\n"


def finish(args, results):
    """Says what was measured on, and writes every number where that is wanted."""
    print("\n" + "; ".join(f"{key} {value}" for key, value in results["machine"].items()))
    print(f"{results['date']}, {args.pairs} rounds, {', '.join(PINNED[:2])}, voice {VOICE}")
    if args.json:
        args.json.write_text(json.dumps(results, indent=2) + "\n")


class Bench:
    """What the runs need, and the runs."""

    def __init__(self, args):
        self.pairs, self.aloud = args.pairs, pathlib.Path(args.aloud).resolve()
        others = [f"{OURS}{voice}" for voice in args.voice]
        self.programs = ["aloud", *others, *([args.only] if args.only else PEERS)]
        if args.kokoro:
            self.programs = [f"{OURS}{KOKORO_VOICE}", KOKORO]
        report = subprocess.run([self.aloud, "doctor", "--json", "--voice", VOICE], stdout=subprocess.PIPE)
        checks = {check["name"]: check for check in json.loads(report.stdout)["checks"]}
        for name in ("ONNX Runtime", "eSpeak NG", f"Voice {VOICE}"):
            if checks[name]["state"] != "ok":
                sys.exit(checks[name]["detail"])
        self.data = pathlib.Path(checks["data folder"]["path"]).resolve()
        self.model = pathlib.Path(checks[f"Voice {VOICE}"]["path"]) / f"{VOICE}.onnx"
        self.espeak = pathlib.Path(checks["eSpeak NG"]["path"]) / "espeak-ng-data"
        self.python = environment(args.cache.resolve())
        self.sherpa = args.cache.resolve() / f"sherpa-{VOICE}"
        if not (self.sherpa / "model.onnx").exists():
            prepare = [self.python, HERE / "sherpa.py", "prepare", self.model, self.sherpa]
            subprocess.run(prepare, check=True)
        self.voices = args.cache.resolve() / "kokoro-voices.npz"
        if args.kokoro:
            packs = self.data / "voices/kokoro"
            subprocess.run([self.python, HERE / "kokoros.py", "prepare", packs, self.voices], check=True)
        # Peers find nothing of the caller's, and neither does aloud: the defaults are compared.
        self.env = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("ALOUD", "PYTHON", "OMP_", "ORT_"))
        }

    def command(self, program, text, folder):
        """The command that narrates a text into a folder, and its environment."""
        wav = folder / "all.wav"
        if is_ours(program):
            (folder / "data").symlink_to(self.data)
            voice = VOICE if program == "aloud" else program.removeprefix(OURS)
            command = [self.aloud, "narrate", text, "--json", "--offline", "--voice", voice]
            return command, {**self.env, "ALOUD_HOME": str(folder)}
        if program == "piper-tts":
            command = [self.python, "-m", "piper", "-m", self.model, "-i", text, "-f", wav]
        elif program == KOKORO:
            model = self.data / "voices/kokoro/kokoro.onnx"
            command = [self.python, HERE / "kokoros.py", "speak", model, self.voices, KOKORO_VOICE, text, wav]
        else:
            speak = [HERE / "sherpa.py", "speak", self.sherpa, self.espeak, text, wav]
            command = [self.python, *speak]
        return command, self.env

    def run(self, program, text):
        """Runs a program to its end and returns what it took; once more for its memory."""
        took = self.run_once(program, text, is_watched=False)
        return {**took, "memory": self.run_once(program, text, is_watched=True)["memory"]}

    def run_once(self, program, text, is_watched):
        """The same, with its memory at the peak if that `is_watched`."""
        with tempfile.TemporaryDirectory(prefix="aloud-peers-") as folder:
            folder = pathlib.Path(folder)
            command, env = self.command(program, text, folder)
            with open(folder / "said", "wb") as err:
                begun = time.monotonic()
                child = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=err)
                memory = Memory(child.pid) if is_watched else None
                lines = list(child.stdout)
                _, status, usage = os.wait4(child.pid, 0)
                wall = time.monotonic() - begun
            child.stdout.close()
            peak = memory.peak() if memory else 0
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode != 0:
                said = (folder / "said").read_text(errors="replace")
                sys.exit(f"{program} ended with {child.returncode}:\n{said}")
            unit = 1 if sys.platform == "darwin" else 1024
            peak = peak or usage.ru_maxrss * unit
            return {
                "wall": wall,
                "cpu": usage.ru_utime + usage.ru_stime,
                "memory": peak / 2**20,
                "speech": speech(program, folder, lines),
            }

    def first(self, program, text):
        """Seconds from the start until the first audio is there to be heard; the rest is cut off."""
        with tempfile.TemporaryDirectory(prefix="aloud-peers-") as folder:
            command, env = self.command(program, text, pathlib.Path(folder))
            if program == "piper-tts":
                # Its file is whole only at the end, but it can hand on each sentence as it comes.
                command = [*command[:-2], "--output-raw"]
            begun = time.monotonic()
            child = subprocess.Popen(
                command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            try:
                if program == "piper-tts":
                    heard = bool(child.stdout.read(1))
                else:
                    heard = any(b'"segment_completed"' in line for line in child.stdout)
                took = time.monotonic() - begun
            finally:
                child.kill()
                child.stdout.close()
                child.wait()
            if not heard:
                sys.exit(f"{program} ended without any audio")
            return took

    def rounds(self, programs):
        """For each round, in which order the programs run."""
        for number in range(self.pairs):
            start = number % len(programs)
            yield number, programs[start:] + programs[:start]

    def compare(self, text, title):
        """All programs speak a text; returns every number and prints the table."""
        runs = {program: [] for program in self.programs}
        for number, order in self.rounds(self.programs):
            for program in order:
                runs[program].append(self.run(program, text))
            lengths = {program: runs[program][-1]["speech"] for program in self.programs}
            check_lengths(lengths)
            walls = ", ".join(f"{p} {runs[p][-1]['wall']:.2f} s" for p in self.programs)
            say(f"{title}, round {number + 1} of {self.pairs}: {walls}")
        return summed_up(title, runs, {**MEASURES, "speech": "speech, s"})

    def first_audio(self, text, title):
        """How soon there is something to hear. sherpa-onnx gives the whole at once: it is left out."""
        programs = [program for program in self.programs if program != "sherpa-onnx"]
        runs = {program: [] for program in programs}
        for _, order in self.rounds(programs):
            for program in order:
                runs[program].append({"first": self.first(program, text)})
        return summed_up(title, runs, {"first": "first audio, s"})


class Memory:
    """Looks again and again how much memory a process and its descendants have, until it is asked."""

    EVERY = 0.05

    def __init__(self, process):
        self.process, self.most = process, 0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.stopped.wait(self.EVERY):
            self.most = max(self.most, sum(self.of(one) for one in self.all(self.process)))

    def peak(self):
        """The most bytes that it had; 0 where the system does not say."""
        self.stopped.set()
        self.thread.join()
        return self.most

    def all(self, process):
        """The process and its descendants."""
        yield process
        for children in pathlib.Path(f"/proc/{process}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                for child in children.read_text().split():
                    yield from self.all(child)

    @staticmethod
    def of(process):
        """Bytes of a process: what it shares counts as its part of it."""
        with contextlib.suppress(OSError):
            lines = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
            return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
        return 0


def environment(cache):
    """The Python of a virtual environment that has the peers."""
    folder = cache / "venv"
    python, done = folder / "bin/python", folder / "installed.json"
    if not (done.exists() and json.loads(done.read_text()) == PINNED):
        say(f"installing {', '.join(PINNED)}")
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PINNED], check=True)
        done.write_text(json.dumps(PINNED))
    return python


def speech(program, folder, lines):
    """Seconds of speech in what was made; aloud's without the pauses that it puts between."""
    if not is_ours(program):
        return seconds(folder / "all.wav")
    summary = json.loads(lines[-1])
    joined = sum(seconds(pathlib.Path(file)) for file in summary["files"])
    if joined < summary["audio_seconds"] - 0.01:
        sys.exit("aloud's joined narration is shorter than its clips")
    return summary["audio_seconds"]


def is_ours(program):
    return program == "aloud" or program.startswith(OURS)


def seconds(wav):
    with wave.open(str(wav)) as file:
        return file.getnframes() / file.getframerate()


def check_lengths(lengths):
    """Some shorten the silence in what they speak, and may be that much shorter. Another voice has its own
    pace."""
    first, *_ = lengths.values()
    for peer, length in lengths.items():
        if peer.startswith(OURS):
            continue
        least = {"sherpa-onnx": 0.8, KOKORO: 0.75}.get(peer, 1 - WITHIN)
        if not least <= length / first <= 1 + WITHIN:
            sys.exit(f"not the same speech: aloud {first:.1f} s, {peer} {length:.1f} s")


def summed_up(title, runs, measures):
    """Medians of the runs, and of the ratios within each round; printed and returned."""
    peers = [program for program in runs if not is_ours(program)]
    pairs = [(ours, peer) for peer in peers for ours in runs if is_ours(ours)]
    print(f"\n{title}\n{'':18}" + "".join(f"{name:>16}" for name in runs), end="")
    print("".join(f"{ours.removeprefix(OURS) + ' / ' + peer:>24}" for ours, peer in pairs))
    result = {"runs": runs, "medians": {}, "ratios": {}}
    for key, name in measures.items():
        medians = {p: statistics.median(run[key] for run in runs[p]) for p in runs}
        ratios = {
            f"{ours} / {peer}": statistics.median(a[key] / b[key] for a, b in zip(runs[ours], runs[peer]))
            for ours, peer in pairs
        }
        result["medians"][key], result["ratios"][key] = medians, ratios
        print(f"{name:18}" + "".join(f"{value:16.2f}" for value in medians.values()), end="")
        print("".join(f"{value:24.3f}" for value in ratios.values()), flush=True)
    return result


def machine():
    """What the numbers were measured on."""
    found = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    cpus, memory = pathlib.Path("/proc/cpuinfo"), pathlib.Path("/proc/meminfo")
    if cpus.exists():
        models = (line for line in cpus.read_text().splitlines() if line.startswith("model name"))
        found["processor"] = next(models, found["processor"]).split(":")[-1].strip()
    if memory.exists():
        found["memory"] = f"{int(memory.read_text().split()[1]) / 2**20:.1f} GiB"
    found["system"] = f"{platform.system()} {platform.machine()}"
    return found


def say(line):
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
