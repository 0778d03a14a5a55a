using SiamSharp.Files;
using SiamSharp.Tests.Reference;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Interop;

public sealed class StateDictTests
{
    [Fact]
    public void Load_EverythingWrong_ListsEveryDifferenceAndChangesNothing()
    {
        using var scope = NewDisposeScope();
        using var module = nn.Sequential(("a", nn.Linear(2, 3)), ("b", nn.Linear(3, 1)));
        var before = module.state_dict().ToDictionary(t => t.Key, t => t.Value.detach().clone());
        var tensors = new Dictionary<string, Tensor>
        {
            ["a.weight"] = zeros(3, 2),
            ["a.bias"] = zeros(4),
            ["head.x"] = zeros(1),
            ["head.y"] = zeros(1)
        };
        var fault = Assert.Throws<StateDictMismatchException>(() => StateDict.Load(module, tensors));
        Assert.Equal(["b.weight", "b.bias"], fault.Missing);
        Assert.Equal(["head.x", "head.y"], fault.Unexpected);
        Assert.Equal(["a.bias [4], not [3]"], fault.Misshaped);
        Assert.All(fault.Missing.Concat(fault.Unexpected).Concat(fault.Misshaped),
            line => Assert.Contains(line, fault.Message, StringComparison.Ordinal));
        Assert.Contains("Missing (9): k0, k1, k2, k3, k4, ...",
            new StateDictMismatchException([.. Enumerable.Range(0, 9).Select(i => $"k{i}")], [], []).Message);
        Assert.All(module.state_dict(), t => Near.Same(before[t.Key], t.Value));
    }

    [Fact]
    public void Load_OtherPrecision_ConvertsAndStaysTrainable()
    {
        using var scope = NewDisposeScope();
        using var module = nn.Linear(2, 2);
        StateDict.Load(module, new Dictionary<string, Tensor>
        {
            ["weight"] = full([2, 2], 0.5, ScalarType.Float16),
            ["bias"] = ones(2, ScalarType.Float64)
        });
        Near.Same(full([2, 2], 0.5f), module.weight);
        Near.Same(ones(2), module.bias!);
        Assert.True(module.weight.requires_grad);
    }
}
