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
        return new(width, [values.AsMemory(0, first), values.AsMemory(first)], [.. Enumerable.Range(0, count).Select(i => $"folder/{i},\"x\".png")], labels);
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
        Assert.Equal(name.EndsWith("npy", StringComparison.Ordinal) ? ["x.csv", "x.npy"] : new[] { "x.parquet" }, Directory.GetFiles(_folder).Select(Path.GetFileName).Order());
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
        Assert.Equal("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", System.Text.Encoding.ASCII.GetString(bytes, 10, length).TrimEnd());
        Assert.Equal((byte)'\n', bytes[10 + length - 1]);
        Assert.Equal(new float[] { 1, 2, 3, 4 }, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes.AsSpan(10 + length)).ToArray());
    }

    [Fact]
    public void Read_NumPyWithoutNames_NumbersTheRows()
    {
        using (EmbeddingTable table = Table(4, 2)) EmbeddingFile.Write(In("x.npy"), table);
        File.Delete(In("x.csv"));
        using EmbeddingTable read = EmbeddingTable.Read(In("x.npy"));
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
        Assert.Contains("each of its 4 vectors, but has 1 rows", Fault("y.npy"), StringComparison.Ordinal);

        string Fault(string name) => Assert.Throws<EmbeddingFileException>(() => EmbeddingTable.Read(In(name))).Message;
    }
}
