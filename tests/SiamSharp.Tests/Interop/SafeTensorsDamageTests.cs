using System.Text;
using CsCheck;
using SiamSharp.Files;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Interop;

/// <summary>A damaged file is reported as such, whatever the damage.</summary>
public sealed class SafeTensorsDamageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("damage").FullName;
    private int _files;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string NewPath() => Path.Combine(_folder, $"{Interlocked.Increment(ref _files)}.safetensors");

    private byte[] ValidFile()
    {
        using var scope = NewDisposeScope();
        string path = NewPath();
        var tensors = new Dictionary<string, Tensor>
        {
            ["weight"] = ones(3, 2),
            ["mask"] = tensor(new[] { true, false }),
            ["n"] = tensor(5L)
        };
        SafeTensors.Write(path, tensors, new Dictionary<string, string> { ["key"] = "value" });
        return File.ReadAllBytes(path);
    }

    // True when it can be read, false when it is reported; anything else fails the test.
    private bool Reads(byte[] bytes)
    {
        string path = NewPath();
        File.WriteAllBytes(path, bytes);
        try
        {
            SafeTensors.Read(path).Dispose();
            SafeTensors.Map(path).Dispose();
            return true;
        }
        catch (SafeTensorsException e)
        {
            Assert.Equal(path, e.Path);
            Assert.InRange(e.Offset, -1, bytes.Length);
            Assert.NotEmpty(e.Reason);
            Assert.Throws<SafeTensorsException>(() => SafeTensors.Map(path));
            return false;
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Read_AnyTruncation_IsReported()
    {
        byte[] valid = ValidFile();
        Assert.True(Reads(valid));
        for (int length = 0; length < valid.Length; length++) Assert.False(Reads(valid[..length]), $"cut to {length} bytes");
        Assert.False(Reads([.. valid, 0]));
    }

    [Fact]
    public void Read_AnyBitFlipped_IsReported()
    {
        byte[] valid = ValidFile();
        string path = NewPath();
        for (int bit = 0; bit < valid.Length * 8; bit++)
        {
            byte[] damaged = [.. valid];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(Reads(damaged), $"bit {bit % 8} of byte {bit / 8}");
            File.WriteAllBytes(path, damaged);
            Assert.Throws<SafeTensorsException>(() => SafeTensors.ReadMetadata(path));
        }
    }

    [Theory]
    [InlineData("xxhash128", "checksum")]
    [InlineData("checksum", "xxhash128")]
    public void Read_HashOrItsAnnouncementTakenOut_IsReported(string left, string missing)
    {
        string path = NewPath();
        byte[] header = Encoding.UTF8.GetBytes("{\"__metadata__\":{\"" + left
            + "\":\"xxhash128\"},\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}");
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. header, 1]);
        Assert.Contains($"\"{missing}\" is missing", Assert.Throws<SafeTensorsException>(() => SafeTensors.Read(path)).Message);
    }

    [Fact]
    public void Read_BytesChanged_ReadsOrReports()
    {
        byte[] valid = ValidFile();
        Gen.Select(Gen.Int[0, valid.Length - 1], Gen.Byte).Array[1, 4].Sample(changes =>
        {
            byte[] damaged = [.. valid];
            foreach (var (position, value) in changes) damaged[position] = value;
            Reads(damaged);
        }, iter: 3000);
    }

    [Fact]
    public void Read_AnyBytes_ReadsOrReports() => Gen.Byte.Array[0, 64].Sample(bytes => { Reads(bytes); }, iter: 1000);

    [Theory]
    [InlineData("""[]""", "not an object")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}""", "takes 8 bytes, but its shape [1] needs 4")]
    [InlineData(
        """{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""",
        "begins at byte 4")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "begins at byte 4")]
    [InlineData("""{"x":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", "the tensors take 16 bytes, the file has 8")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "the tensors take 4 bytes, the file has 8")]
    [InlineData("""{"x":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "-2 in its shape")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", "2.5 in its shape")]
    [InlineData("""{"x":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,8]}}""", "takes 8 bytes")]
    [InlineData("""{"x":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}""", "the dtype \"C64\"")]
    [InlineData("""{"x":{"shape":[2],"data_offsets":[0,8]}}""", "no dtype")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "the offsets [8, 0]")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"x":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}""",
        "not JSON")]
    [InlineData("""{"__metadata__":{"a":1},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "__metadata__.a")]
    [InlineData("""{"x":{"dtype":"BOOL","shape":[8],"data_offsets":[0,8]}}""", "holds the byte 9")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""", "not JSON")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "header")]
    public void Read_BrokenRule_NamesIt(string json, string reason)
    {
        string path = NewPath();
        byte[] header = Encoding.UTF8.GetBytes(json);
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. header, 9, 9, 9, 9, 9, 9, 9, 9]);
        var fault = Assert.Throws<SafeTensorsException>(() => SafeTensors.Read(path));
        Assert.Contains(reason, fault.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_DeeplyNestedOrManyDimensions_IsReported()
    {
        string Wrapped(string json) => string.Concat(Encoding.Latin1.GetString(BitConverter.GetBytes((long)json.Length)), json);
        string deep = string.Concat(Enumerable.Repeat("[", 5000)), ones = string.Join(",", Enumerable.Repeat("1", 65));
        Assert.False(Reads(Encoding.Latin1.GetBytes(Wrapped(deep))));
        Assert.False(Reads(
            [.. Encoding.Latin1.GetBytes(Wrapped($$$"""{"x":{"dtype":"U8","shape":[{{{ones}}}],"data_offsets":[0,1]}}""")), 1]));
    }

    [Fact]
    public void Read_NoFile_IsAnIoException() =>
        Assert.Throws<FileNotFoundException>(() => SafeTensors.Read(Path.Combine(_folder, "absent")));
}
