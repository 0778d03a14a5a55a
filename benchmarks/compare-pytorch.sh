#!/usr/bin/env bash
# Images per second of one SimCLR step, SiamSharp against PyTorch in turn, A B A B ...:   compare-pytorch.sh [ROUNDS [STEPS]]
# Needs a python3 (or PYTHON=...) with torch and torchvision; Debian: python3-torch python3-torchvision. Run it alone on the machine.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
rounds=${1:-3} steps=${2:-10} threads=$(nproc)
dotnet build -c Release "$here/SiamSharp.Benchmarks" >&2
ours() { dotnet "$here"/SiamSharp.Benchmarks/bin/Release/net10.0/*/SiamSharp.Benchmarks.dll step threads="$threads" steps="$steps"; }
theirs() { "${PYTHON:-python3}" "$here/pytorch/simclr_step.py" --threads "$threads" --steps "$steps" --warmup 1 --keep-freed-memory "$@"; }
speed() { tee -a /dev/fd/2 | sed -E 's/.*"images_per_second": ?([0-9.]+).*/\1/'; }
for round in $(seq "$rounds"); do
  a=$(ours | speed)
  b=$(theirs | speed)
  c=$(theirs --channels-last | speed)
  awk -v a="$a" -v b="$b" -v c="$c" -v r="$round" \
    'BEGIN { best = b > c ? b : c; printf "round %d: SiamSharp %.1f, PyTorch %.1f (channels_last %.1f) images/s, ratio to the faster %.2f\n", r, a, b, c, a / best }'
done
