#!/usr/bin/env python3
"""One SimCLR training step on masked views in PyTorch: the yardstick for SiamSharp's throughput benchmark.

What is timed, step by step, in float32 on the CPU, on synthetic images that are already in memory:
  views     two views of N images (default 64, colour, 64 px): Gaussian high-pass, divided by a constant scale,
            then per sample a grid of 9 px cells of which a share U(0.3, 0.7) is set to zero
  forward   torchvision's ResNet-18 with a small-image stem (3x3 stride 1, no max-pool, no classifier) on all 2N
            views at once, then the projector Linear(512) - BatchNorm - ReLU - Linear(128)
  loss      NT-Xent, temperature 0.2
  backward
  optimiser AdamW, fused where this PyTorch has a fused CPU kernel, else foreach

Run it alone on the machine, with both memory formats, and compare with the fastest line:
  python3 simclr_step.py --threads 2 --keep-freed-memory
  python3 simclr_step.py --threads 2 --keep-freed-memory --channels-last

`--keep-freed-memory` stops glibc from handing large tensors back to the system after every use. Without it, each
activation above 32 MB costs fresh page faults. It is what a careful user gets from a preloaded jemalloc, so the
fair comparison has it on. Prints one line of JSON; `images_per_second` counts images, not
views, and is that of the median step, which leaves out what the first steps pay once for memory.
"""
import argparse
import ctypes
import json
import statistics
import time

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F

PHASES = ("views", "forward", "loss", "backward", "optimiser")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Throughput of one SimCLR step on masked views (CPU, float32).")
    parser.add_argument("--steps", type=int, default=10, help="timed steps")
    parser.add_argument("--warmup", type=int, default=3, help="untimed steps before them")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=64, help="images per step; twice as many views")
    parser.add_argument("--size", type=int, default=64, help="height and width in pixels")
    parser.add_argument("--channels-last", action="store_true", help="NHWC memory format for model and views")
    parser.add_argument("--keep-freed-memory", action="store_true", help="glibc keeps freed blocks (see above)")
    return parser.parse_args()


def keep_freed_memory() -> None:
    """Serve every allocation from the heap and never trim it (glibc only)."""
    trim_threshold, mmap_max = -1, -4
    libc = ctypes.CDLL("libc.so.6")
    if not (libc.mallopt(mmap_max, 0) and libc.mallopt(trim_threshold, 2**31 - 1)):
        raise SystemExit("--keep-freed-memory: mallopt refused the setting")


class HighPass(nn.Module):
    """x minus its Gaussian blur, divided by `scale`; (N, C, H, W) to the same shape."""

    def __init__(self, channels: int, kernel: int = 13, sigma: float = 2.0, scale: float = 0.1):
        super().__init__()
        t = torch.arange(kernel) - kernel // 2
        weight = torch.exp(-t.square() / (2 * sigma**2))
        weight = (weight / weight.sum()).expand(channels, 1, 1, kernel).contiguous()
        self.register_buffer("row", weight)
        self.register_buffer("column", weight.transpose(2, 3).contiguous())
        self.channels, self.margin, self.scale = channels, kernel // 2, scale

    def forward(self, x: Tensor) -> Tensor:
        blurred = F.pad(x, (self.margin,) * 4, mode="reflect")
        blurred = F.conv2d(blurred, self.row, groups=self.channels)
        blurred = F.conv2d(blurred, self.column, groups=self.channels)
        return (x - blurred) / self.scale


def grid_keep_mask(n: int, size: int, cell: int = 9, low: float = 0.3, high: float = 0.7) -> Tensor:
    """(N, 1, H, W) of ones (visible) and zeros; in each sample exactly round(ratio * cells) cells are removed."""
    side = -(-size // cell)
    cells = side * side
    removed = (torch.empty(n, 1).uniform_(low, high) * cells).round()
    rank = torch.rand(n, cells).argsort(dim=1).argsort(dim=1)
    keep = (rank >= removed).float().view(n, 1, side, side)
    return F.interpolate(keep, scale_factor=cell, mode="nearest")[:, :, :size, :size]


def nt_xent(embeddings: Tensor, temperature: float) -> Tensor:
    """embeddings (2N, D): rows i and i + N are the two views of one image."""
    z = F.normalize(embeddings, dim=1)
    n = len(z) // 2
    similarity = (z @ z.T / temperature).fill_diagonal_(float("-inf"))
    positives = torch.arange(2 * n).roll(n)
    return F.cross_entropy(similarity, positives)


def build_model() -> nn.Module:
    backbone = torchvision.models.resnet18(weights=None)
    backbone.conv1 = nn.Conv2d(3, 64, kernel_size=3, stride=1, padding=1, bias=False)
    backbone.maxpool = nn.Identity()
    backbone.fc = nn.Identity()
    projector = nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(inplace=True), nn.Linear(512, 128))
    return nn.Sequential(backbone, projector).train()


def fastest_adamw(parameters: list[nn.Parameter]) -> tuple[torch.optim.Optimizer, str]:
    for variant in ("fused", "foreach"):
        try:
            return torch.optim.AdamW(parameters, lr=1e-3, weight_decay=1e-4, **{variant: True}), variant
        except (RuntimeError, TypeError):  # older releases: fused AdamW is for CUDA only, or unknown
            continue
    return torch.optim.AdamW(parameters, lr=1e-3, weight_decay=1e-4), "plain"


def main() -> None:
    arguments = parse_arguments()
    if arguments.keep_freed_memory:
        keep_freed_memory()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)

    layout = torch.channels_last if arguments.channels_last else torch.contiguous_format
    model = build_model().to(memory_format=layout)
    optimiser, variant = fastest_adamw(list(model.parameters()))
    high_pass = HighPass(channels=3)
    images = torch.rand(arguments.batch_size, 3, arguments.size, arguments.size)

    def step() -> tuple[list[float], float]:
        """One training step: the time at the start and after each phase, and the loss."""
        times = [time.perf_counter()]
        with torch.no_grad():
            filtered = high_pass(images).repeat(2, 1, 1, 1)
            views = filtered.mul_(grid_keep_mask(len(filtered), arguments.size)).contiguous(memory_format=layout)
        times.append(time.perf_counter())
        embeddings = model(views)
        times.append(time.perf_counter())
        loss = nt_xent(embeddings, temperature=0.2)
        times.append(time.perf_counter())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        times.append(time.perf_counter())
        optimiser.step()
        times.append(time.perf_counter())
        return times, loss.item()

    for _ in range(arguments.warmup):
        step()
    runs = [step() for _ in range(arguments.steps)]

    durations = [[after - before for before, after in zip(times, times[1:])] for times, _ in runs]
    step_seconds = [sum(phases) for phases in durations]
    print(json.dumps({
        "framework": f"torch {torch.__version__}, torchvision {torchvision.__version__}",
        "threads": torch.get_num_threads(),
        "channels_last": arguments.channels_last,
        "keep_freed_memory": arguments.keep_freed_memory,
        "optimiser": f"AdamW {variant}",
        "batch_size": arguments.batch_size,
        "size": arguments.size,
        "steps": arguments.steps,
        "images_per_second": round(arguments.batch_size / statistics.median(step_seconds), 2),
        "step_seconds": [round(seconds, 4) for seconds in step_seconds],
        "seconds": {phase: round(statistics.mean(column), 4) for phase, column in zip(PHASES, zip(*durations))},
        "loss": round(runs[-1][1], 4),
    }))


if __name__ == "__main__":
    main()
