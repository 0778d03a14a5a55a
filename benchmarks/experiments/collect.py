#!/usr/bin/env python3
"""The scores of a study's finished runs, one JSON line each, so that parts of it that ran at different times can be recorded together.

    collect.py FOLDER NAME >> benchmarks/experiments/results/studies.jsonl      FOLDER: --out of `siam study`; NAME: what the study is called
    collect.py --table NAME [--by-seed] [--against ROW] [ROW[=LABEL] ...] < benchmarks/experiments/results/studies.jsonl
    collect.py --pairs NAME ROW OTHER < benchmarks/experiments/results/studies.jsonl     ROW minus OTHER over the seeds of both, with a 95 % interval
    collect.py --study < benchmarks/experiments/results/fashion-mnist-designs.json       the table of a table.json of `siam study`

A table has the mean and, in brackets, the standard deviation of each row over its seeds, or with --by-seed a line for each seed.
It has all rows of the study, or those that are named, in that order and with the label behind the equals sign. "ROW less OTHER" is
a line of differences, seed by seed, with their 95 % interval (Student's t); --against ROW puts the difference from ROW behind each score.
Differences are bold where the interval leaves out 0."""
import json
import pathlib
import re
import statistics
import sys

QUANTILES = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}  # of Student's t, by the number of seeds


def lines(folder, name):
    for file in sorted(pathlib.Path(folder).glob("*/study-scores.json")):
        row, seed = re.fullmatch(r"(.+)-(\d+)", file.parent.name).groups()
        for encoder in ["pixels", "untrained", "pretrained"]:
            scores = {
                s["protocol"] + (f" {s['shots']}" if s["shots"] else ""): round(s["value"], 4)
                for s in json.loads(file.read_text())
                if s["encoder"] == encoder
            }
            if scores:
                row_name = row if encoder == "pretrained" else f"{encoder}, as {row}"
                print(json.dumps({"study": name, "row": row_name, "seed": int(seed), **scores}))


def read(name):
    """Row -> seed -> column -> value, and the columns."""
    rows, columns = {}, []
    for line in map(json.loads, sys.stdin):
        if line.pop("study") == name:
            rows.setdefault(line.pop("row"), {})[line.pop("seed")] = line
            columns += [c for c in line if c not in columns]
    if not rows:
        sys.exit(f"No line is of a study {name}")
    return rows, columns


def row_of(rows, name):
    return rows[name] if name in rows else sys.exit(f"No row {name}; there are: {'; '.join(rows)}")


def gains(rows, row, other, column):
    first, second = row_of(rows, row), row_of(rows, other)
    return [
        first[seed][column] - second[seed][column] for seed in first if column in first[seed] and column in second.get(seed, {})
    ]


def interval(values):
    return QUANTILES[len(values)] * statistics.stdev(values) / len(values) ** 0.5


def digits(column, values):
    if column == "rankme":
        return 0 if all(isinstance(v, int) for v in values) else 1
    return 3 if len(values) > 1 else 4


def score(column, values):
    if not values:
        return ""
    number = digits(column, values)
    spread = f" ({statistics.stdev(values):.{number}f})" if len(set(values)) > 1 else ""
    return f"{statistics.mean(values):.{number}f}{spread}"


def gain(column, values):
    if column == "rankme" or len(values) not in QUANTILES:
        return ""
    mean, half = statistics.mean(values), interval(values)
    return signed(mean, 3, abs(mean) > half > 1e-9) + f" ±{half:.3f}"


def signed(difference, number, certain):
    mark = "**" if certain else ""
    return f"{mark}{round(difference, number) + 0.0:+.{number}f}{mark}"  # + 0.0: no -0.000


def table(name, *arguments):
    rows, columns = read(name)
    by_seed, against, chosen = False, None, []
    arguments = list(arguments)
    while arguments:
        argument = arguments.pop(0)
        if argument == "--by-seed":
            by_seed = True
        elif argument == "--against":
            against = arguments.pop(0)
        else:
            row, _, label = argument.partition("=")
            chosen.append((row, label or row))
    titles = [{"knn": "k-NN", "rankme": "RankMe"}.get(c, re.sub(r"few-shot (\d+)", r"\1-shot", c)) for c in columns]
    print(f"| | {'seed' if by_seed else 'seeds'} | " + " | ".join(titles) + " |\n|---|---|" + "---|" * len(columns))
    for row, label in chosen or [(row, row) for row in rows]:
        if " less " in row:
            row, other = row.split(" less ")
            differences = [gains(rows, row, other, c) for c in columns]
            cells = [[label, str(max(map(len, differences))), *map(gain, columns, differences)]]
        elif by_seed:
            seeds = sorted(row_of(rows, row).items())
            cells = [[label, str(seed), *(score(c, [s[c]] if c in s else []) for c in columns)] for seed, s in seeds]
        else:
            seeds = row_of(rows, row).values()
            cells = [[label, str(len(seeds)), *(score(c, [s[c] for s in seeds if c in s]) for c in columns)]]
            if against and against != row:
                behind = [gain(c, gains(rows, row, against, c)) for c in columns]
                cells[0][2:] = [f"{cell}; {text}" if text else cell for cell, text in zip(cells[0][2:], behind)]
        for line in cells:
            print("| " + " | ".join(line) + " |")


def pairs(name, row, other):
    rows, columns = read(name)
    for column in columns:
        values = gains(rows, row, other, column)
        if len(values) in QUANTILES:
            print(f"{column}: {statistics.mean(values):+.4f} ±{interval(values):.4f}, {len(values)} seeds")
        elif values:
            sys.exit(
                f"{name} has {len(values)} seeds with both {row} and {other}: 2 to 5 are needed; --table {name} lists its rows"
            )


def study():
    data = json.load(sys.stdin)
    print("| | " + " | ".join(data["columns"]) + " |\n|---|" + "---|" * len(data["columns"]))
    for row in data["rows"]:
        cells = []
        for cell in row["cells"]:
            number = 1 if cell and cell["mean"] > 1 else 3
            text = f"{cell['mean']:.{number}f}" if cell else ""
            if cell and cell["std"] > 1e-9:
                text += f" ({cell['std']:.{number}f})"
            if cell and cell["gain"] is not None:
                text += f"; {signed(cell['gain'], number, cell['gainIsCertain'])}"
                text += f" ±{cell['gainCi95']:.{number}f}" if cell["gainCi95"] is not None else ""
            cells.append(text)
        print(f"| {row['name']} | " + " | ".join(cells) + " |")


if sys.argv[1] == "--table":
    table(*sys.argv[2:])
elif sys.argv[1] == "--pairs":
    pairs(*sys.argv[2:5])
elif sys.argv[1] == "--study":
    study()
else:
    lines(sys.argv[1], sys.argv[2])
