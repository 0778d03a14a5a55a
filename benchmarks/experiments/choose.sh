#!/usr/bin/env bash
# Compares recipes on a validation part of Fashion-MNIST's training images; the test images are not touched.
#   choose.sh OUT PRETRAIN < trials          one trial a line: NAME, then options of `siam pretrain`
# The first PRETRAIN (at most 50,000) training images are pretrained on and are the neighbours; the last 10,000 of the 60,000 are
# judged. One line a trial is appended to OUT/results.jsonl; trials that are there already are passed over.
set -eu
out=$1; count=$2
siam=${SIAM:-"dotnet run -c Release --project $(dirname "$0")/../../src/SiamSharp.Cli --"}
. "$(dirname "$0")/part.sh"

part "$out" "first-$count" 0 "$count"
part "$out" validation 50000 10000
train=$out/first-$count-images-idx3-ubyte test=$out/validation-images-idx3-ubyte
while read -r name options; do
  [ -z "$name" ] && continue
  run=$out/$name
  grep -qs "\"name\":\"$name\"" "$out/results.jsonl" && continue
  [ -s "$run/encoder.safetensors" ] || $siam pretrain --data "$train" --out "$run" $options ${SIAM_SET:-} $([ -s "$run/recipe.json" ] && echo --resume) > "$run.log" 2>&1 < /dev/null
  $siam evaluate knn --run "$run" --train "$train" --test "$test" --json < /dev/null > "$run/knn.json"
  printf '{"name":"%s","options":"%s","loss":%s,"knn":%s}\n' "$name" "$options" "$(tail -1 "$run/metrics.jsonl")" "$(tr -d '\n' < "$run/knn.json")" >> "$out/results.jsonl"
done
