#!/usr/bin/env python3
"""Runs the commands of a document as its reader would: in order, in one terminal, against a real fleet on loopback.

usage: run_document.py --programs DIRECTORY [--keep] DOCUMENT
       run_document.py --programs DIRECTORY --inventory DOCUMENT...

Every fenced block whose language is `sh` is run by one bash, in a directory made for it, which has this project's
programs on its PATH. A block that ends with another status than 0 fails the document. A `text` block right after it is
what it prints: each of its lines must be there, in order, where `...` stands for anything and blanks are one. Blocks in
other languages are not run. Comments say what a reader does not see:

<!-- test: run                   the lines after this one are commands, up to the end of the comment -->
<!-- test: replace "A" by "B" --> from here on; {here}, {root}, {port} ... in B are this run's
<!-- test: file "PATH" -->       the next block is written there; `append` adds to what is there
<!-- test: daemon NAME "TEXT" --> the next block goes on until the end; it is ready when it has printed TEXT
<!-- test: until "TEXT" -->      the next block is run again until it prints TEXT
<!-- test: status 1 -->          the next block ends so
<!-- test: keep NAME "REGEX" -->  what the next block prints that matches is $NAME afterwards
<!-- test: not run: WHY -->      the next block is only read

Commands that are read and not run, and those in the `code` of the text, must at least exist, with their options: the
programs are asked what they know. `--inventory` lists what is not run, and why.

Exit status 0: everything did what the document says.
"""
import argparse
import dataclasses
import functools
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import string
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parents[2]
PROGRAMS = ["tributary-coordinator", "tributary-agentd", "tributary-agent", "tributary-verify"]
ASKED = [name for name in PROGRAMS if name != "tributary-agentd"]  # which has one option and no subcommands
SECONDS = 240
NOT_RUN = {"toml", "text", "json", "yaml", "python", "swift", "diff", "ini"}


class DocumentError(Exception):
    """What is wrong, and in which line."""


# --- reading ------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Block:
    """A fenced block, or the commands of a comment, with what comments say of it."""

    line: int
    language: str
    text: str
    notes: list = dataclasses.field(default_factory=list)
    is_hidden: bool = False

    def note(self, kind):
        return next((arguments for name, arguments in self.notes if name == kind), None)


QUOTED = r'"((?:[^"\\]|\\.)*)"'
NOTES = {
    "replace": re.compile(f"replace {QUOTED} by {QUOTED}"),
    "file": re.compile(f"file {QUOTED}"),
    "append": re.compile(f"append {QUOTED}"),
    "daemon": re.compile(f"daemon ([a-z0-9-]+) {QUOTED}"),
    "until": re.compile(f"until {QUOTED}"),
    "status": re.compile("status ([0-9]+)"),
    "keep": re.compile(f"keep ([A-Z_]+) {QUOTED}"),
    "not run": re.compile("not run: (.+)", re.DOTALL),
}


def read_note(line, text):
    for kind, pattern in NOTES.items():
        found = pattern.fullmatch(text)
        if found:
            return kind, [re.sub(r"\\(.)", r"\1", part) for part in found.groups()]
    raise DocumentError(f"line {line}: what is this to mean? test: {text}")


def read(text):
    """The blocks and replacements of a document, in order, and its text without them: (line, text) each."""
    parts, prose, notes = [], [], []
    lines = enumerate(text.splitlines(), start=1)
    for number, line in lines:
        if line.lstrip().startswith("<!--"):
            comment = line
            while "-->" not in comment:
                comment += "\n" + next(lines)[1]
            content = re.fullmatch(r"\s*<!--\s*(.*?)\s*-->\s*", comment, re.DOTALL)
            if not content or not content[1].startswith("test:"):
                continue
            content = content[1].removeprefix("test:").strip()
            if content.startswith("run\n"):
                parts.append(Block(number, "sh", content.removeprefix("run\n"), is_hidden=True))
                continue
            kind, arguments = read_note(number, content)
            (parts if kind == "replace" else notes).append((kind, arguments))
        elif line.lstrip().startswith("```"):
            indent = len(line) - len(line.lstrip())
            language, content = line.strip().removeprefix("```"), []
            while not (following := next(lines)[1]).strip() == "```":
                content.append(following[indent:])
            parts.append(Block(number, language, "\n".join(content) + "\n", notes))
            notes = []
        else:
            if line.startswith("    ") and re.match(r"\s+(\$ |sudo |make |tributary-)", line):
                raise DocumentError(f"line {number}: commands go into a block that begins with ```sh")
            prose.append((number, line))
    if notes:
        raise DocumentError(f"nothing follows the note {notes[-1][0]}")
    return parts, prose


# --- what the programs know ---------------------------------------------------------------------------------------


@functools.cache
def known_commands(program):
    """Of each command of a program, by its words: the options it takes, and which of them stand alone."""
    dumped = subprocess.run([program, "--experimental-dump-help"], capture_output=True, text=True, check=True)
    commands = {}

    def enter(command, words):
        options = {}
        for argument in command.get("arguments", []):
            for name in argument.get("names") or []:
                dashes = "-" if name["kind"] == "short" else "--"
                options[dashes + name["name"]] = argument["kind"] == "flag"
        subcommands = command.get("subcommands", [])
        commands[words] = options, {each["commandName"] for each in subcommands}
        for each in subcommands:
            enter(each, words + (each["commandName"],))

    enter(json.loads(dumped.stdout)["command"], ())
    return commands


def check_command(words, line):
    """That a command line names a command and options which its program has."""
    program = words[0].rpartition("/")[2]
    commands, at = known_commands(program), ()
    rest = list(words[1:])
    while rest and rest[0] in commands[at][1]:
        at += (rest.pop(0),)
    options, subcommands = commands[at]
    named = " ".join((program,) + at)
    if rest and not rest[0].startswith("-") and subcommands and rest[0] != "...":
        raise DocumentError(f"line {line}: `{named}` has no command '{rest[0]}'")
    for word in rest:
        option = word.split("=")[0]
        if re.match(r"--?[a-z]", option) and option not in options | {"--help": True, "--version": True}:
            raise DocumentError(f"line {line}: `{named}` has no option '{option}'")


def check_commands(text, line):
    """Checks each command of ours in shell text; what bash alone understands is left to it."""
    text = text.replace("\\\n", " ")
    for offset, row in enumerate(text.splitlines()):
        row = re.sub(r"(^|\s)#.*", "", row)
        for command in re.split(r"[;|&]+|\$\(", row):
            try:
                words = shlex.split(command)
            except ValueError:
                continue
            for index, word in enumerate(words):
                if word.rpartition("/")[2] in ASKED and not words[:index][-1:] in (["systemctl"], ["-u"]):
                    if index == 0 or words[0] in ("sudo", "env", "time", "watch"):
                        check_command(words[index:], line + offset)
                        break


# --- compiling ----------------------------------------------------------------------------------------------------


class Script:
    """The document as one bash script."""

    def __init__(self, directory, values):
        self.directory = directory
        self.values = values
        self.replacements = []
        self.lines = [f"source {shlex.quote(str(FOLDER / 'terminal.sh'))}", *self.units(), "set -e"]
        self.previous = None

    def units(self):
        """What `systemctl start` stands for: what the unit starts, with the document's replacements."""
        for file in sorted(ROOT.glob("*-config/*.service")):
            start = re.search(r"^ExecStart=(.+)$", file.read_text(), re.MULTILINE)[1]
            yield f"units[{file.stem}]={shlex.quote(start.replace('/usr/bin/', ''))}"

    def replaced(self, text):
        for old, new in self.replacements:
            text = text.replace(old, new)
        return text

    def replace(self, old, new):
        new = re.sub(r"\{([a-z_]+)\}", lambda found: self.values[found[1]], new)
        self.replacements.append((old, new))
        self.lines.append(f"replace {shlex.quote(old)} {shlex.quote(new)}")

    def add(self, block):
        if block.note("not run"):
            return
        for kind in ("file", "append"):
            if name := block.note(kind):
                path = self.replaced(name[0])
                text = string.Template(self.replaced(block.text)).safe_substitute(HERE=self.values["here"])
                self.lines.append(f"{kind}_block {block.line} {shlex.quote(path)} {shlex.quote(text)}")
        if block.language == "text" and self.previous:
            self.lines.append(f"shows {block.line} {shlex.quote(block.text)}")
        self.previous = None
        if block.language != "sh" or block.note("file") or block.note("append"):
            return
        self.previous = block
        text = block.text if block.is_hidden else self.replaced(block.text)
        self.lines.append(f"block() {{\n{text}\n}}")
        status = (block.note("status") or ["0"])[0]
        if daemon := block.note("daemon"):
            self.lines.append(f"daemon_block {block.line} {daemon[0]} {shlex.quote(daemon[1])}")
        elif until := block.note("until"):
            self.lines.append(f"until_block {block.line} {shlex.quote(until[0])}")
        elif status != "0":
            self.lines.append(f"failing_block {block.line} {status}")
        else:
            self.lines.append(f"run_block {block.line}")
        if keep := block.note("keep"):
            self.lines.append(f"keep {block.line} {keep[0]} {shlex.quote(keep[1])}")


def free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [str(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def check(document):
    """Reads a document and asks the programs about its commands; returns its parts."""
    parts, prose = read(document.read_text())
    for part in parts:
        if not isinstance(part, Block):
            continue
        if part.language == "sh":
            check_commands(part.text, part.line + 1)
        elif part.language not in NOT_RUN:
            raise DocumentError(f"line {part.line}: a block in '{part.language}'; commands are `sh`")
    for line, text in prose:
        for span in re.findall(r"`([^`]+)`", text):
            if span.split(" ")[0] in ASKED and " " in span:
                check_commands(span, line)
    return parts


def run(document, keep):
    parts = check(document)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="tributary-document-"))
    ports = dict(zip(["port", "http_port", "dashboard_port", "metrics_port"], free_ports(4)))
    script = Script(directory, {"here": str(directory), "root": str(ROOT), **ports})
    for part in parts:
        script.add(part) if isinstance(part, Block) else script.replace(*part[1])
    for folder in ("bin", "logs"):
        (directory / folder).mkdir()
    for name in PROGRAMS:
        (directory / "bin" / name).symlink_to(shutil.which(name))
    (directory / "logs" / "script.sh").write_text("\n".join(script.lines) + "\n")
    environment = os.environ | {
        "PATH": f"{directory / 'bin'}:{os.environ['PATH']}",
        "HERE": str(directory),
        "DOCUMENT": str(document),
        "DOCUMENT_FOLDER": str(FOLDER),
        "PYTHON": sys.executable,
        "TRIBUTARY_RUNS": str(directory / "runs"),
        "NO_COLOR": "1",
        "COLUMNS": "120",
        **{name.upper(): value for name, value in ports.items()},
    }
    process = subprocess.Popen(
        ["bash", str(directory / "logs" / "script.sh")],
        cwd=directory, env=environment, stdin=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        return process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        print(f"{document}: not done after {SECONDS} s", file=sys.stderr)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            pass
        return 1
    finally:
        # What its daemons may have started is in its session, and in no other.
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if keep:
            print(f"kept: {directory}", file=sys.stderr)
        else:
            shutil.rmtree(directory, ignore_errors=True)


def shows(expected, printed):
    """The first line of `expected` that is not, in its turn, among those of `printed`; None when all are."""
    rows = iter(" ".join(row.split()) for row in printed.splitlines())
    for line in expected.splitlines():
        pieces = [re.escape(" ".join(piece.split())) for piece in line.split("...")]
        pattern = r"\s*.*?\s*".join(pieces).strip()
        if pattern and not any(re.fullmatch(pattern, row) for row in rows):
            return line
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / ".build/release")
    parser.add_argument("--keep", action="store_true", help="leave the directory that it ran in")
    parser.add_argument("--inventory", action="store_true", help="list what is not run")
    parser.add_argument("--shows", nargs=2, metavar=("EXPECTED", "FILE"), help="compare what a block has printed")
    parser.add_argument("documents", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    # Whoever started this may have blocked signals, which daemons would inherit.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    if arguments.shows:
        missing = shows(arguments.shows[0], pathlib.Path(arguments.shows[1]).read_text(errors="replace"))
        if missing is not None:
            print(f"it does not print: {missing}", file=sys.stderr)
        return 0 if missing is None else 1
    os.environ["PATH"] = f"{arguments.programs.resolve()}:{os.environ['PATH']}"
    try:
        for document in arguments.documents:
            if arguments.inventory:
                for part in check(document):
                    if isinstance(part, Block) and (why := part.note("not run")):
                        print(f"{document}:{part.line}: {why[0]}")
            elif status := run(document, arguments.keep):
                return status
    except DocumentError as error:
        print(f"{document}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
