using SiamSharp.Embeddings;
using Xunit;

namespace SiamSharp.Tests.Embeddings;

public sealed class ParquetFooterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("parquet").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("PAR1\u001f\u0019\u0003\u0003\0\0\0PAR1", "value of type 15")] // Parquet.Net never ended on it
    [InlineData("PAR1\u0019\u001c\u0002\0\0\0PAR1", "a list of 1 items")]
    [InlineData("PAR1\u0015\u0001\0\0\u0004\0\0\0PAR1", "1 bytes too early")]
    [InlineData("PAR1\u0019\u007c\0\u0003\0\0\0PAR1", "a list of 7 items")]
    [InlineData("PAR1\0\0\0\0PAR1", "end too early")]
    [InlineData("PAR1\u007f\u007f\u007f\u007fPAR1", "more than there are")]
    [InlineData("PAR1PAR1", "fewer than a Parquet file needs")]
    [InlineData("<html></html>", "begins and ends with PAR1")]
    public void Read_DamagedFooter_IsRefused(string text, string expected)
    {
        string file = Path.Combine(_folder, "x.parquet");
        File.WriteAllBytes(file, System.Text.Encoding.Latin1.GetBytes(text));
        Assert.Contains(expected, Assert.Throws<EmbeddingFileException>(() => EmbeddingFile.Read(file)).Message);
    }

    [Fact]
    public void Read_StructsWithoutEnd_AreNotFollowed()
    {
        byte[] metadata = [.. Enumerable.Repeat((byte)0x1c, 100_000)];
        string file = Path.Combine(_folder, "x.parquet");
        File.WriteAllBytes(file, [.. "PAR1"u8, .. metadata, .. BitConverter.GetBytes(metadata.Length), .. "PAR1"u8]);
        Assert.Contains("deep within one another", Assert.Throws<EmbeddingFileException>(() => EmbeddingFile.Read(file)).Message);
    }
}
