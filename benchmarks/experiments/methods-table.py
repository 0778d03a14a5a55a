#!/usr/bin/env python3
"""The tables of docs/METHODS.md from the results of methods.sh and backbones.sh:

    methods-table.py results.jsonl
    methods-table.py --methods simclr,moco-v3 resnet=results.jsonl convnext=OUT/convnext/results.jsonl vit=OUT/vit/results.jsonl

Mean over the seeds and, in brackets, their standard deviation. Behind mscn its gain over naive masks with the same seed; bold where
the mean gain is more than the standard deviation of the gains."""
import json
import statistics
import sys

METHODS = 'simclr,moco-v2,moco-v3,byol,simsiam,swav,barlow-twins,vicreg,dino,msn,pirl,siamese-pairs'
PROTOCOLS = {'knn': 'k-NN', 'linear': 'linear', 'few-shot': '10-shot'}
BASELINES = [
    ('pixels', 'mscn', 'standardised pixels'),
    ('untrained', 'naive-mask', 'untrained, plain input'),
    ('untrained', 'mscn', 'untrained, high-passed input'),
]


def read(file):
    scores = {}  # (method, preset, encoder, protocol) -> {seed: value}
    for line in open(file):
        run = json.loads(line)
        for s in run['scores']:
            scores.setdefault((run['method'], run['preset'], s['encoder'], s['protocol']), {})[run['seed']] = s['value']
    return scores


def summary(values, form='.3f'):
    values = list(values)
    if not values:
        return ''
    spread = f' ({statistics.stdev(values):.3f})' if len(set(values)) > 1 else ''
    return f'{statistics.mean(values):{form}}{spread}'


def gain(scores, method, protocol):
    naive, mscn = (scores.get((method, preset, 'pretrained', protocol), {}) for preset in ('naive-mask', 'mscn'))
    gains = [mscn[seed] - naive[seed] for seed in mscn if seed in naive]
    beyond = len(gains) > 1 and statistics.mean(gains) > statistics.stdev(gains)
    text = summary(gains, '+.3f')
    return ('; **' + text.replace(' ', '** ', 1) if beyond else '; ' + text), beyond


def row(*cells):
    print('| ' + ' | '.join(cells) + ' |')


files = sys.argv[1:]
methods = METHODS.split(',')
if files[:1] == ['--methods']:
    methods, files = files[1].split(','), files[2:]
wins, count = dict.fromkeys(PROTOCOLS, 0), 0
row('', 'views', *PROTOCOLS.values())
row(*['---'] * (2 + len(PROTOCOLS)))
for argument in files:
    name, file = argument.split('=', 1) if '=' in argument else ('', argument)
    scores = read(file)
    for encoder, preset, text in BASELINES:
        if name and encoder == 'pixels' and argument != files[0]:
            continue  # the same for all backbones
        row(
            name if encoder != 'pixels' else '',
            text,
            *(summary(scores.get(('simclr', preset, encoder, p), {}).values()) for p in PROTOCOLS),
        )
    for method in methods:
        count += 1
        row(
            f'{name} {method}'.strip(),
            '`naive-mask`',
            *(summary(scores.get((method, 'naive-mask', 'pretrained', p), {}).values()) for p in PROTOCOLS),
        )
        cells = []
        for p in PROTOCOLS:
            text, beyond = gain(scores, method, p)
            wins[p] += beyond
            cells.append(summary(scores.get((method, 'mscn', 'pretrained', p), {}).values()) + text)
        row('', '`mscn`', *cells)
print(f'\nmscn ahead by more than the spread, of {count}: ' + ', '.join(f'{PROTOCOLS[p]} {n}' for p, n in wins.items()))
