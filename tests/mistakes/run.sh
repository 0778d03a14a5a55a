#!/bin/bash
# Makes mistakes of a user, one after the other, and writes what `siam` answers to OUT/answers/*.txt (README.md beside this file).
#   bash tests/mistakes/run.sh OUT                      every case, about half an hour
#   bash tests/mistakes/run.sh OUT 1-8 2-O5             these
#   bash tests/mistakes/run.sh OUT --draw 100 --seed 7  a hundred drawn at random
# The command is SIAM=FILE, or that of `dotnet build -c Release src/SiamSharp.Cli`. Exit code 1: a crash among the answers.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
export REPOSITORY=$(cd "$HERE/../.." && pwd)
export SIAM=${SIAM:-$REPOSITORY/src/SiamSharp.Cli/bin/Release/net10.0/linux-x64/siam}
export F=fashion-mnist:sample
export FT="--train $F#200..300 --test $F#300..360 --set evaluation.k=5"
export Q="--set training.epochs=1 --set backbone.width=8 --set backbone.depths=[1] --set training.threads=2"
# The head of a small study, for cases that add rows to it.
export B='"pretrain":"fashion-mnist:sample#..128","test":"fashion-mnist:sample#128..228","protocols":["knn"],"seeds":[1],"threads":1,"recipe":{"method":{"name":"simclr","projectorHidden":32},"backbone":{"width":16,"depths":[1,1],"stem":"half"},"training":{"epochs":1,"batchSize":32},"evaluation":{"k":5}}'
[ $# -ge 1 ] || { echo 'usage: run.sh OUT [ID... | --draw N --seed S]' >&2; exit 2; }
[ -x "$SIAM" ] || { echo "there is no $SIAM: dotnet build -c Release src/SiamSharp.Cli, or SIAM=FILE" >&2; exit 2; }
mkdir -p "$1/answers"; OUT=$(cd "$1" && pwd); shift

siam() { timeout 100 "$SIAM" "$@"; }
# The same without the rights of root.
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups timeout 100 "$SIAM" "$@"; }
# A copy of the run `base`, or of $2, to be damaged.
cpy() { rm -rf "w/$1"; cp -r "${2:-base}" "w/$1"; }
# A run of seconds with the options of the case's world.
pre() { siam pretrain $T "$@"; }

world() { # N: its folder and its options
  WORLD=$OUT/world-$1; export WORLD
  local one="--set training.threads=1 --set training.epochs=1 --set training.batchSize=32"
  case $1 in
    1) T="--recipe quickstart $one --set backbone.width=8";;
    2) T="--recipe quickstart $one --set backbone.width=8 --set backbone.depths=[1,1]";;
    3) T="--recipe simclr $one --set backbone.width=16 --set backbone.depths=[1,1]";;
    4) T="--recipe simclr --set training.threads=1 --set training.epochs=1 --set training.batchSize=8 --set backbone.width=16 --set backbone.depths=[1,1]";;
  esac
  TT=$T; export T TT
}

build() { # N: the images, lists, runs and indexes that the cases of a world use
  world "$1"; [ -e "$WORLD/ready" ] && return
  rm -rf "$WORLD"; mkdir -p "$WORLD/in" "$WORLD/w"; cd "$WORLD" || exit 2
  echo "building world $1 ..." >&2
  /usr/bin/python3 "$HERE/inputs-$1.py" "$WORLD/in" >&2 || exit 2
  {
    set -e
    local n=128; [[ $1 = [14] ]] && n=64
    pre --data $F#..$n --out base
    pre --data $F#..$n --set training.seed=9 --out other
    local size=; [ "$1" = 4 ] && size="--set data.size=24"
    if [ "$1" != 1 ]; then
      pre --data in/lab $size --out rgb
      siam embed --run rgb --data in/lab --out rgb.parquet
      siam classify fit --run rgb --data in/lab --out rgbclf.safetensors
    fi
    local m=100; [ "$1" = 1 ] && m=200; [ "$1" = 4 ] && m=60
    siam embed --run base --data $F#..$m --out idx.parquet
    siam embed --run base --data $F#..$m --out idx.npy
    siam classify fit --run base --data $F#..200 --out clf.safetensors
    case $1 in
      1) siam evaluate knn --run base --train $F#100..200 --test $F#200..260 --set evaluation.k=5;;
      2) siam study in/s-ok.json --out w/st --jobs 1;;
      3) echo "{$B,\"rows\":[{\"name\":\"a\"}]}" > w/s7.json; siam study w/s7.json --out w/stq;;
      4) siam study in/studies/s.json --out st;;
    esac
    set +e
  } > "$OUT/world-$1.log" 2>&1 || { tail -n 5 "$OUT/world-$1.log" >&2; exit 2; }
  chmod 755 "$OUT" "$WORLD" "$WORLD/w"; touch "$WORLD/ready"
}

# One case: its command runs in the world's folder, and its answer goes to a file.
t() { # ID COMMAND
  local id=$N-$1
  [[ -n $LIST ]] && { printf '%s\n' "$id"; return; }
  [[ -n $ONLY && " $ONLY " != *" $id "* ]] && return
  cd "$WORLD" || exit 2
  rm -rf w/r w/r1 w/r2
  ( eval "$2" ) > "$OUT/answers/.$id" 2>&1 < /dev/null
  local rc=$?
  { printf '### %s  exit code %s\n$ %s\n\n' "$id" $rc "$2"
    tr '\r' '\n' < "$OUT/answers/.$id" | grep -av '^step [0-9]\|^judging\|^mean and dev' | tail -n 45 | cut -c1-1800 | sed 's/\x1b/^[/g'
  } > "$OUT/answers/$id.txt"
  rm -f "$OUT/answers/.$id"
  if grep -aqE 'Unhandled exception|^   at |error in SiamSharp itself' "$OUT/answers/$id.txt" || grep -aqE '^(Segmentation fault|Aborted|Illegal instruction|Killed)' "$OUT/answers/$id.txt"; then
    CRASHES=$((CRASHES + 1)); echo "CRASH: $id, see $OUT/answers/$id.txt"
  fi
  DONE=$((DONE + 1)); printf '\r%d cases' $DONE >&2
}

LIST=; ONLY="$*"; CRASHES=0; DONE=0
if [[ ${1:-} = --draw ]]; then
  LIST=yes; seed=${4:-1}
  ONLY=$(for N in 1 2 3 4; do . "$HERE/cases-$N.sh"; done |
    /usr/bin/python3 -c "import random, sys; print(*random.Random($seed).sample(sys.stdin.read().split(), $2))")
  LIST=
fi
for N in 1 2 3 4; do
  [[ -n $ONLY && " $ONLY" != *" $N-"* ]] && continue
  build $N; . "$HERE/cases-$N.sh"
done
echo; echo "$DONE cases, $CRASHES crashes; answers in $OUT/answers"
[ $CRASHES = 0 ]
