#!/usr/bin/env bash
# The quickstart with masks after the high-pass and with naive masks, several seeds:   quickstart.sh OUT SEED...
# Results are written as they come; finished runs are left alone.
set -eu
out=$1; shift
siam=${SIAM:-"dotnet run -c Release --project $(dirname "$0")/../../src/SiamSharp.Cli --"}
for seed in "$@"; do
  for preset in mscn naive-mask; do
    run=$out/quickstart-$preset-$seed
    [ -s "$run/evaluation.json" ] && continue
    rm -rf "$run"
    fill=zero; [ $preset = naive-mask ] && fill=black
    $siam quickstart --set views.preset=$preset --set views.branches.0.masks.0.fill.kind=$fill --set training.seed="$seed" ${SIAM_SET:-} --out "$run"
  done
done
