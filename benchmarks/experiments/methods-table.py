#!/usr/bin/env python3
"""The table of docs/METHODS.md from the results of methods.sh:   methods-table.py results.jsonl

Mean over the seeds and, in brackets, their standard deviation. Behind mscn its gain over naive masks with the same seed; bold where
the mean gain is more than the standard deviation of the gains."""
import json, statistics, sys

scores = {}  # (method, preset, encoder, protocol) -> {seed: value}
for line in open(sys.argv[1]):
    run = json.loads(line)
    for s in run['scores']:
        scores.setdefault((run['method'], run['preset'], s['encoder'], s['protocol']), {})[run['seed']] = s['value']

PROTOCOLS = ['knn', 'linear', 'few-shot']


def spread(values, form):
    return f' ({format(statistics.stdev(values), form)})' if len(values) > 1 else ''


def cell(by_seed):
    values = list(by_seed.values())
    return f'{statistics.mean(values):.3f}{spread(values, ".3f")}' if values else ''


def gain(method, protocol):
    naive, mscn = (scores.get((method, preset, 'pretrained', protocol), {}) for preset in ('naive-mask', 'mscn'))
    gains = [mscn[seed] - naive[seed] for seed in mscn if seed in naive]
    if not gains: return '', False
    beyond = len(gains) > 1 and statistics.mean(gains) > statistics.stdev(gains)
    bold = '**' if beyond else ''
    return f', {bold}{statistics.mean(gains):+.3f}{bold}{spread(gains, ".3f")}', beyond


methods = list(dict.fromkeys(key[0] for key in scores))
wins = {p: 0 for p in PROTOCOLS}
print('| framework | views | k-NN | linear | 10-shot |\n|---|---|---|---|---|')
for encoder, preset, name in (('pixels', 'mscn', 'standardised pixels'), ('untrained', 'naive-mask', 'untrained, plain input'), ('untrained', 'mscn', 'untrained, high-passed input')):
    if any(k[2] == encoder for k in scores): print(f'| | {name} | ' + ' | '.join(cell(scores.get((methods[0], preset, encoder, p), {})) for p in PROTOCOLS) + ' |')
for method in methods:
    print(f'| {method} | `naive-mask` | ' + ' | '.join(cell(scores.get((method, 'naive-mask', 'pretrained', p), {})) for p in PROTOCOLS) + ' |')
    cells = []
    for p in PROTOCOLS:
        text, beyond = gain(method, p)
        wins[p] += beyond
        cells.append(cell(scores.get((method, 'mscn', 'pretrained', p), {})) + text)
    print('| | `mscn` | ' + ' | '.join(cells) + ' |')
print(f'\nmscn ahead by more than the spread, of {len(methods)}: ' + ', '.join(f'{p} {n}' for p, n in wins.items()))
