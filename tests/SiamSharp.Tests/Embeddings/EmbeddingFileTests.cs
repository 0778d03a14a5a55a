using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Randomness;
using Xunit;

namespace SiamSharp.Tests.Embeddings;

public sealed class EmbeddingFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("embeddings").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string In(string name) => Path.Combine(_folder, name);

    private static EmbeddingTable Table(int count, int width)
    {
        float[] values = new float[count * width];
        new RandomStream(1, RandomPurpose.Fill).FillNormal(values);
        string?[] labels = [.. Enumerable.Range(0, count).Select(i => i % 3 == 0 ? null : i % 3 == 1 ? "a, \"b\"" : " ä")];
        // Two blocks, as a file of two row groups gives them.
        int first = count / 3 * width;
        return new(width, [values.AsMemory(0, first), values.AsMemory(first)],
            [.. Enumerable.Range(0, count).Select(i => $"folder/{i},\"x\".png")], labels);
    }

    [Theory]
    [InlineData("x.npy", 5, 3)]
    [InlineData("x.parquet", 5, 3)]
    [InlineData("x.npy", 40_000, 2)]
    [InlineData("x.parquet", 40_000, 2)] // three row groups
    [InlineData("x.parquet", 3, 1)]
    public void Read_WhatWriteWrote_IsTheSame(string name, int count, int width)
    {
        using EmbeddingTable table = Table(count, width);
        EmbeddingFile.Write(In(name), table);
        using EmbeddingTable read = EmbeddingTable.Read(In(name));
        Assert.Equal((count, width), (read.Count, read.Width));
        Assert.Equal(table.Paths, read.Paths);
        Assert.Equal(table.Labels, read.Labels);
        for (int row = 0; row < count; row++) Assert.True(table[row].SequenceEqual(read[row]), $"row {row}");
        Assert.Equal(name.EndsWith("npy", StringComparison.Ordinal) ? ["x.csv", "x.npy", "x.npy.json"] : new[] { "x.parquet" },
            Directory.GetFiles(_folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Write_NumPy_HasTheBytesOfTheFormat()
    {
        using var table = new EmbeddingTable(2, [new float[] { 1, 2, 3, 4 }], ["a", "b"], [null, null]);
        EmbeddingFile.Write(In("x.npy"), table);
        byte[] bytes = File.ReadAllBytes(In("x.npy"));
        Assert.Equal([0x93, .. "NUMPY"u8, 1, 0], bytes[..8]);
        int length = bytes[8] + 256 * bytes[9];
        Assert.Equal(0, (10 + length) % 64);
        Assert.Equal("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }",
            System.Text.Encoding.ASCII.GetString(bytes, 10, length).TrimEnd());
        Assert.Equal((byte)'\n', bytes[10 + length - 1]);
        Assert.Equal(new float[] { 1, 2, 3, 4 },
            System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes.AsSpan(10 + length)).ToArray());
    }

    [Fact]
    public void Read_NumPyWithoutNames_NumbersTheRows()
    {
        using (EmbeddingTable table = Table(4, 2)) EmbeddingFile.Write(In("x.npy"), table);
        File.Delete(In("x.csv"));
        File.Delete(In("x.npy.json"));
        using EmbeddingTable read = EmbeddingTable.Read(In("x.npy"));
        Assert.Collection(read.Notes, note => Assert.Contains("It has no", note),
            note => Assert.Contains("x.csv with the paths and labels is missing", note));
        Assert.Equal($"{In("x.npy")}#3", read.Paths[3]);
        Assert.Null(read.Labels[0]);
    }

    [Theory]
    [InlineData("x.npy")]
    [InlineData("x.parquet")]
    public void Read_CutAnywhere_IsReported(string name)
    {
        using (EmbeddingTable table = Table(6, 3)) EmbeddingFile.Write(In(name), table);
        byte[] whole = File.ReadAllBytes(In(name));
        for (int length = 0; length < whole.Length; length += 7)
        {
            File.WriteAllBytes(In(name), whole[..length]);
            Assert.Equal(In(name), Assert.Throws<EmbeddingFileException>(() => EmbeddingTable.Read(In(name))).Path);
        }
    }

    [Fact]
    public void Read_OtherFiles_SaysWhatIsWrong()
    {
        Assert.Contains("does not exist", Fault("absent.npy"), StringComparison.Ordinal);
        File.WriteAllText(In("x.csv"), "");
        Assert.Contains("must end in .npy or .parquet", Fault("x.csv"), StringComparison.Ordinal);
        using (EmbeddingTable table = Table(4, 2)) EmbeddingFile.Write(In("y.npy"), table);
        File.WriteAllText(In("y.csv"), "path,label\na,b\n");
        Assert.Contains("y.csv is not as it was written (its hash differs)", Fault("y.npy"), StringComparison.Ordinal);
        File.Delete(In("y.csv"));
        Assert.Contains("y.csv with its paths and labels is missing", Fault("y.npy"), StringComparison.Ordinal);
        File.WriteAllText(In("y.csv"), "path,label\na,b\n");
        File.Delete(In("y.npy.json"));
        Assert.Contains("each of its 4 vectors, but has 1 row", Fault("y.npy"), StringComparison.Ordinal);

        string Fault(string name) => Assert.Throws<EmbeddingFileException>(() => EmbeddingTable.Read(In(name))).Message;
    }

    private static readonly EmbeddingOrigin s_origin =
        new("0123456789abcdef0123456789abcdef", "runs/a", new DataOptions { Size = 28, Alpha = AlphaBackground.White });

    private static EmbeddingTable WithOrigin(int count, int width)
    {
        using EmbeddingTable table = Table(count, width);
        return new(width, [.. Enumerable.Range(0, count).Select(row => (ReadOnlyMemory<float>)table[row].ToArray())], table.Paths,
            table.Labels, origin: s_origin);
    }

    [Theory]
    [InlineData("x.npy")]
    [InlineData("x.parquet")]
    public void Read_WhatWriteWrote_KnowsItsOrigin(string name)
    {
        using (EmbeddingTable table = WithOrigin(5, 3)) EmbeddingFile.Write(In(name), table);
        using EmbeddingTable read = EmbeddingTable.Read(In(name));
        Assert.Equal(s_origin, read.Origin);
        Assert.Empty(read.Notes);
        read.Origin!.Check(name, s_origin with { Name = "a copy of it", Data = s_origin.Data with { Threads = 3 } });
        string encoder = Assert.Throws<EmbeddingFileException>(() =>
            read.Origin.Check(name, s_origin with { Encoder = new('f', 32), Name = "runs/b" })).Message;
        Assert.StartsWith($"{name} cannot be used with this encoder: its vectors were made with the encoder of runs/a "
            + "(01234567...), but runs/b holds another one (ffffffff...).", encoder);
        string data = Assert.Throws<EmbeddingFileException>(() =>
            read.Origin.Check(name, s_origin with { Data = new DataOptions { Size = 28 } })).Message;
        Assert.Contains("its images were decoded with data.alpha=white, but these are with data.alpha=auto.", data);
    }

    /// <summary>No flip of any bit of any file of an index is used: it is an error, or nothing that is read differs.</summary>
    [Theory]
    [InlineData("x.npy", "x.npy")]
    [InlineData("x.npy", "x.csv")]
    [InlineData("x.npy", "x.npy.json")]
    [InlineData("x.parquet", "x.parquet")]
    public void Read_AnyFlippedBit_IsNotUsedInSilence(string name, string flipped)
    {
        using EmbeddingTable table = WithOrigin(6, 3);
        EmbeddingFile.Write(In(name), table);
        byte[] whole = File.ReadAllBytes(In(flipped));
        int refused = 0;
        for (int bit = 0; bit < whole.Length * 8; bit += 3)
        {
            byte[] bytes = [.. whole];
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
            File.WriteAllBytes(In(flipped), bytes);
            try
            {
                using EmbeddingTable read = EmbeddingTable.Read(In(name));
                Assert.True(flipped == "x.npy.json", $"bit {bit}"); // blanks between its words
                Assert.Equal(table.Origin, read.Origin);
                Assert.Equal(table.Paths, read.Paths);
            }
            catch (EmbeddingFileException e)
            {
                Assert.DoesNotContain('\n', e.Message);
                refused++;
            }
        }
        Assert.InRange(refused, whole.Length * 2, whole.Length * 3);
    }

    [Fact]
    public void Read_FileOfTheVersionBefore_IsReadWithANote()
    {
        File.Copy(Golden("embeddings-before.npy"), In("x.npy"));
        File.Copy(Golden("embeddings-before.csv"), In("x.csv"));
        File.Copy(Golden("embeddings-before.parquet"), In("x.parquet"));
        foreach (string name in new[] { "x.npy", "x.parquet" })
        {
            using EmbeddingTable read = EmbeddingTable.Read(In(name));
            Assert.Equal((4, "fashion-mnist:sample#0", "Ankle boot"), (read.Count, read.Paths[0], read.Labels[0]));
            Assert.Null(read.Origin);
            Assert.Contains("neither its encoder nor damage can be checked", Assert.Single(read.Notes));
            EmbeddingFile.Write(In(name), read); // its own it replaces
        }
    }

    private static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "Golden", name);

    [Fact]
    public void Write_OverAnotherFile_IsRefused()
    {
        using EmbeddingTable table = Table(4, 2);
        void Refused(string name, string reason)
        {
            byte[]? before = File.Exists(In(name)) ? File.ReadAllBytes(In(name)) : null;
            Assert.Contains(reason, Assert.Throws<EmbeddingFileException>(() => EmbeddingFile.Write(In(name), table)).Message);
            if (before is not null) Assert.Equal(before, File.ReadAllBytes(In(name)));
        }
        File.WriteAllText(In("a.npy"), "mine");
        Refused("a.npy", "there is a file of that name that holds no embeddings");
        File.WriteAllText(In("b.parquet"), "mine");
        Refused("b.parquet", "there is a Parquet file of that name that holds no embeddings");
        File.WriteAllText(In("c.npy.json"), "{}");
        Refused("c.npy", "c.npy.json, which would be replaced");
        Directory.CreateDirectory(In("d.npy"));
        Refused("d.npy", "there is a folder of that name");
        EmbeddingFile.Write(In("e.npy"), table);
        File.Delete(In("e.npy.json"));
        File.Delete(In("e.csv"));
        Refused("e.npy", "there is an array of that name that holds no embeddings"); // (N, D) of the user's own
        Assert.Empty(Directory.GetFiles(_folder, "*.writing"));

        // A damaged one of its own it replaces.
        foreach (string name in new[] { "f.npy", "f.parquet" })
        {
            EmbeddingFile.Write(In(name), table);
            byte[] bytes = File.ReadAllBytes(In(name));
            bytes[20] ^= 4;
            File.WriteAllBytes(In(name), bytes);
            Assert.Throws<EmbeddingFileException>(() => EmbeddingTable.Read(In(name)));
            EmbeddingFile.Write(In(name), table);
            EmbeddingTable.Read(In(name)).Dispose();
        }
    }

    [Fact]
    public void ReadAndWrite_NumbersThatAreNotFinite_NamesTheRow()
    {
        using var table = new EmbeddingTable(2, [new float[] { 1, 2, 3, 4, 5, float.NaN }], ["a", "b", "c"], [null, null, null]);
        Assert.Contains("Row 2, of c, holds a number that is not finite",
            Assert.Throws<ArgumentException>(() => EmbeddingFile.Write(In("x.parquet"), table)).Message);
        // Of another program.
        byte[] array =
        [
            0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. System.Text.Encoding.ASCII.GetBytes(
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }".PadRight(117) + "\n"),
            .. BitConverter.GetBytes(1f), .. BitConverter.GetBytes(float.PositiveInfinity)
        ];
        File.WriteAllBytes(In("x.npy"), array);
        Assert.Contains("row 1, of ", Assert.Throws<EmbeddingFileException>(() => EmbeddingTable.Read(In("x.npy"))).Message);
    }

    /// <summary>Headers that promise what is not there; each spun, or allocated, or ended the process.</summary>
    [Theory]
    [InlineData("504152311f19030300000050415231")]
    [InlineData("5041523115001912f0ffffff0f050000005041523100")]
    [InlineData("504152311900000000000000ffffff7f50415231")]
    [InlineData("5041523119fcffffffff0f000700000050415231")]
    [InlineData("50415231181818181818181818181818181818180c00000050415231")]
    [InlineData("504152315041523150415231")]
    [InlineData("")]
    public async Task Read_ParquetHeadersThatPromiseTooMuch_IsReportedAtOnce(string hex)
    {
        File.WriteAllBytes(In("x.parquet"), Convert.FromHexString(hex));
        Task read = Task.Run(() => Assert.Throws<EmbeddingFileException>(() => EmbeddingTable.Read(In("x.parquet"))),
            TestContext.Current.CancellationToken);
        await read.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }
}
