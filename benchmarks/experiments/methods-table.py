#!/usr/bin/env python3
"""The table of docs/METHODS.md from the results of methods.sh:   methods-table.py results.jsonl"""
import json, statistics, sys

scores = {}  # (method, preset, encoder, protocol) -> values by seed
for line in open(sys.argv[1]):
    run = json.loads(line)
    for s in run['scores']:
        scores.setdefault((run['method'], run['preset'], s['encoder'], s['protocol']), []).append(s['value'])

PROTOCOLS = ['knn', 'linear', 'few-shot']


def cell(values):
    spread = f' ({statistics.stdev(values):.3f})' if len(values) > 1 else ''
    return f'{statistics.mean(values):.3f}{spread}' if values else ''


print('| framework | views | k-NN | linear | 10-shot |\n|---|---|---|---|---|')
first = next(iter(scores))[0]
print('| | pixels | ' + ' | '.join(cell(scores[first, 'mscn', 'pixels', p][:1]) for p in PROTOCOLS) + ' |')
for preset, name in (('naive-mask', 'untrained, plain input'), ('mscn', 'untrained, high-passed input')):
    print(f'| | {name} | ' + ' | '.join(cell(scores.get((first, preset, 'untrained', p), [])) for p in PROTOCOLS) + ' |')
for method in dict.fromkeys(key[0] for key in scores):
    for preset in ('naive-mask', 'mscn'):
        print(f'| {method} | {preset} | ' + ' | '.join(cell(scores.get((method, preset, 'pretrained', p), [])) for p in PROTOCOLS) + ' |')
