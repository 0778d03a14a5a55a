using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using NetVips;
using SiamSharp.Cli;
using SiamSharp.Data;

namespace SiamSharp.Torture;

/// <summary>Small whole files of every format that is read, made once.</summary>
internal static class Specimens
{
    /// <summary>Makes all of them in a folder; the folder of a run and what follows from it is in <c>run</c>.</summary>
    public static void Make(string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true); // of a call that was stopped
        Directory.CreateDirectory(folder);
        Images(folder);
        Arrays(folder);
        Lists(folder);
        foreach (string file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "pytorch"), "*.pt*"))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        string run = Path.Combine(folder, "run"), data = "fashion-mnist:sample#..80";
        Command("pretrain", "--data", data, "--recipe", "simclr", "--out", run, "--set", "training.epochs=2",
            "--set", "training.batchSize=20", "--set", "training.threads=1",
            "--set", "backbone.width=4", "--set", "backbone.depths=[1,1]", "--set", "training.logSteps=1");
        Command("evaluate", "few-shot", "--run", run, "--train", data, "--test", "fashion-mnist:sample#80..120",
            "--set", "evaluation.shots=[1]", "--set", "evaluation.draws=2");
        Command("classify", "fit", "--run", run, "--data", data, "--out", Path.Combine(folder, "classifier.safetensors"));
        Command("embed", "--run", run, "--data", data, "--out", Path.Combine(folder, "index.npy"));
        Command("embed", "--run", run, "--data", data, "--out", Path.Combine(folder, "index.parquet"));
        // Without their hashes, as other programs write them: what is damaged gets further.
        WithoutHash(Path.Combine(run, "encoder.safetensors"), Path.Combine(folder, "encoder-plain.safetensors"));
        WithoutHash(Path.Combine(folder, "classifier.safetensors"), Path.Combine(folder, "classifier-plain.safetensors"));
        File.WriteAllText(Path.Combine(folder, "study.json"), """
            { "pretrain": "fashion-mnist:sample#..40", "train": "fashion-mnist:sample#..40",
              "test": "fashion-mnist:sample#40..60", "seeds": [1, 2],
              "rows": [ { "name": "crops", "set": ["training.epochs=1"] },
                        { "name": "masks", "from": "crops", "vary": "training.batchSize", "values": [16, 32] } ] }
            """);
    }

    private static void WithoutHash(string from, string to)
    {
        byte[] file = File.ReadAllBytes(from);
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        JsonObject header = JsonNode.Parse(file.AsSpan(8, length))!.AsObject();
        foreach (string key in new[] { "xxhash128", "checksum" }) ((JsonObject)header["__metadata__"]!).Remove(key);
        byte[] text = Encoding.UTF8.GetBytes(header.ToJsonString().PadRight(length));
        File.WriteAllBytes(to, [.. BitConverter.GetBytes((long)text.Length), .. text, .. file[(8 + length)..]]);
    }

    /// <summary>Runs one command of <c>siam</c> in this process.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static void Command(params string[] arguments)
    {
        var error = new StringWriter();
        int code = Siam.RunAsync(arguments, TextWriter.Null, error).GetAwaiter().GetResult();
        if (code != 0) throw new InvalidOperationException($"siam {string.Join(' ', arguments)} ended with {code}: {error}");
    }

    private static void Images(string folder)
    {
        VipsPixels.SetUp();
        byte[] rgb = [.. Enumerable.Range(0, 24 * 20 * 3).Select(i => (byte)(i * 7 % 251))];
        using var image =
            NetVips.Image.NewFromMemory(rgb, 24, 20, 3, Enums.BandFormat.Uchar).Copy(interpretation: Enums.Interpretation.Srgb);
        using var grey = image.Colourspace(Enums.Interpretation.Grey16);
        using var alpha = image.Bandjoin(128);
        void Save(Image what, string name, VOption? options = null) => what.WriteToFile(Path.Combine(folder, name), options);
        Save(image, "rgb.png");
        Save(alpha, "interlaced.png", new VOption { { "interlace", true } });
        Save(grey, "grey16.png");
        Save(image, "rgb.jpg");
        Save(image, "progressive.jpg", new VOption { { "interlace", true } });
        Save(image, "rgb.gif");
        Save(alpha, "alpha.webp");
        Save(image, "lossless.webp", new VOption { { "lossless", true } });
        Save(image, "rgb.avif");
        Save(image, "strips.tif");
        Save(alpha, "deflate.tif", new VOption { { "compression", Enums.ForeignTiffCompression.Deflate } });
        Save(grey, "lzw.tif", new VOption { { "compression", Enums.ForeignTiffCompression.Lzw } });
        Save(image, "tiles.tif", new VOption { { "tile", true }, { "tile_width", 16 }, { "tile_height", 16 } });
        Save(image, "big.tif", new VOption { { "bigtiff", true } });
        byte[] bitmap = new byte[54 + 72 * 20];
        "BM"u8.CopyTo(bitmap);
        foreach (var (at, value) in new[] { (2, bitmap.Length), (10, 54), (14, 40), (18, 24), (22, 20), (26, 1 + (24 << 16)) })
            BinaryPrimitives.WriteInt32LittleEndian(bitmap.AsSpan(at), value);
        rgb.CopyTo(bitmap, 54);
        File.WriteAllBytes(Path.Combine(folder, "rgb.bmp"), bitmap);
    }

    private static void Arrays(string folder)
    {
        byte[] Idx(params int[] shape)
        {
            byte[] file = new byte[4 + 4 * shape.Length + shape.Aggregate(1, (a, b) => a * b)];
            (file[2], file[3]) = (8, (byte)shape.Length);
            for (int d = 0; d < shape.Length; d++) BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(4 + 4 * d), shape[d]);
            for (int i = 4 + 4 * shape.Length; i < file.Length; i++) file[i] = (byte)(i % 10);
            return file;
        }
        void Write(string name, byte[] bytes) => File.WriteAllBytes(Path.Combine(folder, name), bytes);
        Write("a-images-idx3-ubyte", Idx(6, 8, 8));
        Write("a-labels-idx1-ubyte", Idx(6));
        using (var packed = new MemoryStream())
        {
            using (var gzip = new GZipStream(packed, CompressionMode.Compress, leaveOpen: true)) gzip.Write(Idx(6, 8, 8));
            Write("b-images-idx3-ubyte.gz", packed.ToArray());
        }
        byte[] cifar = new byte[2 * 3073];
        for (int i = 0; i < cifar.Length; i++) cifar[i] = (byte)(i % 3073 == 0 ? i / 3073 : i);
        Write("test_batch.bin", cifar);
        Write("images.npy", Npy("'|u1'", "6, 3, 8, 8", 6 * 3 * 64));
        Write("floats.npy", Npy("'<f4'", "6, 8, 8", 6 * 64 * 4));
        Write("images.labels.npy", Npy("'<i8'", "6,", 48));
    }

    /// <summary>A NumPy file of small numbers.</summary>
    public static byte[] Npy(string type, string shape, int bytes)
    {
        string header = $"{{'descr': {type}, 'fortran_order': False, 'shape': ({shape}), }}";
        header = header.PadRight((header.Length + 11 + 63) / 64 * 64 - 11) + "\n";
        byte[] values = new byte[bytes];
        if (type == "'|u1'") for (int i = 0; i < bytes; i++) values[i] = (byte)i;
        return [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8),
            .. Encoding.Latin1.GetBytes(header), .. values];
    }

    private static void Lists(string folder)
    {
        void Write(string name, string text) => File.WriteAllText(Path.Combine(folder, name), text);
        Write("list.csv", "path,label\nrgb.png,cat\n\"rgb.jpg\",\"dog, small\"\nrgb.gif,\"a \"\"b\"\"\"\n./grey16.png,\n");
        Write("list.jsonl",
            "{\"path\": \"rgb.png\", \"label\": \"cat\"}\n{\"file\": \"rgb.jpg\", \"class\": 3}\n\n{\"path\": \"rgb.gif\"}\n");
        Write("labels.csv", "file,class\nrgb.png,a\nrgb.jpg,b\ndeflate,a\n");
    }
}
