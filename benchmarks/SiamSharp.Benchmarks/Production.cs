using System.Diagnostics;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Files;
using SiamSharp.Randomness;
using SiamSharp.Views;
using static TorchSharp.torch;

namespace SiamSharp.Benchmarks;

/// <summary>What an encoder costs outside of training: embedding, search, loading weights.</summary>
internal static class Production
{
    /// <summary>Images per second of ONNX Runtime and libtorch in turn, from JPEG files of 512 px to
    /// vectors on the disk.</summary>
    internal static object Embed(string backbone, int size, int images, int rounds)
    {
        string folder = Directory.CreateTempSubdirectory("embed").FullName;
        try
        {
            Photographs.Write(folder, images);
            using var encoder = new Encoder(new BackboneOptions { Name = backbone },
                new Preprocessing(new HighPassOptions { Sigma = 0 }, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]), 3, size);
            IImageSource source = ImageSources.Open(folder, new DataOptions());
            using Embedder onnx = new(encoder, EmbedEngine.Onnx), libtorch = new(encoder, EmbedEngine.Libtorch);
            double Rate(Embedder embedder)
            {
                var clock = Stopwatch.StartNew();
                Embedding.Write(Path.Combine(folder, "x.npy"), embedder, "benchmark", new DataOptions(), source, batchSize: 32);
                return images / clock.Elapsed.TotalSeconds;
            }
            Rate(onnx);
            Rate(libtorch);
            var pairs = Enumerable.Range(0, rounds).Select(_ => (Onnx: Rate(onnx), Libtorch: Rate(libtorch))).ToArray();
            // The limit: both do the same multiplications, and a large matrix product shows how many this machine can do.
            // GFLOP of an image; 4.09 GMAC as torchvision states
            double? work = backbone == "resnet50" ? 2 * 4.09 * size * size / (224.0 * 224) : null;
            double most = Enumerable.Range(0, 5).Max(_ => MatrixProductRate());
            return new
            {
                benchmark = "embed",
                backbone,
                size,
                images,
                threads = get_num_threads(),
                onnx_images_per_second = pairs.Select(p => p.Onnx),
                libtorch_images_per_second = pairs.Select(p => p.Libtorch),
                ratios = pairs.Select(p => p.Onnx / p.Libtorch),
                matrix_product_gflops = most,
                onnx_of_matrix_product = pairs.Average(p => p.Onnx) * work / most,
                libtorch_of_matrix_product = pairs.Average(p => p.Libtorch) * work / most,
            };
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>GFLOP/s of a large matrix product: what this machine's arithmetic gives at most, on all threads.</summary>
    private static double MatrixProductRate()
    {
        const int side = 3072;
        using var scope = NewDisposeScope();
        Tensor a = ones(side, side), b = ones(side, side);
        a.mm(b);
        var clock = Stopwatch.StartNew();
        a.mm(b);
        return 2.0 * side * side * side / clock.Elapsed.TotalSeconds / 1e9;
    }

    /// <summary>Milliseconds of a search among random vectors in a .npy file.</summary>
    internal static object Search(int rows, int width, int queries)
    {
        string folder = Directory.CreateTempSubdirectory("search").FullName, path = Path.Combine(folder, "x.npy");
        try
        {
            var random = new RandomStream(1, RandomPurpose.Fill);
            using (var made = new EmbeddingTable(width, [.. Enumerable.Range(0, rows / 1000).Select(_ =>
            {
                float[] block = new float[1000 * width];
                random.FillNormal(block);
                return (ReadOnlyMemory<float>)block;
            })], [.. Enumerable.Range(0, rows / 1000 * 1000).Select(i => $"{i}.jpg")], new string?[rows / 1000 * 1000]))
                EmbeddingFile.Write(path, made);
            GC.Collect();
            var clock = Stopwatch.StartNew();
            using EmbeddingTable table = EmbeddingTable.Read(path);
            double open = clock.Elapsed.TotalSeconds;
            clock.Restart();
            table.Nearest(table[0], 10);
            double first = clock.Elapsed.TotalSeconds;
            double[] milliseconds = [.. Enumerable.Range(1, queries).Select(q =>
            {
                clock.Restart();
                if (table.Nearest(table[q * 977 % table.Count], 10)[0].Row != q * 977 % table.Count)
                    throw new InvalidOperationException("A row is not most like itself.");
                return clock.Elapsed.TotalMilliseconds;
            })];
            return new
            {
                benchmark = "search",
                rows = table.Count,
                width,
                open_seconds = open,
                first_query_seconds = first,
                median_ms = milliseconds.Order().ElementAt(queries / 2),
                fastest_ms = milliseconds.Min(),
                slowest_ms = milliseconds.Max()
            };
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Seconds to read a safetensors file of a hundred megabytes whose pages are in memory.</summary>
    internal static object Load(int megabytes, int rounds)
    {
        string folder = Directory.CreateTempSubdirectory("load").FullName, path = Path.Combine(folder, "x.safetensors");
        try
        {
            using (NewDisposeScope())
                SafeTensors.Write(path,
                    Enumerable.Range(0, 100).ToDictionary(i => $"layer{i}.weight", _ => zeros(megabytes * 2500)));
            double[] seconds = [.. Enumerable.Range(0, rounds).Select(_ =>
            {
                var clock = Stopwatch.StartNew();
                SafeTensors.Read(path).Dispose();
                return clock.Elapsed.TotalSeconds;
            })];
            return new
            {
                benchmark = "load",
                bytes = new FileInfo(path).Length,
                seconds,
                median = seconds.Order().ElementAt(rounds / 2)
            };
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
