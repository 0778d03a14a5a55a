import sys, os, random, numpy as np
from PIL import Image

random.seed(1)
np.random.seed(1)


def mk(d, n, mode='RGB', size=32, f=None, ext='png'):
    os.makedirs(d, exist_ok=True)
    for i in range(n):
        a = np.random.randint(0, 255, (size, size, 3), dtype=np.uint8) if f is None else f(i)
        Image.fromarray(a).convert(mode).save(f"{d}/{i:03}.{ext}")


R = sys.argv[1]
for c in 'abc':
    mk(f'{R}/lab/{c}', 20)
mk(f'{R}/flat', 64)
for n in (1, 2, 3):
    mk(f'{R}/n{n}', n)
mk(f'{R}/equal', 64, f=lambda i: np.full((32, 32, 3), (np.arange(32) * 7 % 255)[None, :, None], dtype=np.uint8))
for c, k in (('a', 20), ('b', 20), ('c', 1)):
    mk(f'{R}/single/{c}', k)
mk(f'{R}/oneclass/a', 40)
mk(f'{R}/tiny', 64, size=2)
os.makedirs(f'{R}/empty', exist_ok=True)
os.makedirs(f'{R}/text', exist_ok=True)
[open(f'{R}/text/{i}.txt', 'w').write('x') for i in range(5)]
os.makedirs(f'{R}/fakepng', exist_ok=True)
[open(f'{R}/fakepng/{i}.png', 'w').write('<html>404 not found</html>') for i in range(5)]
os.makedirs(f'{R}/lfs', exist_ok=True)
[
    open(f'{R}/lfs/{i}.jpg', 'w').write('version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 12345\n' % i)
    for i in range(5)
]
mk(f'{R}/mixch', 30)
mk(f'{R}/mixch/g', 10, mode='L')
mk(f'{R}/cmyk', 40, mode='CMYK', ext='jpg')
os.makedirs(f'{R}/nul', exist_ok=True)
mk(f'{R}/nul/ok', 40)
Image.new('RGB', (32, 32)).save(f'{R}/nul/new\nline.png')
Image.new('RGB', (32, 32)).save(f'{R}/nul/\u0e2a\u0e22\u0e32\u0e21\x1b[31m.png')
mk(f'{R}/nonutf', 40)
os.rename(f'{R}/nonutf/000.png'.encode(), f'{R}/nonutf/'.encode() + b'caf\xe9.png')
mk(f'{R}/trunc', 40)
for i in range(40):
    if i < 10:
        p = f'{R}/trunc/{i:03}.png'
        b = open(p, 'rb').read()
        open(p, 'wb').write(b[: len(b) // 2])
for i in range(3):
    Image.new('L', (32, 32)).save(f'{R}/trunc/x{i}.png')
# 16 bit in 12
os.makedirs(f'{R}/d12', exist_ok=True)
for i in range(40):
    Image.fromarray(np.random.randint(0, 4095, (32, 32), dtype=np.uint16)).save(f'{R}/d12/{i:03}.png')
os.makedirs(f'{R}/d816', exist_ok=True)
for i in range(40):
    if i < 10:
        Image.fromarray(np.random.randint(0, 65535, (32, 32), dtype=np.uint16)).save(f'{R}/d816/{i:03}.png')
    else:
        Image.fromarray(np.random.randint(0, 255, (32, 32), dtype=np.uint8)).save(f'{R}/d816/{i:03}.png')
os.makedirs(f'{R}/pages', exist_ok=True)
for i in range(40):
    p = [Image.fromarray(np.random.randint(0, 255, (32, 32), dtype=np.uint8)) for _ in range(3)]
    p[0].save(f'{R}/pages/{i:03}.tif', save_all=True, append_images=p[1:])
# heic ext
mk(f'{R}/heic', 40)
for i in range(40):
    if i < 30:
        os.rename(f'{R}/heic/{i:03}.png', f'{R}/heic/{i:03}.heic')
np.save(f'{R}/f64nan.npy', np.full((64, 28, 28), np.nan))
np.save(f'{R}/d2.npy', np.random.rand(64, 28).astype('f4'))
np.save(f'{R}/nhwc.npy', np.random.randint(0, 255, (64, 32, 32, 3), dtype=np.uint8))
np.save(f'{R}/obj.npy', np.array([1, 'a', None], dtype=object), allow_pickle=True)
np.save(f'{R}/cplx.npy', np.zeros((64, 8, 8), dtype=np.complex64))
np.savez(f'{R}/z.npz', np.zeros((4, 4)))
np.save(f'{R}/i64.npy', np.random.randint(0, 255, (64, 28, 28)))
np.save(f'{R}/vec.npy', np.random.rand(50, 16).astype('f4'))
open(f'{R}/vecnan.csv', 'w')
b = open(f'{R}/nhwc.npy', 'rb').read()
open(f'{R}/half.npy', 'wb').write(b[: len(b) // 2])
W = lambda n, t: open(f'{R}/{n}', 'w', newline='').write(t)
W('semi.csv', 'path;label\n' + ''.join(f'flat/{i:03}.png;a\n' for i in range(60)))
W('nohead.csv', ''.join(f'flat/{i:03}.png,a\n' for i in range(60)))
W('cols.csv', 'image,class\n' + ''.join(f'flat/{i:03}.png,a\n' for i in range(60)))
W('gone.csv', 'path,label\n' + ''.join(f'flatt/{i:03}.png,a\n' for i in range(60)))
W('somegone.csv', 'path,label\n' + ''.join(f'flat/{i+30:03}.png,{"ab"[i%2]}\n' for i in range(60)))
W('twolab.csv', 'path,label\n' + ''.join(f'flat/{i:03}.png,{"ab"[i%2]}\n' for i in range(60)) + 'flat/000.png,b\n')
W('quote.csv', 'path,label\n"flat/000.png,a\nflat/001.png,b\n')
W('bad.jsonl', '{"path":"flat/000.png","label":"a"}\n{"path":"flat/001.png","label":\n')
W('arr.jsonl', '[{"path":"flat/000.png"},{"path":"flat/001.png"}]\n')
W('nopath.jsonl', '{"file":"flat/000.png"}\n')
W('labels.csv', 'path,label\n' + ''.join(f'{i:03}.png,{"ab"[i%2]}\n' for i in range(64)))
W('labels-none.csv', 'path,label\n' + ''.join(f'images/{i:03}.png,{"ab"[i%2]}\n' for i in range(64)))
W('recipe-trail.json', '{"training":{"epochs":1,}}')
W('recipe-cut.json', '{"training":{"epochs":1')
W('recipe-unk.json', '{"training":{"epoch":1}}')
W('recipe-type.json', '{"training":{"epochs":"many"}}')
W('recipe-list.json', '[1,2]')
W('recipe-yaml.json', 'training:\n  epochs: 3\n')
W('recipe-dup.json', '{"training":{"epochs":1,"epochs":2}}')
st = '{"pretrain":"fashion-mnist:sample#..64","test":"fashion-mnist:sample#9000..9060","protocols":["knn"],"seeds":[1],"threads":1,"recipe":{"backbone":{"width":8,"depths":[1,1,1,1]},"training":{"epochs":1,"batchSize":32},"evaluation":{"k":5}},"rows":[%s]}'
W('study.json', st % '{"name":"A b"},{"name":"c","from":"A b","set":["training.seed=3"]}')
W('study-slug.json', st % '{"name":"A b"},{"name":"a-b"}')
W('study-against.json', st % '{"name":"A b"},{"name":"c","against":"ab"}')
W('study-from.json', st % '{"name":"A","from":"B"},{"name":"B"}')
W('study-norows.json', st % '')
W('study-vary.json', st % '{"name":"A","vary":"training.epochs"}')
W('study-vary2.json', st % '{"name":"A","vary":"training.epochs","values":[1,-5]}')
W('study-key.json', (st % '{"name":"A"}').replace('"protocols"', '"protocol"'))
W('study-proto.json', (st % '{"name":"A"}').replace('"knn"', '"k-nn"'))
W('study-seeds.json', (st % '{"name":"A"}').replace('"seeds":[1]', '"seeds":[1,1]'))
W('study-seed0.json', (st % '{"name":"A"}').replace('"seeds":[1]', '"seeds":[]'))
import json, struct


def stf(name, hdr, data=b''):
    h = json.dumps(hdr).encode()
    open(f'{R}/{name}', 'wb').write(struct.pack('<Q', len(h)) + h + data)


stf('foreign.safetensors', {'fc.weight': {'dtype': 'F32', 'shape': [2, 2], 'data_offsets': [0, 16]}}, b'\0' * 16)
stf('overl.safetensors', {'w': {'dtype': 'F32', 'shape': [2, 200], 'data_offsets': [0, 16]}}, b'\0' * 16)
open(f'{R}/web.pth', 'w').write('<!DOCTYPE html><html><body>Not Found</body></html>')
import pickle

pickle.dump({'a': 1, 'b': [1, 2]}, open(f'{R}/pick.pth', 'wb'))


class E:
    def __reduce__(self):
        return (os.system, ('echo hi',))


pickle.dump({'m': E()}, open(f'{R}/evil.pth', 'wb'))
open(f'{R}/empty.pth', 'wb').close()
import gzip

open(f'{R}/x.parquet', 'wb').write(b'PAR1' + b'\0' * 100 + b'PAR1')
W('idx.csv', 'path,label,v0,v1\na.png,a,0.1,0.2\n')
Image.new('RGB', (20000, 20000)).save(f'{R}/huge.png')
