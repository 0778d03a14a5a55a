#!/usr/bin/env bash
# Every framework with naive masks and with masks after the high-pass (docs/METHODS.md):   methods.sh OUT SEED...
# Pretrained on the first 10,000 training images of Fashion-MNIST by the framework's recipe, with grids of quadrants; judged on the test
# split with the labels of those 10,000. Pixels and the untrained encoders are judged with the runs of SimCLR.
# METHODS="byol swav" takes some only. One line a run is appended to OUT/results.jsonl; runs that are there already are passed over,
# and a run that was stopped goes on. methods-table.py OUT/results.jsonl prints the table.
set -eu
out=$1; shift
siam=${SIAM:-"dotnet run -c Release --project $(dirname "$0")/../../src/SiamSharp.Cli --"}
. "$(dirname "$0")/part.sh"
part "$out" first-10000 0 10000
train=$out/first-10000-images-idx3-ubyte
test=$source/t10k-images-idx3-ubyte.gz # with classes 0 to 9, as the part has
mask=views.branches.0.masks.0

for seed in "$@"; do
  for method in ${METHODS:-simclr moco-v2 moco-v3 byol simsiam swav barlow-twins vicreg dino msn pirl siamese-pairs}; do
    for preset in naive-mask mscn; do
      name=$method-$preset-$seed run=$out/$method-$preset-$seed
      grep -qs "\"name\":\"$name\"" "$out/results.jsonl" && continue
      [ -s "$run/encoder.safetensors" ] || $siam pretrain --data "$train" --out "$run" --recipe "$method" --set views.preset=$preset \
        --set $mask.cell=14 --set $mask.minRatio=0.25 --set $mask.maxRatio=0.75 --set training.seed="$seed" ${SIAM_SET:-} \
        $([ -s "$run/recipe.json" ] && echo --resume) > "$run.log" 2>&1 < /dev/null
      $siam evaluate all --run "$run" --train "$train" --test "$test" --set evaluation.shots=[10] \
        --set evaluation.baselines=$([ "$method" = simclr ] && echo true || echo false) --json < /dev/null > "$run.scores.json"
      printf '{"name":"%s","method":"%s","preset":"%s","seed":%s,"last":%s,"scores":%s}\n' "$name" "$method" "$preset" "$seed" \
        "$(tail -1 "$run/metrics.jsonl")" "$(tr -d '\n' < "$run/evaluation.json")" >> "$out/results.jsonl"
    done
  done
done
