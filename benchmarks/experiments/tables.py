#!/usr/bin/env python3
"""Writes the tables of docs/experiments/*.md anew from the results files:

    tables.py            rewrites what stands between <!-- table: COMMAND --> and <!-- end -->
    tables.py --check    changes nothing; exit code 1, and the names of the files, where a table differs

COMMAND is a line for a shell in the root of the repository: python3, a script of this folder that prints tables, its arguments, and
perhaps "< FILE", a file of the folder of results. It may go over several lines. No shell runs it, and no other program."""
import pathlib
import re
import shlex
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
SCRIPTS = [f"benchmarks/experiments/{name}" for name in ("collect.py", "methods-table.py")]
TABLE = re.compile(r"(<!-- table: (.*?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


class Fault(Exception):
    pass


def run(command):
    words = shlex.split(command)
    source = None
    if "<" in words:
        at = words.index("<")
        source = (ROOT / " ".join(words[at + 1 :])).resolve()
        if source.parent != FOLDER / "results" or not source.is_file():
            raise Fault(f"{source} is no file of benchmarks/experiments/results")
        words = words[:at]
    if words[:1] != ["python3"] or words[1:2] == [] or words[1] not in SCRIPTS:
        raise Fault(f"a command begins with python3 and one of {', '.join(SCRIPTS)}: {command}")
    done = subprocess.run(
        [sys.executable, *words[1:]], cwd=ROOT, input=source.read_text() if source else "", capture_output=True, text=True
    )
    if done.returncode or not done.stdout.strip():
        raise Fault(f"{command}\n{done.stderr.strip() or 'prints nothing'}")
    return "\n" + done.stdout.strip() + "\n\n"


def rewritten(text):
    found = len(TABLE.findall(text))
    if found != text.count("<!-- table:") or found != text.count("<!-- end -->"):
        raise Fault("each <!-- table: COMMAND --> needs its <!-- end -->")
    return TABLE.sub(lambda match: match[1] + run(match[2]) + match[4], text)


def main(check):
    count, different = 0, []
    for file in sorted((ROOT / "docs/experiments").glob("*.md")):
        name, text = file.relative_to(ROOT), file.read_text()
        try:
            new = rewritten(text)
        except Fault as fault:
            sys.exit(f"{name}: {fault}")
        count += text.count("<!-- table:")
        if new != text:
            different.append(str(name))
            if not check:
                file.write_text(new)
    for name in different:
        print(f"{name}: a table differs from its results" if check else f"{name}: written")
    print(f"{count} tables, {len(different)} files {'differ' if check else 'changed'}")
    return 1 if check and different else 0


if sys.argv[1:] not in ([], ["--check"]):
    sys.exit(__doc__)
sys.exit(main(check="--check" in sys.argv))
