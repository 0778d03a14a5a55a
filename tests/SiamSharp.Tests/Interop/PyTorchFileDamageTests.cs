using System.IO.Compression;
using System.Text;
using CsCheck;
using SiamSharp.Files;
using Xunit;

namespace SiamSharp.Tests.Interop;

/// <summary>A damaged or hostile file is reported as such: nothing is executed, and no file costs more than
/// about its own length.</summary>
public sealed class PyTorchFileDamageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("pth").FullName;
    private int _files;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static byte[] Golden(string name) =>
        File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "pytorch", name));

    // The reason when it is reported, null when it can be read; anything else fails the test.
    private string? Reported(byte[] bytes)
    {
        string path = Path.Combine(_folder, $"{Interlocked.Increment(ref _files)}.pth");
        File.WriteAllBytes(path, bytes);
        try
        {
            foreach (var tensor in PyTorchFile.Read(path).Values)
            {
                tensor.contiguous().Dispose(); // every element can be reached
                tensor.Dispose();
            }
            return null;
        }
        catch (PyTorchFileException e)
        {
            Assert.Equal(path, e.Path);
            return e.Reason;
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("zip.pth")]
    [InlineData("legacy.pth")]
    public void Read_AnyTruncation_IsReported(string name)
    {
        byte[] valid = Golden(name);
        Assert.Null(Reported(valid));
        for (int length = 0; length < valid.Length; length++)
            Assert.True(Reported(valid[..length]) is not null, $"cut to {length} bytes");
    }

    [Theory]
    [InlineData("zip.pth")]
    [InlineData("legacy.pth")]
    public void Read_BytesChanged_ReadsOrReports(string name)
    {
        byte[] valid = Golden(name);
        Gen.Select(Gen.Int[0, valid.Length - 1], Gen.Byte).Array[1, 4].Sample(changes =>
        {
            byte[] damaged = [.. valid];
            foreach (var (position, value) in changes) damaged[position] = value;
            Reported(damaged);
        }, iter: 5000);
    }

    [Fact]
    public void Read_AnyOpcodes_ReadsOrReports()
    {
        byte[] opcodes = [.. "NKMJGXTUBC(01)t]laed}su.qrhjcRbQ\0\u0001\u0002"u8, 0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c,
            0x8d, 0x8e, 0x93, 0x94, 0x95];
        Gen.Int[0, opcodes.Length - 1].Select(i => opcodes[i]).Array[0, 40]
            .Sample(program => { Reported(Zip(program)); }, iter: 5000);
    }

    /// <summary>A file around a pickle of protocol 2, with a storage called "0" of 16 bytes.</summary>
    private static byte[] Zip(
        byte[] pickle, CompressionLevel compression = CompressionLevel.NoCompression, int storageBytes = 16,
        CompressionLevel pickleCompression = CompressionLevel.NoCompression)
    {
        using var buffer = new MemoryStream();
        using (var archive = new ZipArchive(buffer, ZipArchiveMode.Create, leaveOpen: true))
        {
            void Add(string name, byte[] bytes, CompressionLevel level)
            {
                using var stream = archive.CreateEntry(name, level).Open();
                stream.Write(bytes);
            }
            Add("a/data.pkl", [0x80, 2, .. pickle, (byte)'.'], pickleCompression);
            Add("a/data/0", new byte[storageBytes], compression);
        }
        return buffer.ToArray();
    }

    private static byte[] Code(string program) => Encoding.Latin1.GetBytes(program);

    private static string Text(string value) => $"U{(char)value.Length}{value}";

    private static string Int(int value) => "J" + Encoding.Latin1.GetString(BitConverter.GetBytes(value));

    /// <summary>The pickle of {"w": a tensor of float32 in storage "0"}.</summary>
    private static byte[] TensorProgram(
        string size, string stride, int offset = 0, string count = "K\u0004", string type = "FloatStorage", string key = "0") =>
        Code($"}}{Text("w")}ctorch._utils\n_rebuild_tensor_v2\n(({Text("storage")}ctorch\n{type}\n"
            + $"{Text(key)}{Text("cpu")}{count}tQ{Int(offset)}({size}t({stride}t\u0089}}tRs");

    /// <summary>A long name over a list of many references to one tensor.</summary>
    private static byte[] ManyNames(int letters, int tensors)
    {
        string tensor = Encoding.Latin1.GetString(TensorProgram("K\u0001", "K\u0001"))[4..^1]; // without the dict and its key
        return Code(
            "}X" + Encoding.Latin1.GetString(BitConverter.GetBytes(letters))
                + $"{new string('n', letters)}]({tensor}q\0{string.Concat(Enumerable.Repeat("h\0", tensors))}es");
    }

    [Fact]
    public void Read_ByHand_IsRead() => Assert.Null(Reported(Zip(TensorProgram("K\u0002K\u0002", "K\u0002K\u0001"))));

    public static TheoryData<string, byte[]> Hostile => new()
    {
        { "asks for os.system", Zip(Code($"cos\nsystem\n{Text("touch pwned")}\u0085R")) },
        { "asks for builtins.eval", Zip(Code($"{Text("builtins")}{Text("eval")}\u0093{Text("1")}\u0085R")) },
        { "asks for torch.storage._load_from_bytes", Zip(Code($"ctorch.storage\n_load_from_bytes\nC\u0001x\u0085R")) },
        { "tensors of that kind are not read", Zip(Code($"ctorch._utils\n_rebuild_sparse_tensor\n{Text("x")}\u0085R")) },
        { "asks for torch.NoStorage", Zip(TensorProgram("K\u0001", "K\u0001", type: "NoStorage")) },
        { "something else than a function", Zip(Code($"{Text("x")})R")) },
        { "opcode 0x69", Zip(Code("i")) },
        { "-2 is no size", Zip(TensorProgram(Int(-2), "K\u0001")) },
        { "-1 is no size or stride", Zip(TensorProgram("K\u0002", Int(-1))) },
        { "does not lie in its storage", Zip(TensorProgram("K\u0003", "K\u0002")) },
        { "does not lie in its storage of 4 elements", Zip(TensorProgram("K\u0002", "K\u0001", offset: 3)) },
        { "does not lie in its storage", Zip(TensorProgram("K\u0002", "K\u0001", offset: -1)) },
        {
        "does not lie in its storage",
        Zip(TensorProgram($"{Int(int.MaxValue)}{Int(int.MaxValue)}{Int(int.MaxValue)}", "K\u0000K\u0000K\u0000"))
    },
        { "1 sizes and 2 strides", Zip(TensorProgram("K\u0001", "K\u0001K\u0001")) },
        { "but its tensors need 20", Zip(TensorProgram("K\u0002", "K\u0001", count: "K\u0005")) },
        { "storages need more than the", Zip(TensorProgram("K\u0002", "K\u0001", count: Int(int.MaxValue))) },
        { "not that of a tensor's storage", Zip(TensorProgram("K\u0002", "K\u0001", count: Int(-1))) },
        { "lacks the storage a/data/../../etc/passwd", Zip(TensorProgram("K\u0001", "K\u0001", key: "../../etc/passwd")) },
        { "not compressed", Zip(TensorProgram("K\u0001", "K\u0001"), CompressionLevel.Optimal) },
        { "has 0 bytes", Zip(TensorProgram("K\u0001", "K\u0001"), storageBytes: 0) },
        { "data.pkl is compressed", Zip(TensorProgram("K\u0001", "K\u0001"), pickleCompression: CompressionLevel.Optimal) },
        { "makes more than 2000000 objects", Zip(Code(new string('}', 2_000_001))) },
        {
        "makes more than 2000000 objects",
        Zip(Code(
            $"NN\u0086q\00]q\u0001({string.Concat(Enumerable.Repeat("h\0", 100_000))}e"
                + string.Concat(Enumerable.Repeat("ccollections\nOrderedDict\nh\u0001\u0085R0", 30))),
            storageBytes: 0)
    },
        { "more than 67108864 letters", Zip(ManyNames(1_000_000, 100)) },
        { "bytes too early", Zip(Code("X\u00ff\u00ff\u00ff\u00ff")) },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Read_HostileFile_IsReported(string reason, byte[] file)
    {
        string? reported = Reported(file);
        Assert.NotNull(reported);
        Assert.Contains(reason, reported, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ContainersThatDoubleThirtyTimes_AreReported()
    {
        // [a, a] with a = [b, b] with b = ...: 2^30 values in 200 bytes.
        var program = new StringBuilder("]q\0");
        for (int i = 0; i < 30; i++) program.Append($"0](h{(char)i}h{(char)i}eq{(char)(i + 1)}");
        Assert.Contains("more than 1000000 values", Reported(Zip(Code(program.ToString()))), StringComparison.Ordinal);
        // a list within itself
        Assert.Contains("deep within one another", Reported(Zip(Code("]q\0h\0a"))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("}X\u0001\0\0\0mcposix\nsystem\nX\u0004\0\0\0echo\u0085Rs.",
        "asks for posix.system; nothing is executed: save the state dict alone")]
    [InlineData("}X\u0001\0\0\0mK\u0001s.", "not one that torch.save has written: save the state dict alone")]
    public void Read_PickleOfAnotherProgram_SaysWhatItAsksForAndWhatToSave(string program, string expected) =>
        Assert.Contains(expected, Reported([0x80, 2, .. Encoding.Latin1.GetBytes(program)]), StringComparison.Ordinal);

    [Fact]
    public void Read_RememberedNumbersFarApart_AreReported() =>
        Assert.Contains("7 is remembered after 0 others", Reported(Zip(Code("Nq\u0007"))), StringComparison.Ordinal);

    [Fact]
    public void Read_TwoPicklesOrOneEntryTwice_IsReported()
    {
        using var buffer = new MemoryStream();
        using (var archive = new ZipArchive(buffer, ZipArchiveMode.Create, leaveOpen: true))
        {
            archive.CreateEntry("a/data.pkl");
            archive.CreateEntry("b/data.pkl");
        }
        Assert.Contains("2 files called data.pkl", Reported(buffer.ToArray()), StringComparison.Ordinal);
        buffer.SetLength(0);
        using (var archive = new ZipArchive(buffer, ZipArchiveMode.Create, leaveOpen: true))
        {
            archive.CreateEntry("a/data.pkl");
            archive.CreateEntry("a/data.pkl");
        }
        Assert.Contains("a/data.pkl twice", Reported(buffer.ToArray()), StringComparison.Ordinal);
    }
}
