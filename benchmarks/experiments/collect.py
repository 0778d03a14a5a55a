#!/usr/bin/env python3
"""The scores of a study's finished runs, one JSON line each, so that parts of it that ran at different times can be recorded together.

    collect.py FOLDER NAME >> benchmarks/experiments/results/studies.jsonl      FOLDER: --out of `siam study`; NAME: what the study is called
    collect.py --table NAME < benchmarks/experiments/results/studies.jsonl     mean and standard deviation of each row over its seeds
    collect.py --pairs NAME ROW OTHER < benchmarks/experiments/results/studies.jsonl     ROW minus OTHER over the seeds of both: mean and 95 % interval (Student's t)
"""
import json
import pathlib
import re
import statistics
import sys


def lines(folder, name):
    for file in sorted(pathlib.Path(folder).glob("*/study-scores.json")):
        row, seed = re.fullmatch(r"(.+)-(\d+)", file.parent.name).groups()
        for encoder in ["pixels", "untrained", "pretrained"]:
            scores = {s["protocol"] + (f" {s['shots']}" if s["shots"] else ""): round(s["value"], 4) for s in json.loads(file.read_text()) if s["encoder"] == encoder}
            if scores:
                print(json.dumps({"study": name, "row": row if encoder == "pretrained" else f"{encoder}, as {row}", "seed": int(seed), **scores}))


def table(name):
    rows, columns = {}, []
    for line in map(json.loads, sys.stdin):
        if line["study"] != name:
            continue
        seeds = rows.setdefault(line["row"], {})
        seeds[line["seed"]] = scores = {k: v for k, v in line.items() if k not in ("study", "row", "seed")}
        columns += [c for c in scores if c not in columns]
    print("| | seeds | " + " | ".join(columns) + " |\n|---|---|" + "---|" * len(columns))
    for row, seeds in rows.items():
        cells = []
        for column in columns:
            values = [s[column] for s in seeds.values() if column in s]
            spread = f" ({statistics.stdev(values):.3f})" if len(values) > 1 else ""
            digits = 1 if column == "rankme" else 4 if len(values) == 1 else 3
            cells.append(f"{statistics.mean(values):.{digits}f}{spread}" if values else "")
        print(f"| {row} | {len(seeds)} | " + " | ".join(cells) + " |")


def pairs(name, row, other):
    found = {}
    for line in map(json.loads, sys.stdin):
        if line["study"] == name and line["row"] in (row, other):
            found.setdefault(line["seed"], {})[line["row"]] = line
    seeds = {seed: both for seed, both in found.items() if len(both) == 2}
    quantiles = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
    if len(seeds) not in quantiles:
        sys.exit(f"{name} has {len(seeds)} seeds with both {row} and {other}: 2 to 5 are needed; --table {name} lists its rows")
    quantile = quantiles[len(seeds)]
    for column in next(iter(seeds.values()))[row]:
        if column not in ("study", "row", "seed") and all(column in line for both in seeds.values() for line in both.values()):
            gains = [both[row][column] - both[other][column] for both in seeds.values()]
            print(f"{column}: {statistics.mean(gains):+.4f} ±{quantile * statistics.stdev(gains) / len(gains) ** 0.5:.4f}, {len(gains)} seeds")


if sys.argv[1] == "--table":
    table(sys.argv[2])
elif sys.argv[1] == "--pairs":
    pairs(*sys.argv[2:5])
else:
    lines(sys.argv[1], sys.argv[2])
