using SiamSharp.Backbones;
using SiamSharp.Files;
using SiamSharp.Tests.Reference;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Interop;

/// <summary>Files that PyTorch 1.13 wrote (Golden/pytorch/make.py).</summary>
public sealed class PyTorchFileTests
{
    private static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "Golden", "pytorch", name);

    [Theory]
    [InlineData("zip.pth")]
    [InlineData("legacy.pth")]
    public void Read_Checkpoint_GivesEveryTensorByItsPath(string name)
    {
        using var scope = NewDisposeScope();
        IReadOnlyDictionary<string, Tensor> tensors;
        using (NewDisposeScope()) tensors = PyTorchFile.Read(Golden(name)); // outlives the scope
        var shared = arange(6, ScalarType.Float32);
        var expected = new Dictionary<string, Tensor>
        {
            ["state_dict.module.f32"] = shared.view(2, 3) / 4,
            ["state_dict.module.count"] = tensor(7L),
            ["views.0"] = shared,
            ["views.1"] = shared[2..5],
            ["views.2"] = shared.view(2, 3).t(),
            ["views.3"] = zeros(0, 3),
            ["views.4"] = shared * 2,
            ["tuple.0"] = arange(1),
            ["tuple.1.0"] = arange(2),
            ["by number.0"] = arange(1),
            ["by number.12"] = arange(2),
        };
        foreach (var (key, type) in new (string, ScalarType)[]
        {
            ("float64", ScalarType.Float64), ("float16", ScalarType.Float16), ("bfloat16", ScalarType.BFloat16),
            ("int64", ScalarType.Int64), ("int32", ScalarType.Int32),
            ("int16", ScalarType.Int16), ("int8", ScalarType.Int8), ("uint8", ScalarType.Byte), ("bool", ScalarType.Bool),
        })
        {
            expected[$"types.{key}"] = (arange(3) - 1).to(type);
        }
        Assert.Equal(expected.Keys.Order(), tensors.Keys.Order());
        Assert.All(expected, e => Near.Same(e.Value, tensors[e.Key]));

        tensors["views.0"][2] = 100f; // one storage, as in PyTorch
        Assert.Equal(100, tensors["views.1"][0].item<float>());
        foreach (Tensor read in tensors.Values) read.Dispose();
    }

    [Theory]
    [InlineData("options.pth")]
    [InlineData("options-legacy.pth")]
    public void Read_OptionsOfUnknownClasses_PassesThemOver(string name)
    {
        using var scope = NewDisposeScope();
        IReadOnlyDictionary<string, Tensor> tensors = PyTorchFile.Read(Golden(name));
        Assert.Equal(["default.a.0", "model.bn1.bias", "model.conv1.weight"], tensors.Keys.Order());
        Near.Same(arange(6, ScalarType.Float32).view(2, 3), tensors["model.conv1.weight"]);
        foreach (Tensor tensor in tensors.Values) tensor.Dispose();
    }

    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "a pointer of Git LFS")]
    [InlineData("", "it is empty (0 bytes)")]
    [InlineData("  <!DOCTYPE html><html>", "a web page")]
    [InlineData("<?xml version='1.0'?><Error>AccessDenied</Error>", "a web page or XML")]
    [InlineData("\u0089HDF\r\n\u001a\n0000", "an HDF5 file, as Keras writes")]
    [InlineData("\u0093NUMPY\u0001\0\u0076\0", "a NumPy array")]
    [InlineData("\u0008\u0007\u0012\u0007pytorch", "an ONNX model")]
    [InlineData("\u001f\u008b\u0008\0\0\0\0\0\0\0", "it is compressed")]
    [InlineData("{\"message\": \"not found\"}", "text that begins with '{\"message\": \"not found\"}'")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0\0\0", "12 zero bytes")]
    public void Read_SomethingElse_IsNamedForWhatItIs(string bytes, string reason)
    {
        string folder = Directory.CreateTempSubdirectory("weights").FullName;
        foreach (string ending in new[] { ".pth", ".safetensors", ".bin" })
        {
            string path = Path.Combine(folder, "w" + ending);
            File.WriteAllBytes(path, System.Text.Encoding.Latin1.GetBytes(bytes));
            string message = Assert.ThrowsAny<Exception>(() => WeightsFile.Read(path)).Message;
            Assert.Contains(reason, message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', message);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("x.npy,y.npy", "an .npz file")]
    [InlineData("config.json,model.weights.h5", "a .keras model")]
    [InlineData("word/document.xml,a,b,c", "of 4 files (word/document.xml, a, b, ...)")]
    public void Read_ZipOfSomethingElse_IsNamedForWhatItIs(string names, string reason)
    {
        string path = Path.GetTempFileName();
        using (var archive = new System.IO.Compression.ZipArchive(File.Create(path), System.IO.Compression.ZipArchiveMode.Create))
            foreach (string name in names.Split(',')) archive.CreateEntry(name);
        Assert.Contains(reason,
            Assert.Throws<PyTorchFileException>(() => WeightsFile.Read(path)).Message, StringComparison.Ordinal);
        File.Delete(path);
    }

    [Theory]
    [InlineData("whole-module.pth", "asks for torch.nn.modules.linear.Linear")]
    [InlineData("torchscript.pt", "a TorchScript program")]
    [InlineData("make.py", "it is text that begins with")]
    public void Read_NoStateDict_SaysSo(string name, string reason) =>
        Assert.Contains(reason, Assert.Throws<PyTorchFileException>(() => PyTorchFile.Read(Golden(name))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Read_NoFile_IsAnIoException() =>
        Assert.Throws<FileNotFoundException>(() => PyTorchFile.Read(Golden("absent.pth")));
}
