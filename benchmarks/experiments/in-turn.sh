#!/usr/bin/env bash
# Two builds of siam in turn, A B A B: processor seconds of training, embedding and judging, their ratios and the spread.
#   in-turn.sh FOLDER_OF_A FOLDER_OF_B [ROUNDS]       each folder holds a built `siam`
set -euo pipefail
a=$1 b=$2 rounds=${3:-5}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

seconds() { # NAME COMMAND...: user and system time of the command
  local name=$1; shift
  /usr/bin/time -f "$name %U %S" -a -o "$out/times" "$@" >/dev/null 2>"$out/log" || { cat "$out/log" >&2; exit 1; }
}

for ((i = 0; i < rounds; i++)); do
  for build in a b; do
    siam=${!build}/siam run=$out/run-$build-$i images=fashion-mnist:sample
    seconds "train $build" "$siam" pretrain --data "$images#..3000" --recipe simclr --set training.epochs=3 --set training.threads=1 --out "$run"
    seconds "embed $build" "$siam" embed --run "$run" --data "$images" --out "$run.npy"
    seconds "judge $build" "$siam" evaluate all --run "$run" --train "$images#..3000" --test "$images#8000..10000" --set training.threads=1
  done
done

python3 - "$out/times" <<'PY'
import statistics, sys
found = {}
for line in open(sys.argv[1]):
    name, build, user, system = line.split()
    found.setdefault(name, {}).setdefault(build, []).append(float(user) + float(system))
for name, times in found.items():
    ratios = [b / a for a, b in zip(times['a'], times['b'])]
    print(f"{name}: A {statistics.median(times['a']):.1f} s, B {statistics.median(times['b']):.1f} s, "
          f"B / A {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}, {len(ratios)} pairs)")
PY
