#!/usr/bin/env bash
# Masks only on all 60,000 images: does the encoder beat raw pixels in k-NN?   fashion-mnist.sh OUT SEED...
# Results are written as they come; a run that was stopped goes on.
set -eu
out=$1; shift
siam=${SIAM:-"dotnet run -c Release --project $(dirname "$0")/../../src/SiamSharp.Cli --"}
for seed in "$@"; do
  run=$out/fashion-mnist-$seed
  [ -s "$run/encoder.safetensors" ] || /usr/bin/time -f "%e s" -o "$run.time" $siam pretrain --data fashion-mnist:train --recipe fashion-mnist \
    --set training.seed="$seed" ${SIAM_SET:-} --out "$run" $([ -s "$run/recipe.json" ] && echo --resume)
  for protocol in knn linear; do
    $siam evaluate $protocol --run "$run" --train fashion-mnist:train --test fashion-mnist:test --json > "$run/$protocol.json"
  done
done
