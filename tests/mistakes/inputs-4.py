import sys, os, shutil, json, zipfile, sqlite3, struct, base64, numpy as np
from PIL import Image

np.random.seed(11)
R = sys.argv[1]
shutil.rmtree(R, ignore_errors=True)
os.makedirs(R)


def img(base=None, size=24):
    a = np.random.randint(0, 255, (size, size, 3)).astype(float)
    if base is not None:
        a = a * 0.4 + np.array(base) * 0.6
    return Image.fromarray(a.astype(np.uint8))


def mk(d, n, base=None, start=0):
    os.makedirs(d, exist_ok=True)
    for i in range(start, start + n):
        img(base).save(f'{d}/{i:03}.png')


cols = {'cat': (255, 0, 0), 'dog': (0, 255, 0), 'owl': (0, 0, 255)}
for c, b in cols.items():
    mk(f'{R}/lab/{c}', 20, b)
mk(f'{R}/flat', 40)
mk(f'{R}/my photos', 40)
L = [(f'lab/{c}/{i:03}.png', c) for c in cols for i in range(20)]


def w(n, s):
    open(f'{R}/{n}', 'w').write(s)


# a .NET project whose images are copied to bin
for c, b in cols.items():
    mk(f'{R}/MyApp/Images/{c}', 12, b)
w('MyApp/MyApp.csproj', '<Project/>')
for k in ('Debug', 'Release'):
    shutil.copytree(f'{R}/MyApp/Images', f'{R}/MyApp/bin/{k}/net10.0/Images')
# an Excel file
with zipfile.ZipFile(f'{R}/labels.xlsx', 'w') as z:
    z.writestr('[Content_Types].xml', '<Types/>')
    z.writestr('xl/workbook.xml', '<workbook/>')
    z.writestr('xl/worksheets/sheet1.xml', '<worksheet/>')
w('tags.tsv', ''.join(f'{p}\t{c}\n' for p, c in L))  # ML.NET's tutorial
w('pascal.jsonl', ''.join(json.dumps({'ImagePath': p, 'Label': c}) + '\n' for p, c in L))
w('onehot.csv', 'path,cat,dog,owl\n' + ''.join(p + ',' + ','.join(str(int(c == k)) for k in cols) + '\n' for p, c in L))
w('nan.csv', 'path,label\n' + ''.join(f'{p},{"nan" if i%4==0 else c}\n' for i, (p, c) in enumerate(L)))
w('wincase.csv', 'path,label\n' + ''.join(f'Lab/{c.capitalize()}/{p[-7:-4]}.PNG,{c}\n' for p, c in L))
w('pct.csv', 'path,label\n' + ''.join(f'my%20photos/{i:03}.png,{"ab"[i%2]}\n' for i in range(40)))
w('good.csv', 'path,label\n' + ''.join(f'{p[4:]},{c}\n' for p, c in L))
x = np.random.randint(0, 255, (64, 28, 28)).astype(np.uint8)
np.save(f'{R}/short.npy', x)
np.save(f'{R}/short.labels.npy', np.arange(60) % 4)
np.save(f'{R}/hot.npy', x)
np.save(f'{R}/hot.labels.npy', np.eye(4, dtype=np.float32)[np.arange(64) % 4])
np.save(f'{R}/keras.npy', x[..., None])
np.savez(f'{R}/z.npz', x)
os.rename(f'{R}/z.npz', f'{R}/renamed.npy')
np.save(f'{R}/zeroone.npy', np.round(np.random.rand(64, 28, 28)).astype(np.uint8))
rag = np.empty(6, dtype=object)
for i in range(6):
    rag[i] = x[i, : 20 + i]
np.save(f'{R}/ragged.npy', rag, allow_pickle=True)
os.makedirs(f'{R}/nodata')
for i in range(40):
    a = np.random.rand(32, 32).astype(np.float32)
    a[:, : 3 + i % 5] = -9999
    Image.fromarray(a).save(f'{R}/nodata/{i:03}.tif')
os.makedirs(f'{R}/dl')
with zipfile.ZipFile(f'{R}/dl/photos.zip', 'w') as z:
    for i in range(5):
        z.write(f'{R}/flat/{i:03}.png', f'{i}.png')
mk(f'{R}/yolo/images/train', 20)
os.makedirs(f'{R}/yolo/labels/train')
for i in range(20):
    w(f'yolo/labels/train/{i:03}.txt', '0 0.5 0.5 0.2 0.2\n')
w('yolo/data.yaml', 'train: images/train\nval: images/val\nnames: [cat, dog]\n')
db = sqlite3.connect(f'{R}/photos.db')
db.execute('create table p(id int, img blob)')
db.commit()
db.close()
w('pascal.json', json.dumps({"Training": {"Epochs": 1, "BatchSize": 8}, "Backbone": {"Width": 16, "Depths": [1, 1]}}))
w('lfs.safetensors', 'version https://git-lfs.github.com/spec/v1\noid sha256:%064x\nsize 46830571\n' % 7)


def st(path, t):
    h = {}
    off = 0
    bufs = []
    for k, a in t.items():
        b = a.tobytes()
        h[k] = {'dtype': 'F32', 'shape': list(a.shape), 'data_offsets': [off, off + len(b)]}
        off += len(b)
        bufs.append(b)
    hj = json.dumps(h).encode()
    hj += b' ' * ((8 - len(hj) % 8) % 8)
    open(path, 'wb').write(struct.pack('<Q', len(hj)) + hj + b''.join(bufs))


hf = {}
hf['resnet.embedder.embedder.convolution.weight'] = np.random.randn(64, 3, 7, 7).astype(np.float32)
for n in ('weight', 'bias', 'running_mean', 'running_var'):
    hf['resnet.embedder.embedder.normalization.' + n] = np.ones(64, np.float32)
hf['resnet.encoder.stages.0.layers.0.layer.0.convolution.weight'] = np.random.randn(64, 64, 3, 3).astype(np.float32)
st(f'{R}/hf.safetensors', hf)
np.save(f'{R}/vec1.npy', np.random.rand(16).astype(np.float32))
B = {
    "pretrain": "fashion-mnist:sample#..64",
    "test": "fashion-mnist:sample#128..188",
    "protocols": ["knn"],
    "seeds": [1],
    "threads": 1,
    "recipe": {
        "method": {"name": "simclr"},
        "backbone": {"width": 16, "depths": [1, 1]},
        "training": {"epochs": 1, "batchSize": 8},
        "evaluation": {"k": 5},
    },
    "rows": [{"name": "a"}],
}
os.makedirs(f'{R}/studies')
json.dump(B, open(f'{R}/studies/s.json', 'w'))
json.dump(dict(B, rows={"a": {}, "b": {"set": ["views.preset=crop"]}}), open(f'{R}/s-obj.json', 'w'))
# second thoughts: paths of tags.tsv from the folder on, and an xlsx as Excel packs it
w('tags.tsv', ''.join(f'{p[4:]}\t{c}\n' for p, c in L))
with zipfile.ZipFile(f'{R}/labels.xlsx', 'w', zipfile.ZIP_DEFLATED) as z:
    z.writestr(
        '[Content_Types].xml',
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
    )
    z.writestr(
        'xl/workbook.xml',
        '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheets><sheet name="Tabelle1" sheetId="1"/></sheets></workbook>',
    )
    z.writestr(
        'xl/worksheets/sheet1.xml',
        '<?xml version="1.0"?><worksheet><sheetData>'
        + ''.join(
            f'<row r="{i}"><c t="inlineStr"><is><t>{p[4:]}</t></is></c><c t="inlineStr"><is><t>{c}</t></is></c></row>'
            for i, (p, c) in enumerate(L, 1)
        )
        + '</sheetData></worksheet>',
    )
w(
    'pascal.jsonl', ''.join(json.dumps({'Path': p, 'Label': c}) + '\n' for p, c in L)
)  # record Item(string Path, string Label), System.Text.Json

rng = np.random.default_rng(5)


def img(p, base=None):
    a = rng.integers(0, 255, (24, 24, 3)).astype(float)
    if base:
        a = a * 0.4 + np.array(base) * 0.6
    os.makedirs(os.path.dirname(p), exist_ok=True)
    Image.fromarray(a.astype(np.uint8)).save(p)


w(
    'appsettings.json',
    json.dumps(
        {"Logging": {"LogLevel": {"Default": "Information"}}, "SiamSharp": {"training": {"epochs": 1, "batchSize": 8}}}, indent=2
    ),
)
w(
    'powershell.json',
    json.dumps({"training": "@{epochs=1; batchSize=8}", "backbone": "@{width=16; depths=System.Object[]}"}, indent=2),
)
os.makedirs(f'{R}/icons')
for i in range(12):
    w(
        f'icons/icon{i}.svg',
        '<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24"><circle cx="12" cy="12" r="%d"/></svg>' % (i + 1),
    )
for i in range(4):
    Image.fromarray(rng.integers(0, 255, (32, 32, 3)).astype(np.uint8)).save(f'{R}/icons/app{i}.ico')
w(
    'Resources.resx',
    '<?xml version="1.0" encoding="utf-8"?>\n<root>\n  <data name="cat" type="System.Resources.ResXFileRef, System.Windows.Forms"><value>lab/cat/000.png;System.Drawing.Bitmap</value></data>\n</root>\n',
)
w(
    'base64.csv',
    'path,label\n'
    + ''.join(
        'data:image/png;base64,%s,%s\n' % (base64.b64encode(open(f'{R}/lab/{c}/{i:03}.png', 'rb').read()).decode(), c)
        for c in cols
        for i in range(5)
    ),
)
os.makedirs(f'{R}/hfimg')
rows = []
for n in range(60):
    c = list(cols)[n % 3]
    img(f'{R}/hfimg/{n:03}.png', cols[c])
    rows.append(f'{n:03}.png,{c}\n')
w('hfimg/metadata.csv', 'file_name,label\n' + ''.join(rows))
os.makedirs(f'{R}/cifar-100-binary')
for n, k in (('train.bin', 200), ('test.bin', 50)):
    open(f'{R}/cifar-100-binary/{n}', 'wb').write(
        b''.join(bytes([i % 20, i % 100]) + rng.integers(0, 255, 3072).astype(np.uint8).tobytes() for i in range(k))
    )
w('cifar-100-binary/fine_label_names.txt', 'apple\n')
w('cifar-100-binary/coarse_label_names.txt', 'fruit\n')
for c, g in (('cat', 'Katze'), ('dog', 'Hund'), ('owl', 'Eule')):
    for i in range(8):
        img(f'{R}/deutsch/{g}/{i}.png', cols[c])
for c in ('cat', 'Cat', 'dog', 'Dog'):
    for i in range(12):
        img(f'{R}/casefold/{c}/{c}{i}.png', cols[c.lower()])
for i in range(30):
    img(f'{R}/each/photo{i:02}/{i:02}.png')
B = json.load(open(f'{R}/studies/s.json'))
json.dump(dict(B, pretrain=["fashion-mnist:sample#..32", "fashion-mnist:sample#32..64"]), open(f'{R}/s-list.json', 'w'))
json.dump(dict(B, rows=[{"name": "t", "vary": "method.temperature", "values": [0.2, 0.2]}]), open(f'{R}/s-dupval.json', 'w'))
