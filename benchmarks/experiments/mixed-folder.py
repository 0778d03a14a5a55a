#!/usr/bin/env python3
"""A folder of 600 pictures as people have them:   mixed-folder.py OUT

Debian's tuxpaint-stamps-default (drawings and photographs with an alpha channel), one sub-folder for each kind of thing. By turns a picture is
kept as it is (PNG with transparency), or becomes a colour JPEG, a grey PNG, a grey JPEG, a GIF, a colour TIFF, a WebP or a 16-bit grey PNG.
Twelve of the 600 are broken: cut, empty, a text, a TIFF whose pixels are missing. Needs python3-pil and tuxpaint-stamps-default.
"""
import sys
from pathlib import Path

import numpy
from PIL import Image

STAMPS = Path("/usr/share/tuxpaint/stamps")
COUNT, SMALLEST_KIND = 600, 25  # kinds of fewer pictures are left out


def on_white(image):
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image)
    return ground.convert("RGB")


def grey16(image):
    return Image.fromarray(numpy.asarray(on_white(image).convert("L")).astype("uint16") * 257)


FORMS = [
    (".png", lambda image: image, {}),
    (".png", lambda image: image, {}),
    (".jpg", on_white, {"quality": 90}),
    (".png", lambda image: on_white(image).convert("L"), {}),
    (".jpg", lambda image: on_white(image).convert("L"), {"quality": 90}),
    (".gif", lambda image: on_white(image).convert("P"), {}),
    (".tif", on_white, {"compression": "tiff_deflate"}),
    (".webp", on_white, {"quality": 90}),
    (".png", grey16, {}),
]


def break_file(path, turn):
    data = path.read_bytes()
    kind = turn % 4
    if kind == 0:
        path.write_bytes(data[: len(data) // 2])
    elif kind == 1:
        path.write_bytes(b"")
    elif kind == 2:
        path.write_bytes(b"This was a picture once.\n")
    else:
        path.with_suffix(".tif").write_bytes(bytes.fromhex(
            "49492a0008000000" "0500" "000104000100000040000000" "010104000100000040000000"
            "020103000100000008000000" "060103000100000001000000" "150103000100000001000000" "00000000"))
        path.unlink()


out = Path(sys.argv[1])
if out.exists():
    sys.exit(f"{out} exists already; give a folder that does not.")
kinds = {}
for path in sorted(STAMPS.rglob("*.png")):
    kinds.setdefault(path.relative_to(STAMPS).parts[0], []).append(path)
kinds = {kind: paths for kind, paths in kinds.items() if len(paths) >= SMALLEST_KIND}
pictures = [(kind, path) for kind, paths in kinds.items() for path in paths]
pictures = [pictures[i * len(pictures) // COUNT] for i in range(COUNT)]
for i, (kind, path) in enumerate(pictures):
    ending, form, options = FORMS[i % len(FORMS)]
    target = out / kind / f"{i:03}-{path.stem}{ending}"
    target.parent.mkdir(parents=True, exist_ok=True)
    form(Image.open(path).convert("RGBA")).save(target, **options)
    if i % 50 == 24:
        break_file(target, i // 50)
print(f"{sum(1 for p in out.rglob('*') if p.is_file())} files in {len(kinds)} sub-folders: {out}")
