using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using SiamSharp.Files;
using SiamSharp.Tests.Reference;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Interop;

public sealed class SafeTensorsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("safetensors").FullName;
    private readonly string _path;

    public SafeTensorsTests() => _path = Path.Combine(_folder, "file.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Write_TwoTensors_HasTheBytesOfTheFormat()
    {
        using var scope = NewDisposeScope();
        SafeTensors.Write(_path,
            new Dictionary<string, Tensor> { ["b"] = tensor(new byte[] { 7, 8 }), ["a"] = tensor(new[] { 1.5f }) });
        byte[] bytes = File.ReadAllBytes(_path);
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        byte[] blanked = [.. bytes];
        blanked.AsSpan(38, 32).Fill((byte)'0');
        Assert.Equal("{\"__metadata__\":{\"xxhash128\":\"" + Convert.ToHexStringLower(XxHash128.Hash(blanked))
            + "\",\"checksum\":\"xxhash128\"},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
            + "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[4,6]}}",
            Encoding.UTF8.GetString(bytes, 8, length).TrimEnd(' '));
        Assert.Equal(0, length % 8);
        Assert.Equal([0x00, 0x00, 0xC0, 0x3F, 7, 8], bytes[(8 + length)..]);
    }

    [Fact]
    public void Write_Metadata_IsReadWithoutTheHashAndCannotHoldOne()
    {
        using var scope = NewDisposeScope();
        var one = new Dictionary<string, Tensor> { ["x"] = ones(1) };
        SafeTensors.Write(_path, one, new Dictionary<string, string> { ["who"] = "ä" });
        using var file = SafeTensors.Read(_path);
        Assert.Equal(["who"], file.Metadata.Keys);
        Assert.Equal(["who"], SafeTensors.ReadMetadata(_path).Keys);
        Assert.Matches("^[0-9a-f]{32}$", SafeTensorsHeader.Read(_path).Hash);
        Assert.Throws<ArgumentException>(() =>
            SafeTensors.Write(_path, one, new Dictionary<string, string> { ["xxhash128"] = "0" }));
        Assert.Throws<ArgumentException>(() =>
            SafeTensors.Write(_path, one, new Dictionary<string, string> { ["checksum"] = "0" }));
    }

    [Fact]
    public void Read_BytesByHand_GivesTensorsAndMetadata()
    {
        string json = """{"x":{"dtype":"I16","shape":[2,1],"data_offsets":[0,4]},"__metadata__":{"who":"ä"}"""
            + ""","s":{"dtype":"F64","shape":[],"data_offsets":[4,12]}}""";
        byte[] header = Encoding.UTF8.GetBytes(json);
        File.WriteAllBytes(_path,
            [.. BitConverter.GetBytes((long)header.Length), .. header, 1, 0, 0xFF, 0xFF, .. BitConverter.GetBytes(2.5)]);
        using var file = SafeTensors.Read(_path);
        Assert.Equal("ä", file.Metadata["who"]);
        Assert.Equal([2, 1], file.Tensors["x"].shape);
        Assert.Equal(new short[] { 1, -1 }, file.Tensors["x"].data<short>().ToArray());
        Assert.Equal(2.5, file.Tensors["s"].item<double>());
    }

    [Theory]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Int64)]
    [InlineData(ScalarType.Int32)]
    [InlineData(ScalarType.Int16)]
    [InlineData(ScalarType.Int8)]
    [InlineData(ScalarType.Byte)]
    [InlineData(ScalarType.Bool)]
    public void Read_WhatWriteWrote_HasTheSameBits(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var source = arange(-7, 17).reshape(2, 3, 4);
        var tensors = new Dictionary<string, Tensor>
        {
            ["whole"] = source.to(type),
            ["transposed"] = source.to(type).transpose(0, 2),
            ["scalar"] = tensor(1).to(type),
            ["none"] = zeros([0, 3], type),
        };
        SafeTensors.Write(_path, tensors, new Dictionary<string, string> { ["quote\""] = "line\nbreak" });
        using var file = SafeTensors.Read(_path);
        Assert.Equal(tensors.Keys.Order(), file.Tensors.Keys.Order());
        Assert.All(tensors, t => Near.Same(t.Value, file.Tensors[t.Key]));
        Assert.Equal("line\nbreak", file.Metadata["quote\""]);

        using var mapped = SafeTensors.Map(_path);
        Assert.Equal(tensors.Keys.Order(), mapped.Tensors.Keys.Order());
        Assert.All(tensors, t => Near.Same(t.Value, mapped.Tensors[t.Key]));
        Assert.Equal("line\nbreak", mapped.Metadata["quote\""]);
    }

    [Fact]
    public void Map_TensorChanged_TheFileStays()
    {
        string path = Path.Combine(_folder, "ä ü.safetensors");
        using (NewDisposeScope())
            SafeTensors.Write(path, new Dictionary<string, Tensor> { ["x"] = ones(1000), ["y"] = ones(3, ScalarType.Int64) });
        byte[] before = File.ReadAllBytes(path);
        SafeTensorsFile file;
        using (NewDisposeScope()) file = SafeTensors.Map(path); // outlives the scope
        file.Tensors["x"].fill_(2);
        Assert.Equal(2000, file.Tensors["x"].sum().item<float>());
        Assert.Equal(before, File.ReadAllBytes(path));
        SafeTensors.Write(path, new Dictionary<string, Tensor> { ["z"] = file.Tensors["y"] }); // another file in its place
        Assert.Equal(3, file.Tensors["y"].sum().item<long>());
        file.Dispose();
        Assert.True(file.Tensors["x"].IsInvalid);
    }

    [Fact]
    public void Map_OffsetsOfNoMultiple_AreCopied()
    {
        byte[] header = Encoding.UTF8.GetBytes("""{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}"""
            + ""","x":{"dtype":"F32","shape":[2],"data_offsets":[1,9]},"w":{"dtype":"U16","shape":[1],"data_offsets":[9,11]}}""");
        File.WriteAllBytes(_path, [.. BitConverter.GetBytes((long)header.Length), .. header, 7, .. BitConverter.GetBytes(1.5f),
            .. BitConverter.GetBytes(-2f), 0xFF, 0xFF]);
        using var file = SafeTensors.Map(_path);
        Assert.Equal((byte)7, file.Tensors["b"].item<byte>());
        Assert.Equal([1.5f, -2f], file.Tensors["x"].data<float>().ToArray());
        Assert.Equal(65535, file.Tensors["w"].item<int>());
    }

    [Fact]
    public void Map_LargeFile_IsReadAsItIsTouched()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("/proc is Linux's.");
        const int megabytes = 256;
        using (NewDisposeScope())
            SafeTensors.Write(_path, new Dictionary<string, Tensor> { ["x"] = zeros(megabytes << 18), ["y"] = ones(1) });
        using var file = SafeTensors.Map(_path);
        // Pages of this file in this process's memory, in kB.
        string[] lines = File.ReadAllLines("/proc/self/smaps");
        int at = Array.FindIndex(lines, line => line.EndsWith(_path, StringComparison.Ordinal));
        long resident = long.Parse(lines.Skip(at).First(line => line.StartsWith("Rss:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
        Assert.InRange(resident, 0, megabytes * 1024 / 10);
        Assert.Equal(1, file.Tensors["y"].item<float>());
    }

    [Fact]
    public void Read_TypesThatLibtorchLacks_AreWidened()
    {
        using var scope = NewDisposeScope();
        string json = """{"a":{"dtype":"U16","shape":[2],"data_offsets":[0,4]}"""
            + ""","b":{"dtype":"U32","shape":[1],"data_offsets":[4,8]},"c":{"dtype":"U64","shape":[1],"data_offsets":[8,16]},"""
            + """ "d":{"dtype":"F8_E4M3","shape":[6],"data_offsets":[16,22]}"""
            + ""","e":{"dtype":"F8_E5M2","shape":[6],"data_offsets":[22,28]}}""";
        byte[] header = Encoding.UTF8.GetBytes(json);
        byte[] data = [1, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 127, 0x38, 0x7E, 0x01, 0xB8, 0x7F,
            0x80, 0x3C, 0x7B, 0x01, 0xFC, 0x7F, 0x3D];
        File.WriteAllBytes(_path, [.. BitConverter.GetBytes((long)header.Length), .. header, .. data]);
        using (var file = SafeTensors.Read(_path))
        {
            Near.Same(tensor(new[] { 1, 65535 }), file.Tensors["a"]);
            Near.Same(tensor(new[] { 4294967295L }), file.Tensors["b"]);
            Near.Same(tensor(new[] { long.MaxValue }), file.Tensors["c"]);
            // 448 and 57344 are the largest numbers of the two formats, 2^-9 and 2^-16 the smallest.
            Assert.Equal([1, 448, 1 / 512f, -1, float.NaN, -0f], file.Tensors["d"].data<float>().ToArray());
            Assert.Equal([1, 57344, 1 / 65536f, float.NegativeInfinity, float.NaN, 1.25f],
                file.Tensors["e"].data<float>().ToArray());
        }
        data[15] = 128; // 2^63 + ...
        File.WriteAllBytes(_path, [.. BitConverter.GetBytes((long)header.Length), .. header, .. data]);
        Assert.Contains("U64 of 2^63 or more", Assert.Throws<SafeTensorsException>(() => SafeTensors.Read(_path)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ExistingFile_IsReplacedWithoutLeftovers()
    {
        using var scope = NewDisposeScope();
        SafeTensors.Write(_path, new Dictionary<string, Tensor> { ["old"] = ones(100) });
        SafeTensors.Write(_path, new Dictionary<string, Tensor> { ["new"] = ones(1) });
        Assert.Equal(["file.safetensors"], Directory.GetFiles(_folder).Select(Path.GetFileName));
        Assert.Equal("new", SafeTensorsHeader.Read(_path).Entries.Single().Name);
    }

    [Fact]
    public void Write_UnknownType_NamesTheTensorAndKeepsTheOldFile()
    {
        using var scope = NewDisposeScope();
        SafeTensors.Write(_path, new Dictionary<string, Tensor> { ["old"] = ones(1) });
        var fault = Assert.Throws<ArgumentException>(() =>
            SafeTensors.Write(_path, new Dictionary<string, Tensor> { ["z"] = zeros(2, ScalarType.ComplexFloat32) }));
        Assert.Contains("\"z\" is ComplexFloat32", fault.Message, StringComparison.Ordinal);
        Assert.Equal("old", SafeTensorsHeader.Read(_path).Entries.Single().Name);
    }

    [Fact]
    public void Read_InsideADisposeScope_OutlivesIt()
    {
        using (NewDisposeScope()) SafeTensors.Write(_path, new Dictionary<string, Tensor> { ["x"] = ones(3) });
        SafeTensorsFile file;
        using (NewDisposeScope()) file = SafeTensors.Read(_path);
        Assert.Equal(3, file.Tensors["x"].sum().item<float>());
        file.Dispose();
        Assert.True(file.Tensors["x"].IsInvalid);
    }
}
