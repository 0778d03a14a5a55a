using SiamSharp.Backbones;
using SiamSharp.Methods;
using SiamSharp.Options;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SiamSharp.Benchmarks;

/// <summary>How much of a step each framework takes for itself: heads, loss, target network and queue,
/// with its published defaults.</summary>
/// <remarks>
/// The framework's own seconds are those of a whole step with a backbone that costs nothing, plus the moving average over
/// ResNet-18's parameters where there is a target network. The backbone's are those of ResNet-18: both views forward and
/// backward, and forward once more for the target.
/// </remarks>
internal static class MethodShare
{
    private const int Width = 512, Samples = 50_000;

    internal static object Measure(int size, int batch, int steps)
    {
        Tensor[] views = [rand(batch, 3, size, size), rand(batch, 3, size, size)];
        using var resnet = new BackboneOptions().Create(3, size, seed: 1);
        using var copy = new BackboneOptions().Create(3, size, seed: 1);
        double bothWays = Seconds(2, () =>
        {
            using var scope = NewDisposeScope();
            resnet.forward(cat(views)).sum().backward();
        });
        double forward = Seconds(2, () =>
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            copy.forward(cat(views));
        });
        Tensor[] own = [.. copy.parameters()], online = [.. resnet.parameters()];
        double average = Seconds(steps, () =>
        {
            using var noGradient = no_grad();
            Native.TorchOperators.Lerp(own, online, 0.01);
        });

        var kinds = OptionsJson.Serializer.GetTypeInfo(typeof(MethodOptions)).PolymorphismOptions!.DerivedTypes;
        return kinds.ToDictionary(kind => (string)kind.TypeDiscriminator!, kind =>
        {
            var options = (MethodOptions)Activator.CreateInstance(kind.DerivedType)!;
            using SiameseMethod method = options.Create(new MethodSetup(() => new Nothing(), Width, 1) { Samples = Samples });
            bool target = method.state_dict().Keys.Any(key => key.StartsWith("target.", StringComparison.Ordinal));
            long step = 0;
            double ownSeconds = Seconds(steps, () =>
            {
                using var scope = NewDisposeScope();
                var seen = new ViewBatch(views)
                {
                    Indexes = arange(batch, dtype: ScalarType.Int64),
                    Labels = arange(batch, dtype: ScalarType.Int64).remainder(10),
                    Step = 1000 + step++,
                    StepsPerEpoch = 10,
                    Progress = 0.5,
                };
                LossTerms terms = method.Loss(seen);
                terms.Total.backward();
                foreach (var parameter in method.parameters()) parameter.grad = null;
                method.AfterStep(seen, terms);
            }) + (target ? average : 0);
            double backbone = bothWays + (target ? forward : 0);
            return new { own_seconds = ownSeconds, backbone_seconds = backbone, share = ownSeconds / (ownSeconds + backbone) };
        });
    }

    /// <summary>The median of some runs, after one that is not counted.</summary>
    private static double Seconds(int runs, Action action)
    {
        TimeProvider time = TimeProvider.System;
        double[] seconds = new double[runs];
        for (int i = -1; i < runs; i++)
        {
            long start = time.GetTimestamp();
            action();
            if (i >= 0) seconds[i] = time.GetElapsedTime(start).TotalSeconds;
        }
        return seconds.Order().ElementAt(runs / 2);
    }

    /// <summary>(N, 3, H, W) to (N, 512) at next to no cost.</summary>
    private sealed class Nothing : nn.Module<Tensor, Tensor>
    {
        private readonly Linear linear = nn.Linear(3, Width);

        public Nothing() : base(nameof(Nothing)) => RegisterComponents();

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            return linear.forward(x.narrow(2, 0, 1).mean([2, 3])).MoveToOuterDisposeScope();
        }
    }
}
