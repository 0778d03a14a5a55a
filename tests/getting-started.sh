#!/usr/bin/env bash
# Follows docs/GETTING-STARTED.md by copy and paste only: every command and the program as the page has them, in a fresh clone, but for the two lines that
# name the user's folders.
#   tests/getting-started.sh [IMAGES LABELLED]     without folders: Google's emoji, 12 of each of 3 categories labelled (fetched with npm)
# PAGE_EPOCHS=2 shortens the training.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 NUGET_PACKAGES=${NUGET_PACKAGES:-$HOME/.nuget/packages} HOME=$work

if [ $# = 2 ]; then
  images=$(realpath "$1") labelled=$(realpath "$2")
else
  images=$work/emoji/images/google labelled=$work/labelled
  "$root/benchmarks/experiments/emoji.sh" "$work/emoji"
  for category in "Animals & Nature" "Food & Drink" "Flags"; do
    mkdir -p "$labelled/$category"
    # Every ninth of them, so that they are not all of one kind.
    { grep "/google/.*,$category" "$work/emoji/category-train.csv" | sed -n '0~9p' | head -12 || true; } | cut -d, -f1 | while read -r file; do
      cp "$work/emoji/$file" "$labelled/$category/${file//\//-}"
    done
  done
fi

git clone --quiet "$root" "$work/clone"
cd "$work/clone"
{
  echo 'set -eu'
  awk '/^```csharp/ { print "cat > Program.cs << \"END OF PROGRAM\""; program = 1; next }
       /^```/       { print "END OF PROGRAM"; program = 0; next }
       program      { print; next }
       /^    /      { print "" substr($0, 5) }' docs/GETTING-STARTED.md |
    sed -e "s|^IMAGES=.*|IMAGES='$images'|" -e "s|^LABELLED=.*|LABELLED='$labelled'|" ${PAGE_EPOCHS:+-e "s|training.epochs=[0-9]*|training.epochs=$PAGE_EPOCHS|"}
} > "$work/page.sh"
bash -x "$work/page.sh" < /dev/null | tee "$work/said"

# The same answers as the toolkit's own, but for images between two classes: ML.NET resizes in another way.
cd "$work/clone"
dotnet run -c Release --project src/SiamSharp.Cli -- classify predict --model classifier.safetensors --data "$labelled" --out "$work/own.csv"
same=0 all=0
while IFS=, read -r path class _; do
  [ "$path" = path ] && continue
  all=$((all + 1))
  if grep -qF "$path: $class " "$work/said"; then same=$((same + 1)); fi
done < "$work/own.csv"
echo "$same of $all answers of ML.NET are those of siam classify predict."
[ "$all" -gt 0 ] && [ $((10 * same)) -ge $((9 * all)) ] || { echo "The page's program answers otherwise than the toolkit." >&2; exit 1; }
echo "docs/GETTING-STARTED.md works as it stands."
