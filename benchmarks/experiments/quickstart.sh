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
    mask=views.branches.0.masks.0 # the recipe's grid in both, since another preset comes with its own
    $siam quickstart --set views.preset=$preset --set $mask.cell=14 --set $mask.minRatio=0.5 --set $mask.maxRatio=0.5 \
      --set training.seed="$seed" ${SIAM_SET:-} --out "$run"
  done
done
