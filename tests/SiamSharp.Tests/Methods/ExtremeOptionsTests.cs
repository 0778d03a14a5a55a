using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json.Nodes;
using SiamSharp.Methods;
using SiamSharp.Options;
using SiamSharp.Tests.Reference;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Methods;

/// <summary>Every framework at the ends of what its options allow, with embeddings that differ, are equal or are zero:
/// all numbers stay finite.</summary>
public sealed class ExtremeOptionsTests
{
    /// <summary>A linear map of the pixels, equal numbers for all images, or zeros.</summary>
    private sealed class Fake : nn.Module<Tensor, Tensor>
    {
        private readonly Linear linear;
        private readonly Parameter constant;
        private readonly string _kind;

        public Fake(string kind) : base(nameof(Fake))
        {
            _kind = kind;
            linear = nn.Linear(64, 16);
            constant = new Parameter(linspace(-1, 2, 16));
            SiamSharp.Backbones.Initialization.Draw(linear, 1);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) => _kind switch
        {
            "random" => linear.forward(x.flatten(1)),
            "equal" => constant.expand(x.shape[0], -1),
            _ => linear.forward(x.flatten(1)) * 0,
        };
    }

    public static TheoryData<string, string> Cases => new(
        from name in EveryMethodTests.Names.Select(row => row.Data)
        from kind in new[] { "random", "equal", "zero", "zero-weights" }
        select (name, kind));

    /// <summary>The options with one number at an end of its range, each in turn, then all at their lower and all
    /// at their upper ends.</summary>
    private static IEnumerable<(string Changed, MethodOptions Options)> Extremes(string name)
    {
        JsonObject small = EveryMethodTests.Tree(name);
        Type type = OptionsJson.Read<MethodOptions>((JsonObject)small.DeepClone()).GetType();
        var ends = type.GetProperties().Where(p => p.PropertyType == typeof(double))
            .Select(p => (Key: JsonNamingName(p), Range: p.GetCustomAttribute<RangeAttribute>()!))
            .Where(p => p.Range is not null).ToArray();
        foreach (bool upper in new[] { false, true })
        {
            foreach (var end in ends) yield return Changed([end], upper);
            yield return Changed(ends, upper);
        }

        (string, MethodOptions) Changed((string Key, RangeAttribute Range)[] which, bool upper)
        {
            var tree = (JsonObject)small.DeepClone();
            foreach (var (key, range) in which) tree[key] = (double)(upper ? range.Maximum : range.Minimum);
            return ($"{string.Join(", ", which.Select(w => w.Key))} {(upper ? "highest" : "lowest")}",
                OptionsJson.Read<MethodOptions>(tree));
        }

        static string JsonNamingName(PropertyInfo p) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(p.Name);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Loss_AtTheEndsOfEveryRange_IsFiniteWithItsGradients(string name, string kind)
    {
        foreach (var (changed, options) in Extremes(name))
        {
            using var scope = NewDisposeScope();
            using SiameseMethod method = options.Create(new MethodSetup(() => new Fake(kind), 16, 1) { Samples = 16 });
            if (kind == "zero-weights")
            {
                using (no_grad())
                    foreach (Tensor parameter in method.parameters()) parameter.zero_();
            }
            for (int step = 0; step < 5; step++)
            {
                using var inner = NewDisposeScope();
                method.zero_grad();
                var batch = new ViewBatch(
                    [.. new[] { 1, 2 }.Select(v => RandomTensors.Normal((ulong)(step * 10 + v), [16, 1, 8, 8]))])
                {
                    Indexes = arange(16, dtype: ScalarType.Int64),
                    Labels = arange(16, dtype: ScalarType.Int64).remainder(3),
                    Step = step,
                    StepsPerEpoch = 2,
                    Progress = (step + 1) / 5.0,
                };
                LossTerms terms = method.Loss(batch);
                AssertFinite(terms.Total, "the loss");
                foreach (var (term, value) in terms.Terms) AssertFinite(value, term);
                terms.Total.backward();
                foreach (var (key, parameter) in method.named_parameters())
                    if (parameter.grad is { } gradient) AssertFinite(gradient, $"the gradient of {key}");
                method.AfterStep(batch, terms);
                foreach (var (key, value) in method.state_dict()) AssertFinite(value, key);

                void AssertFinite(Tensor value, string what) =>
                    Assert.True(value.to(ScalarType.Float32).isfinite().all().item<bool>(),
                        $"{what} is not finite at step {step} with {changed}");
            }
        }
    }
}
