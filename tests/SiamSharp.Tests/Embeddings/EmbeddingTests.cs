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
    private readonly Encoder _encoder = new(new BackboneOptions { Width = 4, Depths = [1, 1] }.Create(1, 28, seed: 1),
        new Preprocessing(new HighPassOptions { Sigma = 2, Kernel = 13 }, [0.0], [0.2]), 1, 28);

    public void Dispose()
    {
        _encoder.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static readonly DataOptions s_data = new() { Threads = 1 };

    private string In(string name) => Path.Combine(_folder, name);

    private static SubsetSource Images(int count) => new SubsetSource(
        ImageSources.Open("fashion-mnist:sample", new DataOptions()), [.. Enumerable.Range(0, count)], $"{count} images");

    /// <summary>Images of which some cannot be read; stops the work at one of them.</summary>
    private sealed class Broken(
        IImageSource inner, int every, int stopAt = -1, CancellationTokenSource? stop = null) : IImageSource
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
            return index % every == 3 ? throw new UnreadableImageException(PathOf(index), "is broken")
                : inner.Decode(index, size);
        }
    }

    [Fact]
    public void OthersIn_FileOfOtherImages_CountsThem()
    {
        using var embedder = new Embedder(_encoder, EmbedEngine.Libtorch);
        Embedding.Write(In("x.npy"), embedder, "x", s_data, Images(5), 4);
        Assert.Equal((null, 2, null), (EmbeddingFile.OthersIn(In("x.npy"), Images(5)),
            EmbeddingFile.OthersIn(In("x.npy"), Images(3)), EmbeddingFile.OthersIn(In("none.npy"), Images(5))));
    }

    [Fact]
    public void Write_WeightsThatAreZero_SaysThatNothingCanBeFound()
    {
        using (no_grad())
            foreach (var (_, parameter) in _encoder.Backbone.named_parameters()) parameter.zero_();
        using var embedder = new Embedder(_encoder, EmbedEngine.Libtorch);
        EmbedResult result = Embedding.Write(In("zero.npy"), embedder, "zero", s_data, Images(5), 4);
        Assert.Contains(result.Notes, note => note.StartsWith("5 of 5 vectors hold nothing but zeros", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(EmbedEngine.Onnx)]
    [InlineData(EmbedEngine.Libtorch)]
    public void Write_BrokenImages_GivesTheOthersWithPathAndLabel(EmbedEngine engine)
    {
        using var scope = NewDisposeScope();
        using var embedder = new Embedder(_encoder, engine);
        var source = new Broken(Images(50), every: 10);
        EmbedResult result = Embedding.Write(In("x.parquet"), embedder, "encoder", new DataOptions { Threads = 2 }, source, 16);
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
        Embedding.Write(In("whole.npy"), embedder, "encoder", s_data, new Broken(Images(100), every: 20), 8);
        using (var stop = new CancellationTokenSource())
            Assert.ThrowsAny<OperationCanceledException>(() => Embedding.Write(In("x.npy"), embedder, "encoder", s_data,
                new Broken(Images(100), 20, stopAt: 50, stop), 8, cancellationToken: stop.Token));
        Assert.False(File.Exists(In("x.npy")));
        EmbedResult result = Embedding.Write(In("x.npy"), embedder, "encoder", s_data, new Broken(Images(100), every: 20), 8);
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
            Assert.ThrowsAny<OperationCanceledException>(() => Embedding.Write(In("x.npy"), embedder, "one", s_data,
                new Broken(Images(100), 20, stopAt: 50, stop), 8, cancellationToken: stop.Token));
        using var other = new Encoder(new BackboneOptions { Width = 4, Depths = [1, 1] }.Create(1, 28, seed: 2),
            _encoder.Preprocessing, 1, 28);
        using var another = new Embedder(other);
        EmbedResult result = Embedding.Write(In("x.npy"), another, "one", s_data, Images(100), 8);
        Assert.Equal((0, "encoder"), (result.Resumed, result.BegunAnew));
        Assert.Null(Embedding.Write(In("x.npy"), another, "one", s_data, Images(100), 8).BegunAnew);
    }

    [Theory]
    [InlineData("threads", true)] // changes no pixel
    [InlineData("alpha", false)]
    public void Write_StoppedThenOtherDecoding_GoesOnWhereThePixelsAreTheSame(string option, bool goesOn)
    {
        using var embedder = new Embedder(_encoder);
        using (var stop = new CancellationTokenSource())
            Assert.ThrowsAny<OperationCanceledException>(() => Embedding.Write(In("x.npy"), embedder, "one", s_data,
                new Broken(Images(100), 20, stopAt: 50, stop), 8, cancellationToken: stop.Token));
        DataOptions other = option == "threads" ? s_data with { Threads = 2 } : s_data with { Alpha = AlphaBackground.Black };
        Assert.Equal(goesOn, Embedding.Write(In("x.npy"), embedder, "one", other, Images(100), 8).Resumed > 0);
    }

    [Fact]
    public void Write_KilledAtAnyByte_GivesTheSameFiles()
    {
        using var embedder = new Embedder(_encoder);
        EmbedResult Embed(string name, int batch = 8) =>
            Embedding.Write(In(name), embedder, "one", s_data, new Broken(Images(40), every: 20), batch);
        Embed("whole.npy");
        using (var stop = new CancellationTokenSource())
            Assert.ThrowsAny<OperationCanceledException>(() => Embedding.Write(In("x.npy"), embedder, "one", s_data,
                new Broken(Images(40), 20, stopAt: 30, stop), 8, cancellationToken: stop.Token));
        byte[] partial = File.ReadAllBytes(In("x.npy.partial"));
        for (int length = 0; length < partial.Length; length += 97)
        {
            File.WriteAllBytes(In("x.npy.partial"), partial[..length]);
            Embed("x.npy");
            foreach (string end in new[] { ".npy", ".csv", ".npy.json", ".npy.skipped.jsonl" })
                Assert.True(File.ReadAllBytes(In("whole" + end)).AsSpan().SequenceEqual(File.ReadAllBytes(In("x" + end))),
                    $"{end} after {length} bytes");
        }
        Assert.False(File.Exists(In("x.npy.partial")));
    }

    [Fact]
    public void Write_FlippedBitInWhatWasDone_IsNotUsed()
    {
        using var embedder = new Embedder(_encoder);
        Embedding.Write(In("whole.npy"), embedder, "one", s_data, new Broken(Images(40), every: 20), 8);
        using (var stop = new CancellationTokenSource())
            Assert.ThrowsAny<OperationCanceledException>(() => Embedding.Write(In("x.npy"), embedder, "one", s_data,
                new Broken(Images(40), 20, stopAt: 30, stop), 8, cancellationToken: stop.Token));
        byte[] partial = File.ReadAllBytes(In("x.npy.partial"));
        for (int at = 0; at < partial.Length; at += 61)
        {
            byte[] flipped = [.. partial];
            flipped[at] ^= (byte)(1 << at % 8);
            File.WriteAllBytes(In("x.npy.partial"), flipped);
            Embedding.Write(In("x.npy"), embedder, "one", s_data, new Broken(Images(40), every: 20), 8);
            Assert.True(File.ReadAllBytes(In("whole.npy")).AsSpan().SequenceEqual(File.ReadAllBytes(In("x.npy"))), $"byte {at}");
            Assert.Equal(File.ReadAllBytes(In("whole.npy.skipped.jsonl")), File.ReadAllBytes(In("x.npy.skipped.jsonl")));
        }
    }

    [Fact]
    public void Write_TornListOfSkippedFiles_IsWrittenAnew()
    {
        using var embedder = new Embedder(_encoder);
        using (var stop = new CancellationTokenSource())
            Assert.ThrowsAny<OperationCanceledException>(() => Embedding.Write(In("x.npy"), embedder, "one", s_data,
                new Broken(Images(40), 20, stopAt: 30, stop), 8, cancellationToken: stop.Token));
        File.WriteAllText(In("x.npy.skipped.jsonl"), "{\"path\":\"a\",\"rea");
        Assert.Equal(2, Embedding.Write(In("x.npy"), embedder, "one", s_data, new Broken(Images(40), 20), 8).Skipped.Count);
        Assert.Equal(2, File.ReadAllLines(In("x.npy.skipped.jsonl")).Length);
        Embedding.Write(In("x.npy"), embedder, "one", s_data, Images(40), 8);
        Assert.False(File.Exists(In("x.npy.skipped.jsonl")), "a list of what is readable now");
    }

    [Fact]
    public async Task Write_TwoIntoOneFile_TheSecondIsRefused()
    {
        using Embedder one = new(_encoder), two = new(_encoder);
        using ManualResetEventSlim begun = new(), go = new();
        Pixels Decode(int i)
        {
            begun.Set();
            go.Wait();
            return Images(1).Decode(0, 28);
        }
        Task<EmbedResult> first = Task.Run(() => Embedding.Write(In("x.npy"), one, "one", s_data, new FakeSource(3, Decode), 8),
            TestContext.Current.CancellationToken);
        begun.Wait(TestContext.Current.CancellationToken);
        string message =
            Assert.Throws<EmbeddingFileException>(() => Embedding.Write(In("x.npy"), two, "two", s_data, Images(5), 8)).Message;
        Assert.StartsWith($"{In("x.npy")}.partial cannot be written: another process is writing it.", message);
        go.Set();
        Assert.Equal(3, (await first).Count);
        Assert.Equal(5, Embedding.Write(In("x.npy"), two, "two", s_data, Images(5), 8).Count);
    }

    [Fact]
    public void Write_ImagesThatVanish_AreLeftOut()
    {
        using var embedder = new Embedder(_encoder);
        EmbedResult result = Embedding.Write(In("x.npy"), embedder, "one", s_data,
            new FakeSource(5, i => i == 3 ? throw new EndOfStreamException("The array ended.") : Images(1).Decode(0, 28)), 2);
        Assert.Equal((4, "cannot be read any more: The array ended"), (result.Count, result.Skipped.Single().Reason));
    }

    [Fact]
    public void AfterDispose_EveryCall_IsRefused()
    {
        Encoder encoder = new(new BackboneOptions { Width = 4, Depths = [1, 1] }.Create(1, 28, seed: 1),
            _encoder.Preprocessing, 1, 28);
        Embedder onnx = new(encoder, EmbedEngine.Onnx), libtorch = new(encoder, EmbedEngine.Libtorch);
        onnx.Dispose();
        Assert.Throws<ObjectDisposedException>(() => onnx.Embed(new float[784], new float[8]));
        encoder.Dispose();
        Assert.Throws<ObjectDisposedException>(() => libtorch.Embed(new float[784], new float[8]));
        Assert.Throws<ObjectDisposedException>(() => encoder.Encode(zeros(1, 1, 28, 28)));
        Assert.Throws<ObjectDisposedException>(encoder.ContentHash);
        libtorch.Dispose();
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
            Assert.ThrowsAny<OperationCanceledException>(() => Embedding.Write(In("x.npy"), embedder, "one", s_data,
                new Broken(Images(100), 20, stopAt: 50, stop), 8, cancellationToken: stop.Token));
        Assert.Equal(0, Embedding.Write(In("x.npy"), embedder, "one", s_data, new Renamed(Images(100), 40), 8).Resumed);

        // An array that was written anew, of the same shape.
        byte[] array = [0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. System.Text.Encoding.ASCII.GetBytes(
            "{'descr': '|u1', 'fortran_order': False, 'shape': (100, 28, 28), }".PadRight(117) + "\n"), .. new byte[78_400]];
        File.WriteAllBytes(In("images.npy"), array);
        using (var stop = new CancellationTokenSource())
            Assert.ThrowsAny<OperationCanceledException>(() => Embedding.Write(In("y.npy"), embedder, "one", s_data,
                new Broken(ImageSources.Open(In("images.npy"), new DataOptions()), 20, stopAt: 50, stop), 8,
                cancellationToken: stop.Token));
        File.WriteAllBytes(In("images.npy"), array);
        File.SetLastWriteTimeUtc(In("images.npy"), DateTime.UtcNow.AddMinutes(1));
        Assert.Equal(0, Embedding.Write(In("y.npy"), embedder, "one", s_data,
            ImageSources.Open(In("images.npy"), new DataOptions()), 8).Resumed);
    }

    [Fact]
    public void Write_NamesWouldReplaceAnotherFile_IsRefused()
    {
        using var embedder = new Embedder(_encoder);
        File.WriteAllText(In("x.csv"), "path,label\nmine,1\n");
        Assert.Contains("cannot be written: its names would replace", Assert.Throws<EmbeddingFileException>(() =>
            Embedding.Write(In("x.npy"), embedder, "one", s_data, Images(3), 8)).Message);
        Assert.Equal("path,label\nmine,1\n", File.ReadAllText(In("x.csv")));
        Embedding.Write(In("y.npy"), embedder, "one", s_data, Images(3), 8);
        Embedding.Write(In("y.npy"), embedder, "one", s_data, Images(4), 8); // its own it replaces
        Assert.Equal(5, File.ReadAllLines(In("y.csv")).Length);
    }

    [Fact]
    public void Write_NothingReadable_SaysWhy()
    {
        using var embedder = new Embedder(_encoder);
        var fault = Assert.Throws<DataSourceException>(() => Embedding.Write(In("x.npy"), embedder, "one", s_data,
            new FakeSource(1, _ => throw new UnreadableImageException("a.png", "is broken")), 8));
        Assert.Contains("The one image of 'fake' cannot be embedded: a.png: is broken.", fault.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Embedding.Write(In("x.txt"), embedder, "one", s_data, Images(1), 8));
    }
}
