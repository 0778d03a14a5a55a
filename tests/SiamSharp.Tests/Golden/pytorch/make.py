"""Files as torch.save writes them, for PyTorchFileTests:   python3 make.py   (PyTorch 1.13)"""
import argparse
import collections
import datetime
import enum
import os
import pathlib
import numpy as np
import torch

here = os.path.dirname(os.path.abspath(__file__))
count = lambda *shape: torch.arange(torch.Size(shape).numel()).reshape(shape)

shared = count(6).float()
checkpoint = {
    "epoch": 3, "arch": "small", "best": 0.5, "done": True, "none": None, "big": 1 << 80, "bytes": b"\x00\x01", "text": "ä" * 300,
    "state_dict": collections.OrderedDict([("module.f32", count(2, 3).float() / 4), ("module.count", torch.tensor(7))]),
    "types": {str(t).split(".")[1]: (count(3) - 1).to(t) for t in
              [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]},
    "views": [shared, shared[2:5], shared.view(2, 3).t(), torch.zeros(0, 3), torch.nn.Parameter(shared * 2)],
    "tuple": (count(1), (count(2), 5)),
    "by number": {0: count(1), 12: count(2)},
}
torch.save(checkpoint, f"{here}/zip.pth")
torch.save(checkpoint, f"{here}/legacy.pth", _use_new_zipfile_serialization=False)


class Names(collections.OrderedDict):
    """Stands for classes that are not there where the file is read."""


class Kind(enum.Enum):
    SMALL = 1


class Options:
    def __init__(self):
        self.rate, self.children, self.hidden = 0.1, [1, 2], torch.zeros(1)


options = {
    "model": Names([("conv1.weight", count(2, 3).float()), ("bn1.bias", count(2).float())]),
    "args": argparse.Namespace(lr=np.float64(0.5), name="x", where=pathlib.Path("/a/b"), device=torch.device("cpu"), dtype=torch.float32),
    "hyper_parameters": Options(), "kind": Kind.SMALL, "when": datetime.datetime(2020, 1, 2), "array": np.arange(3), "scalar": np.float32(1.5),
    "counts": collections.Counter("aab"), "default": collections.defaultdict(list, {"a": [count(2)]}), "size": torch.Size([2, 3]), "set": {1, 2}, "frozen": frozenset([3]),
    "type": np.dtype("f4"), "function": os.path.join, "range": slice(1, 2),
}
torch.save(options, f"{here}/options.pth")
torch.save(options, f"{here}/options-legacy.pth", _use_new_zipfile_serialization=False)
torch.save(torch.nn.Linear(1, 1), f"{here}/whole-module.pth")
torch.jit.script(torch.nn.Linear(1, 1)).save(f"{here}/torchscript.pt")
