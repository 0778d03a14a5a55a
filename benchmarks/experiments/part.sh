# Sourced by experiments: slices of Fashion-MNIST's training images as IDX files.
source=${FASHION_MNIST:-/usr/share/datasets/fashion-mnist}

part() { # OUT NAME FIRST COUNT: writes OUT/NAME-images-idx3-ubyte and its labels
  [ -s "$1/$2-labels-idx1-ubyte" ] && return
  be32() { printf "\\x$(printf '%08x' "$1" | sed 's/../&\\x/g; s/\\x$//')"; }
  mkdir -p "$1"
  { printf '\x00\x00\x08\x03'; be32 "$4"; be32 28; be32 28; zcat "$source/train-images-idx3-ubyte.gz" | tail -c +$((17 + $3 * 784)) | head -c $(($4 * 784)); } > "$1/$2-images-idx3-ubyte"
  { printf '\x00\x00\x08\x01'; be32 "$4"; zcat "$source/train-labels-idx1-ubyte.gz" | tail -c +$((9 + $3)) | head -c "$4"; } > "$1/$2-labels-idx1-ubyte.part"
  mv "$1/$2-labels-idx1-ubyte.part" "$1/$2-labels-idx1-ubyte"
}
