using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Tests.Data;
using SiamSharp.Tests.Reference;
using SiamSharp.Views;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Embeddings;

public sealed class EmbeddingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("embedding").FullName;
    private readonly Encoder _encoder = new(new BackboneOptions { Width = 4, Depths = [1, 1] }.Create(1, 28, seed: 1), new Preprocessing(new HighPassOptions { Sigma = 2, Kernel = 13 }, [0.0], [0.2]), 1, 28);

    public void Dispose()
    {
        _encoder.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string In(string name) => Path.Combine(_folder, name);

    private static SubsetSource Images(int count) => new SubsetSource(ImageSources.Open("fashion-mnist:sample", new DataOptions()), [.. Enumerable.Range(0, count)], $"{count} images");

    /// <summary>Images of which some cannot be read; stops the work at one of them.</summary>
    private sealed class Broken(IImageSource inner, int every, int stopAt = -1, CancellationTokenSource? stop = null) : IImageSource
    {
        public string Name => inner.Name;
        public int Count => inner.Count;
        public int NativeSize => inner.NativeSize;
        public IReadOnlyList<string>? ClassNames => inner.ClassNames;
        public string PathOf(int index) => inner.PathOf(index);
        public int LabelOf(int index) => inner.LabelOf(index);
        public ImageInfo InfoOf(int index) => inner.InfoOf(index);

        public Pixels Decode(int index, int size)
        {
            if (index == stopAt) stop!.Cancel();
            return index % every == 3 ? throw new UnreadableImageException(PathOf(index), "is broken") : inner.Decode(index, size);
        }
    }

    [Theory]
    [InlineData(EmbedEngine.Onnx)]
    [InlineData(EmbedEngine.Libtorch)]
    public void Write_BrokenImages_GivesTheOthersWithPathAndLabel(EmbedEngine engine)
    {
        using var scope = NewDisposeScope();
        using var embedder = new Embedder(_encoder, engine);
        var source = new Broken(Images(50), every: 10);
        EmbedResult result = Embedding.Write(In("x.parquet"), embedder, "encoder", source, 2, 16);
        Assert.Equal((45, 8), (result.Count, result.Width));
        Assert.Equal(5, result.Skipped.Count);
        Assert.Equal(engine, embedder.Engine);

        using EmbeddingTable table = EmbeddingTable.Read(In("x.parquet"));
        int[] kept = [.. Enumerable.Range(0, 50).Where(i => i % 10 != 3)];
        Assert.Equal(kept.Select(source.PathOf), table.Paths);
        Assert.Equal(kept.Select(i => source.ClassNames![source.LabelOf(i)]), table.Labels);
        ImageDataset data = ImageDataset.Load(source, new DataOptions());
        using Tensor images = data.Batch([.. Enumerable.Range(0, 45)]), expected = _encoder.Encode(images);
        Near.Equal(expected, stack([.. Enumerable.Range(0, 45).Select(row => tensor(table[row].ToArray()))]), 1e-5);
        Assert.Equal(["x.parquet", "x.parquet.skipped.jsonl"], Directory.GetFiles(_folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Write_StoppedAndRepeated_GoesOnToTheSameFile()
    {
        using var embedder = new Embedder(_encoder);
        Embedding.Write(In("whole.npy"), embedder, "encoder", new Broken(Images(100), every: 20), 1, 8);
        using (var stop = new CancellationTokenSource())
            Assert.ThrowsAny<OperationCanceledException>(() => Embedding.Write(In("x.npy"), embedder, "encoder", new Broken(Images(100), 20, stopAt: 50, stop), 1, 8, cancel: stop.Token));
        Assert.False(File.Exists(In("x.npy")));
        EmbedResult result = Embedding.Write(In("x.npy"), embedder, "encoder", new Broken(Images(100), every: 20), 1, 8);
        Assert.InRange(result.Resumed, 32, 56);
        Assert.Equal(5, result.Skipped.Count);
        Assert.Equal(File.ReadAllBytes(In("whole.npy")), File.ReadAllBytes(In("x.npy")));
        Assert.Equal(File.ReadAllBytes(In("whole.csv")), File.ReadAllBytes(In("x.csv")));
    }

    [Fact]
    public void Write_StoppedThenAnotherEncoder_BeginsAnew()
    {
        using var embedder = new Embedder(_encoder);
        using (var stop = new CancellationTokenSource())
            Assert.ThrowsAny<OperationCanceledException>(() => Embedding.Write(In("x.npy"), embedder, "one", new Broken(Images(100), 20, stopAt: 50, stop), 1, 8, cancel: stop.Token));
        Assert.Equal(0, Embedding.Write(In("x.npy"), embedder, "another", Images(100), 1, 8).Resumed);
    }

    /// <summary>The same images, one of them under another name.</summary>
    private sealed class Renamed(IImageSource inner, int renamed) : IImageSource
    {
        public string Name => inner.Name;
        public int Count => inner.Count;
        public int NativeSize => inner.NativeSize;
        public IReadOnlyList<string>? ClassNames => inner.ClassNames;
        public string PathOf(int index) => index == renamed ? "another" : inner.PathOf(index);
        public int LabelOf(int index) => inner.LabelOf(index);
        public ImageInfo InfoOf(int index) => inner.InfoOf(index);
        public Pixels Decode(int index, int size) => inner.Decode(index, size);
    }

    [Fact]
    public void Write_StoppedThenOtherImages_BeginsAnew()
    {
        using var embedder = new Embedder(_encoder);
        using (var stop = new CancellationTokenSource())
            Assert.ThrowsAny<OperationCanceledException>(() => Embedding.Write(In("x.npy"), embedder, "one", new Broken(Images(100), 20, stopAt: 50, stop), 1, 8, cancel: stop.Token));
        Assert.Equal(0, Embedding.Write(In("x.npy"), embedder, "one", new Renamed(Images(100), 40), 1, 8).Resumed);

        // An array that was written anew, of the same shape.
        byte[] array = [0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. System.Text.Encoding.ASCII.GetBytes("{'descr': '|u1', 'fortran_order': False, 'shape': (100, 28, 28), }".PadRight(117) + "\n"), .. new byte[78_400]];
        File.WriteAllBytes(In("images.npy"), array);
        using (var stop = new CancellationTokenSource())
            Assert.ThrowsAny<OperationCanceledException>(() => Embedding.Write(In("y.npy"), embedder, "one", new Broken(ImageSources.Open(In("images.npy"), new DataOptions()), 20, stopAt: 50, stop), 1, 8, cancel: stop.Token));
        File.WriteAllBytes(In("images.npy"), array);
        File.SetLastWriteTimeUtc(In("images.npy"), DateTime.UtcNow.AddMinutes(1));
        Assert.Equal(0, Embedding.Write(In("y.npy"), embedder, "one", ImageSources.Open(In("images.npy"), new DataOptions()), 1, 8).Resumed);
    }

    [Fact]
    public void Write_NamesWouldReplaceAnotherFile_IsRefused()
    {
        using var embedder = new Embedder(_encoder);
        File.WriteAllText(In("x.csv"), "path,label\nmine,1\n");
        Assert.Contains("cannot be written: its names would replace", Assert.Throws<EmbeddingFileException>(() => Embedding.Write(In("x.npy"), embedder, "one", Images(3), 1, 8)).Message);
        Assert.Equal("path,label\nmine,1\n", File.ReadAllText(In("x.csv")));
        Embedding.Write(In("y.npy"), embedder, "one", Images(3), 1, 8);
        Embedding.Write(In("y.npy"), embedder, "one", Images(4), 1, 8); // its own it replaces
        Assert.Equal(5, File.ReadAllLines(In("y.csv")).Length);
    }

    [Fact]
    public void Write_NothingReadable_SaysWhy()
    {
        using var embedder = new Embedder(_encoder);
        var fault = Assert.Throws<DataSourceException>(() => Embedding.Write(In("x.npy"), embedder, "one", new FakeSource(1, _ => throw new UnreadableImageException("a.png", "is broken")), 1, 8));
        Assert.Contains("None of the 1 images of 'fake' can be embedded; the first: a.png: is broken.", fault.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Embedding.Write(In("x.txt"), embedder, "one", Images(1), 1, 8));
    }
}
