using ParquetSharp;
using SiamSharp.Embeddings;
using SiamSharp.Randomness;
using Xunit;

namespace SiamSharp.Tests.Embeddings;

/// <summary>Parquet files there and back with Apache's own implementation (parquet-cpp, through ParquetSharp).</summary>
public sealed class ParquetTests : IDisposable
{
    private const int Width = 7;

    private readonly string _folder = Directory.CreateTempSubdirectory("parquet").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string File => Path.Combine(_folder, "x.parquet");

    private static (string[] Paths, string?[] Labels, float[][] Vectors) Rows(int count)
    {
        var stream = new RandomStream(1, RandomPurpose.Fill);
        float[][] vectors = [.. Enumerable.Range(0, count).Select(_ => new float[Width])];
        foreach (float[] vector in vectors) stream.FillNormal(vector);
        return ([.. Enumerable.Range(0, count).Select(i => $"ä/{i}.png")],
            [.. Enumerable.Range(0, count).Select(i => i % 3 == 0 ? null : $"class {i % 3}")], vectors);
    }

    [Fact]
    public void Write_ReadByApache_GivesTheSameRows()
    {
        const int count = 20_000; // two row groups
        var (paths, labels, vectors) = Rows(count);
        using (var table = new EmbeddingTable(Width, [.. vectors.Select(v => (ReadOnlyMemory<float>)v)], paths, labels))
            EmbeddingFile.Write(File, table);

        using var file = new ParquetFileReader(File);
        var (readPaths, readLabels, readVectors) = (new List<string>(), new List<string?>(), new List<float[]>());
        for (int g = 0; g < file.FileMetaData.NumRowGroups; g++)
        {
            using RowGroupReader group = file.RowGroup(g);
            int rows = (int)group.MetaData.NumRows;
            using (var column = group.Column(0).LogicalReader<string>()) readPaths.AddRange(column.ReadAll(rows));
            using (var column = group.Column(1).LogicalReader<string?>()) readLabels.AddRange(column.ReadAll(rows));
            using (var column = group.Column(2).LogicalReader<float[]>()) readVectors.AddRange(column.ReadAll(rows));
        }
        Assert.Equal("vector.list.element", file.FileMetaData.Schema.Column(2).Path.ToDotString());
        Assert.Equal(paths, readPaths);
        Assert.Equal(labels, readLabels);
        Assert.Equal(vectors, readVectors);
    }

    [Theory]
    [InlineData(Compression.Snappy)] // what pandas and Arrow write unless told otherwise
    [InlineData(Compression.Zstd)]
    [InlineData(Compression.Uncompressed)]
    public void Read_WrittenByApache_GivesTheSameRows(Compression compression)
    {
        const int count = 1000;
        var (paths, labels, vectors) = Rows(count);
        using (var file = new ParquetFileWriter(File,
            [new Column<string>("path"), new Column<string>("label"), new Column<float[]>("vector")], compression))
        {
            foreach (Range rows in new[] { ..600, 600.. })
            {
                using RowGroupWriter group = file.AppendRowGroup();
                using (var column = group.NextColumn().LogicalWriter<string>()) column.WriteBatch(paths[rows]);
                using (var column = group.NextColumn().LogicalWriter<string?>()) column.WriteBatch(labels[rows]);
                using (var column = group.NextColumn().LogicalWriter<float[]>()) column.WriteBatch(vectors[rows]);
            }
            file.Close();
        }

        using EmbeddingTable table = EmbeddingTable.Read(File);
        Assert.Equal((count, Width), (table.Count, table.Width));
        Assert.Equal(paths, table.Paths);
        Assert.Equal(labels, table.Labels);
        for (int row = 0; row < count; row++) Assert.True(table[row].SequenceEqual(vectors[row]), $"row {row}");
    }
}
