import sys, os, shutil, json, struct, gzip, unicodedata, zipfile, tarfile, zlib, numpy as np
from PIL import Image

np.random.seed(5)
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
mk(f'{R}/flat', 60)

mk(f'{R}/uni/K\u00e4fer', 15, base=(255, 0, 0))
mk(f'{R}/uni/Ka\u0308fer', 15, base=(255, 0, 0))
mk(f'{R}/uni/Hund', 30, base=(0, 255, 0))
for s, n in (('train', 15), ('val', 5), ('test', 5)):
    for c, b in cols.items():
        mk(f'{R}/split/{s}/{c}', n, base=b)
for c, b in cols.items():
    mk(f'{R}/wrap/dataset/{c}', 12, base=b)
for c, b in cols.items():
    mk(f'{R}/loose/{c}', 12, base=b)
mk(f'{R}/loose', 9)
os.makedirs(f'{R}/dcm')
for i in range(12):
    open(f'{R}/dcm/IM{i:04}.dcm', 'wb').write(b'\0' * 128 + b'DICM' + os.urandom(2000))
os.makedirs(f'{R}/svg')
for i in range(12):
    open(f'{R}/svg/i{i}.svg', 'w').write(
        '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"><circle cx="16" cy="16" r="%d"/></svg>' % (i + 2)
    )
os.makedirs(f'{R}/jp2')
for i in range(12):
    Image.fromarray(rnd()).save(f'{R}/jp2/{i}.jp2')
mk(f'{R}/crc', 30)
for i in range(30):
    p = f'{R}/crc/{i:03}.png'
    b = bytearray(open(p, 'rb').read())
    if i % 3 == 0:
        b[len(b) // 2] ^= 0xFF
        open(p, 'wb').write(b)
os.makedirs(f'{R}/tifnan')
os.makedirs(f'{R}/tifbig')
os.makedirs(f'{R}/tif32')
for i in range(30):
    a = np.random.rand(32, 32).astype(np.float32)
    if i % 2:
        a[3:9, 4:9] = np.nan
    Image.fromarray(a).save(f'{R}/tifnan/{i}.tif')
    Image.fromarray((np.random.rand(32, 32) * 3000 - 1000).astype(np.float32)).save(f'{R}/tifbig/{i}.tif')
    Image.fromarray(np.random.randint(0, 70000, (32, 32)).astype(np.int32)).save(f'{R}/tif32/{i}.tif')
for c, b in cols.items():
    mk(f'{R}/emptycls/{c}', 12, base=b)
os.makedirs(f'{R}/emptycls/fox')
open(f'{R}/emptycls/fox/readme.txt', 'w').write('todo')
os.makedirs(f'{R}/cifpy/cifar-10-batches-py')
for i in range(1, 6):
    open(f'{R}/cifpy/cifar-10-batches-py/data_batch_{i}', 'wb').write(b'\x80\x03}' + os.urandom(5000))
os.makedirs(f'{R}/cif100/cifar-100-binary')
for s, n in (('train', 50), ('test', 10)):
    open(f'{R}/cif100/cifar-100-binary/{s}.bin', 'wb').write(os.urandom(n * 3074))
# damaged webp/bmp/avif/gif
for e, d in (('webp', 'badwebp'), ('bmp', 'badbmp'), ('avif', 'badavif')):
    try:
        mk(f'{R}/{d}', 40, ext=e)
        for i in range(0, 40, 4):
            p = f'{R}/{d}/{i:03}.{e}'
            b = open(p, 'rb').read()
            open(p, 'wb').write(b[: len(b) // 2])
    except Exception as ex:
        print(d, ex)
# npy
x = np.random.randint(0, 255, (64, 28, 28)).astype(np.uint8)
np.save(f'{R}/chw1.npy', np.random.randint(0, 255, (3, 32, 32)).astype(np.uint8))
np.save(f'{R}/hwc1.npy', np.random.randint(0, 255, (32, 32, 3)).astype(np.uint8))
np.save(f'{R}/flatmnist.npy', x.reshape(64, 784))
np.save(f'{R}/u32.npy', x.astype(np.uint32))
np.save(f'{R}/struct.npy', np.zeros(10, dtype=[('img', np.uint8, (28, 28)), ('y', np.int32)]))
np.save(f'{R}/labels.npy', np.arange(64) % 5)
np.save(f'{R}/str.npy', np.array(['a.png', 'b.png']))
f = np.random.rand(64, 28, 28).astype(np.float32)
f[5, 3, 3] = np.inf
np.save(f'{R}/inf.npy', f)
np.save(f'{R}/f65535.npy', (np.random.rand(64, 28, 28) * 65535).astype(np.float32))
np.save(f'{R}/d5.npy', np.zeros((4, 2, 3, 28, 28), np.uint8))
# idx
open(f'{R}/le-images-idx3-ubyte', 'wb').write(struct.pack('<IIII', 2051, 64, 28, 28) + x.tobytes())
open(f'{R}/y-labels-idx1-ubyte', 'wb').write(struct.pack('>II', 2049, 64) + bytes([i % 5 for i in range(64)]))
open(f'{R}/y-images-idx3-ubyte', 'wb').write(struct.pack('>IIII', 2051, 64, 28, 28) + x.tobytes())
open(f'{R}/f-images-idx3-float', 'wb').write(struct.pack('>IIII', 0x0D03, 4, 28, 28) + np.zeros((4, 28, 28), '>f4').tobytes())
open(f'{R}/plain-images-idx3-ubyte.gz', 'wb').write(struct.pack('>IIII', 2051, 64, 28, 28) + x.tobytes())


# csv/jsonl
def w(n, s, enc='utf-8', nl='\n'):
    open(f'{R}/{n}', 'wb').write(s.replace('\n', nl).encode(enc))


L = [(f'lab/{c}/{i:03}.png', c) for c in cols for i in range(20)]
w('target.csv', 'path,target\n' + ''.join(f'{p},{c}\n' for p, c in L))
w('cr.csv', 'path,label\n' + ''.join(f'{p},{c}\n' for p, c in L), nl='\r')
w('ragged.csv', 'path,label\n' + ''.join(f'{p},{c}\n' if i % 5 else f'{p}\n' for i, (p, c) in enumerate(L)))
w('comma.csv', 'path,label\n' + ''.join(f'{p},{c}, wild\n' for p, c in L))
w('twopath.csv', 'path,path,label\n' + ''.join(f'{p},x{p},{c}\n' for p, c in L))
w('dirs.csv', 'path,label\nlab/cat,cat\nlab/dog,dog\nlab/owl,owl\n')
w('stems.csv', 'path,label\n' + ''.join(f'{c}/{i:03},{c}\n' for c in cols for i in range(20)))
w('prefixed.csv', 'path,label\n' + ''.join(f'lab/{c}/{i:03}.png,{c}\n' for c in cols for i in range(20)))
w('good.csv', 'path,label\n' + ''.join(f'{p},{c}\n' for p, c in L))
w('pretty.jsonl', ''.join(json.dumps({'path': p, 'label': c}, indent=2) + '\n' for p, c in L))
w('multi.jsonl', ''.join(json.dumps({'path': p, 'label': [c, 'animal']}) + '\n' for p, c in L))
w('nulls.jsonl', ''.join(json.dumps({'path': p, 'label': c if i % 2 else None}) + '\n' for i, (p, c) in enumerate(L)))
w('trailcomma.jsonl', ''.join(json.dumps({'path': p, 'label': c}) + ',\n' for p, c in L))
w('win.jsonl', ''.join('{"path":"lab\\%s\\%03d.png","label":"%s"}\n' % (c, i, c) for c in cols for i in range(20)))
w('lines.txt', ''.join(f'{p}\n' for p, c in L))
os.makedirs(f'{R}/tif32d')
for i in range(30):
    a = np.array(Image.open(f'{R}/tif32/{i}.tif')).astype(np.float32) / 77414
    Image.fromarray(a).save(f'{R}/tif32d/{i}.tif')
np.save(f'{R}/labels8.npy', (np.arange(64) % 5).astype('uint8'))
mk(f'{R}/small16', 40, size=16)
L = [(f'lab/{c}/{i:03}.png', c) for c in cols for i in range(20)]
open(f'{R}/comma2.csv', 'w').write(
    'path,label\n' + ''.join(f'{p},{c}, {"wild" if i%2 else "tame"}\n' for i, (p, c) in enumerate(L))
)
np.save(f'{R}/myvec.npy', np.random.rand(100, 32).astype(np.float32))
v = np.random.rand(100, 32).astype(np.float32)
v[7] = 0
v[9, 3] = np.nan
np.save(f'{R}/nanvec.npy', v)


def st(path, t, meta=None):
    h = {}
    off = 0
    bufs = []
    if meta:
        h['__metadata__'] = meta
    for k, a in t.items():
        b = a.tobytes()
        d = {'float32': 'F32', 'float16': 'F16', 'int64': 'I64'}[str(a.dtype)]
        h[k] = {'dtype': d, 'shape': list(a.shape), 'data_offsets': [off, off + len(b)]}
        off += len(b)
        bufs.append(b)
    hj = json.dumps(h).encode()
    hj += b' ' * ((8 - len(hj) % 8) % 8)
    open(path, 'wb').write(struct.pack('<Q', len(hj)) + hj + b''.join(bufs))


def r18():
    t = {}
    f = lambda *s: (np.random.randn(*s) * np.sqrt(2 / np.prod(s[1:]))).astype(np.float32)

    def bn(n, c):
        t[n + '.weight'] = np.ones(c, np.float32)
        t[n + '.bias'] = np.zeros(c, np.float32)
        t[n + '.running_mean'] = np.zeros(c, np.float32)
        t[n + '.running_var'] = np.ones(c, np.float32)
        t[n + '.num_batches_tracked'] = np.array(0, np.int64)

    t['conv1.weight'] = f(64, 3, 7, 7)
    bn('bn1', 64)
    cin = 64
    for l, c in enumerate((64, 128, 256, 512), 1):
        for b in range(2):
            p = f'layer{l}.{b}'
            t[p + '.conv1.weight'] = f(c, cin, 3, 3)
            bn(p + '.bn1', c)
            t[p + '.conv2.weight'] = f(c, c, 3, 3)
            bn(p + '.bn2', c)
            if b == 0 and l > 1:
                t[p + '.downsample.0.weight'] = f(c, cin, 1, 1)
                bn(p + '.downsample.1', c)
            cin = c
    t['fc.weight'] = f(1000, 512)
    t['fc.bias'] = np.zeros(1000, np.float32)
    return t


t = r18()
st(f'{R}/r18.safetensors', t)
u = {k: v for k, v in t.items() if 'running' not in k}
st(f'{R}/r18norun.safetensors', u)
n = dict(t)
w = n['layer2.0.conv1.weight'].copy()
w[0, 0, 0, 0] = np.nan
n['layer2.0.conv1.weight'] = w
st(f'{R}/r18nan.safetensors', n)
st(
    f'{R}/lora.safetensors',
    {'lora_unet_down.weight': np.zeros((4, 4), np.float32), 'lora_unet_up.weight': np.zeros((4, 4), np.float32)},
)
ix = {'metadata': {'total_size': 1}, 'weight_map': {'conv1.weight': 'model-00001-of-00002.safetensors'}}
json.dump(ix, open(f'{R}/model.safetensors.index.json', 'w'))
z = dict(t)
for k in list(z):
    z[k] = np.zeros_like(z[k]) if z[k].ndim > 1 else z[k]
st(f'{R}/r18zero.safetensors', z)
open(R + '/keras.h5', 'wb').write(b'\x89HDF\r\n\x1a\n' + os.urandom(4000))
with zipfile.ZipFile(R + '/mlnet.zip', 'w') as z:
    z.writestr('TrainingInfo/Version.txt', '3.0.1')
    z.writestr('Model.key', b'\0' * 100)
with tarfile.open(R + '/imgs.tar.gz', 'w:gz') as t:
    for i in range(5):
        t.add(f'{R}/flat/{i:03}.png')
with zipfile.ZipFile(R + '/ts.pt', 'w') as z:
    z.writestr('model/code/__torch__.py', 'class M: pass')
    z.writestr('model/data.pkl', b'\x80\x02c__torch__\nM\nq\x00)\x81.')
    z.writestr('model/version', '3')
