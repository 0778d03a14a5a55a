using System.IO.Compression;
using System.Runtime.InteropServices;
using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

/// <summary>NumPy, IDX and CIFAR files, written byte by byte.</summary>
public sealed class ArrayFileTests : IDisposable
{
    private static readonly DataOptions Options = new();
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Npy(string file, string type, string shape, byte[] values, string order = "False")
    {
        string header = $"{{'descr': '{type}', 'fortran_order': {order}, 'shape': ({shape}), }}".PadRight(117) + "\n";
        return _folder.Write(file,
            [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. System.Text.Encoding.ASCII.GetBytes(header), .. values]);
    }

    private static byte[] Bytes<T>(params T[] values) where T : struct => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    private static string Message(string source) =>
        Assert.Throws<DataSourceException>(() => ImageSources.Open(source, Options)).Message;

    [Fact]
    public void Open_NpyOfEachType_ReadsItsValues()
    {
        int[] range = [.. Enumerable.Range(0, 2 * 3 * 4 * 4)];
        (string Type, byte[] Bytes, int Depth)[] cases =
        [
            ("|u1", Bytes([.. range.Select(i => (byte)i)]), 8), ("<u2", Bytes([.. range.Select(i => (ushort)(i * 600))]), 16),
            ("<f4", Bytes([.. range.Select(i => i * 0.5f)]), 32), ("<f8", Bytes([.. range.Select(i => i * 0.5)]), 32),
        ];
        foreach (var (type, bytes, depth) in cases)
        {
            var source = ImageSources.Open(Npy("x.npy", type, "2, 3, 4, 4", bytes), Options);
            var pixels = source.Decode(1, 4);
            Assert.Equal((2, 4, 3, depth), (source.Count, source.NativeSize, pixels.Channels, pixels.BitDepth));
            Assert.Equal(new ImageInfo(4, 4, 3, depth), source.InfoOf(0));
            double scale = depth switch { 8 => 1, 16 => 600, _ => 0.5 };
            Assert.Equal(range[48..].Select(i => i * scale), pixels.Values.Cast<object>().Select(Convert.ToDouble));
            Assert.Null(source.ClassNames);
        }
    }

    [Fact]
    public void Open_NpyWithLabels_TakesThemFromTheFileBeside()
    {
        string path = Npy("x.npy", "|u1", "3, 2, 2", new byte[12]);
        Npy("x.labels.npy", "<i8", "3,", Bytes(2L, -1L, 0L));
        var source = ImageSources.Open(path, Options);
        Assert.Equal([2, -1, 0], Enumerable.Range(0, 3).Select(source.LabelOf));
        Assert.Equal(["0", "1", "2"], source.ClassNames!);
        Assert.Equal(1, source.Decode(0, 2).Channels);
    }

    [Fact]
    public void Open_Cifar100_IsToldApart()
    {
        _folder.Write("c/fine_label_names.txt", "apple\n");
        Assert.Contains("holds CIFAR-100, which is not read", Message("cifar10:" + _folder.At("c")));
    }

    [Fact]
    public void Open_NpyOfRecords_NamesTheirFirstField()
    {
        string header = "{'descr': [('img', '|u1', (2, 2)), ('y', '<i4')], 'fortran_order': False, 'shape': (10,), }\n";
        string path = _folder.Write("x.npy",
            [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. System.Text.Encoding.ASCII.GetBytes(header), .. new byte[80]]);
        Assert.Contains("Save the field of the images alone, such as x['img'].", Message(path));
    }

    [Theory]
    [InlineData("3, 32, 32", "is taken as 3 grey images of 32 x 32 pixels. If it is one image of 3 channels, save x[None].")]
    [InlineData("32, 32, 3", "is taken as 32 grey images of 3 x 32 pixels. "
        + "If it is one image whose last dimension is the channels, save x.transpose(2, 0, 1)[None].")]
    [InlineData("5, 32, 32", null)]
    [InlineData("3, 1, 32, 32", null)]
    public void Open_NpyThatMayBeOneImage_SaysHowItIsTaken(string shape, string? expected)
    {
        int values = shape.Split(',').Aggregate(1, (product, d) => product * int.Parse(d));
        IReadOnlyList<string> notes = ImageSources.Open(Npy("x.npy", "|u1", shape, new byte[values]), Options).Notes;
        if (expected is null) Assert.Empty(notes);
        else Assert.EndsWith(expected, Assert.Single(notes));
    }

    [Theory]
    [InlineData("a-labels-idx1-ubyte", new byte[] { 0, 0, 8, 1, 0, 0, 0, 1, 5 },
        "is the IDX file of the labels. Give that of the images,")]
    [InlineData("a-images-idx3-ubyte", new byte[] { 3, 8, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7 },
        "Write its header with big-endian integers ('>i4' in NumPy).")]
    [InlineData("a-images-idx3-ubyte.gz", new byte[] { 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7 },
        "ends in .gz, but is not compressed. Take .gz off its name.")]
    public void Open_IdxOfAnotherKind_SaysWhatToGive(string file, byte[] bytes, string expected) =>
        Assert.Contains(expected, Message(_folder.Write(file, bytes)));

    [Fact]
    public void Decode_ArrayToAnotherSizeAndChannels_CropsScalesAndConverts()
    {
        // 1 x 2 x 8: the middle four columns 90
        byte[] image = [0, 0, 90, 90, 90, 90, 0, 0, 0, 0, 90, 90, 90, 90, 0, 0];
        var source = ImageSources.Open(Npy("x.npy", "|u1", "1, 2, 8", image), Options with { Channels = 3 });
        Assert.Equal(2, source.NativeSize);
        var pixels = source.Decode(0, 4);
        Assert.Equal((3, 4, 4), (pixels.Channels, pixels.Height, pixels.Width));
        Assert.All((byte[])pixels.Values, v => Assert.Equal(90, v));
    }

    [Theory]
    [InlineData(">u2", "1, 2, 2", "False", "must hold uint8, uint16, float32 or float64, little endian, "
        + "but holds numbers with the first byte first ('>u2'): save x.astype('<u2')")]
    [InlineData("|b1", "1, 2, 2", "False", "but holds true and false ('|b1'): save x.astype('uint8') * 255")]
    [InlineData("<i8", "1, 2, 2", "False", "but holds integers of 64 bits ('<i8'): save x.astype('uint8')")]
    [InlineData("|O", "1, 2, 2", "False", "but holds Python objects ('|O')")]
    [InlineData("<c8", "1, 2, 2", "False", "but holds complex numbers ('<c8')")]
    [InlineData("<f2", "1, 2, 2", "False", "save x.astype('float32')")]
    [InlineData("|u1", "1, 2, 2", "True", "Fortran order")]
    [InlineData("|u1", "4,", "False", "has one dimension, (4), as labels have")]
    [InlineData("|O", "6,", "False", "such as images of unequal sizes: make them one size and save numpy.stack(images)")]
    [InlineData("<i8", "4,", "False", "has one dimension, (4), as labels have")]
    [InlineData("|u1", "0, 2, 2", "False", "but has (0, 2, 2)")]
    [InlineData("|u1", "1, 32, 32, 3", "False", "looks like (N, H, W, C): save")]
    [InlineData("|u1", "9, 9, 9", "False", "is cut short")]
    [InlineData("<f8", "2147483647, 2147483647, 2147483647, 2147483647", "False", "is cut short")]
    [InlineData("|u1", "1, 65536, 65536, 65536", "False", "is cut short")]
    [InlineData("|u1", "99999999999999999999, 2, 2", "False", "no list of lengths")]
    public void Open_NpyOfAnotherKind_SaysWhatIsNeeded(string type, string shape, string order, string expected) =>
        Assert.Contains(expected, Message(Npy("x.npy", type, shape, new byte[shape == "1, 32, 32, 3" ? 32 * 32 * 3 : 8], order)));

    [Fact]
    public void Open_NotNumPy_SaysSo() =>
        Assert.Contains("is not a NumPy file", Message(_folder.Write("x.npy", "hello, this is text")));

    [Fact]
    public void Decode_NpyWithInfinity_IsUnreadable()
    {
        var source = ImageSources.Open(Npy("x.npy", "<f4", "1, 2, 2", Bytes(1f, float.PositiveInfinity, 0, 0)), Options);
        var e = Assert.Throws<UnreadableImageException>(() => source.Decode(0, 2));
        Assert.Contains("holds 1 value that is not a finite number", e.Reason);
        Assert.EndsWith("x.npy#0", e.Path);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Open_Idx_ReadsImagesAndTheLabelsBeside(bool packed)
    {
        string ending = packed ? ".gz" : "";
        byte[] Pack(byte[] bytes)
        {
            if (!packed) return bytes;
            using var memory = new MemoryStream();
            using (var gzip = new GZipStream(memory, CompressionLevel.Fastest)) gzip.Write(bytes);
            return memory.ToArray();
        }
        string path = _folder.Write("my-images-idx3-ubyte" + ending,
            Pack([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, .. Enumerable.Range(0, 12).Select(i => (byte)i)]));
        _folder.Write("my-labels-idx1-ubyte" + ending, Pack([0, 0, 8, 1, 0, 0, 0, 2, 4, 1]));
        var source = ImageSources.Open(path, Options);
        Assert.Equal((2, 2), (source.Count, source.NativeSize));
        Assert.Equal([4, 1], new[] { source.LabelOf(0), source.LabelOf(1) });
        Assert.Equal(["0", "1", "2", "3", "4"], source.ClassNames!);
        Assert.Equal([6, 7, 9, 10], (byte[])source.Decode(1, 2).Values);
    }

    [Fact]
    public void Open_IdxDamaged_SaysHow()
    {
        Assert.Contains("must start with the bytes 0 0 8 3, but starts with 1 2 3",
            Message(_folder.Write("a-images-idx3-ubyte", [1, 2, 3])));
        Assert.Contains("promises 1 x 2 x 2 values, but at most 1 byte can follow",
            Message(_folder.Write("b-images-idx3-ubyte", [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 9])));
        Assert.Contains("not a whole gzip file", Message(_folder.Write("c-images-idx3-ubyte.gz", "no gzip at all")));
    }

    [Fact]
    public void Open_IdxLabelsOfAnotherCount_SaysBoth()
    {
        string path = _folder.Write("a-images-idx3-ubyte", [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9]);
        _folder.Write("a-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, 2, 4, 1]);
        string message = Message(path);
        Assert.Contains("holds 1 image, but '", message);
        Assert.Contains("a-labels-idx1-ubyte' beside it 2 labels: each image needs one.", message);
    }

    [Fact]
    public void Open_Cifar_ReadsRecordsOfAllFiles()
    {
        byte[] Record(byte label, byte first) => [label, .. Enumerable.Range(0, 3072).Select(i => (byte)(first + i / 1024))];
        for (byte i = 1; i <= 5; i++) _folder.Write($"data_batch_{i}.bin", [.. Record(i, i), .. Record(0, 100)]);
        _folder.Write("test_batch.bin", Record(9, 7));
        var train = ImageSources.Open($"cifar10:{_folder.Root}", Options);
        var test = ImageSources.Open($"cifar10:{_folder.Root}:test", Options);
        Assert.Equal((10, 1, 32), (train.Count, test.Count, train.NativeSize));
        Assert.Equal([1, 0, 2, 0, 3, 0, 4, 0, 5, 0], Enumerable.Range(0, 10).Select(train.LabelOf));
        Assert.Equal("truck", test.ClassNames![test.LabelOf(0)]);
        var pixels = train.Decode(4, 32);
        Assert.Equal([3, 4, 5], new[] { 0, 1024, 2048 }.Select(i => (int)((byte[])pixels.Values)[i]));
    }

    [Fact]
    public void Open_CifarMissingOrDamaged_SaysWhat()
    {
        Assert.Contains("needs the binary version", Message($"cifar10:{_folder.Root}"));
        _folder.Write("test_batch.bin", new byte[100]);
        Assert.Contains("whole records of 3073 bytes, but has 100", Message($"cifar10:{_folder.Root}:test"));
        _folder.Write("test_batch.bin", [77, .. new byte[3072]]);
        Assert.Contains("holds label 77", Message($"cifar10:{_folder.Root}:test"));
    }

    [Theory]
    [InlineData("<i8", "1000000000000,")]
    [InlineData("<i8", "9223372036854775807,")]
    [InlineData("<i8", "4,")]
    public void Open_NpyLabelsThatAreNotThere_SaysSo(string type, string shape)
    {
        string path = Npy("x.npy", "|u1", "3, 2, 2", new byte[12]);
        Npy("x.labels.npy", type, shape, Bytes(2L, -1L, 0L));
        Assert.Contains("is cut short", Message(path));
    }

    [Theory]
    [InlineData(0x7fffffff, 0x7fffffff, 0x7fffffff)]
    [InlineData(0x10000, 0x10000, 0x10000)] // 2^48
    [InlineData(0x40000000, 4, 1)]
    [InlineData(-1, -1, 1)]
    public void Open_IdxWhoseCountsAreNotThere_IsRefusedBeforeAnythingIsAllocated(int n, int h, int w)
    {
        byte[] file = new byte[16 + 16];
        (file[2], file[3]) = (8, 3);
        foreach (var (at, value) in new[] { (4, n), (8, h), (12, w) })
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(at), value);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("is cut short or damaged", Message(_folder.Write("a-images-idx3-ubyte", file)));
        using (var packed = new GZipStream(File.Create(_folder.At("b-images-idx3-ubyte.gz")), CompressionMode.Compress))
            packed.Write(file);
        Assert.Contains("is cut short or damaged", Message(_folder.At("b-images-idx3-ubyte.gz")));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Open_IdxThatUnpacksToMoreThanItsHeaderSays_IsNotUnpacked()
    {
        using (var packed = new GZipStream(File.Create(_folder.At("c-images-idx3-ubyte.gz")), CompressionMode.Compress))
        {
            packed.Write([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2]);
            for (int i = 0; i < 64; i++) packed.Write(new byte[1 << 20]);
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("promises 1 x 2 x 2 values, but more follow", Message(_folder.At("c-images-idx3-ubyte.gz")));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }
}
