using SiamSharp.Interop;
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
            ("float64", ScalarType.Float64), ("float16", ScalarType.Float16), ("bfloat16", ScalarType.BFloat16), ("int64", ScalarType.Int64), ("int32", ScalarType.Int32),
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
    [InlineData("whole-module.pth", "it asks for torch.nn.modules.linear.Linear")]
    [InlineData("torchscript.pt", "a TorchScript program")]
    [InlineData("make.py", "neither as a zip archive nor as a pickle")]
    public void Read_NoStateDict_SaysSo(string name, string reason) =>
        Assert.Contains(reason, Assert.Throws<PyTorchFileException>(() => PyTorchFile.Read(Golden(name))).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_NoFile_IsAnIoException() => Assert.Throws<FileNotFoundException>(() => PyTorchFile.Read(Golden("absent.pth")));
}
