"""Golden answers of torchvision's models for weights made by a formula:   /usr/bin/python3 backbones.py NAME SIDE > backbone_NAME.json

Needs torch and torchvision (Debian: python3-torchvision)."""
import json, sys
import numpy, torch, torchvision

name, side = sys.argv[1], int(sys.argv[2])
FORMULA = ('every entry k of the state dict (flat index i, phase p = sum of the bytes of k mod 97): u = ((i*7919 + p*104729) mod 10007)/10007*2 - 1; '
           'running_var 1+0.5u; running_mean 0.1u; other entries of 2 or more dimensions u*sqrt(3/(numel/shape[0])); 1-d weight 1+0.1u; bias 0.05u; '
           'num_batches_tracked unchanged. Input: u with k = "input".')


def values(key, shape):
    i = numpy.arange(int(numpy.prod(shape)), dtype=numpy.int64)
    u = ((i * 7919 + sum(key.encode()) % 97 * 104729) % 10007) / 10007.0 * 2 - 1
    if key == 'input': pass
    elif key.endswith('running_var'): u = 1 + 0.5 * u
    elif key.endswith('running_mean'): u = 0.1 * u
    elif len(shape) >= 2: u = u * (3 / (u.size / shape[0])) ** 0.5
    elif key.endswith('weight'): u = 1 + 0.1 * u
    else: u = 0.05 * u
    return torch.tensor(u.reshape(shape), dtype=torch.float32)


model = getattr(torchvision.models, name)(weights=None).eval()
state = model.state_dict()
model.load_state_dict({k: v if k.endswith('num_batches_tracked') else values(k, tuple(v.shape)) for k, v in state.items()})
with torch.no_grad():
    logits = model(values('input', (2, 3, side, side)))
json.dump({'source': f'torchvision {torchvision.__version__} {name}, eval mode, float32', 'weights': FORMULA, 'input_shape': [2, 3, side, side],
           'parameters': sum(p.numel() for p in model.parameters()), 'state_dict': {k: list(v.shape) for k, v in state.items()},
           'logits_first16': logits.flatten()[:16].tolist(), 'logits_mean': logits.mean().item(), 'logits_norm': logits.norm().item()}, sys.stdout)
