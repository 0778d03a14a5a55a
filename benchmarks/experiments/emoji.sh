#!/usr/bin/env bash
# Emoji as colour images, each symbol drawn by Google, Twitter and Apple:   emoji.sh OUT
#   OUT/images/HOUSE/*.png                 5,632 images of 64 px to pretrain on: no skin tones, no image twice
#   OUT/LABEL-train.csv, LABEL-test.csv    Google's and Twitter's; Apple's, so that a classifier is judged on a style it was not shown
#   OUT/LABEL-fit.csv, -validation.csv     LABEL-train.csv in two, to choose with: one symbol of five is judged, with its other genders
# LABEL is category (9 classes) or subcategory (98); with train and test also symbol (one class each).
# The images are transparent around what is drawn. By default the toolkit shows an image's mean colour there, and 139 images of one
# colour vanish: give --set data.alpha=white. Some files are stored in grey: --set data.channels=3.
# Licences, as the packages state them: the data MIT; Google's images (Noto Emoji) Apache 2.0; Twitter's (Twemoji) CC BY 4.0; Apple's,
# copyright Apple Inc., "not licensed for commercial usage". No image belongs in this repository.
set -eu
out=$1 version=16.0.0
[ -d "$out/images" ] && exit
mkdir -p "$out"
part=$(mktemp -d "$out/.part.XXXXXX")
trap 'rm -rf "$part"' EXIT

for house in google twitter apple; do
  archive=$(cd "$part" && npm pack --silent "emoji-datasource-$house@$version")
  tar -xzf "$part/$archive" -C "$part" --strip-components=1 package/emoji.json "package/img/$house/64"
done

node - "$part" "$out" << 'END'
const fs = require('fs'), [part, out] = process.argv.slice(2);
const symbols = JSON.parse(fs.readFileSync(`${part}/emoji.json`, 'utf8'))
  .filter(s => s.category !== 'Component').sort((a, b) => a.sort_order - b.sort_order)
  .map(s => ({ ...s, symbol: s.short_name }));

// What each house has; many flags and families are drawn once for several symbols, of which the first is taken.
const drawn = {}, seen = new Set();
for (const house of ['google', 'twitter', 'apple']) {
  fs.mkdirSync(`${part}/images/${house}`, { recursive: true });
  drawn[house] = symbols.filter(s => {
    if (!s[`has_img_${house}`]) return false;
    const file = `${part}/img/${house}/64/${s.image}`, bytes = fs.readFileSync(file, 'latin1');
    if (seen.has(bytes)) return false;
    seen.add(bytes);
    fs.renameSync(file, `${part}/images/${house}/${s.image}`);
    return true;
  });
}

// Man, woman and person, or boy, girl and child, in one picture are kin and stay together.
const kin = s => s.unified.replace(/-FE0F|-200D-264[02]/g, '').replace(/1F46[89]/g, '1F9D1').replace(/1F46[67]/g, '1F9D2');
const judged = new Set();
for (const subcategory of new Set(symbols.map(s => s.subcategory)))
  [...new Set(symbols.filter(s => s.subcategory === subcategory).map(kin))].forEach((k, i) => { if (i % 5 === 2) judged.add(k); });

const write = (list, label, houses, takes = () => true) => fs.writeFileSync(`${out}/${label}-${list}.csv`, 'path,label\n'
  + houses.flatMap(h => drawn[h].filter(takes).map(s => `images/${h}/${s.image},${s[label]}\n`)).join(''));
for (const label of ['category', 'subcategory', 'symbol']) {
  write('train', label, ['google', 'twitter']);
  write('test', label, ['apple']);
  if (label === 'symbol') continue;
  write('fit', label, ['google', 'twitter'], s => !judged.has(kin(s)));
  write('validation', label, ['google', 'twitter'], s => judged.has(kin(s)));
}
END
mv "$part/images" "$out/images" # last: where it is, all is done
