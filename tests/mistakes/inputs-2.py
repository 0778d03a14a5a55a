import sys, os, random, struct, gzip, shutil, json, zipfile, numpy as np
from PIL import Image

random.seed(3)
np.random.seed(3)
R = sys.argv[1]
shutil.rmtree(R, ignore_errors=True)
os.makedirs(R)


def rnd(size=32, base=None):
    if isinstance(size, int):
        size = (size, size)
    a = np.random.randint(0, 255, (size[1], size[0], 3)).astype(float)
    if base is not None:
        a = a * 0.4 + np.array(base) * 0.6
    return a.astype(np.uint8)


def mk(d, n, mode='RGB', size=32, ext='png', base=None, start=0, **k):
    os.makedirs(d, exist_ok=True)
    for i in range(start, start + n):
        Image.fromarray(rnd(size, base)).convert(mode).save(f'{d}/{i:03}.{ext}', **k)


cols = {'cat': (255, 0, 0), 'dog': (0, 255, 0), 'owl': (0, 0, 255)}
for c, b in cols.items():
    mk(f'{R}/lab/{c}', 20, base=b)
for c, b in cols.items():
    mk(f'{R}/Lab2/{c.upper()}', 20, base=b)
for c, b in zip(('01', '1', '02'), cols.values()):
    mk(f'{R}/zeros/{c}', 20, base=b)
mk(f'{R}/flat', 60)
for i, c in enumerate(cols):
    mk(f'{R}/grey/{c}', 20, mode='L', base=(60 * i,) * 3)
# multi: animated gif, multipage tiff
os.makedirs(f'{R}/multi')
for i in range(40):
    fr = [Image.fromarray(rnd()) for _ in range(3 if i % 2 else 5)]
    if i % 2:
        fr[0].save(f'{R}/multi/{i}.gif', save_all=True, append_images=fr[1:])
    else:
        fr[0].save(f'{R}/multi/{i}.tif', save_all=True, append_images=fr[1:])
# 12 bit in 16
os.makedirs(f'{R}/bits12')
for i in range(40):
    Image.fromarray(np.random.randint(0, 4096, (32, 32)).astype(np.uint16)).save(f'{R}/bits12/{i:03}.png')
# 16-bit & 8-bit same source mixed
mk(f'{R}/mixbits', 20, mode='L')
for i in range(20):
    Image.fromarray(np.random.randint(0, 65536, (32, 32)).astype(np.uint16)).save(f'{R}/mixbits/s{i:03}.png')
# html
mk(f'{R}/html', 38)
for i in range(6):
    open(f'{R}/html/z{i}.jpg', 'w').write('<!DOCTYPE html><html><head><title>404 Not Found</title></head></html>')
open(f'{R}/html/y0.jpg', 'w').write('version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 12345\n' % 1)
open(f'{R}/html/y1.png', 'w').write('')
open(f'{R}/html/y2.png', 'wb').write(b'\0' * 3000)
open(f'{R}/html/y3.png', 'w').write('%PDF-1.4 ' + 'x' * 500)
open(f'{R}/html/y4.jpg', 'wb').write(b'\0\0\0\x18ftypheic' + b'\0' * 300)
# renamed
mk(f'{R}/renamed', 20)
for i in range(20):
    Image.fromarray(rnd()).save(f'{R}/renamed/j{i}.tmp', 'JPEG')
    os.rename(f'{R}/renamed/j{i}.tmp', f'{R}/renamed/j{i}.png')
# no extension, odd ext
os.makedirs(f'{R}/noext')
for i in range(40):
    Image.fromarray(rnd()).save(f'{R}/noext/img{i}', 'PNG')
# mac junk
mk(f'{R}/mac', 40)
for i in range(20):
    open(f'{R}/mac/._{i:03}.png', 'wb').write(b'\0\x05\x16\x07' + b'\0' * 120)
open(f'{R}/mac/.DS_Store', 'w').write('x')
open(f'{R}/mac/Thumbs.db', 'w').write('x')
os.makedirs(f'{R}/mac/__MACOSX')
open(f'{R}/mac/__MACOSX/._a.jpg', 'wb').write(b'\0\x05\x16\x07' + b'\0' * 120)
# links
mk(f'{R}/links', 40)
os.symlink('/nowhere/x.png', f'{R}/links/dangling.png')
os.symlink('.', f'{R}/links/loop')
os.symlink('self.png', f'{R}/links/self.png')
os.symlink('000.png', f'{R}/links/alias.png')
os.symlink('../flat', f'{R}/links/flatlink')
# exif
os.makedirs(f'{R}/exif')
for i in range(40):
    im = Image.fromarray(rnd((48, 32)))
    ex = im.getexif()
    ex[0x112] = 6
    im.save(f'{R}/exif/{i}.jpg', exif=ex)
# thin
mk(f'{R}/thin', 35, size=(3000, 1))
mk(f'{R}/thin', 5, size=(1, 1), start=50)
# pano
mk(f'{R}/pano', 40, size=(400, 20))
# black
os.makedirs(f'{R}/black')
for i in range(40):
    Image.new('RGB', (32, 32)).save(f'{R}/black/{i}.png')
# palette with alpha, LA, RGBA, CMYK, 1-bit
os.makedirs(f'{R}/modes')
ms = ['P', 'LA', 'RGBA', '1', 'L', 'RGB']
for i in range(42):
    Image.fromarray(rnd()).convert('RGBA' if ms[i % 6] == 'LA' else 'RGB').convert(ms[i % 6]).save(f'{R}/modes/{i}.png')
for i in range(4):
    Image.fromarray(rnd()).convert('CMYK').save(f'{R}/modes/c{i}.jpg')
# invisible: RGBA alpha 0 all
os.makedirs(f'{R}/invis')
for i in range(40):
    a = np.dstack([rnd(), np.zeros((32, 32), np.uint8)])
    Image.fromarray(a, 'RGBA').save(f'{R}/invis/{i}.png')
# names
N = [
    '-rf.png',
    'a b.png',
    "it's.png",
    'say "hi".png',
    'new\nline.png',
    'สยาม.png',
    '🦉.png',
    '50%.png',
    'a#b.png',
    'x@y.png',
    '=cmd().png',
    'con.png',
    'trail .png',
    'ÅÄÖ.png',
    'A\u030aA.png',
    'back\\slash.png',
]
os.makedirs(f'{R}/names/owl, "big"')
os.makedirs(f'{R}/names/=1+1')
for i, n in enumerate(N * 1):
    Image.fromarray(rnd(base=(255, 0, 0))).save(f'{R}/names/owl, "big"/{n}')
    Image.fromarray(rnd(base=(0, 255, 0))).save(f'{R}/names/=1+1/{n}')
mk(f'{R}/C# pics', 40)
mk(f'{R}/me@home', 40)
mk(f'{R}/-imgs', 40)
mk(f'{R}/Bilder 🦉 ü', 40)
mk(f'{R}/fashion-mnist', 40)


# csvs
def w(n, s, enc='utf-8', nl='\r\n'):
    open(f'{R}/{n}', 'wb').write(s.replace('\n', nl).encode(enc))


L = [(f'lab/{c}/{i:03}.png', c) for c in cols for i in range(20)]
rows = 'path,label\n' + ''.join(f'{p},{c}\n' for p, c in L)
w('utf16.csv', rows, 'utf-16')
w('bom.csv', '\ufeff' + 'path,label\n' + ''.join(f'"{p}","00{1+list(cols).index(c)}"\n' for p, c in L))
w('back.csv', rows.replace('lab/', 'lab\\').replace('/0', '\\0'))
shutil.copytree(f'{R}/lab/cat', f'{R}/lab-é')
w(
    'cp1252.csv',
    'path,label\n'
    + ''.join(f'lab-é/{i:03}.png,Käfer\n' for i in range(20))
    + ''.join(f'lab/dog/{i:03}.png,Hund\n' for i in range(20)),
    'cp1252',
)
w('tab.csv', rows.replace(',', '\t'))
w('sep.csv', 'sep=,\n' + rows)
w('hf.csv', rows.replace('path,label', 'file_name,text'))
w('header.csv', rows.replace('path,label', 'Path,Label'))
w('trailrows.csv', 'path,label,,\n' + ''.join(f'{p},{c},,\n' for p, c in L) + ',,,\n' * 50)
w('space.csv', 'path, label\n' + ''.join(f'{p}, {c}{" " if i%2 else ""}\n' for i, (p, c) in enumerate(L)))
w('case.csv', 'path,label\n' + ''.join(f'{p},{c if i%2 else c.capitalize()}\n' for i, (p, c) in enumerate(L)))
w('partial.csv', 'path,label\n' + ''.join(f'{p},{c if i%3 else ""}\n' for i, (p, c) in enumerate(L)))
w('num.csv', 'path,label\n' + ''.join(f'{p},{1+list(cols).index(c)}.0\n' for p, c in L))
w('cont.csv', 'path,label\n' + ''.join(f'{p},{random.random():.4f}\n' for p, c in L))
w('win.csv', 'path,label\n' + ''.join(f'C:\\Users\\me\\{p},{c}\n' for p, c in L))
w('url.csv', 'path,label\n' + ''.join(f'https://example.com/{p},{c}\n' for p, c in L))
w('dup.csv', rows + rows.split('\n', 1)[1])
w('unnamed.csv', ',path,label\n' + ''.join(f'{i},{p},{c}\n' for i, (p, c) in enumerate(L)))
w('empty.csv', '')
w('headonly.csv', 'path,label\n')
w(
    'lablist.csv',
    'path,label\n'
    + ''.join(f'{c}/{i:03}.png,{c}\n' for c in cols for i in range(20) if i < 15)
    + 'cat/gone1.png,cat\ncat/gone2.png,cat\n',
)
w('names.txt', rows)
w('crlf.jsonl', '\ufeff' + ''.join(json.dumps({'file_name': p, 'label': c}) + '\n' for p, c in L))
w('numlab.jsonl', ''.join(json.dumps({'path': p, 'label': list(cols).index(c)}) + '\n' for p, c in L))
w('coco.json', json.dumps({'images': [{'id': 1, 'file_name': 'a.jpg'}], 'annotations': []}))


# npy
def npy(n, a):
    np.save(f'{R}/{n}.npy', a)


x = np.random.randint(0, 255, (64, 28, 28)).astype(np.uint8)
npy('fort', np.asfortranarray(x))
npy('big', x.astype('>u2'))
npy('f255', x.astype(np.float32))
npy('fneg', (x.astype(np.float32) / 255 - 0.5) * 2)
npy('bool', x > 128)
npy('i8', (x.astype(int) - 128).astype(np.int8))
npy('zeros', np.zeros((64, 28, 28), np.uint8))
npy('n0', np.zeros((0, 28, 28), np.uint8))
npy('f16', x.astype(np.float16))
npy('rect', x[:, :20, :])
b = open(f'{R}/fort.npy', 'rb').read()
npy('cut', x)
b = open(f'{R}/cut.npy', 'rb').read()
open(f'{R}/cut.npy', 'wb').write(b[:20000])
np.save(f'{R}/u8.npy', x)
open(f'{R}/t-images-idx3-ubyte', 'wb').write(struct.pack('>IIII', 2051, 64, 28, 28) + x.tobytes())
open(f'{R}/t-labels-idx1-ubyte', 'wb').write(struct.pack('>II', 2049, 50) + bytes([i % 5 for i in range(50)]))
z = gzip.compress(struct.pack('>IIII', 2051, 64, 28, 28) + x.tobytes())
open(f'{R}/g-images-idx3-ubyte.gz', 'wb').write(z[: len(z) // 2])
with zipfile.ZipFile(f'{R}/pics.zip', 'w') as zf:
    for i in range(5):
        zf.write(f'{R}/flat/{i:03}.png')


# huge dims
def png(w, h):
    import zlib

    ch = lambda t, d: struct.pack('>I', len(d)) + t + d + struct.pack('>I', zlib.crc32(t + d))
    return (
        b'\x89PNG\r\n\x1a\n'
        + ch(b'IHDR', struct.pack('>IIBBBBB', w, h, 8, 2, 0, 0, 0))
        + ch(b'IDAT', zlib.compress(b'\0' * 100))
        + ch(b'IEND', b'')
    )


mk(f'{R}/hugemix', 38)
open(f'{R}/hugemix/bomb.png', 'wb').write(png(60000, 60000))
open(f'{R}/hugemix/bomb2.png', 'wb').write(png(2**31 - 1, 2**31 - 1))


# recipes
def r(n, s, enc='utf-8'):
    open(f'{R}/r-{n}.json', 'wb').write(s.encode(enc))


r('str', '{"training":{"epochs":"1"}}')
r('flat', '{"epochs":1,"lr":0.1}')
r('wrongnest', '{"training":{"optimizer":{"learningRate":0.1}}}')
r('other', '{"method":{"name":"byol","temperature":0.1}}')
r('mstr', '{"method":"byol"}')
r('null', '{"training":null}')
r('nullv', '{"training":{"epochs":null}}')
r('after', '{"training":{"epochs":1}}}')
r('single', "{'training':{'epochs':1}}")
r('nan', '{"optimizer":{"learningRate":NaN}}')
r('bom16', '{"training":{"epochs":1}}', 'utf-16')
r('float', '{"training":{"epochs":1.0}}')
r('big', '{"training":{"seed":99999999999}}')
r('branchobj', '{"views":{"branches":{"count":2}}}')
r('true', '{"evaluation":{"baselines":"yes"}}')
r('empty', '')
r('snake', '{"training":{"batch_size":32}}')
r('name', '{"name":"mine","training":{"epochs":1}}')
r('branches3', '{"views":{"branches":[{"count":1}]}}')
base = {
    "pretrain": "fashion-mnist:sample#..128",
    "train": "fashion-mnist:sample#..128",
    "test": "fashion-mnist:sample#128..228",
    "protocols": ["knn"],
    "seeds": [1],
    "threads": 1,
    "recipe": {
        "method": {"name": "simclr", "projectorHidden": 32},
        "backbone": {"width": 8, "depths": [1, 1], "stem": "half"},
        "training": {"epochs": 1, "batchSize": 32},
        "evaluation": {"k": 5},
    },
    "rows": [{"name": "a"}, {"name": "b", "set": ["views.preset=naive-mask"]}],
}


def s(n, **k):
    d = dict(base)
    d.update(k)
    d = {a: b for a, b in d.items() if b != 'DEL'}
    open(f'{R}/s-{n}.json', 'w').write(json.dumps(d))


s('ok')
s('dupname', rows=[{"name": "a"}, {"name": "a", "set": ["views.preset=crop"]}])
s('proto', protocols=["kNN"])
s('seeds', seeds=3)
s('dupseed', seeds=[1, 1])
s('notest', test='DEL')
s('overlap', test="fashion-mnist:sample#100..200")
s('same', rows=[{"name": "a"}, {"name": "b"}])
s('fromself', rows=[{"name": "a", "from": "a"}])
s('fromlate', rows=[{"name": "a", "from": "b"}, {"name": "b"}])
s('settypo', rows=[{"name": "a", "set": ["training.epoch=1"]}])
s('setstr', rows=[{"name": "a", "set": "training.epochs=1"}])
s('valueless', rows=[{"name": "a", "vary": "training.epochs", "values": []}])
s('unlab', pretrain=f"{R}/flat", train=f"{R}/flat", test=f"{R}/flat")
s('onegood', rows=[{"name": "a"}, {"name": "bad", "set": ["training.batchSize=512"]}])
s('k', recipe=dict(base['recipe'], evaluation={"k": 500}))
s('emptyname', rows=[{"name": ""}])
s('changed', rows=[{"name": "a", "set": ["training.epochs=2"]}, {"name": "b", "set": ["views.preset=naive-mask"]}])
s('slash', rows=[{"name": "../../evil"}])
s('long', rows=[{"name": "x" * 300}])
s('rel', pretrain="flat", train="lab", test="lab")
open(f'{R}/s-empty.json', 'w').write('')
open(f'{R}/s-table.csv', 'w').write('a,b\n')
# bad weights
open(f'{R}/model.onnx', 'wb').write(b'\x08\x07\x12\x07pytorch' + b'\0' * 500)
open(f'{R}/page.pth', 'w').write('<html>Access denied</html>')
